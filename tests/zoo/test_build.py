import pytest
import torch
from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.errors import CardError
from sr_bench.zoo.build import architectures, build, size_multiple
from tests.zoo.rcan import RCAN, TRIMMED

LESRCNN: Hyper = {"n_feats": 64, "multi_scale": False}
EDSR: Hyper = {
    "form": "official",
    "n_feats": 64,
    "n_resblocks": 16,
    "res_scale": 1.0,
    "rgb_range": 255.0,
}
RRDBNET: Hyper = {"n_feats": 64, "n_blocks": 23, "growth": 32, "res_scale": 0.2}
SR4K_SIZE: Hyper = {"n_resgroups": 3, "n_resblocks": 2, "n_feats": 32}
SR4K: Hyper = {**RCAN, **TRIMMED, **SR4K_SIZE, "mean_shift": "plain"}

# As published; those of the documents are in tests/cost/test_module.py.
PARAMETERS = [(2, 15_444_667), (3, 15_629_307), (4, 15_592_379), (8, 15_740_091)]


def test_the_families_of_the_zoo_are_offered() -> None:
    assert set(architectures()) >= {
        *("bicubic_plusplus", "dipnet", "drrn", "ecbsr", "edsr", "lesrcnn", "msrn", "ncnet"),
        *("rcan", "rrdbnet", "srvgg", "vdsr"),
        *("fsrnet", "gpen", "pairlie", "pfsrnet", "sparnet", "usuir"),
    }


@pytest.mark.parametrize(("scale", "expected"), PARAMETERS)
def test_parameters_of_rcan_equal_the_published_count(scale: int, expected: int) -> None:
    with torch.device("meta"):
        module = build("rcan", RCAN, scale)
    assert sum(p.numel() for p in module.parameters()) == expected


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


def test_only_networks_whose_mean_shift_is_not_a_convolution_hide_it_from_thop() -> None:
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


@pytest.mark.parametrize(("scale", "multiple"), [(2, 2), (1, 4)])
def test_a_network_that_folds_its_input_takes_multiples_of_the_fold(
    scale: int, multiple: int
) -> None:
    assert size_multiple("rrdbnet", RRDBNET | {"unshuffle": True}, scale) == multiple


def test_an_odd_side_with_a_stride_2_head_becomes_2_pixels_longer_than_twice() -> None:
    with torch.device("meta"):
        out = build("rcan", SR4K, 2)(torch.empty(1, 3, 7, 8))
    assert out.shape == (1, 3, 16, 16)
    assert size_multiple("rcan", SR4K, 2) == 2


@pytest.mark.parametrize(
    ("architecture", "hyper"), [("rcan", RCAN), ("edsr", EDSR), ("rrdbnet", RRDBNET)]
)
def test_other_networks_take_any_size(architecture: str, hyper: Hyper) -> None:
    assert size_multiple(architecture, hyper, 2) == 1


def test_an_unknown_architecture_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(CardError, match="'srcnn'; the valid ones are: bicubic_plusplus, "):
        build("srcnn", {}, 2)


@pytest.mark.parametrize(
    ("architecture", "hyper", "scale", "valid"),
    [
        ("edsr", EDSR, 8, "1, 2, 3, 4"),
        ("rcan", RCAN, 1, "2, 3, 4, 8"),
        ("rcan", SR4K, 3, "1, 2, 4"),
        ("rrdbnet", RRDBNET, 3, "2, 4"),
        ("rrdbnet", RRDBNET | {"unshuffle": True}, 4, "1, 2"),
        ("lesrcnn", LESRCNN, 1, "2, 3, 4"),
        ("vdsr", {"n_feats": 4, "n_convs": 1, "colours": 1}, 2, "1"),
    ],
)
def test_a_scale_that_does_not_exist_is_refused_with_the_valid_ones(
    architecture: str, hyper: Hyper, scale: int, valid: str
) -> None:
    with pytest.raises(CardError, match=f"no x{scale} form; the valid scales are: {valid}$"):
        build(architecture, hyper, scale)
