"""What a network reads is made of LR, and what it gives read, as its card says."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sr_bench.core.network_io import NetworkInput, NetworkOutput
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.score.network_io import LumaOutput, network_input, read_output
from sr_bench.engine.score.protocol import score_pair
from sr_bench.imaging.colour import COLOURS, y_float, y_rounded
from sr_bench.imaging.resize import resize, resize_floats

RNG = np.random.default_rng(8)
LR = RNG.integers(0, 256, (9, 11, 3), dtype=np.uint8)
EXACT = EvalProtocol("p", rounding="none", clip=False)
LUMAS = {name: COLOURS[name] for name in ("y_float", "y_rounded", "y_full")}


def fed(protocol: EvalProtocol = EXACT, **declared: object) -> np.ndarray:
    return network_input(LR, protocol, NetworkInput(**declared), 3)


def test_minus_one_to_one_stands_for_black_to_white() -> None:
    planes = fed(range=(-1.0, 1.0))
    assert_allclose(planes[0].transpose(1, 2, 0), LR / 127.5 - 1, atol=1e-6)
    back = read_output(planes, LR, EXACT, NetworkOutput(range=(-1.0, 1.0)))
    assert_allclose(back, LR, atol=1e-4)


def test_mean_and_deviation_are_of_each_channel_and_come_off_the_output_again() -> None:
    moments = {"mean": (0.1, 0.2, 0.3), "std": (0.5, 1.0, 2.0)}
    planes = fed(**moments)
    assert_allclose(planes[0, 2], (LR[..., 2] / 255 - 0.3) / 2, atol=1e-6)
    assert_allclose(read_output(planes, LR, EXACT, NetworkOutput(**moments)), LR, atol=1e-4)


def test_a_bgr_network_gets_blue_first_and_a_script_can_mix_that_up() -> None:
    swapped = replace(EXACT, channel_order="bgr")
    assert_array_equal(fed(colour="bgr"), fed()[:, ::-1])
    assert_array_equal(fed(swapped, colour="bgr"), fed())
    assert_allclose(read_output(fed(colour="bgr"), LR, EXACT, NetworkOutput("bgr")), LR, atol=1e-4)


@pytest.mark.parametrize("colour", LUMAS)
def test_a_luma_network_gets_the_luma_that_it_names(colour: str) -> None:
    planes = fed(colour=colour, range=(0.0, 255.0))
    assert planes.shape == (1, 1, 9, 11)
    assert_allclose(planes[0, 0], LUMAS[colour](LR)[..., 0], rtol=1e-6)


@pytest.mark.parametrize("colour", LUMAS)
@pytest.mark.parametrize("compared", COLOURS)
def test_a_luma_network_that_is_perfect_scores_so_in_any_colour(colour, compared: str) -> None:
    # Smooth, so that enlarged chroma is that of HR.
    hr = np.broadcast_to(np.linspace(40, 200, 44)[:, None, None], (44, 36, 3)).astype(np.uint8)
    rule = EvalProtocol("p", colour=compared)
    output = LUMAS[colour](hr).astype(np.float32).transpose(2, 0, 1)[None] / np.float32(255)
    sr = read_output(output, resize(hr, (22, 18), "matlab_bicubic"), rule, NetworkOutput(colour))
    assert isinstance(sr, LumaOutput)
    assert score_pair(sr, hr, rule, 2, ("psnr",))["psnr"] > 50


def test_luma_is_compared_as_the_network_gave_it_not_as_it_is_after_a_turn_through_rgb() -> None:
    hr = RNG.integers(0, 256, (18, 22, 3), dtype=np.uint8)
    rule = EvalProtocol("p", colour="y_rounded")
    sr = read_output(
        y_rounded(hr).astype(np.float32).transpose(2, 0, 1)[None],
        LR,
        rule,
        NetworkOutput("y_float", (0.0, 255.0)),
    )
    assert score_pair(sr, hr, rule, 2, ("psnr",))["psnr"] == np.inf


def test_luma_of_full_range_is_clipped_at_its_own_black_and_white() -> None:
    rule = EvalProtocol("p", rounding="none", colour="y_float")
    output = np.array([[[[-0.04, 1.04]]]], np.float32)
    sr = read_output(output, LR[:1, :2], rule, NetworkOutput("y_full"))
    assert isinstance(sr, LumaOutput)
    assert_allclose(sr.in_colour("y_float").ravel(), [16, 235])


@pytest.mark.parametrize("rule", ["matlab_bicubic", "cv2_cubic", "pil_bicubic", "cv2_linear"])
def test_a_network_at_hr_size_gets_lr_enlarged_by_its_rule(rule: str) -> None:
    rgb = fed(enlarged=rule, range=(0.0, 255.0))
    assert_array_equal(rgb[0].transpose(1, 2, 0), resize(LR, (27, 33), rule))
    whole = fed(enlarged=rule, range=(0.0, 255.0), colour="y_rounded")
    luma = np.repeat(y_rounded(LR), 3, axis=2)
    assert_array_equal(whole[0, 0], resize(luma, (27, 33), rule)[..., 0])
    exact = fed(enlarged=rule, range=(0.0, 255.0), colour="y_float")
    assert_allclose(exact[0, 0], resize_floats(y_float(LR), (27, 33), rule)[..., 0], rtol=1e-6)
    assert np.abs(exact - whole).max() < 2


@pytest.mark.parametrize("rule", ["matlab_bicubic", "cv2_cubic", "pil_bicubic", "cv2_linear"])
def test_floats_are_resized_as_levels_are_but_for_rounding(rule: str) -> None:
    smooth = np.linspace(60, 190, 9 * 11 * 3).reshape(9, 11, 3).round().astype(np.uint8)
    exact = resize_floats(smooth.astype(np.float64), (23, 31), rule)
    assert (
        np.abs(exact - resize(smooth, (23, 31), rule)).max() <= 1.6
    )  # MATLAB rounds in between too
    assert np.abs(exact - np.rint(exact)).max() > 0.1
