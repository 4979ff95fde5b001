import pytest
import torch
from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.errors import CardError
from sr_bench.zoo.build import architectures, build, size_multiple

LESRCNN: Hyper = {"n_feats": 64, "multi_scale": False}
EDSR: Hyper = {
    "form": "official",
    "n_feats": 64,
    "n_resblocks": 16,
    "res_scale": 1.0,
    "rgb_range": 255.0,
}
EDSR_FULL: Hyper = {**EDSR, "n_feats": 256, "n_resblocks": 32, "res_scale": 0.1}
RRDBNET: Hyper = {"n_feats": 64, "n_blocks": 23, "growth": 32, "res_scale": 0.2}
RCAN: Hyper = {
    "form": "official",
    "n_resgroups": 10,
    "n_resblocks": 20,
    "n_feats": 64,
    "attention": True,
    "reduction": 16,
    "res_scale": 1.0,
    "rgb_range": 255.0,
    "rgb_mean": "div2k",
    "mean_shift": "frozen",
    "head": "stride1",
    "upsample": "steps",
}
SR4K: Hyper = {
    **RCAN,
    "n_resgroups": 3,
    "n_resblocks": 2,
    "n_feats": 32,
    "attention": False,
    "reduction": 0,
    "mean_shift": "plain",
    "head": "stride2",
    "upsample": "single",
}

PARAMETERS = [
    # The fp32 rows of the five documents.
    ("lesrcnn", LESRCNN, 2, 626_328),
    ("lesrcnn", LESRCNN, 4, 774_040),
    ("edsr", {**EDSR, "form": "basicsr"}, 2, 1_369_859),
    ("edsr", {**EDSR, "form": "basicsr", "n_feats": 32, "n_resblocks": 9}, 1, 177_475),
    ("edsr", EDSR_FULL, 2, 40_729_627),
    ("edsr", EDSR, 2, 1_369_883),
    ("edsr", EDSR, 4, 1_517_595),
    ("rrdbnet", RRDBNET, 4, 16_697_987),
    ("rcan", SR4K, 2, 297_723),
    ("rcan", {**SR4K, "n_resgroups": 2, "n_feats": 16}, 2, 63_547),
    ("rcan", {**SR4K, "form": "basicsr", "mean_shift": "tensor"}, 2, 297_699),
    # The comments of the export scripts.
    ("lesrcnn", LESRCNN, 3, 810_968),
    ("edsr", EDSR, 3, 1_554_523),
    ("edsr", EDSR_FULL, 3, 43_680_027),
    ("edsr", EDSR_FULL, 4, 43_089_947),
    # RCAN as published.
    ("rcan", RCAN, 2, 15_444_667),
    ("rcan", RCAN, 3, 15_629_307),
    ("rcan", RCAN, 4, 15_592_379),
    ("rcan", RCAN, 8, 15_740_091),
]


def test_the_four_families_are_offered() -> None:
    assert architectures() == ("edsr", "lesrcnn", "rcan", "rrdbnet")


@pytest.mark.parametrize(("architecture", "hyper", "scale", "expected"), PARAMETERS)
def test_parameters_equal_the_documented_count(
    architecture: str, hyper: Hyper, scale: int, expected: int
) -> None:
    with torch.device("meta"):
        module = build(architecture, hyper, scale)
    assert sum(p.numel() for p in module.parameters()) == expected


def test_flops_of_esrgan_with_biases_and_leaky_relus_equal_the_document() -> None:
    ops = 0

    def count(layer: nn.Module, _: object, out: torch.Tensor) -> None:
        nonlocal ops
        if isinstance(layer, nn.Conv2d):
            ops += out.numel() * (9 * layer.in_channels + 1)
        elif isinstance(layer, nn.LeakyReLU):
            ops += out.numel()

    with torch.device("meta"):
        module = build("rrdbnet", RRDBNET, 4)
        for layer in module.modules():
            layer.register_forward_hook(count)
        module(torch.empty(1, 3, 128, 128))
    assert ops == 294_153_617_408
    assert f"{ops * 2 / 0.9e9:.3f}" == "653.675"


def test_lesrcnn_calls_its_one_upsampler_for_both_branches() -> None:
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    with torch.device("meta"):
        module = build("lesrcnn", LESRCNN, 2)
        module.get_submodule("upsample.up.body.0").register_forward_hook(count)
        module(torch.empty(1, 3, 8, 8))
    assert calls == 2


def test_only_networks_whose_mean_shift_is_no_ordinary_convolution_hide_it_from_thop() -> None:
    with torch.device("meta"):
        hidden = [build("edsr", EDSR, 2), build("rcan", RCAN, 2)]
        plain = [build("rcan", SR4K, 2), build("lesrcnn", LESRCNN, 2)]
    for module in hidden:
        assert type(module.sub_mean) is not nn.Conv2d
        assert isinstance(module.sub_mean, nn.Conv2d)
    assert type(plain[0].sub_mean) is nn.Conv2d
    assert type(plain[1].get_submodule("sub_mean.shifter")) is nn.Conv2d


def test_only_the_mean_shift_of_sr4k_is_trainable() -> None:
    def trainable(architecture: str, hyper: Hyper) -> set[bool]:
        with torch.device("meta"):
            module = build(architecture, hyper, 2)
        return {p.requires_grad for name, p in module.named_parameters() if "_mean" in name}

    assert trainable("edsr", EDSR) == {False}
    assert trainable("rcan", RCAN) == {False}
    assert trainable("lesrcnn", LESRCNN) == {False}
    assert trainable("rcan", SR4K) == {True}


def test_an_odd_side_with_a_stride_2_head_comes_out_2_pixels_longer_than_twice() -> None:
    with torch.device("meta"):
        out = build("rcan", SR4K, 2)(torch.empty(1, 3, 7, 8))
    assert out.shape == (1, 3, 16, 16)
    assert size_multiple("rcan", SR4K) == 2


@pytest.mark.parametrize(
    ("architecture", "hyper"), [("rcan", RCAN), ("edsr", EDSR), ("rrdbnet", RRDBNET)]
)
def test_other_networks_take_any_size(architecture: str, hyper: Hyper) -> None:
    assert size_multiple(architecture, hyper) == 1


def test_an_unknown_architecture_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(CardError, match="'srcnn'; the valid ones are: edsr, lesrcnn, rcan, rrdb"):
        build("srcnn", {}, 2)


@pytest.mark.parametrize(
    ("architecture", "hyper", "scale", "valid"),
    [
        ("edsr", EDSR, 8, "1, 2, 3, 4"),
        ("rcan", RCAN, 1, "2, 3, 4, 8"),
        ("rcan", SR4K, 3, "1, 2, 4"),
        ("rrdbnet", RRDBNET, 2, "4"),
        ("lesrcnn", LESRCNN, 1, "2, 3, 4"),
    ],
)
def test_a_scale_that_does_not_exist_is_refused_with_the_valid_ones(
    architecture: str, hyper: Hyper, scale: int, valid: str
) -> None:
    with pytest.raises(CardError, match=f"no x{scale} form; the valid scales are: {valid}$"):
        build(architecture, hyper, scale)
