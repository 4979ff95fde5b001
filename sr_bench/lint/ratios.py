"""Name the ratio of two counts, if it is one that counting tools are known for."""

KNOWN: tuple[tuple[str, float], ...] = (
    ("10/9", 10 / 9),
    ("9/10", 9 / 10),
    ("2", 2.0),
    ("1/2", 0.5),
    ("5/9", 5 / 9),
    ("9/5", 9 / 5),
    ("20/9", 20 / 9),
    ("4", 4.0),
    ("1/4", 0.25),
    ("1e9/2^30", (1000 / 1024) ** 3),
)
"""10/9 comes from scripts that divide by 0.9e9, 5/9 from those that do so and count MACs."""

_NEAR = 0.006
"""Rules that also count biases and activations are up to 0.6 % above their plain ratio."""


def ratio_text(ratio: float) -> str:
    """Return `ratio` with its name: ``1.111 (10/9)``.

    >>> ratio_text(1.1127)
    '1.113 (10/9)'
    >>> ratio_text(1.37)
    '1.37'
    """
    text = f"{ratio:.4g}"
    names = [name for name, value in KNOWN if abs(ratio / value - 1) <= _NEAR]
    return f"{text} ({names[0]})" if names and names[0] != text else text


def times(printed: float, usual: float) -> str:
    """Return by how much `printed` exceeds `usual`: ``1.111 (10/9) times``."""
    return f"{ratio_text(printed / usual)} times" if usual else "no multiple of"
