"""Networks that take sizes of their own alone, from a module to what runs in low precision."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.core.network_io import NetworkInput
from sr_bench.cost.module import count_module
from sr_bench.cost.onnx_graph import count_onnx
from sr_bench.export.to_onnx import export_onnx
from sr_bench.precision.fp16 import to_fp16
from sr_bench.precision.network import read_network
from sr_bench.zoo.build import build
from tests.zoo.weights import random_state

SPARNET: Hyper = {"n_feats": 4, "max_feats": 8, "n_halve": 1, "n_blocks": 1, "depth": 2}
GPEN: Hyper = {"size": 16, "code": 6, "n_mlp": 2, "multiplier": 1, "narrow": 1 / 128}


@pytest.mark.parametrize(
    ("architecture", "hyper", "given"),
    [
        ("sparnet", SPARNET | {"norm": "bn", "attention": "spar3d"}, NetworkInput(multiple_of=4)),
        ("gpen", GPEN, NetworkInput(size=(16, 16))),
    ],
)
def test_a_network_agrees_with_its_file_in_fp32_and_in_fp16(
    architecture: str, hyper: Hyper, given: NetworkInput, tmp_path: Path
) -> None:
    module = build(architecture, hyper, 1).eval()
    kernels = {k: v for k, v in module.named_buffers() if k.endswith("kernel")}
    module.load_state_dict(random_state(module) | kernels, strict=False)
    export_onnx(module, tmp_path / "net.onnx", given)
    size = given.size or (8, 12)
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        expected = module(x).numpy()
    (got,) = onnxruntime.InferenceSession(tmp_path / "net.onnx").run(None, {"lr": x.numpy()})
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    to_fp16(tmp_path / "net.onnx", tmp_path / "half.onnx")
    (half,) = onnxruntime.InferenceSession(tmp_path / "half.onnx").run(None, {"lr": x.numpy()})
    assert 0 < np.abs(half - expected).max() < 0.02 * np.ptp(expected)
    # Products of the code are no layers of the module.
    of_file = count_onnx(tmp_path / "net.onnx", (3, *size)).macs
    assert count_module(module, (3, *size)).macs == pytest.approx(of_file, rel=1e-3)
    layers = {layer.name for layer in read_network(tmp_path / "net.onnx").layers}
    convolutions = {n for n, layer in module.named_modules() if isinstance(layer, nn.Conv2d)}
    assert len(layers) >= len(convolutions) - 1
