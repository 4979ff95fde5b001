from dataclasses import replace

import pytest

from sr_bench.core.claim import Claim, Source
from sr_bench.core.precision import Precision
from sr_bench.draft.networks import Costs, identify

SOURCE = Source("README.md", 1, 1)
CLAIM = Claim("params", "0", "", "", Precision.FP32, "", "", "", SOURCE)


def costs(label: str, scale: int, **printed: str) -> Costs:
    claims = tuple(replace(CLAIM, metric=metric, text=text) for metric, text in printed.items())
    return Costs(label, scale, claims, ((3, 64, 64),))


@pytest.mark.parametrize(
    ("label", "about", "scale", "params", "architecture"),
    [
        ("EDSR_baseline_x4", "official", 4, "1.518", "edsr"),
        ("EDSR_x2", "EDSR-PyTorch", 2, "40.730", "edsr"),
        ("EDSR_Mx2", "BasicSR", 2, "1.370", "edsr"),
        ("RCAN", "Official", 2, "15.445", "rcan"),
        ("LESRCNN_x4", "", 4, "0.7740", "lesrcnn"),
        ("RealESRGAN_x4plus", "", 4, "16.698", "rrdbnet"),
        ("RealESRGAN_x4plus_anime_6B", "", 4, "4.468", "rrdbnet"),
        ("DF2K-JPEG", "Real-SR", 4, "16.698", "rrdbnet"),
        ("realesr-animevideov3", "", 4, "0.621", "srvgg"),
        ("realesr-general-wdn-x4v3", "", 4, "1.213", "srvgg"),
        ("VDSR", "", 1, "0.665", "vdsr"),
        ("VDSR_x4", "", 4, "0.665", "vdsr"),
        ("DRRN_B1U25", "", 1, "0.297", "drrn"),
        ("ECBSR-M4C16", "", 4, "0.0118", "ecbsr"),
        ("ecbsr_plain_2x", "", 2, "0.0027", "ecbsr"),
        ("NCNet", "", 3, "0.0523", "ncnet"),
        ("MSRN_x2", "", 2, "0.103", "msrn"),
        ("DIPNet", "", 4, "0.243", "dipnet"),
        ("bicubic_plusplus_3x", "", 3, "0.0504", "bicubic_plusplus"),
        ("BSRGAN_x2", "", 2, "16.661", "rrdbnet"),
    ],
)
def test_a_published_network_is_known_by_its_label_and_its_parameters(
    label, about, scale, params, architecture
):
    network = identify(costs(label, scale, params=params), about)

    assert network.architecture == architecture
    assert params in network.why
    assert network.doubts == ()


@pytest.mark.parametrize(
    ("label", "about", "scale"),
    [
        ("EDSR_x2", "", 2),  # of which code base?
        ("EDSRnet", "official", 2),
        ("DF2K", "", 4),
        ("ESRGAN_x2", "", 2),  # no such scale
        ("", "official", 2),
        ("Bicubic", "", 2),  # no network
    ],
)
def test_a_label_that_leaves_anything_open_names_no_network(label, about, scale):
    assert not identify(costs(label, scale), about).known


def test_other_parameters_are_another_network_and_both_numbers_are_told():
    network = identify(costs("LESRCNN_x2", 2, params="0.311"), "")

    assert not network.known
    assert "626,328 parameters, the document prints 0.311 M" in network.doubts[0]


def test_two_networks_of_one_label_are_told_apart_by_their_parameters():
    whole, cut = (identify(costs("RCAN", 2, params=p), "official") for p in ("15.445", "0.298"))

    assert (whole.hyper["n_feats"], cut.hyper["n_feats"]) == (64, 32)


def test_parameters_that_were_cut_after_the_last_digit_are_told():
    assert identify(costs("RCAN", 2, params="0.297"), "official").cut_params
    assert not identify(costs("RCAN", 2, params="0.298"), "official").cut_params


def test_the_rule_and_the_shape_are_those_that_give_the_printed_flops():
    shapes = ((3, 64, 64), (3, 128, 128))
    network = identify(replace(costs("LESRCNN_x2", 2, flops="44.459"), shapes=shapes), "")

    assert (network.rule, network.shape) == ("thop_0_1_1", (3, 128, 128))


def test_flops_that_no_rule_gives_are_doubted():
    network = identify(costs("LESRCNN_x2", 2, flops="1.234"), "")

    assert (network.known, network.rule) == (True, "")
    assert "no counting rule gives the printed 1.234 G Flops on 3x64x64" in network.doubts[0]


def test_flops_without_a_shape_are_compared_with_none():
    network = identify(replace(costs("LESRCNN_x2", 2, flops="44.459"), shapes=()), "")

    assert network.rule == ""
    assert "nothing says what shape the 44.459 G Flops are counted on" in network.doubts[0]


@pytest.mark.parametrize(
    ("printed", "is_proved"),
    [({}, False), ({"params": "0.626"}, True), ({"flops": "11.115"}, True)],
)
def test_a_network_that_only_its_label_names_is_doubted(printed, is_proved):
    network = identify(costs("LESRCNN_x2", 2, **printed), "")
    by_label = [doubt for doubt in network.doubts if "by the label alone" in doubt]

    assert network.known
    assert (by_label == []) is is_proved


def test_a_network_of_luma_says_which_and_how_its_input_is_enlarged():
    one, four = (identify(costs("VDSR", scale, params="0.665"), "").input for scale in (1, 4))

    assert (one.colour, one.enlarged) == ("y_float", None)
    assert (four.colour, four.enlarged) == ("y_float", "matlab_bicubic")


def test_luma_and_rgb_forms_of_one_label_are_told_apart_by_their_parameters():
    luma, rgb = (identify(costs("ECBSR-M4C16", 2, params=p), "") for p in ("0.0101", "0.0115"))

    assert (luma.hyper["colours"], rgb.hyper["colours"]) == (1, 3)
    assert (luma.value_range, rgb.value_range) == (255.0, 1.0)


def test_a_network_of_luma_is_counted_on_one_channel_whatever_is_printed():
    network = identify(replace(costs("VDSR", 1, flops="96.805"), shapes=((3, 256, 256),)), "")

    assert (network.rule, network.shape) == ("thop_0_0_31", (1, 256, 256))


def test_flops_on_another_shape_are_doubted_with_that_shape():
    network = identify(costs("LESRCNN_x2", 2, flops="44.459"), "")

    assert "on 3x64x64; they are the count by thop_0_1_1 on 3x128x128" in network.doubts[0]
