"""A command that is pasted measures the same again, also what needs an option of its own."""

from dataclasses import replace

from sr_bench.report.parts.rerun import rerun
from tests.report.records import record, without_value
from tests.report.sessions import latency


def test_the_records_are_named_or_their_cards_each_once() -> None:
    records = [replace(record(), node_id=f"my zoo/card.toml::{name}") for name in "aba"]
    command = "pytest 'my zoo/card.toml::a' 'my zoo/card.toml::b' --backend=onnxruntime"
    assert rerun(records) == command
    assert rerun(records, whole_cards=True) == "pytest 'my zoo/card.toml' --backend=onnxruntime"


def test_what_was_timed_is_timed_again_and_nothing_else_is() -> None:
    assert rerun([record(), latency()]).endswith(" --backend=onnxruntime --sr-latency")
    not_timed = replace(without_value(record()), metric="latency")
    assert rerun([record(), not_timed]).endswith(" --backend=onnxruntime")
