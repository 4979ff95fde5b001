"""Put texts of others into Markdown so that they are read as they are, and lay out its tables."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from tabulate import tabulate

from sr_bench.text.home import without_home
from sr_bench.text.printable import printable

# What Markdown would not print as it is; GitHub reads $ as mathematics and ~ as a strike. An
# underscore inside a word is harmless.
_MARKUP = re.compile(r"[\\`*|<&\[~$]|(?<![^\W_])_|_(?![^\W_])")


def _shown(text: str) -> str:
    """Return `text` as pages may hold it: they are passed around."""
    return printable(without_home(text))


def escape(text: str) -> str:
    """Return `text` in one line, for a cell or the middle of a line, without markup in it."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(_shown(text).split()))


def code(text: str) -> str:
    """Return `text` in one line as code; not for cells, where a pipe would end it."""
    line = " ".join(_shown(text).split())
    marks = "`" * (_longest_run(line) + 1)
    # The blanks, which are not shown, part the marks from those of the text; code can't be empty.
    return f"{marks} {line} {marks}" if "`" in line or not line else f"{marks}{line}{marks}"


def fence(text: str, language: str = "text") -> str:
    """Return `text` as a block of code, its lines as they are."""
    marks = "`" * max(3, _longest_run(text) + 1)
    return f"{marks}{language}\n{_shown(text)}\n{marks}"


def link(label: str, target: str) -> str:
    """Return a link to the file `target`, a path relative to the page."""
    # A leading ./ keeps the part before a colon from being read as the scheme of an address.
    return f"[{escape(label).replace(']', chr(92) + ']')}](./{quote(target)})"


def table(columns: Mapping[str, Sequence[str]]) -> str:
    """Return the table of `columns` by their titles; the cells are Markdown already."""
    # Left to itself tabulate prints 30.10 as 30.1.
    return tabulate(columns, headers="keys", tablefmt="pipe", disable_numparse=True)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
