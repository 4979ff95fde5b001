"""One file on several runtimes: how far they are apart, and what becomes of those that fail."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sr_bench.core.agreement import AgreeLimit, Agreement
from sr_bench.core.backend import Artefact
from sr_bench.core.case import Case
from sr_bench.core.precision import Precision
from sr_bench.core.status import Status
from sr_bench.engine.agree.runtimes import Runtimes
from sr_bench.engine.job import quiet
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.errors import BackendError, NotRunError
from tests.engine.agree.conftest import Add, from_relu_on, unchanged
from tests.int8_zoo import Int8Zoo

THREE = ("onnxruntime", "openvino", "tract")


def _agreement(
    zoo: Int8Zoo, backends: tuple[str, ...], min_db: float | None = None, limit_s: float = 0.0
) -> Agreement:
    (card,) = load_suite(zoo.suite / "card.toml").card.models
    card = replace(card, agree=AgreeLimit(min_db) if min_db else None)
    case = Case(card, "fidelity", Precision.FP32, backends[0], card.evaluations[0])
    with Runtimes(Selection(data=zoo.data), case, backends, quiet) as runtimes:
        return runtimes.agreement(limit_s, quiet)


def _failing(_artefact: Artefact, _output: NDArray[np.float32]) -> NDArray[np.float32]:
    msg = "no\nkernel"
    raise BackendError(msg)


def test_equal_pictures_are_infinitely_close_and_part_nowhere(zoo: Int8Zoo, runtime: Add) -> None:
    runtime("tract", unchanged)
    found = _agreement(zoo, ("onnxruntime", "tract"), limit_s=9.0)
    (pair,) = found.pairs
    assert (pair.db, pair.worst.db, pair.share, pair.max_levels) == (math.inf, math.inf, 0.0, 0.0)
    assert len(pair.images) == 3
    assert (found.status, found.partings) == (Status.NEW, ())


def test_each_pair_is_compared_in_levels_and_the_layer_named(zoo: Int8Zoo, runtime: Add) -> None:
    runtime("tract", from_relu_on)
    runtime("openvino", unchanged)
    found = _agreement(zoo, THREE, min_db=50, limit_s=30.0)
    pairs = {(pair.first, pair.second): pair for pair in found.pairs}
    assert [*pairs] == [
        ("onnxruntime", "openvino"),
        ("onnxruntime", "tract"),
        ("openvino", "tract"),
    ]
    far = pairs["onnxruntime", "tract"]
    # Half a level in one value of four: a mean square of 1 / 16.
    assert far.db == pytest.approx(10 * np.log10(255**2 * 16), abs=1e-3)
    assert far.mean_levels == pytest.approx(1 / 8, rel=1e-3)
    assert far.max_levels == pytest.approx(0.5, rel=1e-2)
    assert 0.05 < far.share < 0.25
    assert found.versions == {
        "onnxruntime": found.versions["onnxruntime"],
        "openvino": "7",
        "tract": "7",
    }
    assert (found.status, found.sentence) == (
        Status.WITHIN,
        "onnxruntime and tract are 60.2 dB apart, expected at least 50 dB",
    )
    (parting,) = found.partings
    assert (parting.first, parting.second, parting.begins.layer) == ("onnxruntime", "tract", "relu")


def test_a_pair_below_the_limit_is_a_loss_and_each_such_is_searched(
    zoo: Int8Zoo, runtime: Add
) -> None:
    runtime("tract", from_relu_on)
    runtime("openvino", unchanged)
    found = _agreement(zoo, THREE, min_db=61, limit_s=30.0)
    assert found.status is Status.LOSS
    assert [parting.first for parting in found.partings] == ["onnxruntime", "openvino"]


def test_the_whole_image_is_searched_where_its_middle_shows_nothing(
    zoo: Int8Zoo, runtime: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sr_bench.engine.agree.parting._SIDE", 8)

    def on_large_images(artefact: Artefact, output: NDArray[np.float32]) -> NDArray[np.float32]:
        return from_relu_on(artefact, output) if output.shape[-1] > 16 else output

    runtime("tract", on_large_images)
    (parting,) = _agreement(zoo, ("onnxruntime", "tract"), limit_s=30.0).partings
    assert parting.begins.layer == "relu"


def test_one_that_fails_is_named_and_the_others_go_on(zoo: Int8Zoo, runtime: Add) -> None:
    runtime("tract", _failing)
    runtime("openvino", unchanged)
    found = _agreement(zoo, (*THREE, "vacc"))
    assert [*found.versions] == ["onnxruntime", "openvino"]
    assert found.absent["tract"] == "no kernel"
    assert found.absent["vacc"].startswith("vacc runs no ONNX file as it is")
    assert len(found.pairs) == 1


def test_fewer_than_two_is_not_run_with_the_reason(zoo: Int8Zoo, runtime: Add) -> None:
    runtime("tract", _failing)
    with pytest.raises(NotRunError, match=r"expected two runtimes .* got 1: tract: .*no kernel"):
        _agreement(zoo, ("onnxruntime", "tract"))


def test_unlike_shapes_are_told(zoo: Int8Zoo, runtime: Add) -> None:
    runtime("tract", lambda _artefact, output: output[..., 1:])
    with pytest.raises(BackendError, match=r"tract gives \(1, 3, 48, 47\): expected one shape"):
        _agreement(zoo, ("onnxruntime", "tract"))
