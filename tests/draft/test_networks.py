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
