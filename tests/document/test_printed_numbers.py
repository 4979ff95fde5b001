"""The numbers of a cell are read with their units, and their exact places."""

import pytest

from sr_bench.document.cell import Cell
from sr_bench.document.dimensions import Measure
from sr_bench.document.printed_numbers import Number, measured, read_numbers


def numbers(text: str) -> tuple[Number, ...]:
    return read_numbers(Cell(text, 3, 5, 40, 40 + len(text)))


def values(text: str) -> list[str]:
    return [f"{one.text}{one.unit}" for one in numbers(text) if one.kind == "value"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("30.21", "30.21"), ("30.21/0.8646", "30.21 0.8646"), ("30.21 / 0.8646", "30.21 0.8646")),
        *(("30.21 dB", "30.21dB"), ("**30.21**", "30.21"), ("<b>30.21</b>", "30.21")),
        *(("<u>30.21</u>", "30.21"), ("30.21 ± 0.02", "30.21"), ("30.21*", "30.21")),
        *(("30.21 (+0.03)", "30.21"), ("~30.2", "30.2"), ("1.37M", "1.37M"), ("316.3G", "316.3G")),
        *(("0.43 GMac", "0.43GMac"), ("0 - 10", "10"), ("1,592K", "1592K"), ("95.3%", "95.3%")),
        *(("30.21<br>0.8646", "30.21 0.8646"), ("30.21\\|0.8646", "30.21 0.8646")),
        *(("30.21, 0.8646", "30.21 0.8646"), ("30.21; 0.8646", "30.21 0.8646")),
        *(("[30.21](https://a.b/9.9)", "30.21"), ("`30.21`", "30.21"), ("_30.21_", "30.21")),
        *(
            ("30.21<sup>1</sup>", "30.21"),
            ("30.21[2]", "30.21"),
            ("30.21[^a]", "30.21"),
        ),
        *(("30.21<sub>±0.02</sub>", "30.21"), ("30.21†", "30.21"), ("30.21 ↑", "30.21")),
        *(
            ("$30.21 \\pm 0.02$", "30.21"),
            ("$\\mathbf{30.21}$", "30.21"),
            ("$9 \\mathrm{~K}$", "9K"),
        ),
        *(("30\\.21G", "30.21G"), ("0\\.86\\*", "0.86")),
        *(("30.21&nbsp;dB", "30.21dB"), ("1,234,567", "1234567"), ("1.234,5", "1234.5")),
        *(
            ("30,21", "30.21"),
            ("0,864", "0.864"),
            ("30,215", "30215"),
            ("30,21/0,864", "30.21 0.864"),
        ),
        *(("1'592", "1592"), ("1\u202f592", "1592"), ("−0.5", "-0.5"), ("-0.5", "-0.5")),  # noqa: RUF001
        *(("+2.16 dB", "2.16dB"), ("about 9.6M", "9.6M"), ("約 9.6G", "9.6G"), ("80亿", "80亿")),
        *(("37.9 (+0.1) / 0.96 (-0.01)", "37.9 0.96"), ("30.21 (0.86)", "30.21 0.86")),
        *(("1.2 ms/img", "1.2ms"), ("2.5×", "2.5x"), ("(30.21)", "30.21"), (":trophy: 30", "30")),  # noqa: RUF001
        *(("30.21 +0.03", "30.21"), ("30.21 (↓0.03)", "30.21"), ("0 ~ 10 MB", "10MB")),
        *(("30.21 (±0.02)", "30.21"), ("30.21 (std: 0.02)", "30.21"), ("30.21 ↑0.03", "30.21")),
        *(("30.21<sup>(1)</sup>", "30.21"), ("30.21$^{1}$", "30.21"), ("30.21 (*)", "30.21")),
        *(("~~30.11~~ 30.21", "30.21"), ("<del>30.11</del> 30.21", "30.21")),
        *(("1 592 000", "1592000"), ("1_592", "1592"), ("1’592,5", "1592.5")),  # noqa: RUF001
        *(("1.5M params", "1.5Mparams"), ("316 G FLOPs", "316GFLOPs"), ("1.2至1.5", "1.5")),
        (":1st_place_medal: 30.21", "30.21"),
    ],
)
def test_the_values_of_a_cell_are_read(text: str, expected: str) -> None:
    assert values(text) == expected.split()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x2",
            "3x128x128",
            "v1.2",
            "EDSR",
            "2024-01-05",
            "30.21 0.86",
            "<0.1",
            "2x",
            "30.21 /",
        ),
        *("RTX 3090", "![30.21](a.png)", "~~30.21~~", "1.2.3", "12:30", "1 of 2", "٣٠", "10 - 5"),
        *("10^3", "2^10", "3&#48;.21", "12:30:15", "30.21 std", "1.5M ms"),
        *("30.21 ours", "(30.21", "30.21)", "hello 3", "3h 7m", "±0.1", "30.21 ± ", "9" * 2000),
    ],
)
def test_a_cell_that_says_more_than_numbers_has_none(text: str) -> None:
    assert not numbers(text)


@pytest.mark.parametrize(
    ("spellings", "kinds"),
    [
        (
            "30.21±0.02 30.21&plusmn;0.02 30.21&#177;0.02 $30.21\\pm0.02$ 30.21|pm|0.02",
            "value spread",
        ),
        ("~30.21 ≈30.21 ∼30.21 &asymp;30.21 $\\approx$30.21 $\\sim$30.21", "value"),  # noqa: RUF001
        ("30.21(↓0.03) 30.21(&darr;0.03) 30.21($\\downarrow$0.03)", "value gain"),
        (
            "30.21† 30.21&dagger; 30.21$^{\\dagger}$ 30.21[#f]_ |star|30.21",
            "value",
        ),
        (
            "\\textbf{30.21} $\\bm{30.21}$ \\textit{30.21} \\textcolor{red}{30.21} $30.21\\,$",
            "value",
        ),
        ("1.2–1.5 1.2&ndash;1.5 1.2~1.5 1.2—1.5", "spread value"),  # noqa: RUF001
        ("30.21|0.86 30.21&#124;0.86 30.21／0.86 30.21<br>0.86", "value value"),  # noqa: RUF001
        ("&mdash;/0.86 –/0.86 n/a/0.86 NA/0.86", "blank value"),  # noqa: RUF001
    ],
)
def test_a_sign_is_read_in_each_of_its_spellings(spellings: str, kinds: str) -> None:
    for text in spellings.split():
        assert [one.kind for one in numbers(text)] == kinds.split(), text


@pytest.mark.parametrize(
    "text",
    [
        *("-1.2e-3", "−1.2E−03", "-1.2 x 10^-3", "$-1.2 \\times 10^{-3}$", "-1.2×10⁻³"),  # noqa: RUF001
        *(
            "&minus;1.2&times;10<sup>&minus;3</sup>",
            "-1.2·10^-3",
            "-1.2*10^-3",
            "-1.2 x 10\\ :sup:`-3`",
        ),
    ],
)
def test_a_power_of_ten_and_a_minus_are_read_in_each_of_their_spellings(text: str) -> None:
    (number,) = numbers(text)
    assert (float(number.text), number.exponent) == (-1.2, -3)
    assert text.strip("$").startswith(number.cell.text)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("30.21 ± 0.02", "value spread"),
        ("0 - 10", "spread value"),
        ("30.21 (+0.03)", "value gain"),
        ("- / 0.86", "blank value"),
        ("N/A", "blank"),
        ("30.21 / –", "value blank"),  # noqa: RUF001
    ],
)
def test_what_is_no_value_is_told_from_those_that_are(text: str, kinds: str) -> None:
    assert [one.kind for one in numbers(text)] == kinds.split()


@pytest.mark.parametrize(
    "text", ["**30.21** / <b>0.8646</b>", "$30.21 \\pm 0.8646$", "a [30.21](u)<br>0.8646"[2:]]
)
def test_a_number_is_the_part_of_the_cell_that_its_digits_are(text: str) -> None:
    for number, digits in zip(numbers(text), ("30.21", "0.8646"), strict=True):
        place = text.index(digits)
        assert number.cell == Cell(digits, 3, 5 + place, 40 + place, 40 + place + len(digits))


@pytest.mark.parametrize(
    ("measure", "text", "expected"),
    [
        (Measure("params"), "1.37M", Measure("params")),
        (Measure("params"), "1592K", Measure("params", "K", -3)),
        (Measure("params", "K", -3, stated=True), "1.37M", Measure("params")),
        (Measure("params"), "1592000", Measure("params", "", -6)),
        (Measure("flops"), "146,280,448", Measure("flops", "", -9)),
        (Measure("flops", stated=True), "12345", Measure("flops")),
        (Measure("params"), "9999", Measure("params")),
        (Measure("params"), "1.5e6", Measure("params", "", 0)),
        (Measure("flops"), "0.43 GMac", Measure("macs")),
        (Measure("latency"), "1.2 s", Measure("latency", "s", 3)),
        (Measure("speed"), "60 FPS", Measure("fps")),
        (Measure("psnr"), "10000", Measure("psnr")),
    ],
)
def test_a_unit_in_the_cell_goes_before_that_of_the_header(
    measure: Measure, text: str, expected: Measure
) -> None:
    (number,) = numbers(text)
    assert measured(measure, number) == expected
