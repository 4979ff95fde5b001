"""Settle what files say into one protocol, and say where they contradict each other."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from sr_bench.cards.protocol_files import load_protocol, parse_protocol, protocol_names
from sr_bench.core.protocol import EvalProtocol
from sr_bench.draft.found import OPEN, Found, Origin, settle

_KEYS = tuple(field.name for field in fields(EvalProtocol))
_RESIZING = ("lr_resize", "input_shape", "gt_resize")
_IDLE = {("lr_resize", Origin.DEVICE), *(("gt_resize", each) for each in Origin)}
_MOST_PLACES = 3


@dataclass(frozen=True)
class Choice:
    """A key of the protocol, with where its value was read."""

    value: object
    why: str


@dataclass(frozen=True)
class Protocol:
    """The draft of a protocol."""

    choices: Mapping[str, Choice]
    """In the order in which a card has them."""
    doubts: tuple[str, ...]
    """What a person must decide."""

    def table(self) -> dict[str, object]:
        """Return the protocol as the table of a card."""
        listed = ((key, choice.value) for key, choice in self.choices.items())
        return {key: list(v) if isinstance(v, tuple) else v for key, v in listed}

    def same_as(self, prefix: str) -> str:
        """Return the installed protocol below `prefix` that makes the same choices, if any."""
        own = parse_protocol("draft", self.table(), where="draft").choices()
        names = (name for name in protocol_names() if name.startswith(f"{prefix}_"))
        return next((name for name in names if load_protocol(name).choices() == own), "")


def draft_protocol(
    found: tuple[Found, ...],
    shape: tuple[int, int] | None,
    *,
    native: bool,
    first: Origin | None = None,
) -> Protocol:
    """Return the protocol that `found` makes.

    Args:
        found: What files say.
        shape: Height and width of the input as the table prints them.
        native: Whether the table says that images keep their sizes.
        first: The script that is known to have printed the numbers.
    """
    if shape:
        found = (*found, Found("input_shape", shape, "the table's Shape", Origin.TABLE))
    if _is_made(found):  # of the right sizes already: what resizes them changes nothing
        found = tuple(f for f in found if (f.choice, f.origin) not in _IDLE)
    taken = {key: settle(found, key, first) for key in _KEYS if not (native and key in _RESIZING)}
    choices = {k: Choice(f.value, f.told) for k, (f, _) in taken.items() if f}
    doubts = [contradiction(f, others) for f, others in taken.values() if f and others]
    if choices and not native:
        doubts += _source_of_lr(found, choices)
        doubts += _complete(choices)
    if choices.get("clip", Choice(True, "")).value is False:
        rounding = choices.get("rounding", Choice("round", "")).value
        if rounding != "none":
            doubts.append(f"no clip, yet the output is rounded ({rounding}): taken as not rounded")
        choices["rounding"] = Choice("none", "nothing is clipped")
    doubts += _open(found)
    ordered = {key: choices[key] for key in _KEYS if key in choices}
    return Protocol(ordered, tuple(dict.fromkeys(doubts)))


def _source_of_lr(found: tuple[Found, ...], choices: dict[str, Choice]) -> Iterator[str]:
    """Note LR that is made from HR: both in one folder, or a folder named by a side in pixels."""
    low = settle(found, "lr_folder")[0]
    high = [tail(f.value) for f in found if f.choice == "hr_folder"]
    is_made = _is_made(found)
    if low and (is_made or tail(low.value) in high):
        named = f"its folder is {tail(low.value)}"
        why = named if is_made else "LR and ground truth lie in one folder"
        choices["lr_from"] = Choice("hr", f"{why} ({low.where})")
        yield f"LR is taken to be made from the HR image, as {why} ({low.where})"


def _is_made(found: tuple[Found, ...]) -> bool:
    """Tell whether LR was made at a size that its folder names: ``DIV2K_valid_LR_128``."""
    low = settle(found, "lr_folder")[0]
    return bool(low and re.search(r"LR_\d{2,4}$", tail(low.value)))


def tail(folder: object) -> str:
    """Return the last two parts of a path."""
    return "/".join(re.split(r"[/\\]+", str(folder).rstrip("/\\"))[-2:])


def _complete(choices: dict[str, Choice]) -> Iterator[str]:
    """Add what the others need to make sense, each with a doubt."""
    if "lr_resize" in choices and "input_shape" not in choices and "lr_from" not in choices:
        del choices["lr_resize"]
        yield "LR is resized, but nothing says to what size: taken as it is"
    if "input_shape" in choices or "lr_from" in choices:
        if "lr_resize" not in choices:
            choices["lr_resize"] = Choice("cv2_linear", "not said; cv2's default")
            yield "nothing says by which rule LR is resized: cv2_linear is taken"
        if "gt_resize" not in choices:
            rule = choices["lr_resize"].value
            choices["gt_resize"] = Choice(rule, "not said; as LR")
            yield f"nothing says how the ground truth is resized: {rule} is taken, as for LR"


def contradiction(found: Found, others: tuple[Found, ...]) -> str:
    """Say what is taken, and what says otherwise."""
    said = "; ".join(f"{other.where} says {other.value}" for other in others[:_MOST_PLACES])
    return f"{found.choice} = {found.value}, by {found.where}; but {said}"


def _open(found: tuple[Found, ...]) -> Iterator[str]:
    """Yield what no key can say, with its places, each sentence once."""
    places: dict[str, list[str]] = {}
    for each in found:
        if each.choice == OPEN:
            places.setdefault(str(each.value), []).append(each.where)
    for sentence, where in places.items():
        yield f"{sentence} ({', '.join(dict.fromkeys(where[:_MOST_PLACES]))})"
