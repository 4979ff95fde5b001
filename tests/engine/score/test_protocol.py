"""A pair becomes scores exactly as its protocol says."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from sr_bench.cards.protocol_files import load_protocol
from sr_bench.core.network_io import NetworkInput
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.score import protocol
from sr_bench.engine.score.network_io import network_input
from sr_bench.engine.score.protocol import aggregate, prepare_pair, score_pair
from sr_bench.errors import DatasetError, ImageError, MetricError, OptionError
from sr_bench.imaging.files import read_image
from sr_bench.imaging.resize import resize
from sr_bench.metrics import mae
from tests.ends import read

RNG = np.random.default_rng(4)
READS = NetworkInput()
LR = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
HR = RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8)
NATIVE = EvalProtocol("native")
METRICS = ("psnr", "ssim")

# What the authors' MATLAB script gives for the images they published.
RCAN_SET5_X2 = {
    "baby": (38.979958, 0.968184),
    "bird": (43.639850, 0.990903),
    "butterfly": (36.058756, 0.980312),
    "head": (36.075233, 0.892380),
    "woman": (36.617042, 0.975444),
}


def score_rcan(folder: Path, protocol: EvalProtocol) -> dict[str, dict[str, float]]:
    return {
        name: dict(
            score_pair(
                read_image(folder / f"rcan_sr/x2/{name}_RCAN_x2.png"),
                read_image(folder / f"set5/HR/x2/{name}_HR_x2.png"),
                protocol,
                2,
                METRICS,
            )
        )
        for name in RCAN_SET5_X2
    }


@pytest.mark.official
def test_paper_y_has_the_rcan_authors_numbers_per_image(official_data: Path) -> None:
    scores = score_rcan(official_data, load_protocol("paper_y"))
    for name, (psnr_db, ssim) in RCAN_SET5_X2.items():
        assert scores[name]["psnr"] == pytest.approx(psnr_db, abs=1e-6), name
        assert scores[name]["ssim"] == pytest.approx(ssim, abs=1e-6), name


@pytest.mark.official
@pytest.mark.parametrize(
    ("protocol", "metric", "expected", "digits"),
    [
        (load_protocol("paper_y"), "psnr", 38.274168, 6),
        (load_protocol("paper_y"), "ssim", 0.961445, 6),
        (replace(load_protocol("paper_y"), colour="y_rounded"), "psnr", 38.1836, 4),
        (load_protocol("basicsr_rgb"), "psnr", 36.0701, 4),
        (load_protocol("basicsr_rgb"), "ssim", 0.9450, 4),
    ],
)
def test_set5_means_are_the_published_ones(
    official_data: Path, protocol: EvalProtocol, metric: str, expected: float, digits: int
) -> None:
    scores = score_rcan(official_data, protocol).values()
    mean = aggregate([score[metric] for score in scores], protocol, metric)
    assert round(mean, digits) == pytest.approx(expected, abs=10**-digits * 0.6)


def test_images_of_agreeing_sizes_are_used_as_they_are() -> None:
    pair = prepare_pair(LR, HR, NATIVE, 2)
    assert_array_equal(pair.lr, LR)
    assert_array_equal(pair.hr, HR)


def test_a_ground_truth_larger_by_less_than_the_scale_is_cut() -> None:
    pair = prepare_pair(LR[:13, :9], HR[:41, :29], NATIVE, 3)
    assert_array_equal(pair.hr, HR[:39, :27])


@pytest.mark.parametrize("hr", [HR[:39], HR[:, :59], np.zeros((42, 60, 3), np.uint8)])
def test_sizes_that_do_not_agree_are_refused_with_both(hr: np.ndarray) -> None:
    message = rf"0801: LR 20x30 at x2 makes 40x60, but HR is {hr.shape[0]}x{hr.shape[1]}"
    with pytest.raises(DatasetError, match=message):
        prepare_pair(LR, hr, NATIVE, 2, where="0801")


def test_a_fixed_shape_squashes_both_sides_by_the_named_rules() -> None:
    protocol = EvalProtocol("p", lr_resize="cv2_linear", input_shape=(16, 12), gt_resize="cv2_area")
    pair = prepare_pair(LR, HR, protocol, 4)
    assert_array_equal(pair.lr, resize(LR, (16, 12), "cv2_linear"))
    assert_array_equal(pair.hr, resize(HR, (64, 48), "cv2_area"))


@pytest.mark.parametrize("luma", ["y_full", "y_pil"])
def test_luma_may_be_taken_before_the_resize_and_is_then_in_all_channels(luma) -> None:
    rule = EvalProtocol("p", "files", "cv2_linear", (16, 12), "cv2_area", resized=luma)
    pair = prepare_pair(LR, HR, rule, 4)
    for given, image, size, resizing in (
        (pair.lr, LR, (12, 16), cv2.INTER_LINEAR),
        (pair.hr, HR, (48, 64), cv2.INTER_AREA),
    ):
        converted = {
            "y_full": cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb),
            "y_pil": np.asarray(Image.fromarray(image).convert("YCbCr")),
        }
        expected = cv2.resize(converted[luma][..., 0], size, interpolation=resizing)
        for channel in range(3):
            assert_array_equal(given[..., channel], expected)
        reads = network_input(given, rule, NetworkInput(colour="y_full"), 4)
        assert_array_equal(reads[0, 0], expected.astype(np.float32) / np.float32(255))


def test_lr_made_from_hr_is_its_scaleth_part_after_modcrop() -> None:
    protocol = EvalProtocol("p", lr_from="hr", lr_resize="matlab_bicubic")
    pair = prepare_pair(None, HR[:, :59], protocol, 2)
    assert_array_equal(pair.lr, resize(HR[:, :58], (20, 29), "matlab_bicubic"))
    assert_array_equal(pair.hr, HR[:, :58])


def test_realsr_makes_both_sides_from_hr() -> None:
    pair = prepare_pair(LR, HR, load_protocol("realsr_seed"), 4)
    assert_array_equal(pair.lr, resize(HR, (128, 128), "cv2_area"))
    assert_array_equal(pair.hr, resize(HR, (512, 512), "cv2_area"))


def test_deblurring_compares_at_one_size() -> None:
    pair = prepare_pair(HR, HR, load_protocol("edsr_x1_seed"), 1)
    assert_array_equal(pair.lr, pair.hr)
    with pytest.raises(DatasetError, match="at x1 makes 40x60, but HR is 39x60"):
        prepare_pair(HR, HR[1:], load_protocol("edsr_x1_seed"), 1)


def test_an_absent_lr_is_refused_by_name() -> None:
    with pytest.raises(DatasetError, match="0801: no LR image, and protocol 'native'"):
        prepare_pair(None, HR, NATIVE, 2, where="0801")


def test_hr_smaller_than_the_scale_is_refused() -> None:
    protocol = EvalProtocol("p", lr_from="hr", lr_resize="cv2_area")
    with pytest.raises(ImageError, match="can't cut a 3x60 image"):
        prepare_pair(None, HR[:3], protocol, 4)


@pytest.mark.parametrize(
    ("protocol", "white"),
    [(NATIVE, 1.0), (EvalProtocol("p", input_range=255.0), 255.0)],
)
def test_the_protocols_input_range_comes_before_the_cards(protocol, white: float) -> None:
    tensor = network_input(LR, protocol, READS, 2)
    assert tensor.dtype == np.float32
    np.testing.assert_allclose(tensor[0].transpose(1, 2, 0), LR * (white / 255), rtol=1e-6)


def test_bgr_networks_are_fed_and_read_in_their_order() -> None:
    protocol = EvalProtocol("p", channel_order="bgr")
    tensor = network_input(LR, protocol, READS, 2)
    assert_array_equal(tensor, network_input(LR[..., ::-1], NATIVE, READS, 2))
    assert_array_equal(read(tensor, protocol, 1.0), LR)


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [("round", [0, 0, 2, 2, 255]), ("truncate", [0, 0, 1, 2, 255])],
)
def test_the_output_becomes_8_bit_levels(rounding, expected: list[int]) -> None:
    output = np.array([-3.0, 0.5, 1.5, 2.4, 300.0], np.float32).reshape(1, 1, 1, 5)
    levels = read(output.repeat(3, axis=1), EvalProtocol("p", rounding=rounding), 255.0)
    assert levels.dtype == np.uint8
    assert levels[0, :, 1].tolist() == expected


@pytest.mark.parametrize(("clip", "expected"), [(True, [0.0, 0.5, 255.0]), (False, [-3, 0.5, 300])])
def test_an_unrounded_output_stays_float_and_is_clipped_if_asked(clip, expected) -> None:
    output = np.array([-3.0, 0.5, 300.0], np.float32).reshape(1, 1, 1, 3).repeat(3, axis=1)
    levels = read(output, EvalProtocol("p", rounding="none", clip=clip), 255.0)
    assert levels.dtype == np.float32
    assert levels[0, :, 2].tolist() == expected


@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("rounding", ["round", "truncate", "none"])
def test_the_output_itself_is_left_as_it_is(rounding, order) -> None:
    output = RNG.uniform(-50, 300, (1, 3, 4, 5)).astype(np.float32)
    before = output.copy()
    read(output, EvalProtocol("p", rounding=rounding, channel_order=order), 255.0)
    assert_array_equal(output, before)


def test_the_protocols_output_range_comes_before_the_cards() -> None:
    white = np.ones((1, 3, 2, 2), np.float32)
    assert read(white, NATIVE, 1.0).min() == 255
    assert read(white, EvalProtocol("p", output_range=255.0), 1.0).max() == 1


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (np.full((1, 3, 2, 2), np.nan), "12 of 12 output values are NaN"),
        (np.full((1, 3, 2, 2), np.inf), "12 of 12 output values are NaN or inf"),
        (np.zeros((1, 1, 2, 2)), "expected an output with 3 channels, got 1"),
        (np.zeros((2, 3, 2, 2)), "expected an output of shape 1xCxHxW"),
    ],
)
def test_an_unusable_output_is_refused(output: np.ndarray, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read(output.astype(np.float32), NATIVE, 1.0)


def test_the_border_is_cropped_before_scoring() -> None:
    sr = HR.copy()
    sr[:2], sr[-2:], sr[:, :2], sr[:, -2:] = 0, 0, 0, 0
    assert score_pair(sr, HR, EvalProtocol("p", border="scale"), 2, METRICS) == {
        "psnr": math.inf,
        "ssim": 1.0,
    }
    assert score_pair(sr, HR, EvalProtocol("p", border=1), 2, ("psnr",))["psnr"] < 30


def test_rgb_scores_are_scikit_images() -> None:
    noisy = cv2.add(HR, 3)
    score = score_pair(noisy, HR, NATIVE, 2, ("psnr",))["psnr"]
    assert score == pytest.approx(peak_signal_noise_ratio(HR, noisy), abs=1e-9)


def test_edsr_luma_is_the_weighted_difference() -> None:
    sr = HR.astype(np.float64) + RNG.normal(0, 2, HR.shape)
    score = score_pair(sr, HR, EvalProtocol("p", colour="y_edsr"), 2, ("psnr",))["psnr"]
    difference = (sr - HR) @ np.array([65.738, 129.057, 25.064]) / 256
    assert score == pytest.approx(-10 * math.log10((difference**2).mean() / 255**2), abs=1e-9)


@pytest.mark.parametrize("colour", ["rgb", "y_float", "y_rounded", "y_edsr"])
def test_identical_images_score_infinity_and_one(colour) -> None:
    scores = score_pair(HR, HR.copy(), EvalProtocol("p", colour=colour), 2, METRICS)
    assert scores == {"psnr": math.inf, "ssim": 1.0}


@pytest.mark.parametrize(
    ("sr", "border", "error", "message"),
    [
        (HR[:39], "none", MetricError, "one size, got 39x60 and 40x60 .*scale .x2.*'p'"),
        (HR, 20, ImageError, "border of 20 px from a 40x60 image"),
        (HR, 15, MetricError, "at least 11x11 pixels, got 10x30"),
    ],
)
def test_a_pair_that_cannot_be_scored_is_refused(sr, border, error, message) -> None:
    with pytest.raises(error, match=message):
        score_pair(sr, HR, EvalProtocol("p", border=border), 2, METRICS)


def test_an_unknown_metric_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(OptionError, match=r"'beauty' in metrics; .* psnr, psnr_rgb, psnr_y, ssim"):
        score_pair(HR, HR, NATIVE, 2, ("beauty",))


def test_the_mean_is_over_images() -> None:
    assert aggregate([0.1] * 10, NATIVE, "ssim") == 0.1
    assert aggregate([30.0, math.inf], NATIVE, "psnr") == math.inf


def test_last_image_takes_the_last_ssim_and_the_mean_psnr() -> None:
    protocol = load_protocol("realsr_vamp")
    assert aggregate([0.5, 0.6, 0.9], protocol, "ssim") == 0.9
    assert aggregate([0.5, 0.6, 0.9], protocol, "ssim_y") == 0.9
    assert aggregate([20.0, 22.0], protocol, "psnr") == 21.0


def test_pooled_psnr_is_that_of_the_mean_error_of_all_images_or_of_each_batch() -> None:
    errors = [4.0, 9.0, 25.0]
    each = [psnr_of(error) for error in errors]
    pooled, pairs = (EvalProtocol("p", psnr_aggregation=choice) for choice in ("pooled", 2))
    for metric in ("psnr", "psnr_y"):
        assert aggregate(each, pooled, metric) == pytest.approx(psnr_of(38 / 3), abs=1e-12)
        batches = (psnr_of(6.5) + psnr_of(25.0)) / 2
        assert aggregate(each, pairs, metric) == pytest.approx(batches, abs=1e-12)
    assert aggregate([0.5, 0.9], pooled, "ssim") == pytest.approx(0.7)
    assert aggregate([math.inf, psnr_of(8.0)], pooled, "psnr") == pytest.approx(psnr_of(4.0))
    assert aggregate([math.inf] * 2, pooled, "psnr") == math.inf


def psnr_of(error: float) -> float:
    return 10 * math.log10(255**2 / error)


@pytest.mark.parametrize(
    ("choice", "weights"), [("mean", (1, 1, 1)), ("mean_6_1_1", (6, 1, 1)), ("together", None)]
)
def test_channels_may_have_a_psnr_each(choice: str, weights) -> None:
    sr = np.clip(HR + np.array([3, -7, 11]), 0, 255).astype(np.uint8)
    errors = ((sr.astype(float) - HR) ** 2).mean(axis=(0, 1))
    expected = psnr_of(errors.mean())
    if weights:
        expected = np.average([psnr_of(error) for error in errors], weights=weights)
    rule = EvalProtocol("p", psnr_channels=choice)
    scores = score_pair(sr, HR, rule, 2, ("psnr", "psnr_rgb"))
    assert scores == {"psnr": pytest.approx(expected), "psnr_rgb": pytest.approx(expected)}
    on_y = score_pair(sr, HR, replace(rule, colour="y_float"), 2, ("psnr",))
    assert on_y == score_pair(sr, HR, EvalProtocol("p", colour="y_float"), 2, ("psnr",))


def test_the_middle_part_is_compared_and_the_border_is_cut_from_it() -> None:
    sr, size = HR[::-1].copy(), (HR.shape[0] - 3, HR.shape[1] - 4)
    rule = EvalProtocol("p", centre_crop=size, border=1)
    part = (slice(2, 2 + size[0] - 2), slice(3, 3 + size[1] - 2))
    expected = score_pair(sr[part], HR[part], EvalProtocol("p"), 2, ("psnr",))
    assert score_pair(sr, HR, rule, 2, ("psnr",)) == expected
    too_large = replace(rule, centre_crop=(HR.shape[0] + 1, 4))
    with pytest.raises(ImageError, match="can't cut the middle"):
        score_pair(sr, HR, too_large, 2, ("psnr",))


@pytest.mark.parametrize("values", [[], [30.0, math.nan]])
def test_nothing_and_nan_have_no_aggregate(values: list[float]) -> None:
    with pytest.raises(MetricError, match="at least one psnr value and no NaN"):
        aggregate(values, NATIVE, "psnr")


@pytest.mark.parametrize("colour", ["rgb", "y_float", "y_rounded", "y_edsr"])
def test_a_metric_on_y_takes_the_protocols_y_or_else_that_of_papers(colour) -> None:
    sr = HR[::-1].copy()
    rule = EvalProtocol("p", colour=colour, border=1)
    on_y = replace(rule, colour="y_float") if colour == "rgb" else rule
    scores = score_pair(sr, HR, rule, 2, ("psnr_y", "ssim_y"))
    expected = score_pair(sr, HR, on_y, 2, METRICS)
    assert (scores["psnr_y"], scores["ssim_y"]) == (expected["psnr"], expected["ssim"])


def metric(monkeypatch: pytest.MonkeyPatch, score, **declared: object) -> None:
    """Have `score` in the place of MAE."""
    module = SimpleNamespace(score=score)
    info = replace(mae.INFO, **declared)
    monkeypatch.setattr(protocol, "metric_info", lambda name: info)
    monkeypatch.setattr(protocol.discovery, "load", lambda package, name: module)


@pytest.mark.parametrize(("follows", "value"), [(True, 0.9), (False, 0.7)])
def test_a_metric_that_declares_it_follows_the_ssim_aggregation(
    monkeypatch: pytest.MonkeyPatch, follows: bool, value: float
) -> None:
    metric(monkeypatch, mae.score, follows_ssim_aggregation=follows)
    assert aggregate([0.5, 0.9], load_protocol("realsr_vamp"), "mae") == pytest.approx(value)


def test_a_metric_on_rgb_gets_rgb_by_any_protocol_and_no_reference_that_it_does_not_need(
    monkeypatch,
) -> None:
    inputs = []
    declared = {"pixels": "rgb", "needs_reference": False}
    metric(monkeypatch, lambda *pair, **_: inputs.append(pair) or 1.0, **declared)
    rule = EvalProtocol("p", colour="y_float", border=2)
    assert score_pair(HR, HR, rule, 2, ("mae",)) == {"mae": 1.0}
    ((sr, hr),) = inputs
    assert np.array_equal(sr, HR[2:-2, 2:-2])
    assert hr is None


@pytest.mark.parametrize("value", [float("nan"), -0.1, 101.0])
def test_a_value_that_a_metric_cannot_have_is_refused(monkeypatch, value: float) -> None:
    metric(monkeypatch, lambda *_, **__: value, lowest=0.0, highest=100.0)
    with pytest.raises(MetricError, match="mae: expected a value from 0 to 100, got"):
        score_pair(HR, HR, NATIVE, 2, ("mae",))
