"""What int8 keeps of LESRCNN x2 with its authors' weights, on Set5, which settings never saw.

Without its first image, which takes as long as the four others.
"""

import math
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from sr_bench.core.case import Case
from sr_bench.core.precision import Precision
from sr_bench.engine.job import ImageResult, quiet
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite

MODES = [precision for precision in Precision.all() if precision.dtype == "int8"]


@pytest.fixture(scope="module")
def results(
    official_data: Path, project_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[Precision, tuple[ImageResult, ...]]:
    """Return the images of each mode and of fp32."""
    suite = load_suite(project_root / "suites" / "lesrcnn" / "card.toml")
    card = next(model for model in suite.card.models if model.name == "lesrcnn_x2")
    evaluation = next(item for item in card.evaluations if item.dataset == "set5")
    case = Case(card, "fidelity", Precision.FP32, "onnxruntime", evaluation)
    chosen = Selection(weights=official_data / "lesrcnn", data=official_data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SR_BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        runs = Runs(chosen, (project_root / "datasets",))
        return {
            mode: _measured(runs, replace(case, precision=mode))
            for mode in (Precision.FP32, *MODES)
        }


def _measured(runs: Runs, case: Case) -> tuple[ImageResult, ...]:
    results: dict[int, ImageResult] = {}
    runs.executor.measure(
        runs.work(case, quiet),
        range(1, 5),
        begin=lambda *_: None,
        done=results.__setitem__,
        progress=quiet,
    )
    return tuple(results[i] for i in range(1, 5))


@pytest.mark.official
@pytest.mark.parametrize("mode", MODES)
def test_the_card_s_plan_is_faithful_and_keeps_the_quality(
    results: dict[Precision, tuple[ImageResult, ...]], mode: Precision
) -> None:
    close = [image.fidelity for image in results[mode]]
    assert fmean(one.all_db for one in close) > 52
    assert min(one.all_db for one in close) > 51
    assert max(one.inside_db - one.ring_db for one in close) < 3
    drops = [
        full.scores["psnr"] - low.scores["psnr"]
        for full, low in zip(results[Precision.FP32], results[mode], strict=True)
    ]
    assert fmean(drops) < 0.10
    assert not math.isclose(fmean(drops), 0, abs_tol=0.01)
