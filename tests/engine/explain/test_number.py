"""Forensics name the way of scoring by which others, and named protocols, computed a number."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2gray
from skimage.measure import block_reduce
from skimage.metrics import structural_similarity

from sr_bench.cards.protocol_files import load_protocol, protocol_names
from sr_bench.core.codec import decode, encode
from sr_bench.core.forensics import Candidate, Forensics, Scoring
from sr_bench.core.protocol import Colour, EvalProtocol, Resize, SsimWindow
from sr_bench.engine.explain.candidates import score_ways
from sr_bench.engine.explain.chance import WIDE
from sr_bench.engine.explain.number import Asked, explain_number, explain_row, guess_metric
from sr_bench.engine.explain.scored import Scored
from sr_bench.engine.score.protocol import aggregate, score_pair
from sr_bench.errors import MetricError, OptionError
from sr_bench.imaging.colour import y_float, y_rounded
from sr_bench.imaging.files import read_image
from sr_bench.imaging.geometry import crop_border
from sr_bench.imaging.resize import resize

NAMES = ("a", "b", "c")


def photo(seed: int, height: int = 52, width: int = 60) -> np.ndarray:
    """Return smooth colours, for which every choice moves the number."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (7, 8, 3)).astype(np.uint8)
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(int)
    return np.clip(fine + rng.integers(-9, 10, fine.shape), 0, 255).astype(np.uint8)


def degraded(hr: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(-12, 13, hr.shape)
    return np.clip(hr.astype(int) * 0.97 + noise + 3, 0, 255).astype(np.uint8)


HRS = [photo(seed) for seed in range(3)]
SRS = [degraded(hr, 10 + seed) for seed, hr in enumerate(HRS)]
PAIRS = list(zip(NAMES, SRS, HRS, strict=True))
FLOATS = [
    (name, np.minimum(sr, 254) + np.random.default_rng(5).random(sr.shape).astype("f") * 0.9, hr)
    for name, sr, hr in PAIRS[:1]
]


def psnr(sr: np.ndarray, hr: np.ndarray, peak: float = 255.0) -> float:
    return float(10 * np.log10(peak**2 / np.mean((sr.astype(float) - hr) ** 2)))


def first(value: float, metric: str = "psnr", pairs=PAIRS, digits: int = 7, scale=2) -> Candidate:
    answer = explain_number(f"{value:.{digits}f}", metric, pairs, scale=scale)
    assert answer.matches, answer.nearest
    return answer.matches[0]


@pytest.fixture(autouse=True, scope="module")
def _each_pair_is_scored_once() -> Iterator[None]:
    """Keep what depends on the pixels alone: most tests ask about the same three pairs."""
    scored: dict[object, Scored] = {}
    of = Scored.of

    def cached(pairs, metric, scales):
        pairs = list(pairs)
        key = (metric, scales, *((n, sr.tobytes(), hr.tobytes(), sr.shape) for n, sr, hr in pairs))
        if key not in scored:
            scored[key] = of(pairs, metric, scales)
        return scored[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scored, "of", cached)
        yield


@cache  # many protocols score alike
def explained(text: str, metric: str) -> Forensics:
    return explain_number(text, metric, PAIRS, scale=3)


@pytest.mark.parametrize("metric", ["psnr", "ssim"])
@pytest.mark.parametrize("name", protocol_names())
def test_each_named_protocol_is_named_by_its_own_number(name: str, metric: str) -> None:
    rule = load_protocol(name)
    scores = [
        score_pair(sr, hr, rule, 3, (metric,))[metric] for sr, hr in zip(SRS, HRS, strict=True)
    ]
    text = f"{aggregate(scores, rule, metric):.5f}"
    answer = explained(text, metric)
    fitting = [fit for fit in answer.matches if name in fit.protocols and not fit.changes]
    assert [fit.digits for fit in fitting] == ["rounded"]


def mean(score, crop: int = 0) -> float:
    pairs = zip(SRS, HRS, strict=True)
    return float(np.mean([score(crop_border(sr, crop), crop_border(hr, crop)) for sr, hr in pairs]))


def bgr(image: np.ndarray) -> np.ndarray:
    return image[..., ::-1]


def gray(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)


def pooled() -> float:
    errors = [(sr.astype(float) - hr) ** 2 for sr, hr in zip(SRS, HRS, strict=True)]
    return float(10 * np.log10(255**2 / np.mean(errors)))


def of_ycbcr(channels: slice, weights: list[int] | None = None):
    """Return PSNR of PIL's YCbCr: pooled over `channels`, or the weighted mean of one each."""

    def score(x: np.ndarray, y: np.ndarray) -> float:
        sr, hr = (np.asarray(Image.fromarray(i).convert("YCbCr"))[..., channels] for i in (x, y))
        if weights is None:
            return psnr(sr, hr)
        return float(np.average([psnr(sr[..., c], hr[..., c]) for c in range(3)], weights=weights))

    return score


def in_8_bits(square: bool):
    def score(x: np.ndarray, y: np.ndarray) -> float:
        difference = x - y
        error = difference**2 if square else difference.astype(float) ** 2
        return float(10 * np.log10(255**2 / np.mean(error)))

    return score


EACH = [psnr(sr, hr) for sr, hr in zip(SRS, HRS, strict=True)]

NOT_THE_MEDIAN = min(EACH[:2]) if np.median(EACH) != min(EACH[:2]) else max(EACH[:2])

PSNR_CHOICES = {
    "another border": (mean(psnr, 7), {"border": 7}),
    "OpenCV's gray": (mean(lambda x, y: psnr(gray(x), gray(y))), {"colour": "gray"}),
    "one PSNR per channel": (
        mean(lambda x, y: np.mean([psnr(x[..., c], y[..., c]) for c in range(3)])),
        {"psnr_channels": "mean"},
    ),
    "SR as BGR": (mean(lambda x, y: psnr(bgr(x), y)), {"channels": "sr_bgr"}),
    "Y of BGR": (
        mean(lambda x, y: psnr(y_float(bgr(x)), y_float(bgr(y))), 2),
        {"channels": "both_bgr"},
    ),
    "rounded Y of a BGR HR": (
        mean(lambda x, y: psnr(y_rounded(x), y_rounded(bgr(y)).astype(float)), 2),
        {"channels": "hr_bgr"},
    ),
    "peak 219": (mean(lambda x, y: psnr(x, y, 219)), {"peak": 219.0}),
    "peak 1": (mean(psnr) - 20 * np.log10(255), {"peak": 1.0}),
    "peak 255 for 1": (mean(psnr) + 20 * np.log10(255), {"peak": 65025.0}),
    "full-range luma": (
        mean(lambda x, y: psnr(x @ [0.299, 0.587, 0.114], y @ [0.299, 0.587, 0.114])),
        {"colour": "y_full_float"},
    ),
    "scikit-image's gray": (
        mean(lambda x, y: psnr(rgb2gray(x), rgb2gray(y), 1.0)),
        {"colour": "y_bt709"},
    ),
    "the Y of PIL": (mean(of_ycbcr(slice(1))), {"colour": "y_pil"}),
    "PIL's YCbCr": (mean(of_ycbcr(slice(3))), {"colour": "ycbcr_pil"}),
    "6 Y, 1 Cb, 1 Cr": (
        mean(of_ycbcr(slice(3), [6, 1, 1])),
        {"colour": "ycbcr_pil", "psnr_channels": "mean_6_1_1"},
    ),
    "8-bit differences": (mean(in_8_bits(square=False)), {"difference": "uint8"}),
    "an epsilon": (
        mean(lambda x, y: -10 * np.log10(np.mean((x / 255 - y / 255) ** 2) + 1e-8)),
        {"difference": "epsilon"},
    ),
    "8-bit squares": (mean(in_8_bits(square=True)), {"difference": "uint8_square"}),
    "pooled": (pooled(), {"aggregation": "pooled"}),
    "median": (float(np.median(EACH)), {"aggregation": "median"}),
    "last image": (EACH[-1], {"aggregation": "last_image"}),
    "one image": (NOT_THE_MEDIAN, {"aggregation": "image"}),
}


@pytest.mark.parametrize("choice", PSNR_CHOICES)
def test_each_common_choice_is_found_from_the_number_that_others_compute(choice: str) -> None:
    value, chosen = PSNR_CHOICES[choice]
    best = first(value)
    assert {name: getattr(best.scoring, name) for name in best.changes} == chosen
    assert best.value == pytest.approx(value, abs=1e-9)


# Of the range of values, now SR has the larger one and now HR.
UNLIKE = [
    (name, (sr * (0.5, 0.8, 0.6)[i]).astype(np.uint8), (hr * 0.7 + 9).astype(np.uint8))
    for i, (name, sr, hr) in enumerate(PAIRS)
]


WHITES = {
    "hr_max": lambda _sr, hr: float(hr.max()),
    "hr_range": lambda _sr, hr: float(np.ptp(hr)),
    "sr_range": lambda sr, _hr: float(np.ptp(sr)),
    "both_range": lambda sr, hr: float(max(np.ptp(sr), np.ptp(hr))),
}


@pytest.mark.parametrize("peak", WHITES)
@pytest.mark.parametrize("metric", ["psnr", "ssim"])
def test_a_white_level_that_is_taken_from_each_image_is_found(peak: str, metric: str) -> None:
    scored = [(sr, hr, WHITES[peak](sr, hr)) for _, sr, hr in UNLIKE]
    if metric == "ssim":
        value = np.mean([ssim(sr, hr, level=white) for sr, hr, white in scored])
        best = first(float(value), "ssim", pairs=UNLIKE, digits=9)
        assert (best.scoring.peak, best.scoring.window) == (peak, "uniform7")
        return
    value = np.mean([psnr(*each) for each in scored])
    best = first(float(value), pairs=UNLIKE)
    assert (best.scoring.peak, best.changes) == (peak, ("peak",))


def test_errors_of_all_pixels_together_are_told_from_the_mean_of_each_images_error() -> None:
    pairs = [*PAIRS[:2], ("c", SRS[2][:20], HRS[2][:20])]
    errors = [((sr.astype(float) - hr) ** 2).ravel() for _, sr, hr in pairs]
    best = first(float(10 * np.log10(255**2 / np.concatenate(errors).mean())), pairs=pairs)
    assert (best.scoring.aggregation, best.changes) == ("pixels", ("aggregation",))


def test_a_single_image_is_named() -> None:
    assert first(NOT_THE_MEDIAN).scoring.image == NAMES[EACH.index(NOT_THE_MEDIAN)]
    last = explain_number(f"{EACH[2]:.7f}", "psnr", PAIRS, scale=2)
    assert last.matches[0].scoring.aggregation == "last_image"  # what scripts print by mistake
    assert last.fits == 1


def ssim(x: np.ndarray, y: np.ndarray, *, level: float = 255.0, **options: object) -> float:
    return float(
        structural_similarity(
            x.astype(float), y.astype(float), channel_axis=2, data_range=level, **options
        )
    )


GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5}
CHOICES = [
    *(("psnr", {"colour": colour}) for colour in get_args(Colour) if colour != "rgb"),
    ("psnr", {"colour": "ycbcr_pil", "psnr_channels": "mean_6_1_1"}),
    ("psnr", {"psnr_channels": "mean"}),
    ("psnr", {"psnr_aggregation": "pooled"}),
    ("psnr", {"psnr_aggregation": 2}),
    *(("ssim", {"ssim_window": window}) for window in get_args(SsimWindow)[1:]),
]


@pytest.mark.parametrize(("metric", "choices"), CHOICES)
def test_each_choice_of_a_protocol_is_found_from_what_it_gives(metric: str, choices) -> None:
    rule = EvalProtocol("mine", border="scale", **choices)
    pairs = zip(SRS, HRS, strict=True)
    scores = [score_pair(sr, hr, rule, 2, (metric,))[metric] for sr, hr in pairs]
    answer = explain_number(f"{aggregate(scores, rule, metric):.7f}", metric, PAIRS, scale=2)
    found = [way.scoring for way in answer.matches]
    names = {"ssim_window": "window", "psnr_aggregation": "aggregation"}
    expected = {names.get(choice, choice): value for choice, value in choices.items()}
    same = [way for way in found if all(getattr(way, k) == v for k, v in expected.items())]
    # Small images are not made smaller: these windows give what the usual one gives.
    usual = expected.get("window") in ("gaussian_pooled", "gaussian_lowpass")
    assert found
    assert usual or same[0].border == 2


def test_images_that_are_made_smaller_before_ssim_are_found() -> None:
    hr = photo(0, 386, 386)
    sr, same = degraded(hr, 1), {**GAUSSIAN, "use_sample_covariance": False}
    x, y = (block_reduce(image.astype(float), (2, 2, 1), np.mean) for image in (sr, hr))
    best = first(ssim(x, y, **same), "ssim", [("a", sr, hr)])
    assert (best.scoring.window, best.changes) == ("gaussian_pooled", ("window",))


@pytest.mark.parametrize("level", [219.0, 1.0, 65025.0, 510.0])
def test_a_wrong_data_range_of_ssim_is_found(level: float) -> None:
    same = {**GAUSSIAN, "use_sample_covariance": False}
    best = first(mean(lambda x, y: ssim(x, y, level=level, **same)), "ssim", digits=10)
    assert (best.scoring.peak, best.changes) == (level, ("peak",))


@pytest.mark.parametrize("rule", get_args(Resize))
def test_the_rule_that_resized_the_ground_truth_is_found(rule: str) -> None:
    hr = photo(0, 71, 83)
    value = psnr(SRS[0], resize(hr, (52, 60), rule))
    assert first(value, pairs=[("a", SRS[0], hr)]).scoring.resize == rule


def test_a_ground_truth_that_is_cut_is_found_even_where_only_one_image_needs_it() -> None:
    pairs = [PAIRS[0], ("b", SRS[1], np.pad(HRS[1], ((0, 1), (0, 3), (0, 0)), mode="edge"))]
    best = first(np.mean(EACH[:2]), pairs=pairs)
    assert (best.scoring.resize, best.changes) == ("crop", ())
    assert best.protocols[0] == "native_rgb"  # the plainest of those that score alike


@pytest.mark.parametrize(
    ("rounding", "levels"), [("none", lambda x: x), ("round", np.rint), ("truncate", np.floor)]
)
def test_float_outputs_are_scored_rounded_and_truncated(rounding: str, levels) -> None:
    value = np.mean([psnr(levels(sr), hr) for _, sr, hr in FLOATS])
    best = first(value, pairs=FLOATS)
    assert best.scoring.rounding == rounding
    assert best.changes == (() if rounding != "truncate" else ("rounding",))
    assert ("native_rgb" in best.protocols) == (rounding != "none")


def test_a_file_of_8_bits_says_that_it_is_already_rounded() -> None:
    assert "SR has 8 bits" in explain_number("30.1", "psnr", PAIRS).notes[0]
    assert explain_number("30.1", "psnr", FLOATS).notes == ()


def test_digits_that_were_cut_off_are_distinguished_from_rounded_ones() -> None:
    value = mean(psnr)
    cut = np.floor(value * 10_000) / 10_000
    kind = first(cut, digits=4).digits
    assert kind == ("truncated" if value - cut > 0.00005 else "rounded")
    low, high = first(value - 6e-8, digits=7), first(value + 4e-8, digits=7)
    assert {low.digits, high.digits} <= {"rounded", "truncated"}
    assert not explain_number(f"{value + 2e-7:.7f}", "psnr", PAIRS, scale=2).matches


def test_a_number_above_the_value_is_not_its_truncation() -> None:
    value = mean(psnr)
    # So many digits that the value lies in the lower half of the last printed step.
    digits = next(n for n in range(4, 9) if 0.05 < value * 10**n % 1 < 0.45)
    below, above = (np.floor(value * 10**digits) + step for step in (0, 1))
    assert first(below / 10**digits, digits=digits).digits == "rounded"
    answer = explain_number(f"{above / 10**digits:.{digits}f}", "psnr", PAIRS, scale=2)
    assert all(match.changes for match in answer.matches)


def test_the_fewest_changes_come_first_and_ten_at_most_are_shown() -> None:
    answer = explain_number(f"{mean(psnr):.0f}", "psnr", PAIRS, scale=2)
    counts = [len(match.changes) for match in answer.matches]
    assert counts == sorted(counts)
    assert len(answer.matches) == 10 < answer.fits < answer.tried
    values = [match.value for match in answer.matches if match.changes]
    assert len(set(values)) == len(values)


def test_more_digits_and_fewer_changes_leave_less_to_chance() -> None:
    value = mean(psnr)
    few, many = (explain_number(f"{value:.{n}f}", "psnr", PAIRS, scale=2) for n in (1, 5))
    assert few.matches[0].chance > 50 * many.matches[0].chance > 0
    by_changes = {len(match.changes): match.chance for match in few.matches}
    assert sorted(by_changes.values()) == [by_changes[count] for count in sorted(by_changes)]
    assert len(by_changes) > 1


@pytest.mark.parametrize(("metric", "digits"), [("psnr", 2), ("psnr", 3), ("ssim", 4)])
def test_of_numbers_that_nobody_measured_fewer_than_one_in_twenty_is_explained(
    metric: str, digits: int
) -> None:
    near = mean(psnr if metric == "psnr" else lambda x, y: ssim(x, y, **GAUSSIAN))
    shifts = np.random.default_rng(digits).uniform(-WIDE[metric], WIDE[metric], 120)
    answers = [explain_number(f"{near + s:.{digits}f}", metric, PAIRS, scale=2) for s in shifts]
    weights = [answer.matches[0].weight for answer in answers if answer.matches]
    assert weights.count("explained") < 0.05 * len(shifts)
    assert len(weights) > 0.05 * len(shifts)  # something fits more of them


def test_numbers_of_one_row_count_together() -> None:
    on_y = [mean(lambda x, y: psnr(y_float(x), y_float(y)), 3), mean(lambda x, y: pair(x, y), 3)]
    texts = f"{on_y[0]:.2f}", f"{on_y[1]:.4f}"
    alone = [explain_number(text, guess_metric(text), PAIRS, scale=3) for text in texts]
    row = [Asked(text, guess_metric(text), PAIRS, 3) for text in texts]
    both = explain_row(row)
    best = next(way for way in both.matches if way.scoring.colour == "y_float")
    assert best.scoring.border == best.beside[0].scoring.border
    assert 0 < best.chance < 0.2 * min(way.chance for each in alone for way in each.matches)
    assert [(each.metric, each.text) for each in both.beside] == [("ssim", texts[1])]
    assert both.fits < alone[0].fits


def pair(x: np.ndarray, y: np.ndarray) -> float:
    return ssim(y_float(x), y_float(y), **GAUSSIAN, use_sample_covariance=False)


def test_a_border_that_follows_the_scale_is_one_way_for_datasets_of_several_scales() -> None:
    values = [mean(lambda x, y: psnr(y_float(x), y_float(y)), scale) for scale in (2, 3)]
    row = [
        Asked(f"{value:.3f}", "psnr", PAIRS, scale)
        for value, scale in zip(values, (2, 3), strict=True)
    ]
    answer = explain_row(row)
    (best,) = (way for way in answer.matches if way.protocols == ("paper_y",) and not way.changes)
    assert (best.scoring.border, best.beside[0].scoring.border) == (2, 3)
    assert best.weight == "explained"


def test_a_row_that_no_way_gives_is_explained_by_its_first_number_with_a_note() -> None:
    text = f"{mean(psnr):.4f}"
    row = [Asked(text, "psnr", PAIRS, 2), Asked("0.1234", "ssim", PAIRS, 2)]
    answer = explain_row(row)
    assert answer.matches == explain_number(text, "psnr", PAIRS, scale=2).matches
    assert answer.notes[-1] == "no way gives the other numbers of the row too"


def test_where_nothing_fits_the_three_nearest_are_listed() -> None:
    answer = explain_number("99.1234", "psnr", PAIRS, scale=2)
    assert (answer.matches, answer.fits, len(answer.nearest)) == ((), 0, 3)
    assert all(candidate.digits == "" for candidate in answer.nearest)
    off = [abs(candidate.value - 99.1234) for candidate in answer.nearest]
    assert off == sorted(off)
    assert all(len(candidate.changes) <= 1 for candidate in answer.nearest)


def test_without_a_scale_borders_of_2_3_and_4_are_tried_and_named() -> None:
    value = mean(lambda x, y: psnr(y_float(x), y_float(y)), 3)
    assert "paper_y at x3" in first(value, scale=None).protocols
    assert explain_number("30.1", "psnr", PAIRS).scales == (2, 3, 4)
    assert first(value, scale=3).protocols == ("paper_y",)


def test_borders_of_up_to_eight_pixels_beyond_the_scale_are_tried() -> None:
    assert first(mean(psnr, 10)).scoring.border == 10
    assert not explain_number(f"{mean(psnr, 11):.7f}", "psnr", PAIRS, scale=2).matches
    small = SRS[0][:13, :14], HRS[0][:13, :14]
    assert score_ways(*small, "ssim", 9, [])[Scoring()].shape == (1, 3)
    assert score_ways(*small, "psnr", 9, [])[Scoring(window="")].shape == (7, 3)
    answer = explain_number("0.5", "ssim", [("tiny", *small)], scale=2)
    assert all("paper_y" not in fit.protocols for fit in (*answer.matches, *answer.nearest))


def test_a_wrong_channel_order_excludes_other_windows_and_ranges() -> None:
    ways = score_ways(SRS[0], HRS[0], "ssim", 1, [0])
    wrong = [key for key in ways if key.channels != "rgb"]
    assert len(wrong) == 1 + 4 * 3
    assert {(key.window, key.peak) for key in wrong} == {("gaussian", 255.0)}


def test_choices_that_change_nothing_are_shown_once() -> None:
    sr, hr = (np.repeat(image[..., :1], 3, axis=2) for image in (SRS[0], HRS[0]))
    answer = explain_number(f"{psnr(sr, hr):.7f}", "psnr", [("gray", sr, hr)], scale=2)
    assert answer.fits > len(answer.matches) == 1


def test_an_explanation_survives_a_record() -> None:
    for text in ("30.1", "99.1234"):
        answer = explain_number(text, "psnr", PAIRS, scale=2)
        assert decode(Forensics, json.loads(json.dumps(encode(answer)))) == answer


def test_identical_images_have_no_finite_psnr() -> None:
    answer = explain_number("40.1", "psnr", [("a", HRS[0], HRS[0])], scale=2)
    assert answer.tried > 0  # one of them read as BGR is not identical
    gray_pair = np.repeat(HRS[0][..., :1], 3, axis=2)
    none = explain_number("40.1", "psnr", [("a", gray_pair, gray_pair)], scale=2)
    assert (none.tried, none.matches, none.nearest) == (0, (), ())
    assert none.notes[0] == "SR and HR are identical, so PSNR is infinite"


@pytest.mark.parametrize(("text", "metric"), [("1", "ssim"), ("0.96", "ssim"), ("1.01", "psnr")])
def test_a_number_up_to_one_is_taken_for_ssim(text: str, metric: str) -> None:
    assert guess_metric(text) == metric


@pytest.mark.parametrize("text", ["", "-", "30 dB", "nan", "1e9999999", "inf", "3" * 40, "٣٠"])
def test_what_is_not_a_printed_number_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="expected a number as it is printed"):
        explain_number(text, "psnr", PAIRS)


def test_a_pair_that_cannot_be_scored_is_named() -> None:
    tiny = ("thumb", SRS[0][:9, :9], HRS[0][:9, :9])
    with pytest.raises(MetricError, match=r"thumb: expected at least 13x13 pixels .* got 9"):
        explain_number("0.9", "ssim", [*PAIRS, tiny])
    with pytest.raises(MetricError, match="expected at least one image pair"):
        explain_number("0.9", "ssim", [])


@pytest.mark.official
@pytest.mark.parametrize(
    ("text", "protocol"),
    [
        ("38.2742", "paper_y"),
        ("38.27", "paper_y"),
        ("38.1836", "authors_lesrcnn"),
        ("36.0701", "basicsr_rgb"),
        ("36.07", "basicsr_rgb"),
        ("0.9614", "paper_y"),
        ("0.961445", "paper_y"),
        ("0.9450", "basicsr_rgb"),
    ],
)
def test_the_published_numbers_of_rcan_name_their_protocol(
    official_data: Path, text: str, protocol: str
) -> None:
    files = sorted((official_data / "rcan_sr" / "x2").iterdir())
    names = [path.name.removesuffix("_RCAN_x2.png") for path in files]
    truths = [official_data / "set5" / "HR" / "x2" / f"{name}_HR_x2.png" for name in names]
    pairs = zip(names, map(read_image, files), map(read_image, truths), strict=True)
    answer = explain_number(text, guess_metric(text), pairs, scale=2)
    named = [name for match in answer.matches if not match.changes for name in match.protocols]
    assert protocol in named
    assert answer.matches[0].chance < 0.1
