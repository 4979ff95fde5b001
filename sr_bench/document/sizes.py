"""Read the shape of a network's input as documents spell it."""

import re

Size = tuple[int, int, int]
"""Channels, height and width."""

_SIDES = re.compile(r"[1-9][0-9]{0,4}([x×*,][1-9][0-9]{0,4}){1,3}")  # noqa: RUF001 - as typed
_SIDE = re.compile(r"[1-9][0-9]{1,4}")


def read_size(text: str) -> Size | None:
    """Return the shape that `text` spells, such as ``3x128x128``; None if it is none.

    A batch of 1 before it may be left out, as may the channels; they may come last. One side alone,
    such as ``224``, is that of a square.
    """
    compact = "".join(text.split()).lower().strip("()[]")
    if _SIDE.fullmatch(compact):
        return 3, int(compact), int(compact)
    if not _SIDES.fullmatch(compact):
        return None
    sides = [int(part) for part in re.split(r"[x×*,]", compact)]  # noqa: RUF001 - as typed
    match sides[1:] if len(sides) == 4 and sides[0] == 1 else sides:
        case [height, width]:
            return 3, height, width
        # No input has sides this short: they show which end the channels are.
        case [1 | 3 | 4 as channels, height, width] | [height, width, 1 | 3 | 4 as channels]:
            return channels, height, width
    return None
