"""What git knows of a document: who works here, and which commit last touched a line."""

import getpass
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sr_bench.history.environment import DIRTY, git

_UNCOMMITTED = re.compile(r"0+")
_HEX = re.compile(r"[0-9a-f]{7,64}")
_FIELDS = 4  # of a line of our log


@dataclass(frozen=True)
class Commit:
    """A commit, or what a line is from."""

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
    return Commit(
        "" if _UNCOMMITTED.fullmatch(digest) else digest[:12],
        values.get("author", ""),
        _when(values.get("author-time", "")),
        values.get("summary", ""),
    )


def commits_between(folder: Path, before: str, now: str) -> tuple[Commit, ...]:
    """Return the commits after `before` up to `now` that touched `folder`, the newest first.

    None outside of git, or where one of the two is not there, as in a shallow clone.
    """
    old, new = (commit.removesuffix(DIRTY) for commit in (before, now))
    if not (_HEX.fullmatch(old) and _HEX.fullmatch(new) and folder.is_dir()):
        return ()
    log = git(folder, "log", "--format=%H%x00%an%x00%at%x00%s", f"{old}..{new}", "--", ".")
    rows = (line.split("\0") for line in log.split("\n"))
    return tuple(
        Commit(digest[:12], author, _when(seconds), summary)
        for digest, author, seconds, summary in (row for row in rows if len(row) == _FIELDS)
    )


def _when(seconds: str) -> str:
    with suppress(ValueError, OverflowError, OSError):  # a commit may claim any date
        return datetime.fromtimestamp(int(seconds), UTC).isoformat(timespec="seconds")
    return ""
