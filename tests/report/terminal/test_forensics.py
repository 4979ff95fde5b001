"""Forensics are shown in full for people who ask, and in a few lines where a claim fails."""

from dataclasses import replace

import pytest

from sr_bench.core.forensics import Beside, Candidate, Companion, Forensics, Scoring
from sr_bench.report.terminal.forensics import forensics_lines, forensics_summary

MATCH = Candidate(Scoring(border=2), 30.10412, ("paper_y",), (), "rounded", 0.0213)
OTHER = Candidate(
    Scoring(colour="gray", channels="sr_bgr"),
    30.1099,
    ("native_rgb", "b", "c", "d", "e"),
    ("colour", "channels"),
    "truncated",
    0.4,
)
FITS = Forensics("psnr", "30.10", 5, (2,), 2123, 7, (MATCH, OTHER), notes=("files have 8 bits",))
NONE = replace(FITS, fits=0, matches=(), nearest=(replace(MATCH, value=30.2, digits=""),))


def test_every_way_is_shown_with_its_value_digits_and_chance() -> None:
    lines = forensics_lines(FITS)
    assert lines[0] == "explained: 7 of 2,123 ways of scoring 5 images give PSNR 30.10 dB"
    assert [line.split(maxsplit=3) for line in lines[4:6]] == [
        ["30.1041", "rounded", "0.021", "paper_y"],
        [
            "30.1099",
            "truncated",
            "0.400",
            "native_rgb, b, c and 2 more, but on OpenCV's gray, SR read as BGR",
        ],
    ]
    assert lines[6] == "and 5 less likely, or of the same value as one above"
    assert lines[-1] == "note: files have 8 bits"


def test_scales_that_were_guessed_are_listed() -> None:
    assert "x2, x3, x4" in forensics_lines(replace(FITS, scales=(2, 3, 4)))[-1]


TELLING = (
    "what would tell: SSIM of the same row, more digits, or the images that its authors scored"
)


def test_where_nothing_fits_the_nearest_are_shown_with_how_far_they_miss() -> None:
    assert forensics_lines(NONE)[:2] == [
        "not explained: none of 2,123 ways of scoring 5 images gives PSNR 30.10 dB; the nearest:",
        "  paper_y: 30.2000 dB (+0.1000)",
    ]
    assert forensics_lines(replace(NONE, nearest=(), images=1))[0].endswith(
        "ways of scoring 1 image gives PSNR 30.10 dB"
    )


def test_a_failure_says_what_explains_it_or_that_it_could_be_chance() -> None:
    assert forensics_summary(FITS) == [
        "forensics  explained by",
        "           paper_y: 30.1041 dB rounded, by chance 0.021",
    ]
    assert forensics_summary(replace(FITS, matches=(OTHER,))) == [
        "forensics  could be chance: 7 of 2,123 ways of scoring the images, as",
        "           native_rgb, b, c and 2 more, but on OpenCV's gray, SR read as BGR:"
        " 30.1099 dB truncated, by chance 0.400",
        f"           {TELLING}",
    ]
    assert len(forensics_summary(replace(FITS, matches=(MATCH,) * 10))) == 4
    assert forensics_summary(NONE) == [
        "forensics  not explained: none of 2,123 ways of scoring the images gives the claim;"
        " the nearest:",
        "           paper_y: 30.2000 dB (+0.1000)",
    ]


@pytest.mark.parametrize("chance", [0.501, 0.9])
def test_what_any_number_would_have_is_not_shown(chance: float) -> None:
    lucky = replace(FITS, matches=(replace(OTHER, chance=chance),))
    shown = (forensics_lines(lucky), forensics_summary(lucky))
    assert [each[-1].strip() for each in shown] == [TELLING, TELLING]
    for line in (each[0] for each in shown):
        assert "not explained: 7 of 2,123 ways" in line
        assert line.endswith("as some as simple would give any number nearby")
    text = "\n".join([*forensics_lines(lucky), *forensics_summary(lucky)])
    assert "gray" not in text
    assert "explained by" not in text


@pytest.mark.parametrize(("chance", "weight"), [(0.15, "could be chance"), (0.563, "chance")])
def test_chances_that_were_once_called_explanations_are_none(chance: float, weight: str) -> None:
    assert replace(MATCH, chance=chance).weight == weight


def test_a_way_that_explains_is_shown_as_the_table_of_a_card() -> None:
    scoring = Scoring(colour="y_full", border=7, window="uniform7")
    way = replace(MATCH, scoring=scoring, changes=("colour", "border", "window"))
    line = next(each for each in forensics_lines(replace(FITS, matches=(way,))) if "card" in each)
    assert line == (
        'as a card\'s protocol: base = "paper_y", colour = "y_full", border = 7,'
        ' ssim_window = "uniform7"'
    )
    wrong = replace(way, changes=("channels",))  # no protocol makes mistakes
    assert not any("card" in each for each in forensics_lines(replace(FITS, matches=(wrong,))))


def test_numbers_of_the_same_row_are_shown_beside() -> None:
    other = Companion(Scoring(border=2, window="uniform7"), 0.90121, ("window",))
    way = replace(MATCH, beside=(other,))
    lines = forensics_lines(replace(FITS, matches=(way,), beside=(Beside("ssim", "0.901"),)))
    assert lines[0].endswith("give PSNR 30.10 dB beside SSIM 0.901")
    assert lines[4].startswith("30.1041, 0.90121  rounded")
    assert lines[4].endswith(
        "paper_y; SSIM uniform 7x7 window, sample covariance (scikit-image's default)"
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("border", 0, "no border"),
        ("border", 4, "border 4 px"),
        ("colour", "y_rounded", "on Y rounded to 8 bits"),
        ("colour", "rgb", "in RGB"),
        ("channels", "both_bgr", "both read as BGR"),
        ("rounding", "truncate", "output truncated"),
        ("peak", 219.0, "peak 219 (235 - 16)"),
        ("peak", 65025.0, "white level 255 for images of 0 to 1"),
        ("window", "gaussian_zero", "Gaussian window over zeros at the edges"),
        ("aggregation", "pooled", "PSNR of the mean squared error of all images"),
        ("resize", "cv2_area", "HR resized by cv2_area"),
        ("resize", "crop", "cut to the common size"),
    ],
)
def test_each_choice_is_described_in_words(field: str, value: object, words: str) -> None:
    fit = Candidate(Scoring(**{field: value}), 30.1, ("paper_y",), (field,), "rounded")
    assert forensics_lines(replace(FITS, matches=(fit,)))[4].endswith(f"paper_y, but {words}")


def test_names_of_files_cannot_steer_the_terminal() -> None:
    fit = Candidate(
        Scoring(aggregation="image", image="a\x1b[2J\nb\u202e"), 30.1, ("p",), ("aggregation",)
    )
    (line,) = (line for line in forensics_lines(replace(FITS, matches=(fit,))) if "a\\x1b" in line)
    assert line.endswith(r"of the image a\x1b[2J\nb\u202e only")
    assert "\x1b" not in "\n".join(forensics_summary(replace(FITS, matches=(fit,))))
