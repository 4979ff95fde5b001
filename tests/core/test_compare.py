"""What changed between two runs is named, and nothing else."""

from dataclasses import replace

from sr_bench.core.compare import Change, environment_changes, input_changes
from sr_bench.core.history import Environment

ENVIRONMENT = Environment({"numpy": "2.0", "torch": "2.6"}, "3.11", "Linux", "cpu", 2, "abc")


def test_inputs_that_differ_are_named_with_short_digests() -> None:
    before = {"network": "0123456789abcdef" * 4, "data": "34", "device": "cpu"}
    now = {"network": "fedcba9876543210" * 4, "data": "34", "backend": "onnxruntime 1.20"}
    assert input_changes(before, now) == (
        Change("network", "01234567", "fedcba98"),
        Change("device", "cpu", ""),
        Change("backend", "", "onnxruntime 1.20"),
    )


def test_digests_that_differ_late_differ() -> None:
    (change,) = input_changes({"data": "0" * 63 + "1"}, {"data": "0" * 64})
    assert change.name == "data"


def test_packages_and_the_machine_are_named_and_the_commit_is_not() -> None:
    packages = {"numpy": "2.1", "onnx": "1.16"}
    now = replace(ENVIRONMENT, packages=packages, cpu="another", cores=4, commit="def")
    assert [str(change) for change in environment_changes(ENVIRONMENT, now)] == [
        "numpy 2.0 -> 2.1",
        "torch 2.6 -> absent",
        "onnx absent -> 1.16",
        "cpu cpu -> another",
        "cores 2 -> 4",
    ]
    now = replace(ENVIRONMENT, python="3.12", system="Darwin", commit="def", seeds={"a": 1})
    names = [change.name for change in environment_changes(ENVIRONMENT, now)]
    assert names == ["python", "system"]


def test_equal_inputs_have_no_change() -> None:
    assert environment_changes(ENVIRONMENT, ENVIRONMENT) == ()
    assert input_changes({"data": "1"}, {"data": "1"}) == ()
