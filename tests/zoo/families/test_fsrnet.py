import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, interpolate, max_pool2d, pad
from torch.testing import assert_close

from sr_bench.zoo.build import build, size_multiple
from tests.zoo.weights import random_state

HYPER = {"n_feats": 4, "n_landmarks": 0, "n_parts": 3}


class Reference:
    """The network as its publication draws it, by the port's names of parameters."""

    def __init__(self, w: dict[str, Tensor]) -> None:
        self.w = w

    def norm(self, name: str, x: Tensor) -> Tensor:
        parts = ("running_mean", "running_var", "weight", "bias")
        mean, variance, weight, bias = (self.w[f"{name}.{part}"][:, None, None] for part in parts)
        return (x - mean) / (variance + 1e-5).sqrt() * weight + bias

    def mirrored(self, name: str, x: Tensor) -> Tensor:
        return conv2d(pad(x, (1, 1, 1, 1), "reflect"), self.w[f"{name}.weight"])

    def conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = self.w[f"{name}.weight"]
        return conv2d(x, weight, self.w.get(f"{name}.bias"), stride, weight.shape[-1] // 2)

    def block(self, name: str, x: Tensor) -> Tensor:
        inner = self.norm(f"{name}.layers.2", self.mirrored(f"{name}.layers.1", x)).relu()
        return x + self.norm(f"{name}.layers.6", self.mirrored(f"{name}.layers.5", inner))

    def repeated(self, name: str, times: int, x: Tensor) -> Tensor:
        for _ in range(times):
            x = self.block(f"{name}.0", x)
        return x

    def bottleneck(self, name: str, x: Tensor) -> Tensor:
        inner = x
        for i in (0, 3, 6):
            inner = self.norm(f"{name}.convBlock.{i}", inner).relu()
            inner = self.conv(f"{name}.convBlock.{i + 2}", inner)
        skip = f"{name}.skipConv"
        return inner + (self.conv(skip, x) if f"{skip}.weight" in self.w else x)

    def hourglass(self, name: str, level: int, x: Tensor) -> Tensor:
        small = self.bottleneck(f"{name}.res{level}_2", max_pool2d(x, 2))
        if level == 1:
            small = self.bottleneck(f"{name}.res_center", small)
        else:
            small = self.hourglass(name, level - 1, small)
        small = self.bottleneck(f"{name}.res{level}_3", small)
        return self.bottleneck(f"{name}.res{level}_1", x) + interpolate(small, scale_factor=2)

    def prior(self, x: Tensor) -> Tensor:
        x = self.norm("pre_net.conv1.1", self.conv("pre_net.conv1.0", x, 2)).relu()
        x = self.bottleneck("pre_net.res_blocks.0", x)
        x = self.block("pre_net.res_blocks.2", self.block("pre_net.res_blocks.1", x))
        return self.hourglass("pre_net.hg_blocks.1", 3, self.hourglass("pre_net.hg_blocks.0", 3, x))

    def encoded(self, x: Tensor) -> Tensor:
        x = self.norm("fsr_enc.conv1.1", self.conv("fsr_enc.conv1.0", x, 2)).relu()
        return self.mirrored("fsr_enc.conv2.1", self.repeated("fsr_enc.res_blocks", 12, x)).tanh()

    def __call__(self, x: Tensor) -> Tensor:
        x = self.norm("csr_net.conv1.2", self.mirrored("csr_net.conv1.1", x)).relu()
        x = self.mirrored("csr_net.conv2.1", self.repeated("csr_net.res_blocks", 3, x)).tanh()
        x = torch.cat((self.encoded(x), self.prior(x)), 1)
        x = self.norm("fsr_dec.conv1.1", self.conv("fsr_dec.conv1.0", x)).relu()
        x = conv_transpose2d(x, self.w["fsr_dec.deconv1.0.weight"], None, 2, 1, output_padding=1)
        x = self.repeated("fsr_dec.res_blocks", 3, self.norm("fsr_dec.deconv1.1", x).relu())
        return self.mirrored("fsr_dec.conv2.1", x).tanh()


def test_the_network_equals_its_definition_at_the_smallest_size_of_its_hourglasses() -> None:
    module = build("fsrnet", HYPER, 1).double().eval()
    w = random_state(module)
    module.load_state_dict(w, strict=False)  # all but counters
    assert size_multiple("fsrnet", HYPER, 1) == 16
    x = torch.rand(1, 3, 16, 32, generator=torch.Generator().manual_seed(1)).double() * 2 - 1
    with torch.inference_mode():
        assert_close(module(x), Reference(w)(x))


def test_blocks_of_a_part_are_one_under_several_names() -> None:
    with torch.device("meta"):
        module = build("fsrnet", HYPER | {"n_feats": 64, "n_parts": 11}, 1)
    assert module.get_submodule("fsr_enc.res_blocks.11.layers.5.weight".rpartition(".")[0]) is (
        module.get_submodule("fsr_enc.res_blocks.0.layers.5")
    )
    assert "fsr_enc.res_blocks.11.layers.5.weight" in module.state_dict()
    assert sum(p.numel() for p in module.parameters()) == 2_153_931  # printed as 2.15 M


def test_maps_of_landmarks_and_parts_are_in_checkpoints_alone() -> None:
    module = build("fsrnet", HYPER | {"n_landmarks": 2}, 1).eval()
    assert module.state_dict()["prior_conv1.weight"].shape == (2, 8, 1, 1)
    assert module.state_dict()["prior_conv2.weight"].shape == (3, 8, 1, 1)
    x = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before = module(x)
        for name in ("prior_conv1", "prior_conv2"):
            module.get_parameter(f"{name}.weight").fill_(9.0)
        assert torch.equal(module(x), before)
