from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d
from torch.testing import assert_close

from sr_bench.errors import CardError, CheckpointError
from sr_bench.zoo.build import build
from tests.zoo.weights import loaded, random_state

HYPER = {"n_feats": 16}


def rectified(w: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Normalise `x` by the moments of training, and cut off what is negative."""
    mean, variance, weight, bias = (
        w[f"{name}.{part}"][:, None, None]
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return ((x - mean) / (variance + 1e-5).sqrt() * weight + bias).relu()


def equalised(w: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    weight = w[f"{name}.weight_orig"] * (2 / (x.shape[1] * 9)) ** 0.5
    return conv2d(x, weight, w[f"{name}.bias"], padding=1)


def step(w: dict[str, Tensor], name: str, first: int, x: Tensor) -> Tensor:
    inner = x
    for i in (0, 3):
        inner = equalised(w, f"{name}.{first}.conv.{i}.conv", inner)
        inner = rectified(w, f"{name}.{first}.conv.{i + 1}", inner)
    enlarge = f"{name}.{first + 1}"
    x = conv_transpose2d(x + inner, w[f"{enlarge}.weight"], w[f"{enlarge}.bias"], 2, padding=1)
    return rectified(w, f"{name}.{first + 2}", x)


def checkpoint() -> dict[str, Tensor]:
    """Return weights by the authors' names."""
    with torch.device("meta"):
        module = build("pfsrnet", HYPER, 8)
    state = {}
    for name, value in random_state(module).items():
        parts = name.split(".")
        if ".conv." in name and parts[3] in "03":
            parts[4:] = ["conv", parts[4].replace("weight", "weight_orig")]
        state[".".join(parts).replace("to_rgb.", "to_rgb.2.")] = value
    for i, width in enumerate((8, 4)):
        state |= {
            f"to_rgb.{i}.weight": torch.ones(3, width, 1, 1),
            f"to_rgb.{i}.bias": torch.ones(3),
        }
    return state


def test_three_steps_enlarge_by_eight(tmp_path: Path) -> None:
    w = checkpoint()
    module = loaded("pfsrnet", HYPER, 8, w, tmp_path)
    x = torch.rand(1, 3, 3, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1
    out = rectified(w, "step1.1", conv2d(x, w["step1.0.weight"], w["step1.0.bias"], padding=1))
    for name, first in (("step1", 3), ("step2", 0), ("step3", 0)):
        out = step(w, name, first, out)
    with torch.inference_mode():
        got = module(x)
        assert got.shape == (1, 3, 24, 16)
        assert_close(got, conv2d(out, w["to_rgb.2.weight"], w["to_rgb.2.bias"]))


def test_a_checkpoint_without_the_outputs_of_all_steps_is_refused(tmp_path: Path) -> None:
    state = checkpoint()
    del state["to_rgb.0.bias"]
    with pytest.raises(CheckpointError, match=r"1 missing: to_rgb\.0\.bias"):
        loaded("pfsrnet", HYPER, 8, state, tmp_path)


def test_weights_that_are_folded_already_load_too(tmp_path: Path) -> None:
    module = loaded("pfsrnet", HYPER, 8, checkpoint(), tmp_path)
    again = loaded("pfsrnet", HYPER, 8, module.state_dict(), tmp_path)
    assert_close(again.state_dict(), module.state_dict())


def test_channels_that_can_not_be_halved_three_times_are_refused() -> None:
    with pytest.raises(CardError, match="multiple of 8, got 12"):
        build("pfsrnet", {"n_feats": 12}, 8)
