"""Shapes are those of torch, and what is not a shape alone is left to torch."""

import pytest
import torch
from torch.nn import functional

from sr_bench.cost.shapes import ShapesOnly


def meta(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


A, B, ROW = meta(2, 3, 4, 5), meta(2, 3, 4, 5), meta(1, 3, 1, 1)
OPERATIONS = {
    "relu": lambda: functional.relu(A),
    "relu in place": lambda: functional.relu(A, inplace=True),
    "leaky_relu": lambda: functional.leaky_relu(A, 0.2),
    "batch_norm": lambda: functional.batch_norm(A, meta(3), meta(3)),
    "instance_norm": lambda: functional.instance_norm(A),
    "prelu": lambda: functional.prelu(A, meta(3)),
    "prelu of all": lambda: functional.prelu(A, meta(1)),
    "larger": lambda: functional.interpolate(A, scale_factor=2.5, mode="nearest"),
    "to a size": lambda: functional.interpolate(A, (7, 9), mode="bilinear", align_corners=False),
    "to a square": lambda: functional.interpolate(A, 7, None, "bicubic"),
    "to nothing": lambda: functional.interpolate(A, scale_factor=0.1, mode="nearest"),
    "of a row": lambda: functional.interpolate(A[0], 7, mode="linear"),
    "sigmoid": lambda: torch.sigmoid(ROW),
    "neg": lambda: -A,
    "add": lambda: A + B,
    "broadcast": lambda: ROW + A,
    "number": lambda: 2 * A - 1,
    "divide": lambda: (A - ROW) / 255.0,
    "inverse": lambda: 1 / A,
    "join channels": lambda: torch.cat((A, ROW.expand(2, 7, 4, 5)[:, :7] * 1, B), dim=1),
    "join first": lambda: torch.cat([A, B]),
    "join last": lambda: torch.cat((A, B), -1),
    "integers": lambda: torch.arange(3, device="meta") + 1,
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_the_shape_and_type_are_those_of_torch(operation) -> None:
    expected = _outcome(operation)
    with ShapesOnly():
        assert _outcome(operation) == expected


def _outcome(operation) -> tuple[object, ...]:
    try:
        result = operation()
    except RuntimeError:
        return ("refused",)
    return (result.shape, result.dtype, result.device)


@pytest.mark.parametrize(
    "operation",
    [
        lambda: A + meta(2, 3, 4, 6),
        lambda: torch.cat((A, meta(2, 3, 4, 6)), dim=1),
        lambda: torch.cat((A, meta(2, 3)), dim=1),
        lambda: functional.prelu(A, meta(4)),
        lambda: functional.batch_norm(A, meta(4), meta(4)),
    ],
)
def test_what_does_not_fit_together_is_refused_as_torch_does(operation) -> None:
    with ShapesOnly(), pytest.raises(RuntimeError):
        operation()


def test_tensors_with_values_keep_them() -> None:
    with ShapesOnly():
        x = torch.tensor([-1.0, 2.0])
        assert torch.equal(functional.relu(x) + 1, torch.tensor([1.0, 3.0]))
        assert torch.equal(torch.cat((x, x)), torch.tensor([-1.0, 2.0, -1.0, 2.0]))
        assert torch.equal(torch.eye(2), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        with torch.device("meta"):
            assert torch.eye(2).is_meta
