"""Plain bicubic enlargement is scored beside each model, by the same protocol."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.bench import Bench
from sr_bench.engine.measure.one_by_one import run_job
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.score.bicubic import Bicubic
from sr_bench.imaging.files import read_image, write_png
from sr_bench.imaging.resize import resize


def test_every_image_metric_has_the_floor_of_the_same_images(shared_zoo) -> None:
    suite = load_suite(shared_zoo.suite / "card.toml")
    chosen = Selection(data=shared_zoo.data)
    bench = Bench(chosen, suite.card.manifest_folders)
    records = [bench.evaluate(case, "x", lambda *_: None) for case in plan(suite, chosen)]
    floors = {record.metric: record.measurement.notes.get("bicubic") for record in records[:4]}
    expected = []
    for stem in "ab":
        lr, hr = (read_image(shared_zoo.data / kind / f"{stem}.png") for kind in ("LR", "HR"))
        expected.append(peak_signal_noise_ratio(hr, resize(lr, hr.shape[:2], "matlab_bicubic")))
    assert floors["psnr"] == pytest.approx(np.mean(expected), abs=1e-9)
    assert 0 < floors["ssim"] < 1
    assert floors["flops"] is None
    assert floors["params"] is None


def test_the_floor_is_made_once_for_all_that_share_it(zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    enlarged = []

    def counted(job, network, **how):
        enlarged.append(type(network).__name__)
        return run_job(job, network, **how)

    monkeypatch.setattr("sr_bench.engine.measure.worker.run_job", counted)
    suite = load_suite(zoo.suite / "card.toml")
    for _ in range(2):  # the second session has it from the cache
        chosen = Selection(data=zoo.data, precisions=(Precision.FP32, Precision.FP16))
        bench = Bench(chosen, suite.card.manifest_folders)
        for case in plan(suite, chosen):
            bench.evaluate(case, "x", lambda *_: None)
    assert enlarged.count("Bicubic") == 1


@pytest.mark.parametrize(("white_in", "white_out"), [(None, None), (255.0, 1.0)])
def test_ranges_are_those_of_the_network(white_in: float | None, white_out: float | None) -> None:
    rule = EvalProtocol("x", input_range=white_in, output_range=white_out)
    lr = np.full((1, 3, 4, 5), 0.6 * (white_in or 1.0), np.float32)
    output = Bicubic(rule, 1.0, 3).run(lr)
    assert output.shape == (1, 3, 12, 15)
    np.testing.assert_allclose(output, 0.6 * (white_out or 1.0), rtol=1e-6)


def test_a_network_that_enlarges_nothing_has_its_input_for_a_floor(zoo) -> None:
    card = (zoo.suite / "card.toml").read_text().replace("scale = 2", "scale = 1")
    (zoo.suite / "card.toml").write_text(card.replace("tiny_x2", "tiny_x1"))
    dataset = zoo.root / "datasets" / "pair" / "dataset.toml"
    dataset.write_text(dataset.read_text().replace("[2]", "[1]").replace("LR/", "DULL/"))
    expected = []
    for path in sorted((zoo.data / "HR").glob("*.png")):
        hr = read_image(path)
        dull = (hr // 2).astype(np.uint8)
        (zoo.data / "DULL").mkdir(exist_ok=True)
        write_png(zoo.data / "DULL" / path.name, dull)
        expected.append(peak_signal_noise_ratio(hr, dull, data_range=255))
    suite = load_suite(zoo.suite / "card.toml")
    chosen = Selection(data=zoo.data)
    bench = Bench(chosen, suite.card.manifest_folders)
    case = next(case for case in plan(suite, chosen) if case.metric == "psnr")
    measured = bench._runs.floor(case, lambda *_: None).measured("psnr")
    assert [score.value for score in measured.images] == pytest.approx(expected)
