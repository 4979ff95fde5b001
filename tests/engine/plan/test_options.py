"""Options are checked once; a value that is not valid is refused with the valid ones."""

from pathlib import Path

import pytest

from sr_bench.core.precision import Precision
from sr_bench.engine.plan.option import DURATION, PRECISIONS, THREADS, options_of, split_list
from sr_bench.engine.plan.options import Selection
from sr_bench.errors import OptionError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"backend": "tensorrt"},
            "--backend=tensorrt: expected one of mnn, ncnn, onnxruntime, openvino, replay, torch,"
            " tract, vacc",
        ),
        ({"device": "gpu"}, "--sr-device=gpu: expected one of auto, require, emulate"),
        ({"backend": "replay"}, "--backend=replay and --sr-replay=DIR"),
        (
            {"backend": "replay", "replay": Path("/no/such")},
            "--sr-replay=/no/such: expected a folder",
        ),
        ({"limit": -1}, "--sr-limit=-1: expected a whole number of images"),
        ({"data": Path("/no/such")}, "--sr-data=/no/such: expected a folder"),
        ({"weights": Path(__file__)}, "--sr-weights=.*: expected a folder"),
        ({"data": Path("a" * 300)}, "--sr-data=aaa.*: expected a folder"),
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
    read = PRECISIONS.read
    assert read("fp16, int8 kl_divergence,") == (Precision.FP16, Precision("int8_kl"))
    assert read("kl_divergence, minmax") == (Precision("int8_kl"), Precision("int8_max"))
    assert read("") == ()


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("precisions", "fp16,int4", r"--sr-precision=fp16,int4: expected one or more of fp32, fp1"),
        ("limit", "few", "--sr-limit=few: expected a whole number of images"),
        ("cache_bytes", "0", "sr_cache_size=0: expected a whole number of MiB above 0"),
        ("memory_bytes", "-3", "sr_memory_limit=-3: expected a whole number of MiB"),
        ("stall_s", "-1", "sr_time_limit=-1: expected a whole number of seconds"),
    ],
)
def test_a_text_that_is_not_valid_is_refused_as_it_was_typed(field, text, message) -> None:
    with pytest.raises(OptionError, match=message):
        Selection(**{field: options_of(Selection)[field].read(text)})


@pytest.mark.parametrize("text", ["2 hours", "0", "h", "-1"])
def test_a_text_that_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        DURATION.read(text)
    assert DURATION.read("1h30m") == 5400


@pytest.mark.parametrize("text", ["0", "2x", "x2", "-1", "2x0"])
def test_a_text_that_is_not_a_number_of_threads_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        THREADS.read(text)
    assert [THREADS.read(given) for given in ("4", "2x8", "")] == [(4, 1), (2, 8), (0, 1)]


def test_a_default_that_is_typed_equals_the_one_in_code() -> None:
    chosen = Selection()
    for field, declared in options_of(Selection).items():
        if declared.metavar:
            assert getattr(chosen, field) == declared.read(declared.default)


def test_blanks_and_empty_parts_of_a_list_are_dropped() -> None:
    assert split_list(" a, ,b ,") == ("a", "b")
