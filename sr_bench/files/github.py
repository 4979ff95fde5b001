"""Spell annotations for GitHub Actions: lines of a step's output that it shows at a file's line.

Source: github.com/actions/toolkit, ``packages/core/src/command.ts``.
"""

import os
from pathlib import Path
from typing import Literal

from sr_bench.core.claim import Source
from sr_bench.text.printable import printable

Level = Literal["error", "warning", "notice"]
"""The kinds of annotations, the most severe first."""

SHOWN = 10
"""Annotations of one kind that GitHub shows for a step; it drops the others without a word."""


def annotation(level: Level, message: str, *, title: str = "", place: Source | None = None) -> str:
    """Return the line that makes GitHub show `message`, at `place` if there is one."""
    properties: dict[str, object] = {}
    if place:
        path = workspace_path(place.path)
        properties = {"file": path, "line": place.line, "col": place.column}
    if title:
        properties["title"] = title
    pairs = ",".join(f"{key}={escape_property(str(text))}" for key, text in properties.items())
    return f"::{level} {pairs}".rstrip() + f"::{escape_message(message)}"


def escape_message(text: str) -> str:
    """Return `text` as it may stand after the second ``::`` of a command: one line of it."""
    coded = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return printable(coded)


def escape_property(text: str) -> str:
    """Return `text` as the value of a command's property, such as ``title``."""
    return escape_message(text).replace(":", "%3A").replace(",", "%2C")


def workspace_path(path: str) -> str:
    """Return `path` relative to the repository that GitHub checked out, where it lies in it.

    That is ``$GITHUB_WORKSPACE``, or the working directory if this is not set.
    """
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).absolute()
    absolute = Path(os.path.normpath(Path(path).absolute()))
    return (absolute.relative_to(root) if absolute.is_relative_to(root) else Path(path)).as_posix()
