"""A session on a document that prints more than anything here measures, and every report of it."""

import csv
import json
from pathlib import Path

import pytest

from sr_bench.system.cpu import cpu_model
from tests.tiny_zoo import Zoo

TABLES = """# Tiny

| Model | MACs(K) | Params(M) | Top-1 | Latency (ms) | FPS | Model size (KB) |
|---|---|---|---|---|---|---|
| Tiny | 9,000.0 | - | 71.2 | 3.1 | 300 | 0.7 |
| Ghost | 1,592 | 1592K | 70.1 | 3.1 | 30 | 6.1 |

## Pair

| Model | Precision | PSNR (dB) | SSIM (%) |
|---|---|---|---|
| Tiny | FP32 | {psnr:.2f} | {ssim:.2f} |
| Tiny | INT8 | {psnr:.2f} | {ssim:.2f} |
| Tiny | w8a16 | 30.1 | 91 |
| Ghost | FP32 | 30.1 | 91 |

## PSNR (dB) elsewhere

| Model | Set14 | DIV2K100 |
|---|---|---|
| Tiny | 30.1 | {psnr:.3f} |
"""
CARD = """
schema = 1

[[model]]
name = "tiny_x2"
row = "Tiny"
scale = 2
onnx = "tiny.onnx"
cost = { rule = "standard", shape = "3x1000x1000" }
evaluation = [{ dataset = "pair", protocol = "native_rgb", printed = "DIV2K100" }]
int8 = { observer = "max", calibration = "pair", shared_images = true }

[[model]]
name = "ghost_x2"
row = "Ghost"
scale = 2
"""
NO_NETWORK = "the card gives no network for this model"


@pytest.fixture
def printed(zoo: Zoo) -> Path:
    """Write the document and its card, and return the document."""
    readme = zoo.suite / "README.md"
    readme.write_text(TABLES.format(psnr=zoo.psnr, ssim=100 * zoo.ssim))
    (zoo.suite / "card.toml").write_text(CARD)
    return readme


def test_each_number_is_an_item_and_says_what_keeps_it_from_being_measured(
    run, zoo: Zoo, printed: Path
) -> None:
    result = run()
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["failed"], outcomes["skipped"]) == (6, 1, 14)
    result.stdout.fnmatch_lines(
        [
            "claimed    0.7 KB",
            "measured   0.??? KB  (delta -0.??? KB)",
            f"*7 x {NO_NETWORK}: architecture, onnx or *",
            "*2 x sr-bench does not measure 'top1'",
            "*2 x nothing here computes in w8a16; what can be measured: fp32, *",
            "*1 x the document prints latency and no device and no input size: say it in *",
            "*1 x no * of the card covers PSNR of fp32 on 'Set14': add one, with printed = *",
            "tiny_x2 int8_max: the document prints int8 and no calibration; max is the card's *",
        ]
    )
    records = zoo.records()
    assert records["tiny_x2-int8-pair_x2-psnr"]["precision"] == "int8_max"
    assert records["tiny_x2-fp32-pair_x2-psnr-2"]["claim"]["dataset"] == "DIV2K100"
    assert records["tiny_x2-fp32-3x1000x1000-macs"]["verdict"]["measured"] == 0.009
    statuses = {name: record["verdict"]["status"] for name, record in records.items()}
    assert {statuses[name] for name in statuses if name.startswith("ghost")} == {"not_run"}


def test_every_report_has_all_of_them_in_the_units_of_the_document(
    run, pytester: pytest.Pytester, printed: Path
) -> None:
    run("--junitxml=junit.xml", "--sr-report=markdown,csv")
    page = (pytester.path / "reports" / "tiny.md").read_text()
    assert "| Tiny | 9,000.0 | - | - | - | - | 0.3 |" in page
    assert "9000.00 K " in page
    assert "38.417 %" in page
    junit = (pytester.path / "junit.xml").read_text()
    assert '<property name="sr_measured" value="9000.0" />' in junit
    assert '<property name="sr_metric" value="top1" />' in junit
    with (pytester.path / "reports" / "records.csv").open() as file:
        rows = {row["case_id"]: row for row in csv.DictReader(file)}
    assert len(rows) == 21
    assert (rows["ghost_x2-fp32-top1"]["unit"], rows["ghost_x2-fp32-top1"]["claimed"]) == (
        "",
        "70.1",
    )


def test_a_time_is_judged_on_the_device_that_the_card_declares_and_nowhere_else(
    run, zoo: Zoo, printed: Path
) -> None:
    card, here = zoo.suite / "card.toml", cpu_model()
    plan = 'latency = { device = "DEVICE", shape = "3x8x16", rounds = 6, tolerance_percent = 100 }'
    declared = CARD.replace("int8 = {", f"{plan}\nint8 = {{", 1)
    chosen = ("-k", "tiny_x2-fp32-latency or tiny_x2-fp32-fps", "-W", "error")
    card.write_text(declared.replace("DEVICE", here))
    run(*chosen).stdout.fnmatch_lines(["*2 x latency is measured with --sr-latency"])
    result = run(*chosen, "--sr-latency", "--benchmark-min-rounds=1", "--benchmark-max-time=0.001")
    result.stdout.fnmatch_lines(["*benchmark 'tiny/tiny_x2 3x8x16': 1 tests*"])  # timed once
    ms, fps = (zoo.records()[f"tiny_x2-fp32-{name}"] for name in ("latency", "fps"))
    assert {ms["verdict"]["status"], fps["verdict"]["status"]} <= {"differs", "better", "undecided"}
    assert ms["measurement"]["notes"] == fps["measurement"]["notes"]
    assert fps["measurement"]["value"] == pytest.approx(1000 / ms["measurement"]["value"])
    assert ms["measurement"]["notes"]["rounds"] == 6
    assert ms["inputs"]["cpu"] == here
    card.write_text(declared.replace("DEVICE", "Another Core"))
    elsewhere = run(*chosen, "--sr-latency")
    elsewhere.stdout.fnmatch_lines(
        [f"*2 x this number is of Another Core; this session runs on {here}"]
    )


def test_an_update_writes_in_the_units_and_with_the_marks_of_the_document(
    run, zoo: Zoo, printed: Path
) -> None:
    printed.write_text(printed.read_text().replace("9,000.0", "1,234.5").replace("0.7 |", "- |"))
    run("--sr-update=all", "--sr-reason=counted anew")
    first = next(line for line in printed.read_text().splitlines() if "Tiny |" in line)
    assert first == "| Tiny | 9,000.0 | 0.000 | 71.2 | 3.1 | 300 | 0.3 |"
    ledger = [json.loads(line) for line in (zoo.suite / "ledger.jsonl").read_text().splitlines()]
    assert [(line["metric"], line["old"], line["new"]) for line in ledger] == [
        ("macs", "1234.5", "9000.0"),
        ("params", "-", "0.000"),
        ("model_size", "-", "0.3"),
    ]
    again = run("--sr-update=all", "--sr-reason=counted anew")
    again.stdout.fnmatch_lines(["0 numbers updated"])
