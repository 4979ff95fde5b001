"""The file of a suite's gate baselines: read, and written with a line for each image."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import Annotated

from pydantic import Field

from sr_bench.core.baseline import Baseline, Content, GateName, ImageValues, Slack
from sr_bench.core.fields import narrowed
from sr_bench.errors import CardError
from sr_bench.files.toml import read_toml
from sr_bench.files.validation import Table, listed, validate
from sr_bench.text import toml

_HEADER = """\
# What the gates of card.toml measured when they were last approved. A later run fails if an image
# is worse than here by more than the gate's slack, which is yours to set. Written by:
#     sr-bench approve last --reason "..."
schema = 1
"""
_ENTRY = re.compile(r"\s*\[\[\s*gate\s*\]\]")
_IMAGE = re.compile(r'\s*("(?:[^"\\]|\\.)*")\s*=\s*\{')


class _GateTable(Table):
    model: str
    precision: str
    dataset: str
    protocol: str
    backend: str
    device: str
    content: Content
    slack: Slack
    approved: str
    images: dict[str, ImageValues]


class _BaselineTable(Table):
    schema_version: Annotated[int, Field(alias="schema", ge=1, le=1)]
    gates: Annotated[tuple[_GateTable, ...], Field(alias="gate")] = ()


def read_baselines(path: Path) -> Mapping[GateName, Baseline]:
    """Return the baselines in the file at `path`; none if there is no file.

    Raises:
        CardError: It can't be read, has faults, or holds a gate twice; all are listed.
    """
    if not path.exists():
        return {}
    table = validate(_BaselineTable, read_toml(path, CardError), where=str(path), error=CardError)
    lines = list(_lines(path.read_text("utf-8-sig"))) or [{}]
    baselines: dict[GateName, Baseline] = {}
    faults = []
    for index, gate in enumerate(table.gates):
        name = narrowed(GateName, gate)
        if name in baselines:
            faults.append(f"gate[{index}]: {' '.join(astuple(name))} stands twice; remove one")
        # A file that is written by hand may be laid out in another way: then no line is known.
        at = lines[index] if len(lines) == len(table.gates) else {}
        baselines[name] = narrowed(Baseline, gate, gate=name, lines=at)
    if faults:
        raise CardError(listed(faults, where=str(path)))
    return baselines


def _lines(text: str) -> Iterator[dict[str, int]]:
    """Yield for each gate the lines that its images stand on, and its own as the empty name."""
    found: dict[str, int] | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        if _ENTRY.match(line):
            if found:
                yield found
            found = {"": number}
        elif found and (image := _IMAGE.match(line)):
            found[json.loads(image[1])] = number
    if found:
        yield found


def baselines_text(baselines: Iterable[Baseline]) -> str:
    """Return the file of `baselines`, sorted by the gates' names: the same for the same values."""
    ordered = sorted(baselines, key=lambda baseline: astuple(baseline.gate))
    return "\n".join([_HEADER, *("\n".join([*_gate(item), ""]) for item in ordered)])


def _gate(baseline: Baseline) -> Iterator[str]:
    yield "[[gate]]"
    for key, value in asdict(baseline.gate).items():
        yield f"{key} = {toml.value(value)}"
    yield f"content = {_inline(baseline.content)}"
    yield f"slack = {_inline(baseline.slack)}"
    yield f"approved = {toml.value(baseline.approved)}"
    yield "[gate.images]"
    for name, values in baseline.images.items():
        yield f"{toml.value(name)} = {_inline(values)}"


def _inline(values: Content | Slack | ImageValues) -> str:
    parts = ((field.name, getattr(values, field.name)) for field in fields(values))
    texts = ((name, toml.value(one) if isinstance(one, str) else one) for name, one in parts)
    return f"{{ {', '.join(f'{name} = {text}' for name, text in texts)} }}"
