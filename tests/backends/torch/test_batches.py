"""The torch session runs several images at once, with the outputs of each alone."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sr_bench.backends import torch as torch_backend
from sr_bench.backends.torch.session import open_module
from sr_bench.core.backend import Artefact, Batch, BatchScoring, BatchSession
from sr_bench.core.device import Failure
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.score.protocol import score_pair
from sr_bench.errors import BackendError, DeviceError
from tests.cost.zoo_models import SMALL, small
from tests.ends import read

METRICS = ("psnr", "ssim")
FP32 = Precision.FP32


def lrs(count: int = 3, height: int = 12, width: int = 20) -> list[np.ndarray]:
    random = np.random.default_rng(0).random((count, 1, 3, height, width), dtype=np.float32)
    return list(random)


class Nearest(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.interpolate(x, scale_factor=2.0)


def nearest(then: Callable[[Tensor], Tensor] = lambda x: x) -> BatchSession:
    class Spoiled(Nearest):
        def forward(self, x: Tensor) -> Tensor:
            return then(super().forward(x))

    return open_module(Spoiled(), FP32, threads=1, batches=True)


def scoring(**choices: object) -> BatchScoring:
    return BatchScoring(EvalProtocol("p", **choices), 1.0, 2, METRICS)


def hrs(images: list[np.ndarray]) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    height, width = images[0].shape[2:]
    shape = (2 * height, 2 * width, 3)
    return [rng.integers(0, 256, shape).astype(np.uint8) for _ in images]


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16])
@pytest.mark.parametrize("name", SMALL)
def test_every_network_computes_for_a_batch_what_it_does_for_each(
    name: str, precision: Precision
) -> None:
    with open_module(small(name), precision, threads=1, batches=True) as session:
        alone = [session.run(lr) for lr in lrs()]
        together = [item.output for item in session.start(Batch(lrs()))()]
    for a, b in zip(alone, together, strict=True):
        assert (b.shape, b.dtype) == (a.shape, np.float32)
        if precision is Precision.FP32:
            assert np.abs(a - b).max() <= 1e-5 * np.ptp(a)
        else:
            steps = np.abs(a - b) / np.spacing(np.abs(a).max().astype(np.float16))
            assert steps.max() <= 2


@pytest.mark.parametrize(
    ("height", "width", "count"),
    [(8, 8, 16), (181, 181, 16), (256, 256, 8), (300, 300, 5), (724, 725, 1), (2160, 3840, 1)],
)
def test_a_batch_holds_half_a_megapixel_and_at_most_16_images(
    height: int, width: int, count: int
) -> None:
    with nearest() as session:
        assert session.batch((1, 3, height, width)) == count


def test_only_a_gpu_is_given_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    artefact = Artefact(None, Nearest, FP32, digest="")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with torch_backend.open_session(artefact) as session:
        assert not isinstance(session, BatchSession)
    with nearest() as session:
        assert isinstance(session, BatchSession)


@pytest.mark.parametrize("colour", ["rgb", "y_float"])
def test_scores_are_those_of_the_cpu_and_outputs_stay_where_they_are(colour: str) -> None:
    images, how = lrs(), scoring(colour=colour, border=2)
    with nearest() as session:
        items = session.start(Batch(images, hrs(images), how, wants_outputs=False))()
        both = session.start(Batch(images, hrs(images), how))()
    assert [item.scores for item in both] == [item.scores for item in items]
    for lr, hr, item, other in zip(images, hrs(images), items, both, strict=True):
        output = lr.repeat(2, axis=2).repeat(2, axis=3)
        expected = score_pair(read(output, how.protocol, 1.0), hr, how.protocol, 2, METRICS)
        assert item.scores == pytest.approx(expected, abs=1e-6, rel=0)
        assert item.output is None
        assert np.array_equal(other.output, output)


def test_what_has_no_score_is_returned_and_the_rest_stays() -> None:
    images = lrs()
    images[1][0, 2, 3, 4] = np.nan
    with nearest() as session:
        items = session.start(Batch(images, hrs(images), scoring(), wants_outputs=False))()
    assert [item.scores is None for item in items] == [False, True, False]
    assert [item.output is None for item in items] == [True, False, True]
    assert np.isnan(items[1].output).sum() == 4


def test_a_batch_that_the_device_cannot_compare_has_no_scores() -> None:
    images, how = lrs(), scoring(colour="y_rounded", rounding="none")
    with nearest() as session:
        items = session.start(Batch(images, hrs(images), how, wants_outputs=False))()
    assert [item.scores for item in items] == [None] * 3
    assert all(item.output.shape == (1, 3, 24, 40) for item in items)


def test_two_batches_may_be_under_way() -> None:
    first, second = lrs()[:2], lrs(2, 16, 8)
    with nearest() as session:
        waits = [session.start(Batch(images)) for images in (first, second)]
        shapes = [[item.output.shape for item in wait()] for wait in waits]
    assert shapes == [[(1, 3, 24, 40)] * 2, [(1, 3, 32, 16)] * 2]


@pytest.mark.parametrize(
    ("then", "shape"),
    [
        (lambda x: x.reshape(1, -1, *x.shape[2:]), r"float32 of shape \(1, 9, 24, 40\)"),
        (lambda x: x.double(), r"float64 of shape \(3, 3, 24, 40\)"),
        (lambda x: x[:, :0], r"float32 of shape \(3, 0, 24, 40\)"),
        (lambda x: x[..., 0], r"float32 of shape \(3, 3, 24\)"),
    ],
)
def test_an_output_that_is_not_one_for_each_image_is_refused(
    then: Callable[[Tensor], Tensor], shape: str
) -> None:
    with (
        nearest(then) as session,
        pytest.raises(
            BackendError,
            match=r"can't run Spoiled on the shape \(3, 3, 12, 20\): expected a float32 output for "
            rf"each of 3 images, got torch\.{shape}",
        ),
    ):
        session.start(Batch(lrs()))


def test_whatever_a_forward_raises_is_told_with_its_line() -> None:
    message = rf"can't run Spoiled on .*: {__file__}:\d+: AttributeError: "
    with (
        nearest(lambda x: x.absent) as session,
        pytest.raises(BackendError, match=message),
    ):
        session.start(Batch(lrs()))


def out_of_memory(_x: Tensor) -> Tensor:
    big = torch.zeros(1000)  # what its traceback would keep
    msg = f"CUDA out of memory beside {len(big)}"
    raise torch.OutOfMemoryError(msg)


def test_too_little_memory_says_what_to_do_and_keeps_nothing() -> None:
    with nearest(out_of_memory) as session:
        for run in (
            lambda: session.start(Batch(lrs())),
            lambda: session.run(np.stack(lrs())[:, 0]),
        ):
            with pytest.raises(
                DeviceError,
                match=r"device-oom: .* to run Spoiled on the shape \(3, 3, 12, 20\): .*CUDA_VIS",
            ) as caught:
                run()
            assert caught.value.failure is Failure.DEVICE_OOM
            assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_network_that_does_not_fit_cannot_be_opened() -> None:
    class Huge(Nearest):
        def to(self, *_args: object, **_kwargs: object) -> Nearest:
            raise torch.OutOfMemoryError

    with pytest.raises(DeviceError, match=r"device-oom: .* too small to open Huge: end what"):
        open_module(Huge(), FP32, threads=1)


def test_what_is_not_an_image_is_refused_in_a_batch() -> None:
    with (
        nearest() as session,
        pytest.raises(BackendError, match=r"the input as float32 .* got float64"),
    ):
        session.start(Batch([*lrs(1), lrs()[1].astype(np.float64)]))


def test_a_closed_session_starts_no_batch() -> None:
    session = nearest()
    session.close()
    with pytest.raises(BackendError, match="session of torch is closed"):
        session.start(Batch(lrs()))
    with pytest.raises(BackendError, match="session of torch is closed"):
        session.run(lrs()[0])
