"""Rules about PSNR and SSIM find what is wrong, and say nothing where rounding explains it."""

from pathlib import Path

import pytest

from sr_bench.lint.finding import Severity
from tests.lint.pages import CARD, codes, look, of, page, severities

FULL = "Net | - | - | 30.000 | 0.9000 | -"


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        ("30.500 | 0.9000", Severity.WARNING),
        ("29.000 | 0.9100", Severity.WARNING),
        ("30.012 | 0.9000", Severity.WARNING),
        ("30.005 | 0.9000", Severity.NOTE),
        ("30.001 | 0.9001", None),  # both may be roundings of one value
        ("29.900 | 0.8900", None),
    ],
)
def test_a_low_precision_above_fp32_is_found_beyond_what_rounding_hides(
    tmp_path: Path, row: str, severity: Severity | None
) -> None:
    report = look(tmp_path, page(FULL, f"Net **vacc fp16** | - | - | {row} | -"))
    assert severities(report, "SRB101") == ([severity] if severity else [])


def test_a_low_precision_is_compared_on_its_own_dataset_and_with_its_own_backend(
    tmp_path: Path,
) -> None:
    columns = "Models | Dataset | PSNR(dB)"
    rows = (
        "Net | Set5 | 36.00",
        "Net **vacc fp32** | Set5 | 30.00",
        "Net | Urban100 | 29.00",
        "Net **vacc fp16** | Set5 | 31.00",
        "Net **onnxruntime fp16** | Set5 | 35.90",
    )
    (finding,) = of(look(tmp_path, page(*rows, columns=columns)), "SRB101")
    assert "above fp32's 30.00" in finding.message
    assert finding.source.line == 6


def test_a_finding_stands_where_its_number_is_printed(tmp_path: Path) -> None:
    report = look(tmp_path, page(FULL, "Net **vacc fp16** | - | - | 30.500 | 0.9 | -"))
    (finding,) = of(report, "SRB101")
    line = (tmp_path / "zoo" / "README.md").read_text().splitlines()[finding.source.line - 1]
    assert line[finding.source.column - 1 :].startswith("30.500")


SIBLING = ("Other | - | - | 31.000 | 0.9200 | -", "Other **vacc max int8** | - | - | {} | -")


@pytest.mark.parametrize(
    ("gained", "sibling", "swapped"),
    [
        ("30.100 | 0.9050", "30.800 | 0.9100", True),
        ("30.300 | 0.9050", "30.800 | 0.9100", False),  # more than the sibling loses
        ("30.100 | 0.9050", "31.100 | 0.9100", False),  # the sibling gains, too
        ("30.100 | 0.8990", "30.800 | 0.9100", False),  # a loss in SSIM
    ],
)
def test_rows_look_swapped_if_one_gains_what_the_others_lose(
    tmp_path: Path, gained: str, sibling: str, swapped: bool
) -> None:
    rows = (FULL, f"Net **vacc max int8** | - | - | {gained} | -", SIBLING[0])
    report = look(tmp_path, page(*rows, SIBLING[1].format(sibling)))
    assert (len(of(report, "SRB102")) == 1) == swapped
    above = [finding for finding in of(report, "SRB101") if finding.row == "Net"]
    assert bool(above) != swapped  # never both


def test_other_models_must_all_lose_by_the_same_kind_of_precision(tmp_path: Path) -> None:
    low = "Other **{}** | - | - | 30.800 | 0.9100 | -"
    rows = (FULL, "Net **vacc max int8** | - | - | 30.100 | 0.9050 | -", SIBLING[0])
    gaining = (
        "Third | - | - | 32.0 | 0.93 | -",
        "Third **vacc max int8** | - | - | 32.1 | 0.94 | -",
    )
    assert of(look(tmp_path, page(*rows, low.format("vacc kl int8"))), "SRB102")
    assert not of(look(tmp_path, page(*rows, low.format("vacc fp16"))), "SRB102")
    assert not of(look(tmp_path, page(*rows, low.format("vacc kl int8"), *gaining)), "SRB102")


def test_without_other_models_nothing_looks_swapped(tmp_path: Path) -> None:
    report = look(tmp_path, page(FULL, "Net **vacc max int8** | - | - | 30.100 | 0.9050 | -"))
    assert "SRB102" not in codes(report)


@pytest.mark.parametrize(
    ("row", "how"),
    [
        ("30.200 | 0.8900", "opposite"),
        ("29.800 | 0.9100", "opposite"),
        ("29.950 | 0.8700", "hardly moves"),
        ("30.040 | 0.8900", ""),  # within chance
        ("30.200 | 0.8985", ""),
        ("29.000 | 0.8700", ""),
        ("29.950 | 0.8950", ""),
    ],
)
def test_psnr_and_ssim_that_tell_opposite_stories_are_found(
    tmp_path: Path, row: str, how: str
) -> None:
    findings = of(look(tmp_path, page(FULL, f"Net **vacc fp16** | - | - | {row} | -")), "SRB103")
    assert (how in findings[0].message) if how else not findings


def test_psnr_and_ssim_are_not_compared_across_models_or_datasets(tmp_path: Path) -> None:
    rows = ("A | Set5 | 30.000 | 0.9000", "B | Set5 | 31.000 | 0.8000", "A | BSD | 31.000 | 0.8000")
    report = look(tmp_path, page(*rows, columns="Models | Dataset | PSNR(dB) | SSIM"))
    assert "SRB103" not in codes(report)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("Other | - | - | 30.000 | 0.9000 | -", [Severity.WARNING]),
        ("Net **vacc max int8** | - | - | 30.000 | 0.9000 | -", [Severity.WARNING]),
        ("Net **vacc fp16** | - | - | 30.000 | 0.9000 | -", []),
        ("Other | - | - | 30.000 | 0.9001 | -", []),
        ("Other | - | - | 30.001 | 0.9000 | -", []),
    ],
)
def test_a_copied_row_is_found(tmp_path: Path, row: str, expected: list[Severity]) -> None:
    report = look(tmp_path, page(FULL, row))
    assert severities(report, "SRB104") == expected


def test_a_row_is_held_against_every_earlier_one(tmp_path: Path) -> None:
    numbers = "| - | - | 30.000 | 0.9000 | -"
    report = look(tmp_path, page(f"Other {numbers}", FULL, f"Net **vacc fp16** {numbers}"))
    assert [finding.source.line for finding in of(report, "SRB104")] == [4, 5]


@pytest.mark.parametrize(
    ("psnr", "ssim", "count"),
    [("30.0", "0.90", 0), ("30.00", "0.900", 0), ("30.00", "0.9000", 1), ("30.0000", "-", 1)],
)
def test_few_digits_may_be_equal(tmp_path: Path, psnr: str, ssim: str, count: int) -> None:
    rows = (f"{name} | - | - | {psnr} | {ssim} | -" for name in ("A", "B"))
    assert len(of(look(tmp_path, page(*rows)), "SRB104")) == count


def test_one_cell_that_spans_two_models_is_no_copied_row(tmp_path: Path) -> None:
    cells = "<td rowspan=2>{}</td><td rowspan=2>0.9196</td>"
    table = (
        "<table><tr><td>Model</td><td>PSNR</td><td>SSIM</td></tr>"
        f"<tr><td>A</td>{cells.format(34.17)}</tr><tr><td>B</td></tr></table>\n"
    )
    assert not of(look(tmp_path, table), "SRB104")
    twice = table.replace(" rowspan=2", "").replace(
        "<td>B</td>", "<td>B</td>" + cells.format(34.17)
    )
    assert len(of(look(tmp_path, twice), "SRB104")) == 1


@pytest.mark.parametrize(
    ("first", "second", "lines"),
    [
        ("Net_x4 | 24.07 | 0.755", "Net_x2 | 29.54 | 0.755", [4]),
        ("Net_x4 | 24.07 | 0.755", "Net_x2 | 24.07 | 0.926", [4]),
        ("Net_x4 | 24.07 | 0.76", "Net_x2 | 29.54 | 0.76", []),  # may be chance
        ("Net_x4 | 24.07 | 0.755", "Net_x4 **vacc fp16** | 24.05 | 0.755", []),
        ("Net_x4 | 24.07 | 0.755", "Other_x2 | 29.54 | 0.755", []),
        ("Net | 24.07 | 0.755", "Net_x2 | 29.54 | 0.755", []),  # of no scale
    ],
)
def test_one_number_of_a_model_at_two_scales_is_copied(
    tmp_path: Path, first: str, second: str, lines: list[int]
) -> None:
    report = look(tmp_path, page(first, second, columns="Models | PSNR | SSIM"))
    assert [finding.source.line for finding in of(report, "SRB104")] == lines


def test_scales_that_a_column_tells_apart_are_held_against_each_other(tmp_path: Path) -> None:
    rows = ("Net | x4 | Set5 | 24.07 | 0.755", "Net | x2 | {} | 29.54 | 0.755")
    text = page(*rows, columns="Models | Scale | Dataset | PSNR | SSIM")
    (finding,) = of(look(tmp_path, text.format("Set5")), "SRB104")
    assert "SSIM 0.755 is to the last digit that of Net at x4 in line 3" in finding.message
    assert not of(look(tmp_path, text.format("Set14")), "SRB104")


def test_two_calibrations_that_agree_are_a_note_and_two_backends_are_nothing(
    tmp_path: Path,
) -> None:
    numbers = "| - | - | 29.900 | 0.8950 | -"
    rows = [f"Net **{word}** {numbers}" for word in ("vacc max int8", "vacc kl int8")]
    (finding,) = of(look(tmp_path, page(FULL, *rows)), "SRB104")
    assert finding.severity is Severity.NOTE
    rows[1] = f"Net **onnxruntime kl int8** {numbers}"
    assert not of(look(tmp_path, page(FULL, *rows)), "SRB104")


@pytest.mark.parametrize(
    ("full", "low", "count"),
    [
        ("multi-shape", "3x256x256", 1),
        ("3x128x128", "3x256x256", 1),
        ("3x256x256", "256×256", 0),  # noqa: RUF001 - as typed
        ("-", "3x256x256", 0),
        ("3x256x256", "-", 0),
    ],
)
def test_another_shape_than_fp32s_is_found(tmp_path: Path, full: str, low: str, count: int) -> None:
    rows = (f"Net | - | - | 30.0 | - | {full}", f"Net **vacc fp16** | - | - | 29.0 | - | {low}")
    findings = of(look(tmp_path, page(*rows)), "SRB105")
    assert len(findings) == count
    assert all("-1.0 dB" in finding.message for finding in findings)
    by_mae = page(*rows).replace("PSNR(dB)", "MAE")
    assert [finding.message for finding in of(look(tmp_path, by_mae), "SRB105")] == [
        finding.message.replace(" dB", " levels") for finding in findings
    ]


def test_of_two_fp32_rows_that_of_the_low_precisions_shape_is_compared(tmp_path: Path) -> None:
    rows = (
        "Net | - | - | 31.0 | - | multi-shape",
        "Net | - | - | 30.0 | - | 3x128x128",
        "Net **vacc fp16** | - | - | 30.5 | - | 3x128x128",
    )
    report = look(tmp_path, page(*rows))
    assert not of(report, "SRB105")
    (finding,) = of(report, "SRB101")
    assert "above fp32's 30.0" in finding.message


def test_another_protocol_than_fp32s_is_found(tmp_path: Path) -> None:
    card = CARD.replace(
        "evaluation = [",
        'evaluation = [{ dataset = "photos", protocol = "paper_y", precisions = ["fp32"] }, ',
    )
    text = page("Net | - | - | 40.0 | - | -", "Net **vacc fp16** | - | - | 39.0 | - | -")
    (finding,) = of(look(tmp_path, text, card), "SRB105")
    assert "paper_y" in finding.message
    assert "native_rgb" in finding.message
    assert not of(look(tmp_path, text, CARD), "SRB105")


@pytest.mark.parametrize(
    ("numbers", "severity"),
    [
        ("31.364 | 0.9000", Severity.WARNING),
        ("31.365 | 0.8985", None),
        ("31.900 | 0.8980", Severity.NOTE),
        ("31.3 | 0.90", Severity.WARNING),
        ("31.4 | 0.90", None),
    ],
)
def test_a_network_below_bicubic_enlargement_is_found(
    tmp_path: Path, numbers: str, severity: Severity | None
) -> None:
    report = look(tmp_path, page(f"Net | - | - | {numbers} | -"), CARD)
    assert severities(report, "SRB106") == ([severity] if severity else [])


def test_a_row_of_bicubic_enlargement_is_not_held_against_itself(tmp_path: Path) -> None:
    for label, count in (("Bicubic", 0), ("bicubic_x2", 0), ("Bicubic++", 1)):
        card = CARD.replace('row = "Net"', f'row = "{label}"')
        report = look(tmp_path, page(f"{label} | - | - | 31.0 | 0.89 | -"), card)
        assert len(of(report, "SRB106")) == count


def test_a_floor_holds_for_its_scale_and_protocol_only(tmp_path: Path) -> None:
    text = page("Net | - | - | 20.0 | 0.5 | -")
    assert of(look(tmp_path, text, CARD), "SRB106")
    for old, new in (("native_rgb", "paper_y"), ('"photos"', '"div2k_valid"')):
        assert not of(look(tmp_path, text, CARD.replace(old, new)), "SRB106")
    (at_x4,) = of(look(tmp_path, text, CARD.replace("scale = 2", "scale = 4")), "SRB106")
    assert "27.31" in at_x4.message


def models(small: str, large: str) -> str:
    return page(f"Net2_x2 | {small}", f"Net_x2 | {large}")


@pytest.mark.parametrize(
    ("small", "large", "count"),
    [
        ("5.0 | 0.1 | 32.9 | - | -", "9.0 | 0.4 | 32.7 | - | 3x8x8", 1),
        ("5.0 | 0.1 | 32.70 | - | -", "9.0 | 0.4 | 32.66 | - | -", 0),  # within chance
        ("5.0 | 0.5 | 32.9 | - | -", "9.0 | 0.4 | 32.7 | - | -", 0),  # neither is smaller
        ("9.0 | 0.4 | 32.9 | - | -", "9.0 | 0.4 | 32.7 | - | -", 0),
        ("- | - | 32.9 | - | -", "9.0 | 0.4 | 32.7 | - | -", 0),
        ("5.0 | 0.1 | 32.9 | - | 3x4x4", "9.0 | 0.4 | 32.7 | - | 3x8x8", 0),
    ],
)
def test_a_smaller_model_above_a_larger_one_is_found(
    tmp_path: Path, small: str, large: str, count: int
) -> None:
    assert len(of(look(tmp_path, models(small, large)), "SRB107")) == count


def test_of_several_larger_models_the_lowest_is_named_and_the_others_are_counted(
    tmp_path: Path,
) -> None:
    rows = [f"Net{n}_x2 | {n}.0 | 0.{n}0 | {33 - n / 10:.2f} | - | -" for n in range(1, 6)]
    rows.insert(2, "Net9_x2 | 0.5 | 0.9 | 20.0 | - | -")  # neither larger nor smaller
    findings = of(look(tmp_path, page(*rows)), "SRB107")
    assert [finding.row for finding in findings] == [f"Net{n}_x2" for n in range(1, 5)]
    assert "is 0.40 dB above Net5_x2" in findings[0].message
    assert findings[0].message.endswith("above 3 other larger models")
    assert findings[3].message.endswith("0.40 M against 0.50 M Params, 4.0 G against 5.0 G Flops")


@pytest.mark.parametrize("other", ["Other_x2", "Net_x4", "Net_4x"])
def test_models_of_another_family_or_scale_are_not_compared(tmp_path: Path, other: str) -> None:
    rows = ("Net_x2 | 5.0 | 0.1 | 32.9 | - | -", f"{other} | 9.0 | 0.4 | 32.7 | - | -")
    assert not of(look(tmp_path, page(*rows)), "SRB107")


BUILT = CARD + '\n[model.vacc]\nbuilt_calibration = "kl_divergence"\n'


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("vacc percentile int8", 1),
        ("vacc kl_divergence int8", 0),
        ("vacc fp16", 0),
        ("vacc-emulated percentile int8", 0),
        ("onnxruntime percentile int8", 0),
    ],
)
def test_a_label_that_contradicts_the_build_file_is_found(
    tmp_path: Path, words: str, count: int
) -> None:
    text = page("Net | - | - | 40.0 | - | -", f"Net **{words}** | - | - | 39.0 | - | -")
    assert len(of(look(tmp_path, text, BUILT), "SRB108")) == count
    assert not of(look(tmp_path, text, CARD), "SRB108")


GAP = '\n[[model.known_gap]]\nmetric = "ssim"\nprecision = "fp32"\nreason = "{}"\n'


def test_an_ssim_of_one_image_is_noted(tmp_path: Path) -> None:
    text = page("Net | - | - | 40.0 | 0.99 | -")
    by_protocol = CARD.replace("native_rgb", "realsr_vamp")
    assert "realsr_vamp" in of(look(tmp_path, text, by_protocol), "SRB109")[0].message
    on_y = of(look(tmp_path, text.replace("SSIM", "SSIM-Y"), by_protocol), "SRB109")
    assert "SSIM-Y 0.99" in on_y[0].message
    (gap,) = of(look(tmp_path, text, CARD + GAP.format("SSIM of one image")), "SRB109")
    assert gap.severity is Severity.NOTE
    assert not of(look(tmp_path, text, CARD + GAP.format("weights lost")), "SRB109")
    assert not of(look(tmp_path, text, CARD), "SRB109")
