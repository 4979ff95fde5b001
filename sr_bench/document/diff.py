"""How two texts differ, as a unified diff."""

import difflib
import os
import re
from pathlib import Path

_NO_NEWLINE = "\\ No newline at end of file\n"


def unified_diff(path: Path, before: str, after: str) -> str:
    """Return how `after` differs from `before`, such that ``git apply`` takes it.

    The path is relative to the working directory; line ends are part of the lines.
    """
    name = Path(os.path.relpath(path)).as_posix()
    lines = difflib.unified_diff(lines_of(before), lines_of(after), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def lines_of(text: str) -> list[str]:
    """Return the lines of `text` with their ends; only a line feed ends one."""
    # str.splitlines would also part at form feeds and the like, which git does not.
    return re.findall(r"[^\n]*\n|[^\n]+", text)
