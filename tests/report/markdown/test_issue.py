"""The issue to file says what failed, since when, what changed, and what to type."""

from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from sr_bench.core.compare import CaseOutcome
from sr_bench.core.record import Status
from sr_bench.errors import SrBenchError
from sr_bench.report.markdown import issue
from sr_bench.report.markdown.issue import render_issue, write_issue
from sr_bench.report.parts.needs import Worse, needs
from tests.report.parts.test_needs import Night, lost, month, of
from tests.report.sessions import HOSTILE


def text(*nights: Night, worse: tuple[Worse, ...] = ()) -> str:
    session, entries = month(*nights)
    return render_issue(needs(session, entries, worse), session)


def test_a_regression_has_its_numbers_its_runs_its_cause_and_its_commands() -> None:
    good, bad = of("a", Status.MATCH, weights="ab" * 32), of("a", Status.DIFFERS, 29.9, weights="c")
    page = text([good], [bad])
    assert page.startswith("# sr-bench: 1 differs since 2026-11-02: a (weights")
    assert "## Differs from the document, since 2026-11-02: 1 number\n" in page
    (row,) = (line for line in page.splitlines() if line.startswith("| a "))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("a fp32 PSNR on set5_x2", "README.md:7:22", "30.10", "30.100 dB", "29.900 dB")
    ]
    assert "- First bad run: `run-2` of 2026-11-02 02:00 UTC.\n" in page
    assert "- Last good run: `run-1` of 2026-11-01 02:00 UTC, match.\n" in page
    assert "- Changed: weights `abababab` → `c`\n" in page
    assert "pytest zoo/card.toml::m --backend=onnxruntime\nsr-bench compare run-1 run-2\n" in page


def test_a_closed_gap_says_how_the_card_loses_it_and_is_not_called_bad() -> None:
    page = text([of("a", Status.KNOWN_GAP)], [of("a", Status.GAP_CLOSED)])
    assert "known gap is closed" in page
    assert "- Why: a reason\n" in page
    assert "`sr-bench update last --reason '...'`" in page
    assert "bad" not in page


def test_an_edited_number_is_named_with_its_commit_and_that_the_value_stayed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit = issue.Commit("0123456789ab", "Ann", "2026-11-01T12:00:00+00:00", "polish | it")
    monkeypatch.setattr(issue, "last_commit", lambda *_: commit)
    page = text([of("a", Status.MATCH)], [of("a", Status.DIFFERS, text="31.10")])
    who = "`0123456789ab` of 2026-11-01, Ann: polish \\| it"
    assert f"- Edited: `README.md:7:22`, a line of {who}\n" in page
    assert "- The measured values did not move. To print them again: `sr-bench update" in page
    moved = text([of("a", Status.MATCH)], [of("a", Status.DIFFERS, 29.0, text="31.10")])
    assert "did not move" not in moved


def test_what_only_the_comparison_knows_is_said(tmp_path: Path) -> None:
    good = of("a", Status.MATCH)
    page = text([good], [good], worse=(lost(30.1, 30.09),))
    assert "## Worse than in the run before, though no claim fails, since" in page
    gone = replace(good, verdict=replace(good.verdict, status=Status.NOT_RUN), measurement=None)
    page = text([good], [gone], worse=(lost(30.1, 30.09, CaseOutcome.VANISHED),))
    assert "## Measured in the run before, and no more, since" in page
    assert "- Why: a reason\n" in page


def test_without_a_change_it_says_so_and_without_a_past_too() -> None:
    bad = of("a", Status.DIFFERS, 29.0)
    assert "- Changed: nothing that is recorded.\n" in text([of("a", Status.MATCH)], [bad])
    page = text([bad])
    assert "- Last good run: none is known.\n" in page
    assert "sr-bench compare" not in page


def test_long_lists_are_cut() -> None:
    names = [f"m{number}" for number in range(30)]
    good, bad = ([of(name, status) for name in names] for status in (Status.MATCH, Status.DIFFERS))
    page = text(good, bad)
    assert "And 20 more: README.md beside this file has all." in page
    own = [of(name, Status.DIFFERS, weights=name) for name in names]
    page = text(good, own)
    assert page.count("\n## ") == 10
    assert "And 20 more groups: README.md beside this file has all." in page
    assert len(page) < 65_536


def test_names_of_others_are_text() -> None:
    bad = replace(of(HOSTILE, Status.DIFFERS, 29.0, weights=HOSTILE), node_id=HOSTILE)
    html = MarkdownIt("commonmark").enable("table").render(text([of(HOSTILE, Status.MATCH)], [bad]))
    assert "<img" not in html
    assert "\x1b" not in html
    assert "<em>c</em>" not in html


def test_the_file_is_there_only_as_long_as_something_needs_a_person(tmp_path: Path) -> None:
    session, entries = month([of("a", Status.DIFFERS)])
    session = replace(session, results=tmp_path)
    path = write_issue(needs(session, entries), session)
    assert path == tmp_path / "issue.md"
    assert path.read_text("utf-8").startswith("# sr-bench: ")
    assert write_issue((), session) is None
    assert not path.exists()
    path.mkdir()
    with pytest.raises(SrBenchError, match=r"cannot remove .*issue\.md: "):
        write_issue((), session)
