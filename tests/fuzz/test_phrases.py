"""Whatever a header, a label or a cell holds, words are read or kept, and numbers stay in place."""

import math

from hypothesis import given
from hypothesis import strategies as st

from sr_bench.document.cell import Cell
from sr_bench.document.dimensions import Measure
from sr_bench.document.phrases import column_role, fallback_measure, misspelt, read_phrase
from sr_bench.document.printed_numbers import measured, read_numbers
from tests.fuzz.bytes_inputs import fuzzed
from tests.fuzz.inputs import NUMBERS, odd_text

_WORDS = (
    *("PSNR", "SSIM", "Params", "GMac", "M", "ms", "dB", "%", "x2", "Set5", "int8", "max", "vacc"),
    *("参数量", "精度", "Δ", "vs", "loss", "(", ")", "[", "]", "/", "|", "@", "_", "-", " ", "  "),
)
_SIGNS = (
    *("/", "|", "\\|", "<br>", "<sup>1</sup>", "**", "*", "(", ")", "±", "+", "-", "\u2212", "~"),
    *(",", ".", " ", "'", '"', ":", "G", "MB", "e6", "\u00d710^6", "fp16 ", "$", "\\pm", "&nbsp;"),
    *("![", "](", "]"),
)
phrases = st.lists(st.sampled_from(_WORDS) | odd_text, max_size=40).map("".join)
cells = st.lists(st.sampled_from((*_SIGNS, *NUMBERS)) | odd_text, max_size=40).map("".join)


@fuzzed
@given(phrases)
def test_any_phrase_is_read(text: str) -> None:
    said = read_phrase(text)
    assert all(measure.metric for measure in said.measures)
    assert column_role(text)
    assert fallback_measure(text).metric
    assert isinstance(misspelt(text), str)


@fuzzed
@given(cells)
def test_the_numbers_of_any_cell_are_parts_of_it(text: str) -> None:
    for number in read_numbers(Cell(text, 1, 1, 0, len(text))):
        assert text[number.cell.start : number.cell.end] == number.cell.text
        assert math.isfinite(float(number.text or 0))
        assert number.text.isascii()
        assert measured(Measure("params"), number).metric
