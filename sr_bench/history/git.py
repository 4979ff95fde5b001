"""What git knows of a document: who works here, and which commit last touched a line."""

import getpass
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sr_bench.history.environment import git

_UNCOMMITTED = re.compile(r"0+")


@dataclass(frozen=True)
class Commit:
    """The commit that a line is from."""

    commit: str
    """Its first 12 hex digits; empty if the line is not committed yet."""
    author: str
    """A name, never an address."""
    when: str
    """UTC, ISO 8601; empty if it can't be read."""
    summary: str


def user_name(folder: Path) -> str:
    """Return git's ``user.name`` in `folder`, else the login name; never an address."""
    name = git(folder, "config", "user.name")
    if name and "@" not in name:
        return name
    try:
        return getpass.getuser().partition("@")[0]
    except (OSError, KeyError):  # a user without a name, as some containers have
        return "unknown"


def last_commit(path: Path, line: int) -> Commit | None:
    """Return the commit that last touched `line`, 1-based; None outside of git."""
    place = f"-L{line},{line}"
    blame = git(path.resolve().parent, "blame", "--porcelain", place, "--", path.resolve().name)
    if not blame:
        return None
    head, *rest = blame.splitlines()
    # Lines of the porcelain format are "key value"; the blamed text itself follows a tab.
    values = dict(text.split(" ", 1) for text in rest if " " in text and text[0] != "\t")
    digest = head.split(" ", 1)[0]
    when = ""
    with suppress(ValueError, OverflowError, OSError):  # a commit may claim any date
        seconds = int(values.get("author-time", ""))
        when = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    return Commit(
        "" if _UNCOMMITTED.fullmatch(digest) else digest[:12],
        values.get("author", ""),
        when,
        values.get("summary", ""),
    )
