"""The rule about times of which nothing says what they were measured on."""

from pathlib import Path

import pytest

from sr_bench.lint.finding import Severity
from tests.lint.pages import CARD, look, of, page

LATENCY = 'latency = { device = "AMD EPYC*", shape = "3x64x64" }\n'


def times(columns: str, *cells: str) -> str:
    return page(
        *(f"{name} | {cell}" for name, cell in zip(("Net", "Two"), cells, strict=False)),
        columns=f"Models | {columns}",
    )


@pytest.mark.parametrize(
    ("columns", "cell", "missing"),
    [
        ("Latency (ms)", "3.1", "the device and the input size"),
        ("FPS", "300", "the device and the input size"),
        ("Latency (ms) | Device", "3.1 | RTX 3090", "the input size"),
        ("FPS | Input size", "300 | 3x64x64", "the device"),
        ("FPS | Input size | Device", "300 | 3x64x64 | RTX 3090", ""),
        ("Params(M)", "0.004531", ""),
    ],
)
def test_what_neither_the_table_nor_the_card_says_is_named(
    tmp_path: Path, columns: str, cell: str, missing: str
) -> None:
    findings = of(look(tmp_path, times(columns, cell)), "SRB210")
    assert [one.message.partition("nothing says ")[2] for one in findings] == [missing] * bool(
        missing
    )
    assert {one.severity for one in findings} <= {Severity.NOTE}


def test_a_card_may_say_both(tmp_path: Path) -> None:
    text = times("Latency (ms)", "3.1")
    assert of(look(tmp_path, text, CARD), "SRB210")
    assert not of(look(tmp_path, text, CARD + LATENCY), "SRB210")


def test_rows_that_lack_the_same_are_one_finding(tmp_path: Path) -> None:
    (finding,) = of(look(tmp_path, times("Latency (ms)", "3.1", "4.1")), "SRB210")
    assert finding.message == (
        "Net: latency 3.1 ms: nothing says the device and the input size, as in 1 more row"
    )
