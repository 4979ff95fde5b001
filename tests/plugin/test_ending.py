"""What a session does after its last item: reports, GitHub, the comparison, the documents."""

import json
import shlex
from pathlib import Path

import pytest

from sr_bench.cli import main
from sr_bench.engine.explain import kept
from sr_bench.errors import SrBenchError
from tests.tiny_zoo import Zoo

MEASURED = ("--sr-precision=fp32",)


@pytest.fixture
def reports(pytester: pytest.Pytester) -> Path:
    return pytester.path / "reports"


def worse(zoo: Zoo) -> None:
    """Make the network's output wrong by a constant factor."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    model = onnx.load(zoo.suite / "tiny.onnx")
    weight = numpy_helper.to_array(model.graph.initializer[1]) * np.float32(0.5)
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(weight, "weight"))
    onnx.save(model, zoo.suite / "tiny.onnx")


def test_all_kinds_of_reports_are_written(run, reports: Path, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        from sr_bench.report.hooks import Section

        def pytest_sr_report_sections(session):
            return [Section("From the conftest", (f"{len(session.records)} records",))]
    """)
    result = run("--sr-report=markdown,html,csv,parquet")
    result.assert_outcomes(passed=4, skipped=1)
    files = {"README.md", "tiny.md", "records.csv", "images.csv", "records.parquet"}
    assert files <= {path.name for path in reports.iterdir()}
    page = (reports / "html" / "index.html").read_text("utf-8")
    assert "tiny_x2" in page
    assert "<p>5 records</p>" in page.split("From the conftest</h2>")[1]
    result.stdout.fnmatch_lines(["report: *reports/html/index.html"])
    assert "html/index.html" in (reports / "README.md").read_text("utf-8")


def test_a_damaged_line_of_the_index_is_made_again_once(run, reports: Path) -> None:
    run("--sr-report=none")
    index = reports / "history" / "index.jsonl"
    index.write_bytes(index.read_bytes()[:-40])
    note = f"note: {index}: 1 line made again from the files of single runs"
    assert note in run("--sr-report=html").stdout.lines
    assert not [line for line in run("--sr-report=html").stdout.lines if line.startswith("note:")]


def test_report_none_still_writes_the_records(run, reports: Path) -> None:
    run("--sr-report=none")
    assert sorted(path.name for path in reports.iterdir()) == [
        ".gitignore",
        "history",
        "latest.json",
    ]


def test_a_report_that_cannot_be_written_keeps_no_other_from_it(run, reports: Path) -> None:
    (reports / "records.csv").mkdir(parents=True)
    result = run("--sr-report=markdown,csv")
    result.stdout.fnmatch_lines(["ERROR: *records.csv*"])
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert (reports / "tiny.md").is_file()


def test_on_github_the_job_gets_a_summary_and_annotations(
    run, zoo: Zoo, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "summary.md"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path))
    zoo.write_table(psnr="99.000")
    result = run(*MEASURED)
    result.stdout.fnmatch_lines(["::error file=my_zoo/tiny/README.md,line=5,col=*::*"])
    assert "99.000" in (pytester.path / "summary.md").read_text("utf-8")


def test_without_reports_github_gets_nothing(
    run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "summary.md"))
    run(*MEASURED, "--sr-report=none")
    assert not (pytester.path / "summary.md").exists()


def test_elsewhere_there_are_no_annotations(run, zoo: Zoo) -> None:
    zoo.write_table(psnr="99.000")
    assert "::error" not in run(*MEASURED).stdout.str()


def test_a_run_that_lost_fails_though_every_claim_holds(run, zoo: Zoo) -> None:
    zoo.write_card("\n[model.tolerance.psnr]\nslack = 50.0\nreason = 'any'\n"
                   "[model.tolerance.ssim]\nslack = 1.0\nreason = 'any'\n")  # fmt: skip
    run(*MEASURED).assert_outcomes(passed=4)
    worse(zoo)
    result = run(*MEASURED, "--sr-compare=last")
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["tiny/tiny_x2 *fp32 *psnr* loss *weights*"])


def test_a_run_that_lost_nothing_passes(run) -> None:
    run(*MEASURED)
    result = run(*MEASURED, "--sr-compare=last")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["4 same"])


def test_what_this_session_was_not_asked_for_is_counted_and_no_loss(run) -> None:
    run(*MEASURED)
    result = run(*MEASURED, "-k", "psnr", "--sr-compare=last")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["1 same", "3 values of run A were not measured in this one"])


@pytest.mark.parametrize("also", [(), ("-k", "psnr")])  # with what is counted, and alone
def test_a_value_that_can_no_longer_be_measured_fails_the_run(
    run, zoo: Zoo, reports: Path, also: tuple[str, ...]
) -> None:
    run(*MEASURED)
    (zoo.data / "HR").rename(zoo.root / "gone")
    result = run(*MEASURED, *also, "--sr-compare=last")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["tiny/tiny_x2 *psnr* vanished *no value any more: *"])
    page = (reports / "issue.md").read_text("utf-8")
    assert "## Measured in the run before, and no more" in page


def test_a_run_in_which_something_failed_leaves_an_issue_until_the_next_that_is_fine(
    run, zoo: Zoo, reports: Path
) -> None:
    run(*MEASURED)
    weights = (zoo.suite / "tiny.onnx").read_bytes()
    worse(zoo)
    result = run(*MEASURED)
    line = "issue: *reports/issue.md: 2 differs since 20*: tiny_x2 (*weights*)"
    result.stdout.fnmatch_lines([line])
    page = (reports / "issue.md").read_text("utf-8")
    runs = sorted(path.stem for path in (reports / "history").glob("2*.jsonl"))
    assert f"First bad run: `{runs[1]}`" in page
    assert f"Last good run: `{runs[0]}`" in page
    (zoo.suite / "tiny.onnx").write_bytes(weights)
    assert "issue:" not in run(*MEASURED).stdout.str()
    assert not (reports / "issue.md").exists()


def test_a_number_that_was_edited_is_called_so(run, zoo: Zoo, reports: Path) -> None:
    run(*MEASURED)
    zoo.write_table(psnr="99.000")
    run(*MEASURED, "--sr-compare=last").stdout.fnmatch_lines(
        ["tiny/tiny_x2 fp32 psnr on *: verdict match -> differs, claimed * -> 99.000", "4 same"]
    )
    page = (reports / "issue.md").read_text("utf-8")
    assert "- Edited: `my_zoo/tiny/README.md:5:" in page
    assert "did not move" in page


def test_the_first_run_has_nothing_to_be_compared_with(run) -> None:
    result = run(*MEASURED, "--sr-compare=last")
    assert result.ret == 3  # as sr-bench compare
    result.stdout.fnmatch_lines(
        ["There is no earlier run yet to compare with.", "Nothing could be compared, *not a pass."]
    )


def test_each_case_is_compared_with_its_last_record_in_whichever_session(
    run, zoo: Zoo, reports: Path
) -> None:
    zoo.write_card("\n[model.tolerance.psnr]\nslack = 50.0\nreason = 'any'\n"
                   "[model.tolerance.ssim]\nslack = 1.0\nreason = 'any'\n")  # fmt: skip
    run(*MEASURED, "-k", "psnr")
    run(*MEASURED, "-k", "ssim")
    worse(zoo)
    result = run(*MEASURED, "--sr-compare=last", "--sr-report=html")
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    page = (reports / "html" / "compare.html").read_text("utf-8")
    assert page.count("<h3>Worse") == 2
    lost = "tiny/tiny_x2 *fp32 *{} on pair* loss *weights*"
    # Both earlier runs may have begun in one second, and then stand in any order.
    result.stdout.fnmatch_lines_random([lost.format("ssim"), lost.format("psnr")])


def test_a_case_that_no_earlier_session_measured_is_no_comparison(run) -> None:
    run(*MEASURED, "-k", "psnr")
    result = run(*MEASURED, "-k", "ssim", "--sr-compare=last")
    result.assert_outcomes(passed=1)
    assert result.ret == 3
    result.stdout.fnmatch_lines(["*ssim on pair* new *", "Nothing could be compared, *not a pass."])


def test_a_run_that_is_not_there_is_refused_before_anything_is_measured(run) -> None:
    result = run("--sr-compare=yesterday")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*'yesterday'*"])


def test_a_failed_claim_takes_the_measured_value(run, zoo: Zoo) -> None:
    zoo.write_table(psnr="99.000")
    result = run(*MEASURED, "--sr-update=failed", "--sr-reason=new weights")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["-*| 99.000 |*", f"+*| {zoo.psnr:.3f} |*", "1 number updated"])
    (line,) = (zoo.suite / "ledger.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["reason"] == "new weights"
    run(*MEASURED).assert_outcomes(passed=4)


def test_a_blank_cell_is_measured_and_filled(run, zoo: Zoo) -> None:
    zoo.write_table(ssim="-")
    result = run(*MEASURED, "--sr-update=missing", "--sr-reason=first numbers")
    result.assert_outcomes(passed=4)
    assert f"| {zoo.psnr:.3f} | 0.38" in (zoo.suite / "README.md").read_text("utf-8")


def test_a_document_that_was_edited_meanwhile_is_left_as_it_is(
    run, zoo: Zoo, pytester: pytest.Pytester
) -> None:
    zoo.write_table(psnr="99.000")
    readme = zoo.suite / "README.md"
    pytester.makeconftest(f"""
        from pathlib import Path

        def pytest_runtest_logfinish():
            readme = Path({str(readme)!r})
            readme.write_text(readme.read_text().replace("99.000", "98.000"))
    """)
    result = run(*MEASURED, "--sr-update=failed", "--sr-reason=x")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    lines = ["ERROR: *README.md: changed since the run*", "*99.000*got '98.000'"]
    result.stdout.fnmatch_lines(lines)
    assert "98.000" in readme.read_text("utf-8")
    assert not (zoo.suite / "ledger.jsonl").exists()


def test_a_limited_run_writes_nothing_into_documents(run, zoo: Zoo) -> None:
    zoo.write_table(psnr="99.000")
    before = (zoo.suite / "README.md").read_text("utf-8")
    run(*MEASURED, "--sr-limit=1", "--sr-update=all", "--sr-reason=x")
    assert (zoo.suite / "README.md").read_text("utf-8") == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sr-update=most"], "*--sr-update=most: expected one of failed, missing, all*"),
        (["--sr-update=all"], "*--sr-update: say why the documents change with --sr-reason*"),
        (["--sr-update=all", "--sr-reason= "], "*--sr-update: say why*"),
        (["--sr-keep=png"], "*--sr-keep=png: expected one of off, 8bit, 16bit*"),
        (["--sr-report="], "*--sr-report=: expected one or more of markdown*"),
    ],
)
def test_wrong_options_are_refused(run, options: list[str], message: str) -> None:
    result = run(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_kept_images_show_how_a_claim_was_scored(run, zoo: Zoo, reports: Path) -> None:
    run(*MEASURED, "--sr-keep=16bit")
    (folder,) = (reports / "outputs").glob("sr-16bit-*")
    assert (folder / "0001.png").is_file()
    zoo.write_table(psnr="99.000")
    result = run(*MEASURED, "--sr-keep=16bit")
    result.stdout.fnmatch_lines(["forensics *ways of scoring the images*"])


def test_without_kept_images_there_are_no_forensics(run, zoo: Zoo) -> None:
    zoo.write_table(psnr="99.000")
    assert "forensics " not in run(*MEASURED).stdout.str()


def test_forensics_that_would_take_too_long_are_left_to_a_command(
    run, zoo: Zoo, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {"psnr": 1.0, "ssim": 1.0}
    monkeypatch.setattr(kept, "_SECONDS_PER_PIXEL", costs)
    zoo.write_table(psnr="99.000")
    result = run(*MEASURED, "--sr-keep=8bit")
    (line,) = [line for line in result.stdout.lines if line.startswith("forensics  ")]
    typed = shlex.split(line.removeprefix("forensics  "))
    assert typed[:3] == ["sr-bench", "explain-number", "99.000"]
    assert main(typed[1:]) == 0


@pytest.mark.parametrize("option", ["--sr-explain=0", "--sr-keep=off"])
def test_forensics_may_be_off(run, zoo: Zoo, option: str) -> None:
    zoo.write_table(psnr="99.000")
    assert "forensics  " not in run(*MEASURED, "--sr-keep=8bit", option).stdout.str()


def test_images_that_vanish_while_they_are_explained_leave_the_verdict(
    run, zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(*_: object) -> float:
        msg = "0000.png: can't read the file"
        raise SrBenchError(msg)

    monkeypatch.setattr(kept, "seconds_needed", vanish)
    zoo.write_table(psnr="99.000")
    result = run(*MEASURED, "--sr-keep=8bit")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["verdict    differs*", "forensics  0000.png: can't read the file"])
