"""GitHub gets failures first, never more than it takes, at the document's lines."""

from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from sr_bench.core.record import Record, Status
from sr_bench.errors import SrBenchError
from sr_bench.report.github import BUDGET, annotations, step_summary, write_step_summary
from sr_bench.report.terminal.failure import failure_text
from tests.report.markdown.test_family import tables
from tests.report.records import emulated, record, without_value
from tests.report.sessions import HOSTILE, ended, past_session, with_floor

TOTAL = {"failure": 3, "line": 1, "row": 11}


def summary(*records: Record, budget: int = BUDGET) -> str:
    return step_summary(past_session(records), budget=budget)


def fences(markdown: str) -> list[str]:
    return [token.content for token in MarkdownIt().parse(markdown) if token.type == "fence"]


def test_failures_stand_before_the_tables_with_their_whole_text() -> None:
    failed = ended(Status.DIFFERS)
    text = summary(record(), failed)
    assert fences(text) == [failure_text(failed) + "\n"]
    order = [
        "Run `",
        "**1 match of 2, 1 differs**",
        "### Failures: 1",
        "<details>",
        "### zoo",
        "| Model",
    ]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert "<summary>README.md:7:22: m_x2 fp32 PSNR on set5_x2: differs</summary>" in text


def test_the_tables_hold_what_was_measured_and_the_rest_is_counted() -> None:
    other = replace(record(), family="other")
    text = summary(record(), record(), other, without_value(record(), "no weights"))
    assert [len(table) for table in tables(text)] == [2, 3]
    assert "### Not run\n\n- 1 x no weights\n" in text
    assert "Left out" not in text


def test_without_failures_or_skips_there_are_no_such_parts() -> None:
    text = summary(record())
    assert "Failures" not in text
    assert "Not run" not in text
    assert "Below" not in text


def test_lr_that_was_made_from_hr_is_said_once() -> None:
    made = [replace(record(), detail=replace(record().detail, lr_made_by="matlab_bicubic"))] * 2
    assert summary(*made).count("made from HR by matlab_bicubic") == 1


def test_models_below_the_floor_are_listed() -> None:
    text = summary(with_floor(record(), 31.365))
    assert "### Below the floor\n\n- m_x2 fp32: psnr on set5_x2 is 30.104 dB, below" in text


def test_an_emulation_is_labelled() -> None:
    failed = replace(emulated(record()), verdict=ended(Status.DIFFERS).verdict)
    text = summary(failed)
    assert "differs (emulated)</summary>" in text
    assert "no vacc device took part" in text


@pytest.mark.parametrize("budget", [*range(0, 6000, 97), 10**6])
def test_the_summary_stays_under_any_budget_and_says_what_it_lacks(budget: int) -> None:
    failed = [ended(Status.DIFFERS, line) for line in range(10, 13)]
    fine = [replace(record(), model="模型" * 20) for _ in range(8)]
    records = [*failed, *fine, without_value(record(), "kein Netz ✗")]
    text = summary(*records, budget=budget)
    assert len(text.encode()) <= budget
    if not text:
        assert budget < 800
        return
    shown_rows = sum(len(table) - 1 for table in tables(text))
    shown = {"failure": len(fences(text)), "line": text.count("kein Netz"), "row": shown_rows}
    lacks = {part: total - shown[part] for part, total in TOTAL.items()}
    sentences = [f"{count} {part}{'s' * (count > 1)}" for part, count in lacks.items() if count]
    sentence = f"Left out, as GitHub limits this page: {', '.join(sentences)}; latest.json has all."
    assert (sentence in text) if sentences else ("Left out" not in text)
    assert text.count("<details>") == text.count("</details>")


def test_a_failure_that_is_too_long_does_not_hide_the_others() -> None:
    first, second = ended(Status.DIFFERS, 10), ended(Status.DIFFERS, 11)
    long = replace(first, verdict=replace(first.verdict, sentence="x" * 5000))
    text = summary(long, second, budget=4000)
    assert fences(text) == [failure_text(second) + "\n"]
    assert "Left out, as GitHub limits this page: 1 failure, 2 rows; latest.json has all." in text


def test_a_table_ends_at_the_first_row_that_does_not_fit() -> None:
    long = replace(record(), verdict=replace(record().verdict, sentence="x" * 3000))
    ((_, first),) = tables(summary(record(), long, record(), budget=2500))
    assert first[-1] == "a reason"


def test_the_usual_budget_is_below_the_limit_of_github() -> None:
    records = [ended(Status.DIFFERS, line) for line in range(4000)]
    text = step_summary(past_session(records))
    assert 800_000 < len(text.encode()) <= BUDGET < 2**20


def test_what_others_wrote_stays_text() -> None:
    failed = ended(Status.ERROR)
    verdict = replace(failed.verdict, sentence="</details>\n```\n" + HOSTILE)
    hostile = replace(failed, model=HOSTILE, family=HOSTILE, verdict=verdict)
    text = summary(hostile)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    html = "".join(token.content for token in tokens if token.type == "html_block")
    assert "<img" not in html
    assert html.count("</details>") == 1
    assert "\x1b" not in text
    assert len(tables(text)[0][1]) == 9


SESSION = past_session([record()])


@pytest.mark.parametrize("theirs", ["theirs", "theirs\n", "theirs\n\n\n"])
def test_the_summary_stands_below_what_the_step_has_written(tmp_path: Path, theirs: str) -> None:
    path = tmp_path / "summary.md"
    path.write_text(theirs)
    write_step_summary(path, SESSION)
    assert path.read_text("utf-8") == f"theirs\n\n{step_summary(SESSION)}"


def test_a_first_summary_is_written_alone(tmp_path: Path) -> None:
    write_step_summary(tmp_path / "summary.md", SESSION)
    assert (tmp_path / "summary.md").read_text("utf-8") == step_summary(SESSION)


def test_the_summary_takes_the_room_that_others_left(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("x" * (BUDGET - 5000) + "\n")
    write_step_summary(path, past_session([ended(Status.DIFFERS, line) for line in range(20)]))
    assert BUDGET - 1000 < path.stat().st_size <= BUDGET
    assert "Left out, as GitHub limits this page" in path.read_text("utf-8")


def test_a_full_summary_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("x" * (BUDGET + 1))
    write_step_summary(path, SESSION)
    assert path.read_text() == "x" * (BUDGET + 1)


@pytest.mark.parametrize("name", ["absent/summary.md", "folder", "file/summary.md"])
def test_a_path_that_can_not_be_written_is_one_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(SrBenchError, match=r"GITHUB_STEP_SUMMARY=.*expected a file in a folder"):
        write_step_summary(tmp_path / name, SESSION)
    assert not (tmp_path / "absent").exists()


def test_a_failure_is_an_error_at_its_line_and_column() -> None:
    (line,) = annotations([ended(Status.DIFFERS, 12)])
    assert line == (
        "::error file=README.md,line=12,col=22,title=m_x2 fp32 psnr on set5_x2%3A differs"
        "::claimed 30.10 dB%0Ameasured 29.500 dB%0Aa reason"
    )


def test_each_status_has_its_kind_and_the_worst_comes_first() -> None:
    below = with_floor(record(None, 29.0, status=Status.NEW), 31.0)
    lines = annotations([*map(ended, Status), below])
    kinds = [line[2:].partition(" ")[0] for line in lines]
    assert kinds == ["error"] * 5 + ["warning"] * 2 + ["notice"]
    titles = [
        line.partition("title=")[2].partition("::")[0].rpartition("%3A ")[2] for line in lines
    ]
    assert titles == [
        *("error", "differs", "loss", "gap_closed", "better"),
        *("undecided", "new", "known_gap"),
    ]


def test_a_new_value_above_the_floor_is_not_a_warning() -> None:
    assert annotations([with_floor(record(None, 32.0, status=Status.NEW), 31.0)]) == []


def test_a_claim_below_the_floor_that_matches_is_not_a_warning() -> None:
    assert annotations([with_floor(record(), 31.0)]) == []


def test_the_cell_that_a_new_value_answers_is_its_place() -> None:
    below = with_floor(record(None, 29.0, status=Status.NEW), 31.0)
    (line,) = annotations([replace(below, place=ended(Status.NEW, 5).claim.source)])
    assert line.startswith("::warning file=README.md,line=5,col=22,title=")
    (line,) = annotations([below])
    assert line.startswith("::warning title=")
    assert "::measured 29.0000" in line


def test_an_emulated_value_says_so() -> None:
    failed = replace(emulated(record()), verdict=ended(Status.DIFFERS).verdict)
    assert "measured 29.500 dB (emulated)%0A" in annotations([failed])[0]


def test_a_missing_value_is_not_shown() -> None:
    failed = replace(without_value(record()), verdict=ended(Status.ERROR).verdict)
    assert annotations([failed])[0].endswith("::claimed 30.10 dB%0Aa reason")


def test_a_long_sentence_is_cut() -> None:
    failed = ended(Status.ERROR)
    failed = replace(failed, verdict=replace(failed.verdict, sentence="x" * 10**5))
    assert len(annotations([failed])[0]) < 4500


def test_a_hostile_name_starts_no_command_and_no_line() -> None:
    name = "x\n::stop-commands::y\r\n::error::z,line=99"
    failed = replace(ended(Status.DIFFERS), model=name)
    source = replace(failed.claim.source, path=name)
    (line,) = annotations([replace(failed, claim=replace(failed.claim, source=source))])
    assert len(line.splitlines()) == 1
    properties, _, _ = line.removeprefix("::error ").partition("::")
    keys = [part.partition("=")[0] for part in properties.split(",")]
    assert keys == ["file", "line", "col", "title"]


def test_only_as_many_as_github_shows_are_written_and_the_rest_is_counted() -> None:
    lines = annotations([ended(Status.DIFFERS, line) for line in range(1, 14)])
    assert len(lines) == 11
    assert lines[9].startswith("::error file=README.md,line=10,")
    assert lines[10] == "::notice::and 3 errors more: see the step's summary"


def test_the_last_notice_is_one_of_those_that_are_shown() -> None:
    gaps = [ended(Status.KNOWN_GAP, line) for line in range(1, 13)]
    unsure = [ended(Status.UNDECIDED, line) for line in range(1, 12)]
    lines = annotations([*gaps, *unsure])
    assert [line[2:8] for line in lines] == ["warnin"] * 10 + ["notice"] * 10
    assert lines[-1] == "::notice::and 1 warning, 3 notices more: see the step's summary"


def test_as_many_as_are_shown_need_no_last_notice() -> None:
    gaps = [ended(Status.KNOWN_GAP, line) for line in range(1, 11)]
    assert [line[:10] for line in annotations(gaps)] == ["::notice f"] * 10
