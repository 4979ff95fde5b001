"""Find what lies beside a document and says how its numbers were made, and read it as text.

The layout is that of VastModelZOO: below ``build_in/`` there are ``build/*.yaml`` for the compiler,
``vdsp_params/*.json`` for the device's resize unit, and ``*vamp_eval.py`` and ``*vsx_inference.py``
that score; ``source_code/`` has pages. Files of one code base begin with its name:
``basicsr_edsr.yaml``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from sr_bench.core.claim import dataset_key
from sr_bench.document.labels import scale_of
from sr_bench.draft.build_files import read_build_file, read_device_file
from sr_bench.draft.found import Found, Origin
from sr_bench.draft.operations import INPUT, OUTPUT
from sr_bench.draft.scripts import read_script

_MOST_FILES = 200
_MOST_BYTES = 2_000_000
_PATTERNS = (
    "build_in/build/*.y*ml",
    "build_in/vdsp_params/*.json",
    "build_in/**/*eval*.py",
    "build_in/**/*infer*.py",
    "source_code/*.md",
)
_BEFORE = re.compile(r"pre[-_ ]?process|预处理|前处理", re.IGNORECASE)
_AFTER = re.compile(r"post[-_ ]?process|后处理", re.IGNORECASE)
_HEADING = re.compile(r"\s*#+\s+(.*)")
_FENCE = re.compile(r"\s*(```+|~~~+)\s*(\w*)")
_OPTION = re.compile(r"--(hr_image_dir|gt_dir|lr_image_dir)[ =]+(\S+)")
_WEIGHTS = re.compile(r"[\w.-]+\.(?:pth|pt|safetensors)\b(?!\.)")


@dataclass(frozen=True)
class Beside:
    """All that the files beside a document say, and the code bases that they are of."""

    found: tuple[Found, ...]
    code_bases: tuple[str, ...]
    """Lower case; empty if the files tell no two apart."""

    def about(self, source: str, label: str, labels: frozenset[str]) -> tuple[Found, ...]:
        """Return what is about one row: of its code base, and of files that name no other row.

        `labels` are those of all rows.
        """
        base = dataset_key(source)
        of_base = self.found
        if base in self.code_bases:
            of_base = tuple(f for f in self.found if _base(f.where, self.code_bases) in ("", base))
        built = {f.value for f in of_base if f.choice == "channels" and f.origin is Origin.BUILD}
        shown = {f.value for f in of_base if f.choice == "channels" and f.origin is Origin.DOCUMENT}
        if built and shown and not built & shown:  # the document's code is of another code base
            of_base = tuple(f for f in of_base if f.origin is not Origin.DOCUMENT)
        own = dataset_key(label)
        return _fitting(
            of_base, lambda file: own in dataset_key(file) or not _named(file, labels) - {own}
        )


def of_scale(found: tuple[Found, ...], scale: int) -> tuple[Found, ...]:
    """Return what is about the model of a scale: of files that name no other."""
    return _fitting(found, lambda file: scale_of(file) in (0, scale))


def _fitting(found: tuple[Found, ...], fits: Callable[[str], bool]) -> tuple[Found, ...]:
    """Return what files say whose names fit; all that those of a kind say of which none does."""
    fitting = tuple(f for f in found if fits(PurePosixPath(f.where.rpartition(":")[0]).stem))
    kept = {each.origin for each in fitting}
    return tuple(f for f in found if f in fitting or f.origin not in kept)


def read_beside(document: Path, text: str) -> Beside:
    """Return what the files beside `document` and its own code, in `text`, say."""
    found = [*_code_blocks(text, document.name)]
    folder = document.parent
    for path in _files(folder):
        found += _read(path, path.relative_to(folder).as_posix())
    stems = [PurePosixPath(f.where).name for f in found if f.origin is Origin.BUILD]
    bases = {match[0] for stem in stems if (match := re.match(r"[a-z]+(?=[_-])", stem.casefold()))}
    return Beside(tuple(found), tuple(sorted(bases)) if len(bases) > 1 else ())


def _files(folder: Path) -> Iterator[Path]:
    paths = [path for pattern in _PATTERNS for path in sorted(folder.glob(pattern))]
    for path in paths[:_MOST_FILES]:
        inside = path.resolve().is_relative_to(folder.resolve())  # no link leads out of it
        if inside and path.is_file() and path.stat().st_size <= _MOST_BYTES:
            yield path


def _read(path: Path, name: str) -> tuple[Found, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ()
    if path.suffix == ".py":
        is_inference = "infer" in path.name
        return read_script(text, name, Origin.INFERENCE if is_inference else Origin.EVALUATION)
    if path.suffix == ".json":
        return read_device_file(text, name)
    return tuple(_page(text, name)) if path.suffix == ".md" else read_build_file(text, name)


def _page(text: str, name: str) -> Iterator[Found]:
    """Yield the folders that the commands of a deploy page name."""
    for number, line in enumerate(text.split("\n"), start=1):
        for option, value in _OPTION.findall(line):
            choice = "lr_folder" if option.startswith("lr") else "hr_folder"
            yield Found(choice, value, f"{name}:{number}", Origin.DOCUMENT, f"--{option}")
        for file in _WEIGHTS.findall(line):
            if not file.endswith("script.pt"):
                yield Found("checkpoint", file, f"{name}:{number}", Origin.DOCUMENT)


def _code_blocks(text: str, name: str) -> Iterator[Found]:
    """Yield what the document's code below ``pre-processing`` and ``post-processing`` does."""
    role, fence, first = "", "", 0
    block: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        opening = _FENCE.match(line)
        if fence and opening and opening[1].startswith(fence):
            if role:
                code = "\n".join(block)
                yield from read_script(code, name, Origin.DOCUMENT, first=first, role=role)
            fence = ""
        elif fence:
            block.append(line)
        elif opening:
            fence, block, first = opening[1], [], number
        elif heading := _HEADING.match(line):
            is_before, is_after = _BEFORE.search(heading[1]), _AFTER.search(heading[1])
            role = INPUT if is_before else OUTPUT if is_after else ""


def _base(where: str, code_bases: tuple[str, ...]) -> str:
    """Return the code base that the file at `where` begins with; empty if it names none."""
    stem = PurePosixPath(where).name.casefold()
    return next((base for base in code_bases if stem.startswith(base)), "")


@cache
def _named(file: str, labels: frozenset[str]) -> frozenset[str]:
    """Return the letters of the `labels` that a file's name holds; asked for by every row."""
    letters = filter(None, map(dataset_key, labels))
    return frozenset(each for each in letters if each in dataset_key(file))
