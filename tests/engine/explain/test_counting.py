"""By which way of counting a printed cost would be right.

EDSR with 8 features and 1 block at x2 has 5157 MACs for each pixel of the input, 45 of them in mean
shifts that thop does not see, and 4555 parameters, of which it sees 4531.
"""

from pathlib import Path

import pytest

from sr_bench.core.card import Hyper, ModelCard
from sr_bench.core.claim import Claim, Source
from sr_bench.core.precision import Precision
from sr_bench.engine.explain.counting import why_cost_differs

MEGA = (3, 1000, 1000)
EDSR: Hyper = {
    **{"form": "official", "n_feats": 8, "n_resblocks": 1, "res_scale": 1.0, "rgb_range": 255.0}
}
SRVGG: Hyper = {"n_feats": 8, "n_convs": 2, "colours": 3, "activation": "prelu"}


def why(
    metric: str, text: str, *, shape: str = "", scale: int = 2, srvgg: bool = False, unit: int = 0
) -> str:
    architecture, hyper = ("srvgg", SRVGG) if srvgg else ("edsr", EDSR)
    zoo = ("net", "zoo", Path(), "", "")
    card = ModelCard(*zoo, scale, architecture, hyper=hyper, counted_shape=MEGA)
    source = Source("README.md", 1, 1)
    claim = Claim(metric, text, "Net", "", Precision.FP32, "", shape, "", source, exponent=unit)
    return why_cost_differs(card, claim)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5.157", 'MAC (set cost.rule = "macs")'),
        ("11.360", 'the count by thop_0_1_1 (set cost.rule = "thop_0_1_1")'),
        ("1.188", 'MAC on 3x360x640 (set cost.rule = "macs", cost.shape = "3x360x640")'),
        (
            "41.256",
            '2 x MAC on 3x2000x2000 (set cost.rule = "standard", cost.shape = "3x2000x2000")'
            " or 4 times 2 x MAC",
        ),
        ("5.730", "5/9 times 2 x MAC"),
        ("9.606", "1e9/2^30 times 2 x MAC"),
        ("12.345", ""),
        ("5.7", ""),  # two digits fit something by chance
    ],
)
def test_flops_by_another_rule_shape_or_factor_are_named(text: str, expected: str) -> None:
    assert why("flops", text) == expected


def test_the_shape_that_the_row_prints_is_tried() -> None:
    expected = '2 x MAC on 3x70x90 (set cost.rule = "standard", cost.shape = "3x70x90")'
    assert why("flops", "0.06498", shape="3x70x90") == expected
    assert not why("flops", "0.06498")


def test_macs_of_another_rule_are_named_without_a_key_that_cards_lack() -> None:
    assert why("macs", "10.314") == "2 x MAC"
    assert why("macs", "1.188") == 'MAC on 3x360x640 (set cost.shape = "3x360x640")'


def test_the_input_of_a_picture_of_1280_x_720_is_rounded_at_x3() -> None:
    """EDSR at x3 has 9162 MACs for each pixel."""
    found = why("macs", "0.9389", scale=3)
    assert found == 'MAC on 3x240x427 (set cost.shape = "3x240x427")'


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("4.555", 0, "a thousand times the 4,555 that the network has"),
        ("18.220", -3, "MB in fp32, 4 times the 4,555 that the network has"),
        ("4.531", -3, "4,531, what the tool of thop_0_0_31 sees: the network has 4,555"),
        ("4.482", -3, "4,482 of its 4,555, without the biases"),
        ("4.4", -3, ""),
        ("1.234", 0, ""),
    ],
)
def test_params_in_another_unit_or_of_a_tool_are_named(text: str, unit: int, expected: str) -> None:
    assert why("params", text, unit=unit) == expected


def test_params_without_those_of_prelus_are_named() -> None:
    assert why("params", "2.268", unit=-3, srvgg=True).startswith("2,268, what the tool of thop")


def test_what_can_not_be_counted_is_not_explained() -> None:
    card = ModelCard("net", "zoo", Path(), "", "", 2, "edsr", hyper={})
    claim = Claim("flops", "1.0", "Net", "", Precision.FP32, "", "", "", Source("README.md", 1, 1))
    assert not why_cost_differs(card, claim)
