"""Turn what pages show into HTML, with everything that comes from a record escaped."""

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sr_bench import __version__
from sr_bench.core.codec import encode
from sr_bench.core.dossier import SILENT_DB
from sr_bench.report.parts.marks import MARKS, OUTCOME_MARKS
from sr_bench.report.parts.order import first_words
from sr_bench.text.home import without_home
from sr_bench.text.printable import CONTROL

_STATIC = ("app.css", "app.js", "charts.js", "explorer.js", "plots.js")
_MARKS = {key.value: mark for key, mark in (*MARKS.items(), *OUTCOME_MARKS.items())}
# A name with </script> or <!-- in it must not end the element.
_IN_SCRIPT = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}


def render(template: str, page: object, *, alone: bool = False) -> str:
    """Return the HTML of `page`, a dataclass, by ``<template>.html.j2``.

    A page that stands `alone` has its style inside, no script, and no report around it.
    """
    style = Markup(static_files()["app.css"].decode()) if alone else ""
    return _environment().get_template(f"{template}.html.j2").render(page=page, style=style)


def json_text(value: object) -> Markup:
    """Return `value` as JSON that can stand inside a script element: no ``<``, ``>`` or ``&``.

    What is left of control characters and lone surrogates is escaped by JSON itself.
    """
    text = json.dumps(_visible(encode(value)), separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_IN_SCRIPT))


def page_digest(template: str, page: object) -> str:
    """Return a digest of all that the HTML of `page` depends on."""
    parts = [encode(page), template, __version__, _MARKS, _code_digest()]
    inputs = json.dumps(parts, allow_nan=False)
    return sha256(inputs.encode()).hexdigest()


def static_files() -> dict[str, bytes]:
    """Return our style and scripts by name."""
    folder = files(__package__) / "static"
    return {name: (folder / name).read_bytes() for name in _STATIC}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sr_bench.report.html"),
        autoescape=True,  # off by default
        undefined=StrictUndefined,  # a mistyped name is an error, not an empty text
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,  # here, so that no template can forget it
    )
    environment.filters |= {"json_text": json_text, "first_words": first_words}
    environment.globals |= {"version": __version__, "marks": _MARKS, "silent_db": SILENT_DB}
    return environment


def _visible(value: object) -> object:
    match value:
        case Markup():  # escaped already
            return value
        case str():
            # Escaping keeps a name from being markup; this keeps it from reordering or hiding what
            # stands around it, and lone surrogates from having no UTF-8.
            return CONTROL.sub("\ufffd", without_home(value))
        case list():
            return [_visible(item) for item in value]
        case dict():
            return {key: _visible(item) for key, item in value.items()}
    return value


@cache
def _code_digest() -> str:
    """Return a digest of the templates, and of the code that fills them."""
    folder = Path(str(files(__package__)))
    parts = sorted((*folder.glob("templates/*.j2"), *folder.glob("*.py")))
    return sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()
