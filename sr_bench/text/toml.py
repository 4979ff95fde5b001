"""Read TOML as editors save it, and write values and comments in which any text can stand."""

import json
import re
import tomllib
from collections.abc import Iterable

from sr_bench.text.printable import printable_line

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 100  # of a comment


def parsed(text: str) -> dict[str, object]:
    """Return what `text` holds; it may begin with a byte order mark.

    Raises:
        tomllib.TOMLDecodeError: It is no TOML.
    """
    return tomllib.loads(text.removeprefix("\ufeff"))


def value(content: object) -> str:
    r"""Return `content` as TOML: a string, number, truth value, or a list or table of them.

    >>> value('a "b"\n')
    '"a \\"b\\"\\n"'
    >>> value({"rule": "standard", "n": 1.0})
    '{ rule = "standard", n = 1.0 }'
    """
    if isinstance(content, bool):
        return str(content).lower()
    if isinstance(content, str):
        # JSON's escapes are TOML's; DEL is the only control character that JSON leaves as it is.
        return json.dumps(content, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(content, list | tuple):
        return f"[{', '.join(map(value, content))}]"
    if isinstance(content, dict):
        return f"{{ {', '.join(f'{key(k)} = {value(v)}' for k, v in content.items())} }}"
    return repr(content)


def key(name: str) -> str:
    """Return `name` as a key: bare where that is allowed."""
    return name if _BARE.fullmatch(name) else value(name)


def pair(name: str, content: object, why: str = "") -> str:
    """Return the line ``name = content``, with `why` as its comment."""
    line = f"{key(name)} = {value(content)}"
    return f"{line}  # {printable_line(why)}" if why else line


def comment(text: str, *, first: str = "# ") -> Iterable[str]:
    """Yield `text` as lines of a comment, broken between words."""
    line = first
    for word in printable_line(text).split():
        if len(line) + len(word) > _WIDTH and line.strip("# -"):
            yield line.rstrip()
            line = "# " + " " * (len(first) - 2)
        line += word + " "
    yield line.rstrip()
