"""What words in the names of folders and files say: HR or LR, which scale, and what else."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sr_bench.document.spelling import words

Role = Literal["hr", "lr", ""]

_HR = words(
    "hr gt gtr hq original orig high highres target targets sharp reference ref label labels clean "
    "clear norain truth groundtruth normal"
)
_LR = words("lr lq low lowres input inputs inp source degraded bicubic bic bi")
_SPOILT = words("blur blurry blurred raw noisy rain rainy haze hazy")
"""What is restored without a change of size."""
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_PLAIN = words(
    "image images img imgs crops srgb bmp png jpg tif data dataset datasets benchmark benchmarks "
    "testset testsets"
)
"""Words that tell nothing."""
_SCALES = ("2", "3", "4", "8", "16")
_BETWEEN = re.compile(r"[^a-z0-9]+")
_SCALE_WORD = re.compile(r"(?<![a-z])(?:scale|srf|sf)[_-]?(\d{1,2})(?!\d)")
_GLUED = re.compile(r"(lr|hr|gt|lq|hq|bicubic|bic|bi|mod\d+|x\d{1,2}(?!\d))")
_BEFORE_SCALE = re.compile(r"(lr|x)(\d{1,2})")
_LR_AND_MORE = re.compile(r"lr[a-z0-9]{1,8}")


@dataclass(frozen=True)
class Meaning:
    """What the names on the way to a file say."""

    role: Role = ""
    scales: frozenset[int] = frozenset()
    special: tuple[str, ...] = ()
    """Words that nobody here knows, such as those of another degradation."""
    splits: tuple[str, ...] = ()
    is_named: bool = False
    """Whether a folder has the dataset's name."""
    says_lr: bool = False
    """Whether "LR" itself is there; other words of LR have other uses too."""
    is_spoilt: bool = False
    """Whether there is a word of an input that is restored without a change of size."""

    def __add__(self, other: "Meaning") -> "Meaning":
        roles = {self.role, other.role}
        return Meaning(
            # LR of "val_sharp_bicubic", which has a word of each.
            "lr" if "lr" in roles else "hr" if "hr" in roles else "",
            self.scales | other.scales,
            self.special + other.special,
            self.splits + other.splits,
            self.is_named or other.is_named,
            self.says_lr or other.says_lr,
            self.is_spoilt or other.is_spoilt,
        )

    def fits(self, scale: int) -> bool:
        """Whether nothing speaks of another scale, or of a degradation beside the reduction."""
        return self.scales <= {scale} and not self.special and not (scale > 1 and self.is_spoilt)


def total(meanings: Iterable[Meaning]) -> Meaning:
    """Return what all of `meanings` say together."""
    return sum(meanings, Meaning())


@lru_cache(maxsize=4096)
def meaning(text: str, names: tuple[str, ...] = ()) -> Meaning:
    """Return what `text` says, a folder's name or what a file's has beside that of its image.

    Args:
        text: Any text.
        names: How the dataset is called.

    >>> meaning("Set5_LRbicx4", ("Set5",)).scales
    frozenset({4})
    """
    rest, is_named = _without(names, text.strip().lower())
    if rest in _SCALES:
        return Meaning(scales=frozenset({int(rest)}), is_named=is_named)
    rest = _SCALE_WORD.sub(r"_x\1_", rest)
    parts = (_of_part(part) for part in _BETWEEN.split(rest) if part)
    return total((Meaning(is_named=is_named), *parts))


def _without(names: tuple[str, ...], text: str) -> tuple[str, bool]:
    """Return `text` without the first of `names` in it, and whether there was one."""
    for name in sorted(names, key=len, reverse=True):
        spelled = "[^a-z0-9]*".join(map(re.escape, _BETWEEN.split(name.lower())))
        rest, count = re.subn(rf"(?<![a-z0-9]){spelled}(?![a-z0-9])", "_", text, count=1)
        if count:
            return rest.strip("_-. "), True
    return text, False


def _of_part(part: str) -> Meaning:
    if part in _SPLITS:
        return Meaning(splits=(_SPLITS[part],))
    if part in _PLAIN or (part.isdecimal() and len(part) > 2):
        return Meaning()  # as in reference-890, hq_512
    if part in _SPOILT:
        return Meaning("lr", is_spoilt=True)
    if part in _HR or part in _LR:
        return Meaning("hr" if part in _HR else "lr", says_lr=part == "lr")
    if re.fullmatch(r"\d{1,2}x", part):
        return Meaning(scales=frozenset({int(part[:-1])}))
    if lr := _BEFORE_SCALE.fullmatch(part):  # LR4, x4
        says_lr = lr[1] == "lr"
        return Meaning("lr" if says_lr else "", frozenset({int(lr[2])}), says_lr=says_lr)
    pieces = _GLUED.findall(part)
    if part.startswith("mod") and part[3:].isdecimal():
        return Meaning()  # cut to a multiple of it
    if len(pieces) > 1 and "".join(pieces) == part:
        return total(map(_of_part, pieces))
    if _LR_AND_MORE.fullmatch(part):  # LRBD
        return Meaning("lr", special=(part,), says_lr=True)
    return Meaning(special=(part,))
