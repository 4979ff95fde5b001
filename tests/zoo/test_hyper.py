import pytest

from sr_bench.errors import CardError
from sr_bench.zoo.families.edsr.hyper import EdsrHyper
from sr_bench.zoo.families.rcan.hyper import RcanHyper
from sr_bench.zoo.hyper import read
from tests.zoo import rcan

EDSR = {"form": "basicsr", "n_feats": 8, "n_resblocks": 2, "res_scale": 0.1, "rgb_range": 255}
RCAN = {**rcan.RCAN, "n_feats": 16, "reduction": 4}


def test_an_integer_is_taken_where_a_float_is_declared() -> None:
    value = read(EdsrHyper, EDSR, architecture="edsr").rgb_range
    assert (value, type(value)) == (255.0, float)


def test_all_faults_are_reported_at_once_with_what_is_valid() -> None:
    with pytest.raises(CardError) as caught:
        read(EdsrHyper, {"form": "official", "n_feat": 64, "res_scale": "1"}, architecture="edsr")
    message = str(caught.value)
    assert "n_feat: unknown key; did you mean 'n_feats'?" in message
    assert "n_resblocks: required, but absent" in message
    assert "res_scale: expected a valid number (got '1')" in message
    assert message.startswith("hyper-parameters of edsr: 5 faults\n")


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("n_feats", True, "n_feats: expected a valid integer (got True)"),
        ("n_feats", 64.0, "n_feats: expected a valid integer (got 64.0)"),
        ("n_feats", 0, "n_feats: expected a number greater than or equal to 1 (got 0)"),
        ("res_scale", False, "res_scale: expected a valid number (got False)"),
        ("res_scale", float("nan"), "res_scale: expected a finite number (got nan)"),
        ("res_scale", float("inf"), "res_scale: expected a finite number (got inf)"),
        ("rgb_range", -255, "rgb_range: expected a number greater than 0 (got -255"),
        ("form", "BasicSR", "form: expected 'official' or 'basicsr' (got 'BasicSR')"),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_refused(
    name: str, value: float | str, fault: str
) -> None:
    with pytest.raises(CardError) as caught:
        read(EdsrHyper, {**EDSR, name: value}, architecture="edsr")
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"reduction": 32}, "reduction: must be 1 to n_feats"),
        ({"reduction": 0}, "reduction: must be 1 to n_feats"),
        ({"attention": False}, "reduction: must be 0 where attention is false, got 4"),
        ({"form": "basicsr"}, "mean_shift: 'frozen' does not exist in the basicsr form"),
        ({"mean_shift": "tensor"}, "mean_shift: 'tensor' does not exist in the official form"),
        ({"res_scale": 0.1}, "res_scale: the official form ignores it"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, float | str], fault: str) -> None:
    with pytest.raises(CardError) as caught:
        read(RcanHyper, {**RCAN, **changes}, architecture="rcan")
    assert fault in str(caught.value)
