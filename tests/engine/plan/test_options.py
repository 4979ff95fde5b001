"""Options are checked once; a value that is not valid is refused with the valid ones."""

from pathlib import Path

import pytest

from sr_bench.core.precision import Precision
from sr_bench.engine.plan.options import Selection, parse_precisions, split_list, split_scale
from sr_bench.errors import OptionError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "tensorrt"}, "no such backend.*: onnxruntime, replay, torch, vacc"),
        ({"device": "gpu"}, "--sr-device=gpu: expected one of auto, require, emulate"),
        ({"backend": "replay"}, "--backend=replay and --sr-replay=DIR"),
        ({"backend": "replay", "replay": Path("/no/such")}, "--sr-replay=/no/such: expected a fol"),
        ({"limit": -1}, "--sr-limit=-1: expected a number of images"),
        ({"data": Path("/no/such")}, "--sr-data=/no/such: expected a folder"),
        ({"weights": Path(__file__)}, "--sr-weights=.*: expected a folder"),
    ],
)
def test_a_value_that_is_not_valid_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Selection(**options)


def test_nothing_named_means_all() -> None:
    everything = Selection()
    assert everything.wants_model("anything")
    assert everything.wants_dataset("set5", 2)
    assert everything.wants_precision(Precision("int8_kl"))


def test_models_are_patterns_that_mind_the_case() -> None:
    chosen = Selection(models=("edsr_*", "rcan"))
    assert chosen.wants_model("edsr_x2")
    assert chosen.wants_model("rcan")
    assert not chosen.wants_model("rcan2")
    assert not chosen.wants_model("EDSR_x2")


def test_a_dataset_is_wanted_with_or_without_its_scale() -> None:
    chosen = Selection(datasets=("set5_x2", "set14"))
    assert chosen.wants_dataset("set5", 2)
    assert not chosen.wants_dataset("set5", 4)
    assert chosen.wants_dataset("set14", 4)


def test_precisions_are_read_from_a_list() -> None:
    found = parse_precisions("fp16, int8 kl_divergence,")
    assert found == (Precision.FP16, Precision("int8_kl"))
    assert parse_precisions("kl_divergence, minmax") == (
        Precision("int8_kl"),
        Precision("int8_max"),
    )
    assert parse_precisions("") == ()


def test_an_unknown_precision_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(OptionError, match=r"--sr-precision=fp16,int4: .*'int4'.*fp32, fp16"):
        parse_precisions("fp16,int4")


def test_blanks_and_empty_parts_of_a_list_are_dropped() -> None:
    assert split_list(" a, ,b ,") == ("a", "b")


@pytest.mark.parametrize(
    ("name", "parts"),
    [("div2k_valid_x2", ("div2k_valid", 2)), ("set5", ("set5", 0)), ("a_x2_x12", ("a_x2", 12))],
)
def test_a_dataset_name_may_end_in_a_scale(name: str, parts: tuple[str, int]) -> None:
    assert split_scale(name) == parts
