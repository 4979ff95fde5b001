"""Tell which images numbers were measured on: by a column, by folders of scripts, by prose."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sr_bench.core.claim import dataset_key
from sr_bench.document.spelling import words
from sr_bench.draft.choices import tail
from sr_bench.draft.found import Found, settle

_ALIASES = {
    **dict.fromkeys(words("div2k div2k100 div2kval div2kvalidation div2kvalidhr"), "div2k_valid"),
    **{"b100": "bsd100", "bsds100": "bsd100", "gopro": "gopro_test"},
}
"""By `dataset_key`: what documents call datasets whose folder has another name."""
CLASSIC = words("set5 set14 bsd100 urban100 manga109")
"""The sets whose published numbers are usually of Y, with the scale's pixels cropped."""
_SECTION = re.compile(r"\s*#+\s.*(数据集|data\s?sets?)", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[;\uff1b\u3002\n]|\.\s")  # also full-width
_WORD = re.compile(r"[\w.+*-]+", re.ASCII)
_HEADING = re.compile(r"\s*#+\s")
_NAMED = re.compile(r"\s*(?:[-*>]\s*)*(?:下载)?\[([^\]]{2,40})\]\(")
_TOLD_NOTHING = re.compile(
    r"path|to|code|data(set|list)?s?|eval\w*|images?|imgs?|labels?|inputs?|targets?|te?st|val(id)?"
    r"|test_?(img|dirs?)|low|high|[lh][rq]\w*|gt|x\d|\w*scale_\d|\.*|home|sr|low_light\w*|npz\w*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Guess:
    """A dataset, and why it is taken."""

    slug: str
    why: str
    sure: bool
    """Whether the table itself, or the row's label, names it."""
    printed: str = ""
    """As the table names it, where that is not the slug."""


def by_name(printed: str, scale: int, known: Sequence[str]) -> Guess:
    """Return the dataset that a column, heading or row calls `printed`."""
    slug = slug_of(printed, known)
    names = (slug, f"{slug}_x{scale}")
    other = "" if dataset_key(printed) in map(dataset_key, names) else printed
    return Guess(slug, f"the document prints {printed}", sure=True, printed=other)


def by_folders(
    found: tuple[Found, ...], prose: Sequence[str], label: str, known: Sequence[str]
) -> Guess | None:
    """Return the dataset of the scripts' folders, in the words of the document where they agree."""
    own = [name for name in prose if _alike(name, label)]
    folder = settle(found, "hr_folder")[0] or settle(found, "lr_folder")[0]
    if folder is None:
        name = next(iter([*own, *prose]), "")
        why = f"the document describes {name}"
        return Guess(slug_of(name, known), why, sure=bool(own)) if name else None
    paths = [str(f.value) for f in found if f.choice in ("hr_folder", "lr_folder")]
    parts = [part for path in paths for part in reversed(re.split(r"[/\\]+", path))]
    telling = [part for part in parts if part and not _TOLD_NOTHING.fullmatch(part)]
    here = [part for part in telling if slug_of(part, known) in known]
    named = [name for name in [*own, *prose] if any(_alike(name, part) for part in telling)]
    strange = [part for part in telling if not _alike(part, label)]
    name = next(iter([*here, *named, *own, *strange, *prose]), "")
    why = f"{folder.why} is {tail(folder.value)} ({folder.where})"
    return Guess(slug_of(name, known), why, sure=name in own) if dataset_key(name) else None


def _alike(name: str, other: str) -> bool:
    first, second = dataset_key(name), dataset_key(other)
    return bool(first and second) and (first in second or second in first)


def clauses_about(text: str, prose: Sequence[str]) -> tuple[tuple[frozenset[str], str], ...]:
    """Return the words of each clause outside of tables that names a dataset, and the clause."""
    clauses = (each.casefold() for each in _CLAUSE_END.split(text) if "|" not in each)
    names = [name.casefold() for name in prose]
    about = (clause for clause in clauses if any(name in clause for name in names))
    return tuple((frozenset(_WORD.findall(clause)), clause) for clause in about)


def named_beside(
    clauses: Sequence[tuple[frozenset[str], str]], label: str, prose: Sequence[str]
) -> str:
    """Return the one dataset of `prose` that a clause names beside `label`, if any.

    >>> prose = ["Set5", "Helen"]
    >>> named_beside(clauses_about("A uses Set5; B uses Helen", prose), "B", prose)
    'Helen'
    """
    others = [name for name in prose if not _alike(name, label)]  # else a name of the row
    for said, clause in clauses:
        if label.casefold() in said:
            beside = [name for name in others if name.casefold() in clause]
            if len(beside) == 1:
                return beside[0]
    return ""


def in_prose(text: str) -> tuple[str, ...]:
    """Return the datasets that a document's sections about datasets link to, in their order."""
    names, inside = [], False
    for line in text.split("\n"):
        if _HEADING.match(line):
            inside = bool(_SECTION.match(line))
        elif inside and (match := _NAMED.match(line)):
            name = re.sub(r"(数据集|data\s?set)$", "", match[1], flags=re.IGNORECASE).strip()
            if dataset_key(name).isascii() and not name.endswith((".py", ".md")):
                names.append(name)
    return tuple(dict.fromkeys(names))


def slug_of(name: str, known: Sequence[str]) -> str:
    """Return the slug that `name` stands for; a new one is made of its letters.

    >>> slug_of("CelebAMask-HQ", []), slug_of("DIV2K", [])
    ('celebamask_hq', 'div2k_valid')
    """
    key = re.sub(r"x[2348]$", "", dataset_key(name)) or dataset_key(name)
    made = "_".join(re.findall(r"[a-z0-9]+", name.casefold())) or "my_images"
    same = (slug for slug in known if dataset_key(slug) == key)
    return next(same, _ALIASES.get(key, made))
