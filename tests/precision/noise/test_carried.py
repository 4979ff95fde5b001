"""Errors carried to the output: they are what each layer makes there when it alone is in int8."""

from collections.abc import Iterable

import numpy as np
import pytest

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.files.onnx_open import open_on_cpu
from sr_bench.precision.network import Layer, Network
from sr_bench.precision.noise.carried import Carrier, Errors
from sr_bench.precision.noise.plans import Predictor
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.scale import Scale
from sr_bench.precision.qdq.write import quantise
from tests.precision.nets import exact_clips, images, residual_net

PLAN = Int8Plan()


def errors_of(network: Network, x: np.ndarray, clips: dict[str, ClipRange]) -> tuple[Errors, ...]:
    carrier = Carrier(network, integer_weights(network, {}))
    (errors,) = carrier.errors(x, [lambda name: Scale.of(clips[name], PLAN)])
    return errors


def truth(network: Network, x: np.ndarray, clips: dict[str, ClipRange], kept: list[Layer]) -> float:
    """Return the mean squared error of the real int8 network with `kept` in float."""
    model = quantise(network, clips, integer_weights(network, {}), PLAN, kept, notes={})
    low, full = (
        open_on_cpu(m.SerializeToString()).run(None, {network.input: x})[0]
        for m in (model, network.model)
    )
    return float(np.square(low - full, dtype=np.float64).mean())


def db(value: float) -> float:
    return -10 * float(np.log10(value))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return residual_net(tmp_path_factory.mktemp("net") / "net.onnx")


def test_each_layer_s_error_is_what_it_makes_alone_in_int8(network: Network) -> None:
    (x,) = images(1, size=96)
    clips = exact_clips(network, [x])
    predictor = Predictor(network, [errors_of(network, x, clips)], {})
    for layer in network.layers:
        kept = [other for other in network.layers if other is not layer]
        alone = db(truth(network, x, clips, kept))
        assert db(predictor.alone(layer)[0]) == pytest.approx(alone, abs=1.5), layer.name


def test_the_errors_of_layers_add_up_to_that_of_a_plan(network: Network) -> None:
    (x,) = images(1, size=96)
    clips = exact_clips(network, [x])
    predictor = Predictor(network, [errors_of(network, x, clips)], {})
    for kept in ([], network.layers[:1], network.layers[1:4], network.layers[3:]):
        measured = db(truth(network, x, clips, [*kept]))
        assert db(predictor.mean_square(kept)[0]) == pytest.approx(measured, abs=1.5)


def test_the_first_layer_to_leave_in_float_gains_most_for_what_it_multiplies(
    network: Network,
) -> None:
    (x,) = images(1, size=96)
    predictor = Predictor(network, [errors_of(network, x, exact_clips(network, [x]))], {})
    whole = predictor.mean_square([])[0]
    worth = {
        layer.name: (whole - predictor.mean_square([layer])[0]) / layer.share
        for layer in network.layers
    }
    order = list(predictor.relenting())
    names = [name for name, _ in order]
    assert names[0] == max(worth, key=worth.__getitem__)
    # One layer stays in int8.
    assert len(set(names)) == len(order) == len(network.layers) - 1
    # Beside each is what the rest loses.
    for count, (_, left) in enumerate(order, 1):
        kept = [layer for layer in network.layers if layer.name in names[:count]]
        assert left[0] == pytest.approx(predictor.mean_square(kept)[0])


def test_what_an_order_leaves_in_float_is_trimmed_to_what_is_needed(network: Network) -> None:
    (x,) = images(1, size=96)
    predictor = Predictor(network, [errors_of(network, x, exact_clips(network, [x]))], {})
    layers = {layer.name: layer for layer in network.layers}

    def lost(names: Iterable[str]) -> float:
        return float(predictor.mean_square([layers[name] for name in names])[0])

    order = ("up", "head", "tail", "body.0")
    for count in range(len(order) + 1):
        most = 1.2 * lost(order[:count])
        kept = predictor.trimmed(order[:count], most)
        assert lost(kept) <= most
        assert all(lost({*kept} - {name}) > most for name in kept)
    # Of two that are enough, the one that costs less.
    assert predictor.trimmed(("up",), lost(("body.1",)) + lost(("up",))) != ("up",)
