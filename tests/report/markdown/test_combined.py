"""The page of all families: failures first, then a matrix for each family, then how to rerun."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.detail import Detail
from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status
from sr_bench.errors import SrBenchError
from sr_bench.report.markdown.combined import render_combined, write_combined
from tests.report.markdown.test_family import tables
from tests.report.parts.test_flat import gated
from tests.report.records import CLAIM, emulated, record, with_interval, without_value
from tests.report.sessions import HOSTILE, ended, past_session, with_floor


def page(*records: Record, folder: Path = Path("nowhere")) -> str:
    return render_combined(past_session(records), folder)


def matrix(*records: Record) -> list[list[str]]:
    return tables(page(*records).partition("## Families")[2])[0]


def row_of(precision: Precision, value: float | None = 30.104, word: str = "") -> Record:
    combined = record(replace(CLAIM, precision=precision, backend=word), value)
    return combined if value is not None else without_value(combined)


def test_the_page_is_written_whole_and_is_the_same_each_time(tmp_path: Path) -> None:
    records = [record(), ended(Status.DIFFERS, 9)]
    path = write_combined(past_session(records), tmp_path)
    assert path == tmp_path / "README.md"
    assert path.read_text("utf-8") == page(*reversed(records))


def test_what_made_lr_is_said_once() -> None:
    made = record()
    made = replace(made, detail=replace(made.detail, lr_made_by="matlab_bicubic"))
    assert page(made).count("made from HR by") == 1


def test_an_unwritable_folder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(SrBenchError, match=r"cannot write .*README\.md"):
        write_combined(past_session([record()]), tmp_path / "reports")


def test_the_top_says_which_run_it_is_and_how_it_ended() -> None:
    top, _, _ = page(record(), without_value(record())).partition("##")
    assert "Run `20261121T091430-b65233`, 2026-11-21T09:14:30+00:00, at commit `0123abcd`." in top
    assert "Backend onnxruntime.\n\nDevice cpu." in top
    assert "**1 match of 2, 1 not_run**" in top


def test_a_run_of_the_first_schema_has_no_start_and_may_have_no_commit() -> None:
    session = past_session([without_value(record())])
    environment = replace(session.info.environment, commit="")
    info = replace(session.info, started="", environment=environment)
    text = render_combined(replace(session, info=info), Path("nowhere"))
    assert "Run `20261121T091430-b65233`.\n\n" in text
    assert "Nothing ran on a device." in text


def test_failures_come_first_the_worst_above_and_with_their_place() -> None:
    records = [record(), *(ended(status, line) for line, status in enumerate(Status, start=10))]
    text = page(*records)
    rows = tables(text)[0]
    assert [row[7] for row in rows[1:]] == ["error", "differs", "loss", "gap_closed", "better"]
    assert rows[2][:7] == [
        *("README.md:11:22", "m_x2", "fp32", "psnr on set5_x2"),
        *("30.10", "29.500 dB", "-0.600"),
    ]
    assert "## Failures: 5\n" in text
    assert text.index("## Failures") < text.index("## Families")


def test_a_failure_without_a_place_is_named_by_what_reruns_it() -> None:
    loss = replace(record(None, 40.0, status=Status.LOSS), node_id="zoo/card.toml::gate")
    assert tables(page(loss))[0][1][0] == "zoo/card.toml::gate"


def test_without_a_failure_there_is_no_such_part() -> None:
    assert "Failures" not in page(record())
    assert "what failed" not in page(record())


def test_a_family_has_a_matrix_of_models_and_precisions() -> None:
    other = replace(record(None, 31.5, status=Status.NEW), model="n_x4", dataset="set5_x4")
    assert matrix(row_of(Precision.FP32), row_of(Precision.FP16, None), other) == [
        ["Model", "Dataset", "Metric", "fp32", "fp16"],
        ["m_x2", "set5_x2", "PSNR (dB)", "30.10 → 30.10 ✓", "30.10 → - ○"],
        ["n_x4", "set5_x4", "PSNR (dB)", "- → 31.5000 +", ""],
    ]


def test_each_metric_of_images_has_a_row_with_its_unit_and_direction() -> None:
    def measured(metric: str, value: float) -> Record:
        return record(None, value, metric=metric, status=Status.NEW)

    rows = matrix(
        measured("fidelity", 50.1), measured("vmaf_x", 0.25), measured("mae", 2.5), record()
    )[1:]
    assert [row[2:] for row in rows] == [
        ["PSNR (dB)", "30.10 → 30.10 ✓"],
        ["fidelity (dB)", "- → 50.10 +"],
        ["MAE (levels) ↓", "- → 2.5000 +"],
        ["vmaf_x", "- → 0.2500 +"],  # of a package that is gone
    ]


def test_only_the_marks_that_stand_on_the_page_are_explained() -> None:
    legend = "As claimed → as measured; ↓ if lower is better; "
    assert f"{legend}✓ match, ○ not\\_run." not in page(record())
    assert f"{legend}✓ match.\n" in page(record())
    assert f"{legend}✓ match, ✗ differs.\n" in page(record(), ended(Status.DIFFERS))


def test_every_status_that_psnr_can_have_has_a_mark_of_its_own() -> None:
    gates = {Status.WITHIN, Status.LOSS, Status.UNDECIDED}
    texts = [matrix(ended(status))[1][3] for status in Status if status not in gates]
    marks = [text.rpartition(" ")[2] for text in texts]
    assert len(set(marks)) == len(Status) - len(gates)
    assert all(len(mark) == 1 for mark in marks)


def test_rows_about_another_backend_hide_behind_those_that_were_measured() -> None:
    about_vacc = row_of(Precision.FP16, None, "vacc-emulated")
    row = matrix(row_of(Precision.FP16, word="onnxruntime"), about_vacc)[1]
    assert row[3] == "30.10 → 30.10 ✓"


def test_two_measured_rows_of_one_precision_are_told_apart() -> None:
    both = row_of(Precision.FP16, word="vacc"), row_of(Precision.FP16, 30.101, "vacc-emulated")
    text = page(*both)
    assert "vacc: 30.10 → 30.10 ✓<br>vacc-emulated: 30.10 → 30.10 ✓ |" in text


def test_emulated_values_say_so_at_each_value() -> None:
    fp16 = emulated(row_of(Precision.FP16, word="vacc"))
    text = page(fp16, replace(emulated(ended(Status.DIFFERS)), verdict=ended(Status.ERROR).verdict))
    assert "**Backend vacc, emulated: no vacc device took part in this run.**" in text
    assert "30.10 → 30.10 ○ (emulated)" in text
    assert "error (emulated)" in text


def test_an_interval_is_shown_whole_and_explained() -> None:
    text = page(with_interval(record(), 30.5))
    assert "30.10 → 30.10 .. 30.50 ✓ (emulated)" in text
    assert "interval: by two readings" in text
    assert "interval: by two readings" not in page(record())


def test_images_that_both_calibrate_and_judge_are_named() -> None:
    assert "calibrated with images that it is judged on: all.**" in page(
        replace(record(), detail=Detail(calibration_shared="all"))
    )


def test_values_below_the_floor_are_listed() -> None:
    below = page(with_floor(record(), 31.365)).partition("## Below the floor\n\n")[2]
    assert below.startswith("- m_x2 fp32: psnr on set5_x2 is 30.104 dB, below bicubic 31.365 dB: ")
    assert "Below the floor" not in page(with_floor(record(), 30.0))


def test_images_that_gates_leave_out_are_listed() -> None:
    assert "## Images left out\n\n- mean drops of 1 gate on set5" in page(gated(0))
    assert "left out" not in page(gated())


def test_a_family_without_images_has_a_heading_and_its_counts() -> None:
    flops = record(replace(CLAIM, metric="flops", text="1.5"), 1.5)
    assert "### zoo\n\n1 match of 1\n\nNothing of images was asked for.\n" in page(flops)
    assert "as measured" not in page(flops)


def test_links_lead_to_the_pages_that_are_there(tmp_path: Path) -> None:
    spaced = replace(record(), family="my zoo")
    readme = replace(record(), family="README")
    records = [record(), spaced, readme]
    assert "](" not in page(*records, folder=tmp_path)
    for name in ("zoo.md", "my zoo.md", "README_.md", "html/index.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    text = page(*records, folder=tmp_path)
    assert "### [zoo](./zoo.md)\n" in text
    assert "### [my zoo](./my%20zoo.md)\n" in text
    assert "### [README](./README_.md)\n" in text
    assert "[HTML report](./html/index.html)" in text


def test_the_commands_run_all_again_and_each_failure() -> None:
    failed = replace(ended(Status.DIFFERS), node_id="my zoo/card.toml::it's")
    fenced = page(record(), failed).partition("```sh\n")[2].partition("```")[0]
    everything, _, comment, single = fenced.splitlines()
    assert shlex.split(everything) == [
        *("pytest", "zoo/card.toml", "my zoo/card.toml", "--backend=onnxruntime")
    ]
    assert comment == "# what failed, one by one"
    assert shlex.split(single) == ["pytest", "my zoo/card.toml::it's", "--backend=onnxruntime"]


def test_the_environment_is_listed() -> None:
    text = page(record())
    assert "- Processor: a cpu, 2 cores\n- numpy: 2.4.6\n" in text


def test_names_of_others_stay_names() -> None:
    failed = ended(Status.DIFFERS)
    source = replace(failed.claim.source, path=HOSTILE)
    verdict = replace(failed.verdict, sentence=HOSTILE)
    names = dict.fromkeys(("family", "model", "dataset", "backend", "device", "node_id"), HOSTILE)
    hostile = replace(failed, claim=replace(failed.claim, source=source), verdict=verdict, **names)
    another = replace(hostile, claim=replace(hostile.claim, backend=HOSTILE))
    text = page(with_floor(hostile, 31.0), another)
    outside = "".join(text.split("```")[::2])
    assert "\x1b" not in text
    assert "\n# h" not in outside
    assert outside.replace(r"\<img", "").count("<img") == 0
    shown = tables(text)
    assert len(shown[0][1]) == 9
    assert shown[0][1][1] == " ".join(HOSTILE.replace("\x1b", "\\x1b").split())
    assert [len(row) for row in shown[1]] == [4, 4]
    assert shown[1][1][3].endswith(f"{shown[0][1][1]}: 30.10 → 29.50 ✗")


def test_a_family_whose_name_no_file_can_have_has_no_link(tmp_path: Path) -> None:
    (tmp_path / "zoo.md").touch()
    (tmp_path.parent / "up.md").touch()
    families = ("zoo", "../up", "9" * 5000, "\0")
    shown = page(*(replace(record(), family=name) for name in families), folder=tmp_path)
    assert [line for line in shown.splitlines() if "](./" in line] == ["### [zoo](./zoo.md)"]
