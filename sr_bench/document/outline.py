"""The headings that a text stands below: ``x2`` below ``General100`` below ``Benchmarks``."""


class Outline:
    """Follows the headings of a document from above."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def begin(self, level: int, text: str) -> tuple[str, ...]:
        """Begin a section; return its heading and those that it stands below, the nearest first.

        Args:
            level: Of its heading; 1 is the outermost.
            text: Of its heading.
        """
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, text))
        return tuple(text for _, text in reversed(self._open))
