"""A GPU computes what the CPU computes, in batches too; skips where there is none."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sr_bench.backends import torch as torch_backend
from sr_bench.core.backend import Artefact, Batch, BatchScoring, BatchSession
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.score.protocol import score_pair
from sr_bench.errors import DeviceError
from tests.backends.torch.test_batches import hrs, lrs
from tests.cost.zoo_models import SMALL, small
from tests.ends import read

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(),
    reason="torch sees no GPU here; where it does, run: pytest tests/backends/torch/test_gpu.py",
)

METRICS = ("psnr", "ssim")


def opened(name: str, precision: Precision) -> BatchSession:
    artefact = Artefact(None, lambda: small(name), precision, digest="")
    session = torch_backend.open_session(artefact)
    assert isinstance(session, BatchSession)
    return session


def on_cpu(name: str, images: list[np.ndarray]) -> np.ndarray:
    with torch.inference_mode():
        return small(name)(torch.from_numpy(np.concatenate(images))).numpy()


def batch_of(session: BatchSession, images: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([item.output for item in session.start(Batch(images))()])


@pytest.mark.parametrize("name", SMALL)
def test_fp32_is_that_of_the_cpu(name: str) -> None:
    expected, session = on_cpu(name, lrs()), opened(name, Precision.FP32)
    for outputs in (batch_of(session, lrs()), np.concatenate([session.run(lr) for lr in lrs()])):
        assert np.abs(outputs - expected).max() <= 1e-5 * np.ptp(expected)


def test_tf32_is_off() -> None:
    conv = nn.Conv2d(256, 3, 3, bias=False)
    x = np.random.default_rng(0).random((1, 256, 64, 64), dtype=np.float32)
    exact = nn.functional.conv2d(torch.from_numpy(x).double(), conv.weight.detach().double())
    with torch_backend.open_session(Artefact(None, lambda: conv, Precision.FP32, "")) as session:
        error = np.abs(session.run(x) - exact.numpy()).max()
    assert error <= 1e-5 * float(exact.abs().max())  # TF32 has 10 bits: about 5e-4


@pytest.mark.parametrize("name", SMALL)
def test_fp16_is_rounded_as_on_the_cpu(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = batch_of(opened(name, Precision.FP16), lrs())
    np.testing.assert_array_equal(outputs, outputs.astype(np.float16))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    artefact = Artefact(None, lambda: small(name), Precision.FP16, digest="")
    with torch_backend.open_session(artefact) as session:
        expected = np.concatenate([session.run(lr) for lr in lrs()])
    steps = np.abs(outputs - expected) / np.spacing(np.abs(expected).max().astype(np.float16))
    assert steps.max() <= 2
    assert steps.mean() <= 0.1


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16])
def test_a_batch_computes_the_same_bits_again(precision: Precision) -> None:
    images = lrs(8, 64, 48)
    first, second = (batch_of(opened("lesrcnn_x2", precision), images) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_batches_under_way_do_not_mix() -> None:
    session = opened("lesrcnn_x2", Precision.FP32)
    images = [lrs(4, 40 + 8 * i, 64) for i in range(6)]
    alone = [batch_of(session, batch) for batch in images]
    waits = [session.start(Batch(batch)) for batch in images]
    for wait, expected in zip(waits, alone, strict=True):
        np.testing.assert_array_equal(np.concatenate([i.output for i in wait()]), expected)


@pytest.mark.parametrize("colour", ["rgb", "y_float", "y_rounded", "y_edsr"])
@pytest.mark.parametrize("rounding", ["round", "truncate", "none"])
def test_scores_on_the_gpu_are_those_of_the_cpu(colour: str, rounding: str) -> None:
    rule = EvalProtocol("p", colour=colour, rounding=rounding, border=2)
    session, images = opened("edsr_official_x2", Precision.FP32), lrs(5, 70, 50)
    items = session.start(Batch(images, hrs(images), BatchScoring(rule, 1.0, 2, METRICS)))()
    for item, hr in zip(items, hrs(images), strict=True):
        expected = score_pair(read(item.output, rule, 1.0), hr, rule, 2, METRICS)
        assert (item.scores is None) == (colour == "y_rounded" and rounding == "none")
        if item.scores:
            assert item.scores == pytest.approx(expected, abs=1e-6, rel=0)


class Greedy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.empty(2**45, device=x.device)


def test_too_little_memory_says_what_to_do_and_the_next_batch_runs() -> None:
    with (
        torch_backend.open_session(Artefact(None, Greedy, Precision.FP32, "")) as session,
        pytest.raises(DeviceError, match=r"device-oom: .*CUDA_VISIBLE_DEVICES"),
    ):
        session.start(Batch(lrs()))
    assert batch_of(opened("lesrcnn_x2", Precision.FP32), lrs()).shape == (3, 3, 24, 40)


def test_the_gpu_is_named() -> None:
    session, info = opened("lesrcnn_x2", Precision.FP32), torch_backend.describe()
    assert (session.device, info.device) == ("cuda", "cuda")
    assert session.notes["gpu"] == torch.cuda.get_device_name()
    assert session.notes["gpu"] in info.version
    assert f"+cu{(torch.version.cuda or '').replace('.', '')}" in info.version
