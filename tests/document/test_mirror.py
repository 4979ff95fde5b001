"""A mirrored table is the document's table with other numbers."""

import math

import pytest

from sr_bench.core.claim import Source
from sr_bench.document.claims import read_claims
from sr_bench.document.mirror import format_like, mirror, replace_numbers
from sr_bench.document.tables import parse_document
from sr_bench.errors import DocumentError

_FIRST = "| Model |PSNR|  SSIM |\r\n|:-:|--|-|\r\n| [A](u) |  **30.10** | - |"
_SECOND = "|Models|Params(M)|\n| - | - |\n|超 `x`|1.5|"
_TEXT = f"\ufeff{_FIRST}\r\n\r\nText.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n{_SECOND}\n尾"


def test_with_its_own_numbers_the_mirror_is_the_documents_tables() -> None:
    text = _TEXT.removesuffix("\n尾")
    document = parse_document(text, "x.md")
    own = {claim.source: claim.text for claim in read_claims(document)}
    assert len(own) == 2
    assert mirror(document, own) == mirror(document, {}) == f"{_FIRST}\n\n{_SECOND}"
    assert replace_numbers(document, own) == text


def test_new_numbers_stand_where_the_old_ones_stood() -> None:
    document = parse_document(_TEXT.removesuffix("尾"), "x.md")
    psnr, params = (claim.source for claim in read_claims(document))
    mirrored = mirror(document, {psnr: "29.99", params: "not run"})
    assert mirrored == f"{_FIRST}\n\n{_SECOND}".replace("30.10", "29.99").replace("1.5", "not run")


def test_a_metric_cell_without_a_number_can_be_filled() -> None:
    document = parse_document(_FIRST, "x.md")
    assert mirror(document, {Source("x.md", 3, 25): "0.9"}) == _FIRST.replace("| - |", "| 0.9 |")


def test_a_place_that_holds_no_number_is_refused() -> None:
    document = parse_document(_FIRST, "x.md")
    with pytest.raises(DocumentError, match=r"expected places of numbers in x\.md, got x\.md:3:3"):
        mirror(document, {Source("x.md", 3, 3): "B"})


def test_a_number_with_a_pipe_is_refused() -> None:
    document = parse_document(_FIRST, "x.md")
    with pytest.raises(DocumentError, match="bare pipe"):
        mirror(document, {read_claims(document)[0].source: "1|2"})


@pytest.mark.parametrize(
    ("claim", "value", "rounded", "truncated"),
    [
        ("0.297", 0.297723, "0.298", "0.297"),
        ("0.7740", 0.77404, "0.7740", "0.7740"),
        ("0.063", 63547 / 1e6, "0.064", "0.063"),
        ("0.297", 297000 / 1e6, "0.297", "0.297"),
        ("32.785", 32.78, "32.780", "32.780"),
        ("30", 30.9, "31", "30"),
        ("0.5", -0.04, "0.0", "0.0"),
        ("0.50", -0.125, "-0.12", "-0.12"),
        ("30.1", math.inf, "inf", "inf"),
    ],
)
def test_values_are_printed_like_the_claim(
    claim: str, value: float, rounded: str, truncated: str
) -> None:
    assert format_like(claim, value) == rounded
    assert format_like(claim, value, digits="truncated") == truncated


def test_nan_is_never_printed() -> None:
    with pytest.raises(DocumentError, match=r"print like 32\.1, got NaN"):
        format_like("32.1", math.nan)


def test_a_number_of_hundreds_of_digits_is_cut_off_like_any_other() -> None:
    assert format_like("0." + "0" * 40, 1e300, digits="truncated").startswith("1")
    assert format_like("9" * 400, 12.9, digits="truncated") == "12"
