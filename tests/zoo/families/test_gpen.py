from math import prod
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, linear, pad
from torch.testing import assert_close

from sr_bench.errors import CardError, CheckpointError
from sr_bench.zoo.build import build
from tests.zoo.weights import loaded

HYPER = {"size": 16, "code": 6, "n_mlp": 2, "multiplier": 1, "narrow": 1 / 128}
WIDTH, CODE = 4, 6
PUBLISHED = {"size": 512, "code": 512, "n_mlp": 8, "multiplier": 2, "narrow": 1.0}


def shapes() -> dict[str, tuple[int, ...]]:
    """Return the parameters of a checkpoint by the authors' names."""
    wanted: dict[str, tuple[int, ...]] = {"ecd0.0.0.weight": (WIDTH, 3, 1, 1)}
    wanted |= {"ecd0.0.1.bias": (WIDTH,), "generator.input.input": (1, WIDTH, 4, 4)}
    for i in (1, 2):
        wanted |= {f"ecd{i}.0.1.weight": (WIDTH, WIDTH, 3, 3), f"ecd{i}.0.2.bias": (WIDTH,)}
        wanted |= {
            f"generator.style.{i}.weight": (CODE, CODE),
            f"generator.style.{i}.bias": (CODE,),
        }
    wanted |= {"final_linear.0.weight": (CODE, 16 * WIDTH), "final_linear.0.bias": (CODE,)}
    styled = {"conv1": WIDTH} | {f"convs.{i}": 2 * WIDTH for i in range(4)}
    rgb = dict.fromkeys(("to_rgb1", "to_rgbs.0", "to_rgbs.1"), 2 * WIDTH)
    for name, inputs in (styled | rgb).items():
        place = f"generator.{name}"
        outputs, kernel = (3, 1) if name in rgb else (WIDTH, 3)
        wanted[f"{place}.conv.weight"] = (1, outputs, inputs, kernel, kernel)
        wanted[f"{place}.conv.modulation.weight"] = (inputs, CODE)
        wanted[f"{place}.conv.modulation.bias"] = (inputs,)
        if name in rgb:
            wanted[f"{place}.bias"] = (1, 3, 1, 1)
        else:
            wanted |= {f"{place}.noise.weight": (1,), f"{place}.activate.bias": (2 * WIDTH,)}
    return wanted


@pytest.fixture(scope="module")
def checkpoint() -> dict[str, Tensor]:
    noise = torch.Generator().manual_seed(0)
    state = {name: torch.randn(shape, generator=noise) for name, shape in shapes().items()}
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = taps[:, None] * taps / 64
    places = {"ecd1.0.0": 1, "ecd2.0.0": 1, "generator.convs.0.conv.blur": 4}
    places |= {"generator.convs.2.conv.blur": 4}
    places |= {f"generator.to_rgbs.{i}.upsample": 4 for i in (0, 1)}
    return state | {f"{place}.kernel": kernel * gain for place, gain in places.items()}


class Reference:
    """One image through the network, with a convolution made for its face as the authors do."""

    def __init__(self, w: dict[str, Tensor]) -> None:
        self.w = w

    def scaled(self, name: str, rate: float = 1.0) -> Tensor:
        weight = self.w[f"{name}.weight"]
        return weight * (rate / prod(weight.shape[-3 if weight.dim() > 2 else -1 :]) ** 0.5)

    def rectified(self, x: Tensor, bias: Tensor) -> Tensor:
        bias = bias.reshape(1, -1, *[1] * (x.dim() - 2))
        return leaky_relu(x + bias, 0.2) * 2**0.5

    def blurred(self, name: str, x: Tensor, padding: tuple[int, int], spread: int = 1) -> Tensor:
        """Return `x` with zeros between its pixels, then smoothed by a kernel of the checkpoint."""
        wide = x.new_zeros(*x.shape[:2], *(side * spread for side in x.shape[2:]))
        wide[:, :, ::spread, ::spread] = x
        kernel = self.w[f"{name}.kernel"].flip(0, 1)[None, None]
        channels = [conv2d(pad(c[None, None], (*padding, *padding)), kernel) for c in wide[0]]
        return torch.cat(channels, 1)

    def modulated(self, name: str, x: Tensor, code: Tensor, *, unit: bool) -> Tensor:
        style = linear(code, self.scaled(f"{name}.modulation"), self.w[f"{name}.modulation.bias"])
        weight = self.scaled(name)[0] * style.reshape(1, -1, 1, 1)
        if unit:
            weight = weight * (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).rsqrt()
        if f"{name}.blur.kernel" not in self.w:
            return conv2d(x, weight, padding=weight.shape[-1] // 2)
        return self.blurred(
            f"{name}.blur", conv_transpose2d(x, weight.transpose(0, 1), stride=2), (1, 1)
        )

    def styled(self, name: str, x: Tensor, code: Tensor, beside: Tensor) -> Tensor:
        out = self.modulated(f"{name}.conv", x, code, unit=True)
        joined = torch.cat((out, self.w[f"{name}.noise.weight"] * beside), 1)
        return self.rectified(joined, self.w[f"{name}.activate.bias"])

    def rgb(self, name: str, x: Tensor, code: Tensor) -> Tensor:
        return self.modulated(f"{name}.conv", x, code, unit=False) + self.w[f"{name}.bias"]

    def __call__(self, x: Tensor) -> Tensor:
        first = self.rectified(conv2d(x, self.scaled("ecd0.0.0")), self.w["ecd0.0.1.bias"])
        features = [first]
        for i in (1, 2):
            small = self.blurred(f"ecd{i}.0.0", features[-1], (2, 2))
            small = conv2d(small, self.scaled(f"ecd{i}.0.1"), stride=2)
            features.append(self.rectified(small, self.w[f"ecd{i}.0.2.bias"]))
        code = linear(features[-1].flatten(1), self.scaled("final_linear.0"))
        code = self.rectified(code, self.w["final_linear.0.bias"])
        code = code * (code.square().mean() + 1e-8).rsqrt()
        for i in (1, 2):
            name = f"generator.style.{i}"
            mapped = linear(code, self.scaled(name, 0.01))
            code = self.rectified(mapped, self.w[f"{name}.bias"] * 0.01)
        out = self.styled("generator.conv1", self.w["generator.input.input"], code, features[2])
        image = self.rgb("generator.to_rgb1", out, code)
        for i in (0, 1):
            for place in (f"generator.convs.{2 * i}", f"generator.convs.{2 * i + 1}"):
                out = self.styled(place, out, code, features[1 - i])
            name = f"generator.to_rgbs.{i}"
            larger = self.blurred(f"{name}.upsample", image, (2, 1), spread=2)
            image = larger + self.rgb(name, out, code)
        return image


def test_each_face_of_a_batch_gets_the_convolutions_of_its_code(
    checkpoint: dict[str, Tensor], tmp_path: Path
) -> None:
    module = loaded("gpen", HYPER, 1, checkpoint, tmp_path)
    x = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
    reference = Reference(checkpoint)
    with torch.inference_mode():
        assert_close(module(x), torch.cat([reference(image[None]) for image in x]))


def test_weights_that_are_folded_already_load_too(
    checkpoint: dict[str, Tensor], tmp_path: Path
) -> None:
    module = loaded("gpen", HYPER, 1, checkpoint, tmp_path)
    again = loaded("gpen", HYPER, 1, module.state_dict(), tmp_path)
    assert_close(again.state_dict(), module.state_dict())


def test_a_checkpoint_that_lacks_one_parameter_is_refused(
    checkpoint: dict[str, Tensor], tmp_path: Path
) -> None:
    state = {name: v for name, v in checkpoint.items() if name != "generator.convs.1.noise.weight"}
    with pytest.raises(CheckpointError, match=r"1 missing: generator\.convs\.1\.noise"):
        loaded("gpen", HYPER, 1, state, tmp_path)


def test_parameters_equal_those_of_the_published_network() -> None:
    with torch.device("meta"):
        module = build("gpen", PUBLISHED, 1)
    assert sum(p.numel() for p in module.parameters()) == 71_005_223  # printed as 71.01 M
    assert module.get_submodule("generator.convs.13.layer").weight.shape == (64, 128, 3, 3)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"size": 48}, "a power of 2, got 48"), ({"narrow": 0.001}, "no channels are left at 16x16")],
)
def test_what_gives_no_network_is_refused(wrong: dict[str, float], expected: str) -> None:
    with pytest.raises(CardError, match=expected):
        build("gpen", HYPER | wrong, 1)
