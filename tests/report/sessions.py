"""Sessions, floors and latencies made of the synthetic records."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sr_bench.core.detail import Detail
from sr_bench.core.history import Environment, PastSession, SessionInfo
from sr_bench.core.record import Measurement, Record, Status, Verdict
from sr_bench.report.terminal.session import summary
from tests.report.records import CLAIM, record

HOSTILE = "a|b <img src=x onerror=alert(1)> *c* `d` [e](http://f) \x1b[2J ${g}\n# h"
"""A name that no page, table, command or terminal may take for its own."""

ENVIRONMENT = Environment({"numpy": "2.4.6"}, "3.11.7", "Linux x86_64", "a cpu", 2, "0123abcd", {})


def past_session(
    records: Iterable[Record], results: Path = Path("reports"), run: str = "20261121T091430-b65233"
) -> PastSession:
    info = SessionInfo(run, "2026-11-21T09:14:30+00:00", ENVIRONMENT)
    return PastSession(info, tuple(records), results / "latest.json", results)


def closing(records: Sequence[Record], *, verbose: bool = False, width: int = 140) -> list[str]:
    """Return the texts of the lines that close a session."""
    return [line.text for line in summary(records, verbose=verbose, width=width)]


def with_floor(base: Record, floor: float) -> Record:
    """Return `base` with `floor` as the score of bicubic enlargement."""
    assert base.measurement is not None
    return replace(base, measurement=replace(base.measurement, notes={"bicubic": floor}))


def latency(ms: float | None = 12.345, *, shape: str = "3x128x128", **notes: float) -> Record:
    """Return the record of a timing; None: of one that did not run."""
    if ms is None:
        measurement, verdict = None, Verdict(Status.NOT_RUN, "an emulation has no speed")
    else:
        measurement = Measurement("latency", "ms", ms, notes=notes)
        verdict = Verdict(Status.NEW, "measured; latency is not judged", ms)
    timing = replace(record(None), metric="latency", dataset="", protocol="", verdict=verdict)
    return replace(timing, measurement=measurement, detail=Detail(shape=shape))


def ended(status: Status, line: int = 7, value: float = 29.5) -> Record:
    """Return a record that ended as `status`, its claim at `line`."""
    source = replace(CLAIM.source, line=line)
    result = record(replace(CLAIM, source=source), value, status=status)
    return replace(result, node_id=f"zoo/card.toml::m{line}")
