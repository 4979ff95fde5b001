"""Texts that nobody wrote with care: hostile names, odd numbers, and TOML and JSON of them."""

import json
from pathlib import Path

from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]

HOSTILE = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "javascript:alert(1)",
    "[a](javascript:alert(1))",
    "a | b \\| c",
    "``` ` **b** _c_ ~~d~~",
    "x\n::error::y",
    "\r::error file=a,line=1::%0A",
    "\x1b[2J\x1b[31m",
    "\x1b]8;;http://evil\x1b\\",
    "\x9b31m\x07\x08",
    "\u202egpj.exe\u2066\u2069\u200f\u061c",
    "a\u2028b\u2029c\x85d\x0be\x0c",
    "=cmd|'/C calc'!A0",
    "+1-1@SUM(A1)\t",
    "{{ 7*7 }}{% raw %}${x}%s%n",
    "../../etc/passwd",
    "/dev/zero",
    "C:\\x\\..",
    "\0",
    "\ud800",
    "\ufeff\ufffe\ufffd",
    "e\u0301\u0323" * 9,
    "\u0663\u00b2\u2460",
    "🏳️‍🌈",
)
"""Texts that mean something to a terminal, a page, a shell, a spreadsheet, a path or a parser."""

NUMBERS = (
    *(
        "",
        "-",
        "\u2013",
        "N/A",
        "1",
        "-0",
        "32.785",
        "0.7740",
        "1e309",
        "NaN",
        "inf",
        "1_0",
        "0x10",
    ),
    *("9" * 400, "9" * 5000, "0." + "0" * 400 + "1", "٣", "1.2.3", "**32.1**", "[32.1](x)"),
)
"""What stands in cells for numbers, and what ought not to."""

_LENGTHS = (1, 2, 7, 40, 700)

odd_text = st.lists(
    st.sampled_from(HOSTILE)
    | st.text(st.characters(), max_size=6)
    | st.builds(
        str.__mul__, st.sampled_from([*"[]()*_`~<>&|\\!#-:. \t"]), st.sampled_from(_LENGTHS)
    )
    | st.builds(
        str.__mul__, st.sampled_from(["[a](", "*a ", "<a ", "![", "a **b** "]), st.just(300)
    ),
    max_size=4,
).map("".join)
"""Hostile pieces in any order, and long runs of what parsers look for."""

writable_text = odd_text.map(lambda text: text.encode("utf-8", "replace").decode())
"""Without surrogates, which no UTF-8 file can hold."""

_INTEGERS = st.integers(-2, 9) | st.sampled_from((2**31, 2**63 - 1, 2**63, 10**30, -(10**4000)))
_FLOATS = st.sampled_from((0.0, -1.5, 1e308, float("inf"), float("-inf"), float("nan"), 5e-324))

scalars = st.booleans() | _INTEGERS | _FLOATS | writable_text | st.sampled_from(NUMBERS)


def deep(kind: type, depth: int) -> object:
    """Return a list or table `depth` deep."""
    value: object = 1
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


_lists = st.lists(scalars, max_size=3)
values = (
    scalars
    | st.lists(_lists | scalars, max_size=3)
    | st.dictionaries(writable_text, _lists | scalars, max_size=3)
    | st.builds(deep, st.sampled_from((list, dict)), st.sampled_from((2, 31, 200)))
)
"""Anything that TOML or JSON can hold."""


@st.composite
def changed(draw: st.DrawFn, table: dict[str, object]) -> dict[str, object]:
    """Return `table`, of plain JSON values, with a few of its values replaced, added or removed."""
    copy = json.loads(json.dumps(table))
    for _ in range(draw(st.integers(1, 3))):
        place, key = draw(st.sampled_from(list(_places(copy))))
        if draw(st.booleans()) and draw(st.booleans()):
            del place[key]
        elif draw(st.integers(0, 5)) == 0 and isinstance(place, dict):
            place[draw(writable_text)] = draw(values)
        else:
            place[key] = draw(values)
        if not copy:
            break
    return copy


def _places(value: object):
    """Yield each table or list with each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def toml(value: object) -> str:
    """Return `value` as it stands right of a TOML key; big integers in hexadecimal."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value) if value.bit_length() < 9000 or value < 0 else hex(value)
        case float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return (
                f"{{{', '.join(f'{toml(str(key))} = {toml(val)}' for key, val in value.items())}}}"
            )
    raise TypeError(value)


def toml_file(table: dict[str, object]) -> bytes:
    """Return `table` as a TOML file of inline values."""
    return "".join(f"{toml(str(key))} = {toml(val)}\n" for key, val in table.items()).encode()


def json_file(value: object) -> bytes:
    """Return `value` as JSON, ``Infinity`` and ``NaN`` included."""
    return json.dumps(value).encode()
