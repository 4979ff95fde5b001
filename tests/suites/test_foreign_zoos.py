"""Two zoos that no one here made, PAN and IMDN: copied, and run as their users would."""

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy.fft  # noqa: F401 - pytester forgets what a run imports; to be read just once
import onnxruntime  # noqa: F401
import pandas as pd  # noqa: F401
import pytest
import torch

import sr_bench.engine.bench
import sr_bench.engine.explain.number
import sr_bench.plugin.hooks
import sr_bench.report.markdown.family  # noqa: F401
from sr_bench.cards.load import load_card
from sr_bench.zoo.build import build_network
from tests.int8_zoo import make_int8_zoo

LOW = ("fp16", "int8_max", "int8_percentile", "int8_kl")
PSNR_DB, SSIM = 5e-5, 5e-6
"""Half a unit of the digit: on the authors' GPU some 8-bit levels round the other way."""

# Few images, as more would take most of the time.
GATE = """
[model.int8]
count = 6

[model.gate]
min_fidelity_db = 30.0
max_drop_db = 1.0
max_drop_ssim = 0.02
max_image_drop_db = 1.0
max_image_drop_ssim = 0.02
"""

Records = Mapping[str, Mapping[str, object]]
Measure = Callable[..., Records]


@pytest.fixture
def measure(pytester: pytest.Pytester, cache: Path) -> Measure:
    """Run pytest on the zoo in the folder of the test; return its records by their case."""

    def measure(*options: str) -> Records:
        pytester.runpytest_inprocess("zoo", "--sr-trust-code", "--sr-explain=0", *options)
        latest = json.loads((pytester.path / "reports" / "latest.json").read_text())
        return {record["case_id"]: record for record in latest["records"]}

    return measure


def own_class(name: str, pytester: pytest.Pytester, project_root: Path) -> Path:
    """Copy a zoo with its class; return its card."""
    suite = pytester.path / "zoo" / name
    shutil.copytree(project_root / "tests" / "foreign_zoos" / name, suite)
    return suite / "card.toml"


@pytest.fixture
def zoos(official_data: Path, pytester: pytest.Pytester, project_root: Path) -> Path:
    """Copy both zoos, beside links to their weights and images; return where they came from."""
    authors = official_data / "zoos"
    for file in ("pan/datasets", "imdn/Test_Datasets", "imdn/checkpoints"):
        if not (authors / file).is_dir():
            pytest.skip(f"{file} of its authors is not at {authors}")
    for name, weights in (
        ("pan", "pan/experiments/pretrained_models"),
        ("imdn", "imdn/checkpoints"),
    ):
        own_class(name, pytester, project_root)
        (pytester.path / "zoo" / name / "weights").symlink_to(authors / weights)
    data = pytester.mkdir("data")
    for folder in ("pan/datasets/Set14", "imdn/Test_Datasets/Set5", "imdn/Test_Datasets/Set5_LR"):
        (data / Path(folder).name).symlink_to(authors / folder)
    return authors


def logged(log: Path) -> Mapping[str, tuple[float, float]]:
    """Return PSNR in dB and SSIM of luma that the authors' log prints, by image."""
    line = re.compile(r"(\w+) +- PSNR.*PSNR_Y: (\d+\.\d+) dB; SSIM_Y: (\d+\.\d+)")
    return {name: (float(psnr), float(ssim)) for name, psnr, ssim in line.findall(log.read_text())}


@pytest.mark.official
@pytest.mark.parametrize(("scale", "count"), [(4, 14), (2, 1)])
def test_pan_has_the_values_of_its_authors_log_for_each_image(
    zoos: Path, measure: Measure, scale: int, count: int
) -> None:
    (log,) = (zoos / "pan" / "results" / f"PANx{scale}_DF2K").glob("*.log")
    options = ("--sr-data=data", "--sr-datasets=set14", f"--sr-models=pan_x{scale}")
    records = measure(*options, f"--sr-limit={count % 14}")

    for place, (metric, within) in enumerate((("psnr", PSNR_DB), ("ssim", SSIM))):
        record = records[f"pan_x{scale}-fp32-set14_x{scale}-{metric}"]
        assert record["verdict"]["status"] == ("match" if count == 14 else "not_run")
        scores = {each["image"]: each["value"] for each in record["measurement"]["images"]}
        assert len(scores) == count
        expected = {name: values[place] for name, values in logged(log).items() if name in scores}
        assert scores == pytest.approx(expected, abs=within, rel=0)


@pytest.mark.official
def test_imdn_has_its_printed_numbers(zoos: Path, measure: Measure) -> None:
    records = measure("--sr-data=data", "--sr-models=imdn_*")
    assert [record["verdict"]["status"] for record in records.values()] == 6 * ["match"]


@pytest.mark.official
def test_each_low_precision_of_pan_is_measured_judged_and_reported(
    zoos: Path, measure: Measure, pytester: pytest.Pytester
) -> None:
    card = pytester.path / "zoo" / "pan" / "card.toml"
    card.write_text(card.read_text() + GATE)  # of the card's last model
    chosen = ("--sr-models=pan_x4", "--sr-datasets=set5", f"--sr-precision={','.join(LOW)}")
    records = measure("--sr-data=data", *chosen, "--sr-report=html")

    for low in LOW:
        gate = records[f"pan_x4-{low}-set5_x4-fidelity"]
        assert gate["verdict"]["status"] == "within"
        assert gate["measurement"]["value"] > 44
        assert records[f"pan_x4-{low}-set5_x4-psnr"]["verdict"]["status"] == "new"
    assert "pan_x4" in (pytester.path / "reports" / "html" / "index.html").read_text()


def test_a_zoo_of_an_own_class_is_measured_and_gated_in_every_precision(
    measure: Measure, pytester: pytest.Pytester, project_root: Path
) -> None:
    zoo = make_int8_zoo(pytester.path / "zoo")
    own_class("pan", pytester, project_root)
    shutil.move(pytester.path / "zoo" / "pan" / "nets", zoo.suite / "nets")
    shutil.rmtree(pytester.path / "zoo" / "pan")
    card = zoo.suite / "card.toml"
    hyper = "{ in_nc = 3, out_nc = 3, nf = 8, unf = 8, nb = 1, scale = 2 }"
    keys = ('architecture = "nets.pan:PAN"', f"hyper = {hyper}", "code = { trust = true }")
    given = "\n".join((*keys, 'checkpoint = { file = "pan.pth" }'))
    card.write_text(card.read_text().replace('onnx = "net.onnx"', given))
    network = build_network(replace(load_card(card).models[0], trusted=True))
    seed = torch.Generator().manual_seed(1)
    state = {
        name: torch.randn(value.shape, generator=seed) / 9
        for name, value in network.state_dict().items()
    }
    torch.save(state, zoo.suite / "pan.pth")
    records = measure(f"--sr-data={zoo.data}", f"--sr-precision=fp32,{','.join(LOW)}")

    gates = [records[f"res_x2-{low}-judged_x2-fidelity"] for low in LOW]
    assert [gate["verdict"]["status"] for gate in gates] == ["within"] * len(LOW)
    fp16, *int8 = (gate["measurement"]["value"] for gate in gates)
    assert fp16 > max(int8) > 0
    assert records["res_x2-fp32-judged_x2-psnr"]["measurement"]["value"] > 15
