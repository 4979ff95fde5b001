"""What an int8 network rounds: inputs and outputs of int8 layers, and nothing else."""

from pathlib import Path

import pytest

from sr_bench.errors import CardError
from sr_bench.precision.network import Network
from sr_bench.precision.points import points
from tests.precision.nets import residual_net


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return residual_net(tmp_path / "net.onnx")


def test_all_inputs_and_outputs_of_layers_are_rounded(network: Network) -> None:
    chosen = points(network)
    # body.0 is rounded behind its ReLU only, and the sum of body.1 and head behind its own.
    assert chosen.tensors == {"x", "head", "relu", "body.1", "after", "up", "wide"}
    assert chosen.last == {"/tail/Conv"}  # finer than 8 bits
    assert chosen.scale_of["wide"] == "up"
    assert "up" not in chosen.scale_of


def test_a_kept_layer_reads_and_writes_float(network: Network) -> None:
    kept = network.matching(["head", "tail"])
    assert [layer.name for layer in kept] == ["head", "tail"]
    # 'head' is still rounded, as body.0 reads it, and 'up', as an int8 layer gives it.
    chosen = points(network, kept)
    assert chosen.tensors == {"head", "relu", "body.1", "after", "up", "wide"}
    assert not chosen.last  # 'up' has 32 channels


def test_patterns_match_several_layers(network: Network) -> None:
    assert [layer.name for layer in network.matching(["body.*"])] == ["body.0", "body.1"]


def test_a_pattern_without_a_layer_names_the_nearest(network: Network) -> None:
    with pytest.raises(CardError, match=r"keep = 'bodi\.0': .* did you mean 'body\.0'\?"):
        network.matching(["bodi.0"])
