"""What stands in the pages: every value with its label, and nothing of a record as markup."""

import json
import re
from argparse import Namespace
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from sr_bench.core.claim import Source
from sr_bench.core.compare import CaseOutcome, Change, ComparedRuns, LossLimits
from sr_bench.core.detail import Detail
from sr_bench.core.dossier import Dossier, LayerBlame, Remedy
from sr_bench.core.record import Kept, Measurement, Record, Status, Verdict
from sr_bench.engine.judge.two_runs import compare_runs
from sr_bench.errors import SrBenchError
from sr_bench.report.hooks import Additions, Column, Section
from sr_bench.report.html import trend
from sr_bench.report.html.build import ReportResult, build_report
from tests.report.html.zoo import (
    NAMES,
    cost,
    emulated,
    gated,
    history_of,
    keep_images,
    past_session,
    records_of,
    scored,
    with_mae,
)
from tests.report.terminal.test_forensics import FITS

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "../../etc/passwd",
    "{{ 7 * 7 }}",
    "a\u202eb\x1b[31m\x00",
    "\ud800lone",
    "</script><script>alert(1)</script>\u2028",
]


def build(records: list[Record], folder: Path, **options: object) -> ReportResult:
    history = options.pop("history", ())
    return build_report(past_session(folder, records), history, folder / "html", **options)


def text_of(folder: Path, kind: str) -> str:
    pages = sorted((folder / "html").glob(f"{kind}*.html"))
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def data_of(folder: Path) -> dict[str, object]:
    match = re.search(r'id="page-data">(.*?)</script>', text_of(folder, "model"), re.DOTALL)
    assert match
    return json.loads(match[1])


def renamed(record: Record, name: str) -> Record:
    """Return `record` with `name` wherever somebody else chooses a text."""
    images = tuple(replace(i, image=name + i.image) for i in record.measurement.images)
    return replace(
        record,
        family=name,
        model=name,
        case_id=name,
        node_id=name,
        dataset=record.dataset and name,
        protocol=name,
        verdict=replace(record.verdict, sentence=name),
        measurement=replace(record.measurement, images=images),
        claim=record.claim and replace(record.claim, row=name, source=Source(name, 7, 22)),
        detail=replace(record.detail, warning=name, notes={name: name}),
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_and_never_markup_or_a_path(tmp_path: Path, name: str) -> None:
    records = [renamed(record, name) for record in records_of("m")]
    session = past_session(tmp_path, records)
    case = compare_runs(session, session, LossLimits())[0]
    worse = replace(case, outcome=CaseOutcome.LOSS, inputs=(Change(name, name, name),))
    section = Section(name, (name,), (name,), ((name,),))
    added = Namespace(
        pytest_sr_report_columns=lambda **_: [[Column(name, lambda _: name)]],
        pytest_sr_report_sections=lambda **_: [[section]],
    )
    build(
        records,
        tmp_path,
        history=history_of(records),
        compared=[ComparedRuns(session, session, (worse, case))],
        additions=Additions(added, session),
    )
    files = sorted(path.name for path in (tmp_path / "html").rglob("*.html"))
    assert all(re.fullmatch(r"[a-z0-9.-]+", file) for file in files)
    assert {path.name for path in tmp_path.iterdir()} == {"html"}
    for kind in ("index", "model", "trend", "compare"):
        page = text_of(tmp_path, kind)
        assert "alert" in page or "alert" not in name
        assert not re.search(r"<(script|img)[^>]*(alert|onerror)|>alert\(|[\x00\x1b\u202e]", page)
        assert page.count("<script") == page.count("</script>")
        assert "49" not in re.findall(r"<bdi>(.*?)</bdi>", page)
    if name.isprintable():
        assert f"<bdi>{name}</bdi>" in unescape(text_of(tmp_path, "index"))


def test_the_matrix_has_each_value_with_its_status(tmp_path: Path) -> None:
    records = records_of("m")
    records[0] = replace(records[0], verdict=Verdict(Status.DIFFERS, "far off", 30.0, 31.0, 0.1))
    build(records, tmp_path)
    page = text_of(tmp_path, "index")
    assert 'aria-label="differs">✗</span><span class="num">30.0000</span>' in page
    assert "far off" in page
    assert "Needs you" in page


def test_without_failures_nothing_needs_you(tmp_path: Path) -> None:
    build(records_of("m"), tmp_path)
    assert "Needs you" not in text_of(tmp_path, "index")


def test_emulated_values_say_so_on_each_page_with_their_interval(tmp_path: Path) -> None:
    records = [emulated(r) if r.precision == "int8_max" else r for r in records_of("m")]
    build(records, tmp_path, history=history_of(records))
    # Once in the banner, and once for the column.
    assert text_of(tmp_path, "index").count('<span class="tag">emulated</span>') == 2
    model = text_of(tmp_path, "model")
    # PSNR, SSIM and fidelity in the table, and the gate.
    assert model.count('<span class="tag">emulated</span>') == 4
    assert "29.980 .. 30.000" in model
    labels = [row["label"] for row in data_of(tmp_path)["measured"]]
    assert labels == ["fp32", "fp16", "int8_max (emulated)"]
    # Once for each of its series.
    assert text_of(tmp_path, "trend").count('<span class="tag">emulated</span>') == 3


def test_a_page_whose_values_are_all_emulated_says_so_once(tmp_path: Path) -> None:
    records = [emulated(record) if record.dataset else record for record in records_of("m")]
    build(records, tmp_path)
    for kind in ("index", "model"):
        assert text_of(tmp_path, kind).count('<span class="tag">emulated</span>') == 1
    assert [row["label"] for row in data_of(tmp_path)["measured"]] == ["fp32", "fp16", "int8_max"]


def test_a_suite_of_which_nothing_ran_is_folded_below_with_its_reason(tmp_path: Path) -> None:
    why = Verdict(Status.NOT_RUN, "no files of set; run 'sr-bench fetch set'")
    idle = [replace(scored(m, "fp32", "psnr", family="idle"), verdict=why) for m in "xy"]
    idle = [replace(record, measurement=None) for record in idle]
    build([*idle, replace(cost("x"), family="idle"), *records_of("m")], tmp_path)
    page = text_of(tmp_path, "index")
    shown, folded = page.split('<details class="suite">')
    assert re.findall(r"<bdi>(.*?)</bdi>", shown) == ["zoo", "m"]
    summary = " ".join(re.sub("<.*?>", "", folded.split("</summary>")[0]).split())
    assert summary == "idle 2 models, 2 not run no files of set"
    assert "0.08990" in folded


def test_a_gate_shows_the_verdict_of_its_worst_reading_first(tmp_path: Path) -> None:
    record = gated("m", "int8_max", Status.UNDECIDED)
    gate = record.detail.gate
    findings = (gate.findings[0], replace(gate.findings[1], status=Status.LOSS, sentence="lost"))
    gate = replace(gate, findings=(*findings, replace(gate.findings[2], status=Status.WITHIN)))
    verdict = Verdict(Status.UNDECIDED, "the two readings disagree", 56.75)
    build([replace(record, verdict=verdict, detail=replace(record.detail, gate=gate))], tmp_path)
    panel = text_of(tmp_path, "model").split('id="gates"')[1].split("<details>")[0]
    badges = re.findall(r'class="badge \w+"><span.*?</span> (\w+)</span>', panel)
    assert badges == ["loss", "undecided", "loss", "undecided", "within"]
    assert "the two readings disagree" in panel


def test_a_trend_leaves_out_nights_that_say_nothing_and_counts_them(tmp_path: Path) -> None:
    records = [scored("m", "fp32", "psnr")]
    history = history_of(records, 12)
    moved = history[4].points[0]
    history[4] = replace(history[4], points=(replace(moved, value=29.9),))
    build(records, tmp_path, history=history)
    page = text_of(tmp_path, "trend")
    table = page.split("<tbody>")[1].split("</tbody>")[0]
    assert re.findall(r"<code>202611(\d\d)T", table) == ["12", "06", "05", "04", "01"]
    assert re.findall(r"(\d+) runs? with the same value", table) == ["5", "2"]
    data = json.loads(page.split('id="trend-data">')[1].split("</script>")[0])
    assert [row["number"] for row in data[0]["rows"]] == [0, 3, 4, 5, 11]


def test_with_one_run_a_trend_says_so_and_draws_nothing(tmp_path: Path) -> None:
    records = [scored("m", "fp32", "psnr")]
    build(records, tmp_path, history=history_of(records, 1))
    assert "so there is no trend yet" in text_of(tmp_path, "trend")
    build(records, tmp_path, history=history_of(records, 2))
    assert "so there is no trend yet" not in text_of(tmp_path, "trend")


def test_a_partial_value_says_so(tmp_path: Path) -> None:
    record = scored("m", "fp32", "psnr")
    build([replace(record, measurement=replace(record.measurement, planned=9))], tmp_path)
    assert "4 of 9 images" in text_of(tmp_path, "index")
    assert "4 of 9 images" in text_of(tmp_path, "model")


def test_a_cell_shows_a_measured_row_before_one_that_nobody_ran(tmp_path: Path) -> None:
    limited = scored("m", "fp32", "psnr")
    limited = replace(limited, verdict=Verdict(Status.NOT_RUN, "limited", 30.0, 30.0))
    absent = replace(limited, measurement=None, verdict=Verdict(Status.NOT_RUN, "absent", None, 30))
    build([absent, limited, replace(limited, case_id="other")], tmp_path)
    page = text_of(tmp_path, "index")
    assert '<span class="num">30.0000</span>' in page
    assert ">1 more</a>" in page
    assert "1 more number of this" in page


def test_numbers_that_failed_for_one_reason_need_one_look_and_stand_in_the_table(tmp_path) -> None:
    broken = Verdict(Status.ERROR, "m.onnx: no model")
    failed = [replace(scored("m", "fp32", metric), verdict=broken) for metric in ("psnr", "ssim")]
    failed = [replace(record, measurement=None) for record in failed]
    absent = replace(failed[0], verdict=Verdict(Status.NOT_RUN, "other backend"), case_id="other")
    build([*failed, absent], tmp_path)
    index = text_of(tmp_path, "index")
    needing = index.split('id="attention-title">')[1].split("</section>")[0]
    words = " ".join(re.sub("<.*?>", "", needing).split())
    assert words == "Needs you 2 ! error m fp32 psnr on set_x2, and 1 other number m.onnx: no model"
    assert '<details class="suite">' not in index
    table, folded = text_of(tmp_path, "model").split("1 number was not run")
    rows = re.findall("<summary>(.*?)</summary>", table)
    assert rows == ["m.onnx: no model", "as above"]
    assert "other backend" in folded


def test_the_worst_gate_comes_first(tmp_path: Path) -> None:
    records = records_of("m")
    lost = gated("m", "int8_max", Status.LOSS)
    records = [lost if record.case_id == lost.case_id else record for record in records]
    build(records, tmp_path)
    assert re.findall("<h3>(.*?) <", text_of(tmp_path, "model")) == ["int8_max", "fp16"]


def test_models_of_one_name_in_two_families_have_pages_of_their_own(tmp_path: Path) -> None:
    build([scored("m", "fp32", "psnr", family=name) for name in ("a", "b")], tmp_path)
    assert len([*(tmp_path / "html").glob("model-*.html")]) == 2


def test_a_model_on_two_data_sets_links_its_other_page(tmp_path: Path) -> None:
    record = scored("m", "fp32", "psnr")
    build([record, replace(record, dataset="other_x2", case_id="o")], tmp_path)
    assert "also on other_x2" in text_of(tmp_path, "model")


def test_the_explorer_starts_with_the_least_faithful_image(tmp_path: Path) -> None:
    build(records_of("m"), tmp_path)
    data = data_of(tmp_path)
    assert data["start"] == 2
    assert [image["name"] for image in data["images"]] == [*NAMES]


def test_infinite_values_become_none(tmp_path: Path) -> None:
    record = scored("m", "fp32", "psnr")
    images = (replace(record.measurement.images[0], value=float("inf")),)
    build([replace(record, measurement=replace(record.measurement, images=images))], tmp_path)
    assert data_of(tmp_path)["measured"][0]["values"]["psnr"] == [None]


def test_each_metric_has_a_ladder_of_losses_and_a_column(tmp_path: Path) -> None:
    gone = replace(scored("m", "fp32", "psnr"), metric="gone", claim=None)
    build([*with_mae("m"), gone], tmp_path)
    data = data_of(tmp_path)
    shown = [(m["name"], m["title"], m["unit"], m["decimals"], m["sign"]) for m in data["metrics"]]
    assert shown == [
        ("psnr", "PSNR", "dB", 3, 1),
        ("ssim", "SSIM", "", 5, 1),
        ("gone", "gone", "", 4, 1),
        ("mae", "MAE ↓", "levels", 4, -1),
        ("fidelity", "fidelity", "dB", 2, 0),
    ]
    assert data["measured"][1]["values"]["mae"] == [2.2, 3.4, 2.5, 2.5]
    assert [*data["measured"][0]["drops"], *data["measured"][1]["drops"]] == ["psnr", "ssim"]
    page = text_of(tmp_path, "model")
    ladders = re.findall(r"data-ladder.*?>(.*?)</button>", page)
    assert ladders == ["PSNR drop", "SSIM drop", "gone drop", "MAE rise", "Fidelity to fp32"]
    assert ">fp16 MAE ↓</button>" in page
    assert '<td class="r num">3.4000</td>' in page
    assert ">MAE ↓</button>" in text_of(tmp_path, "index")


def test_without_a_gate_the_explorer_starts_where_the_first_metric_loses_most(tmp_path) -> None:
    build([record for record in with_mae("m") if record.metric == "mae"], tmp_path)
    assert data_of(tmp_path)["start"] == 1


def test_a_run_that_kept_no_images_says_how_to_keep_them(tmp_path: Path) -> None:
    build([replace(scored("m", "fp32", "psnr"), kept=None)], tmp_path)
    assert "--sr-keep=8bit" in text_of(tmp_path, "model")


def test_the_layer_ranking_and_the_remedy_are_shown(tmp_path: Path) -> None:
    layers = (LayerBlame("conv<1>", 0.5, 40.0, 2.0), LayerBlame("conv2", 0.25, 50.0, None))
    remedy = Remedy(("conv1",), 0.9, 47.0, 12)
    dossier = Dossier("a", 40.0, ("a sign",), layers, 9, remedy, 1.0, 30.0)
    record = gated("m", "int8_max", Status.LOSS)
    build([replace(record, detail=replace(record.detail, dossier=dossier))], tmp_path)
    page = text_of(tmp_path, "model")
    assert "<code>conv&lt;1&gt;</code>" in page
    assert "width:100.0%" in page
    assert "width:10.0%" in page
    assert "would pass: keep" in unescape(page)
    assert "a sign" in page


def test_other_details_are_shown_as_text(tmp_path: Path) -> None:
    record = scored("m", "fp32", "psnr")
    build([replace(record, detail=Detail(forensics=FITS, notes={"note": "plain"}))], tmp_path)
    page = unescape(text_of(tmp_path, "model"))
    assert '"matches": [' in page
    assert "<code>plain</code>" in page


def test_what_was_timed_stands_once_for_each_precision(tmp_path: Path) -> None:
    records = records_of("m")
    timed = replace(
        records[0],
        metric="latency",
        dataset="",
        protocol="",
        claim=None,
        measurement=Measurement("latency", "ms", 42.7, notes={"images_per_s": 23.4}),
    )
    build([*records, timed], tmp_path)
    page = text_of(tmp_path, "model")
    assert page.count('<th scope="col" class="r">ms per image</th>') == 1
    cells = re.findall(r'data-label="(?:ms per image|images/s)">([^<]+)</td>', page)
    assert cells == ["42.7", "23.4"]
    build(records, tmp_path)
    assert "ms per image" not in text_of(tmp_path, "model")


def test_a_trend_says_what_changed_between_runs(tmp_path: Path) -> None:
    records = records_of("m")
    build(records, tmp_path, history=history_of(records))
    page = text_of(tmp_path, "trend")
    changed = re.findall(r'data-label="changed">(.*?)</td></tr>', page)
    assert changed[:2] == ["data, torch 2.13 -&gt; 2.14", ""]
    assert "1 run with the same value" in page
    assert "+0.0005" in page
    assert "abc123" in page


def test_a_trend_shows_the_newest_runs_and_where_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = records_of("m")
    monkeypatch.setattr(trend, "RUNS_SHOWN", 2)
    build(records, tmp_path, history=history_of(records, 2))
    assert "<span>2 runs</span>" in text_of(tmp_path, "trend")
    build(records, tmp_path, history=history_of(records, 3))
    told = "<span>2 runs; earlier ones: <code>sr-bench history zoo/m</code></span>"
    assert told in text_of(tmp_path, "trend")


def test_a_value_over_several_runs_has_a_sparkline_and_one_of_one_run_has_none(
    tmp_path: Path,
) -> None:
    records = [scored("m", "fp32", "psnr")]
    build(records, tmp_path, history=history_of(records, 1))
    assert 'class="spark"' not in text_of(tmp_path, "index")
    build(records, tmp_path, history=history_of(records, 2))
    assert 'aria-label="2 runs: 30 to 30 dB"' in text_of(tmp_path, "index")


@pytest.mark.parametrize("emulated_now", [True, False])
def test_values_of_another_device_are_not_in_the_history_of_a_record(
    tmp_path: Path, emulated_now: bool
) -> None:
    real = scored("m", "fp32", "psnr")
    now, before = (emulated(real), real) if emulated_now else (real, emulated(real))
    build([now], tmp_path, history=history_of([before]))
    assert 'class="spark"' not in text_of(tmp_path, "index")


def test_a_damaged_record_is_one_clear_message(tmp_path: Path) -> None:
    record = scored("m", "fp32", "psnr")
    damaged = replace(record, claim=replace(record.claim, text="many"))
    with pytest.raises(SrBenchError, match=r"m-fp32-set_x2-psnr: the record can't be shown"):
        build([damaged], tmp_path)
    assert not (tmp_path / "html" / "index.html").exists()


@pytest.mark.parametrize("folder", ["../secret", "{root}/secret", "outputs/../../secret"])
def test_a_record_can_not_name_files_outside_of_the_results(tmp_path: Path, folder: str) -> None:
    results = tmp_path / "results"
    secret = replace(scored("m", "fp32", "psnr"), kept=Kept("secret/x-fp32", "secret"))
    keep_images(tmp_path, [secret])
    (results / "outputs").mkdir(parents=True)
    folder = folder.format(root=tmp_path)
    result = build([replace(secret, kept=Kept(folder, folder))], results)
    assert len(result.missing) == 3 * len(NAMES)
    assert all(image["hr"] == "" for image in data_of(results)["images"])


def test_an_empty_run_is_a_page_that_says_so(tmp_path: Path) -> None:
    build([], tmp_path)
    assert "This run has no records" in text_of(tmp_path, "index")
