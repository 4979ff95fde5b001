"""Read the shape of a network's input as documents spell it."""

import re

Size = tuple[int, int, int]
"""Channels, height and width."""

_SIDES = re.compile(r"[1-9][0-9]{0,4}([x×*,][1-9][0-9]{0,4}){1,3}")  # noqa: RUF001 - as typed
_SIDE = re.compile(r"[1-9][0-9]{1,4}")
_CHANNELS = (1, 3, 4)  # no input has sides this short: they show which end the channels are


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
    if len(sides) == 4 and sides[0] == 1:
        sides = sides[1:]
    if len(sides) == 2:
        return 3, sides[0], sides[1]
    if len(sides) == 3 and sides[0] in _CHANNELS:
        return sides[0], sides[1], sides[2]
    if len(sides) == 3 and sides[2] in _CHANNELS:
        return sides[2], sides[0], sides[1]
    return None
