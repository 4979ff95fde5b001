"""Files of runs, history and ledgers that nobody wrote with care: read, or left out in words."""

import json
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr_bench.core.compare import LossLimits
from sr_bench.core.detail import Detail
from sr_bench.core.history import PastSession
from sr_bench.core.precision import Precision
from sr_bench.core.record import Status, Verdict
from sr_bench.core.trend import series
from sr_bench.engine.judge.two_runs import compare_runs
from sr_bench.errors import SrBenchError
from sr_bench.history.index import read_history
from sr_bench.history.ledger import LedgerLine, extended, read_ledger
from sr_bench.history.over_time import history_case
from sr_bench.history.store import HISTORY, INDEX, SessionStore, read_run
from sr_bench.report.exports import frame, image_frame
from sr_bench.report.github import annotations, step_summary
from sr_bench.report.html.build import build_report
from sr_bench.report.markdown.combined import render_combined
from sr_bench.report.markdown.family import render_family
from sr_bench.report.terminal.compare import compared_lines
from sr_bench.report.terminal.history import history_lines
from sr_bench.report.terminal.session import summary
from tests.fuzz.bytes_inputs import broken, fresh, fuzzed
from tests.fuzz.inputs import changed, json_file, odd_text, writable_text
from tests.report.parts.test_provenance import QUANTISED
from tests.report.records import record, without_value
from tests.report.sessions import latency, past_session
from tests.report.terminal.test_dossier import DOSSIER
from tests.report.terminal.test_forensics import FITS, NONE
from tests.report.terminal.test_gate import COMPARED, VERDICT

_DIFFERS = replace(record(value=29.0), verdict=replace(record().verdict, status=Status.DIFFERS))
_LOST = replace(record(None, 29.0), verdict=Verdict(Status.LOSS, "a reason", 29.0))
_RECORDS = (
    replace(record(), fingerprint="0" * 64, inputs={"network": "a" * 64}, family="zoo"),
    *(replace(_DIFFERS, detail=Detail(forensics=forensics)) for forensics in (FITS, NONE)),
    replace(_LOST, detail=Detail(gate=VERDICT, compared=(COMPARED,), dossier=DOSSIER)),
    replace(_LOST, detail=QUANTISED),
    without_value(record(), "absent"),
    latency(),
)
_SESSION = past_session(_RECORDS)
_LINE = LedgerLine(
    **dict.fromkeys(
        ("when", "document", "row", "row_source", "backend_word", "dataset", "metric", "old"), "x"
    ),
    **dict.fromkeys(("new", "reason", "who", "commit", "run", "case", "backend", "device"), "y"),
    kind="number",
    line=3,
    column=4,
    precision=str(Precision.FP32),
    fingerprint="0",
    python="3.11",
    packages={"numpy": "2"},
)


def files_of_a_run() -> dict[str, bytes]:
    """Return what a run writes: ``latest.json``, its own file, and the line of history."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        store = SessionStore(folder, _SESSION.info)
        store.start()
        for record in _RECORDS:
            store.add(record)
        files = (store.finish(_RECORDS), store.lines, folder / HISTORY / INDEX)
        return {path.suffix if path.stem != "index" else INDEX: path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def written() -> dict[str, bytes]:
    return files_of_a_run()


def _use(session: PastSession) -> None:
    """Show `session` in every way that reads nothing but records."""
    render_combined(session, Path("nowhere"))
    render_family("zoo", [], session.records)
    summary(session.records)
    step_summary(session)
    annotations(session.records)
    frame(session.records)
    image_frame(session.records)
    compared = compare_runs(_SESSION, session, LossLimits())
    compared_lines(compared, session.info, _SESSION.info, everything=True)


def _read_run(path: Path) -> None:
    with suppress(SrBenchError):
        _use(read_run(path))


def _read_history(results: Path) -> None:
    history = read_history(results)
    for case in series(history.entries, lambda _: True):
        history_lines(history_case(case, history.incomplete), limit=3)
    assert all("\x1b" not in fault for fault in history.faults)


def test_the_files_that_are_changed_here_are_whole(
    tmp_path: Path, written: dict[str, bytes]
) -> None:
    for suffix in (".json", ".jsonl"):
        assert read_run(fresh(tmp_path, f"run{suffix}", written[suffix])).records == _RECORDS
    (tmp_path / HISTORY).mkdir()
    fresh(tmp_path / HISTORY, INDEX, written[INDEX])
    assert len(read_history(tmp_path).entries[0].points) == len(_RECORDS)


@fuzzed
@given(st.data())
def test_any_value_in_a_run_is_shown_or_refused(
    tmp_path: Path, written: dict[str, bytes], data: st.DataObject
) -> None:
    whole = json.loads(written[".json"])
    _read_run(fresh(tmp_path, "latest.json", json_file(data.draw(changed(whole)))))


@fuzzed
@given(st.data())
def test_any_value_in_a_run_is_a_page_or_refused(
    tmp_path: Path, written: dict[str, bytes], data: st.DataObject
) -> None:
    whole = json.loads(written[".json"])
    path = fresh(tmp_path, "latest.json", json_file(data.draw(changed(whole))))
    with suppress(SrBenchError):
        build_report(read_run(path), (), tmp_path / "html")


@fuzzed
@given(st.data())
def test_any_value_in_history_is_shown_or_left_out(
    tmp_path: Path, written: dict[str, bytes], data: st.DataObject
) -> None:
    (tmp_path / HISTORY).mkdir(exist_ok=True)
    fresh(tmp_path / HISTORY, INDEX, json_file(data.draw(changed(json.loads(written[INDEX])))))
    lines = [json.loads(line) for line in written[".jsonl"].splitlines()]
    which = data.draw(st.integers(0, len(lines) - 1))
    lines[which] = data.draw(changed(lines[which]))
    fresh(tmp_path / HISTORY, "run.jsonl", b"\n".join(map(json_file, lines)))
    _read_history(tmp_path)
    with suppress(SrBenchError):
        read_run(tmp_path / HISTORY / "run.jsonl")


@fuzzed
@given(st.data())
def test_files_of_runs_with_broken_bytes_are_read_as_far_as_they_go(
    tmp_path: Path, written: dict[str, bytes], data: st.DataObject
) -> None:
    (tmp_path / HISTORY).mkdir(exist_ok=True)
    fresh(tmp_path / HISTORY, INDEX, data.draw(broken(written[INDEX])))
    fresh(tmp_path / HISTORY, "run.jsonl", data.draw(broken(written[".jsonl"])))
    _read_history(tmp_path)
    with suppress(SrBenchError):
        read_run(tmp_path / HISTORY / "run.jsonl")
    with suppress(SrBenchError):
        read_run(fresh(tmp_path, "latest.json", data.draw(broken(written[".json"]))))


@fuzzed
@given(st.data())
def test_any_ledger_is_read_or_left_out_line_by_line(tmp_path: Path, data: st.DataObject) -> None:
    line = {"schema_version": 2, **asdict(_LINE)}
    raw = json_file(data.draw(changed(line))) if data.draw(st.booleans()) else b""
    raw += b"\n" + data.draw(broken(json_file(line)))
    before = read_ledger(fresh(tmp_path, "ledger.jsonl", raw))
    added = replace(_LINE, reason=data.draw(odd_text), row=data.draw(writable_text))
    after = read_ledger(fresh(tmp_path, "ledger.jsonl", extended(raw, [added])))
    assert after.lines[:-1] == before.lines
    assert after.lines[-1].row == added.row
