"""PSNR and SSIM of a batch in torch are those of the CPU's metrics, to 1e-6, or are not given."""

import math
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

from sr_bench.backends.torch.metrics import can_compare, compare, read_scores
from sr_bench.cards.protocol_files import load_protocol
from sr_bench.core.backend import BatchScoring
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.score.protocol import score_pair
from sr_bench.imaging.layout import to_nchw
from sr_bench.imaging.resize import resize
from tests.ends import read

SHIPPED = sorted(path.stem for path in Path("sr_bench/cards/protocols").glob("*.toml"))
METRICS = ("psnr", "ssim")
SIZE = (46, 58)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """Compute as sessions do."""
    torch.set_num_threads(1)


def photos(size: tuple[int, int]) -> list[np.ndarray]:
    sources = (data.astronaut(), data.chelsea(), data.coffee())
    return [resize(np.ascontiguousarray(source), size, "cv2_area") for source in sources]


@cache
def hard_pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return outputs on the 0-255 scale and what they are compared with."""
    rng = np.random.default_rng(0)
    flat = np.full((*SIZE, 3), 255, np.uint8)
    checks = (np.indices(SIZE).sum(0)[..., None].repeat(3, 2) % 2 * 255).astype(np.uint8)
    noise = rng.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    pairs = [
        (photo + rng.normal(0, spread, photo.shape), photo)
        for photo, spread in product(photos(SIZE), (0.4, 6.0))
    ]
    pairs += [(hr.astype(float), hr) for hr in (noise, flat)]  # identical
    pairs += [(254.5 + 0 * flat, flat), (0.0 * flat, flat), (255.0 - checks, checks)]
    pairs += [(noise * 3.0 - 255, noise), (checks + 1e-3, checks), (flat * 35.0, flat)]
    halves = np.floor(rng.random((*SIZE, 3)) * 255) + 0.5
    pairs += [(halves, noise), (halves, checks)]
    return [(sr.astype(np.float32), hr) for sr, hr in pairs]


def scored(
    outputs: np.ndarray, hrs: np.ndarray, how: BatchScoring
) -> list[dict[str, float] | None]:
    rows = compare(torch.from_numpy(outputs), torch.from_numpy(hrs), how)
    return [read_scores(row, how.metrics) for row in rows.tolist()]


def check(pairs: list[tuple[np.ndarray, np.ndarray]], rule: EvalProtocol, white: float) -> None:
    how = BatchScoring(rule, white, 2, METRICS)
    level = rule.output_range or white
    order = slice(None) if rule.channel_order == "rgb" else slice(None, None, -1)
    outputs = np.stack([sr[..., order].transpose(2, 0, 1) for sr, _ in pairs])
    outputs = np.ascontiguousarray(outputs * np.float32(level / 255.0))
    hrs = np.stack([hr for _, hr in pairs])
    assert can_compare(outputs.shape, hrs.shape, how)
    for index, scores in enumerate(scored(outputs, hrs, how)):
        sr = read(outputs[index : index + 1], rule, white)
        expected = score_pair(sr, hrs[index], rule, 2, METRICS)
        assert scores is not None
        assert scores == pytest.approx(expected, abs=1e-6, rel=0)


@pytest.mark.parametrize("name", SHIPPED)
def test_scores_are_those_of_the_cpu_by_each_shipped_protocol(name: str) -> None:
    check(hard_pairs(), load_protocol(name), 255.0)


@pytest.mark.parametrize(
    "rule",
    [
        EvalProtocol("p", colour=colour, rounding=rounding, border=border, clip=clip, **more)
        for colour in ("rgb", "y_float", "y_rounded", "y_edsr")
        for rounding in ("round", "truncate", "none")
        for border, clip, more in (
            (0, True, {}),
            ("scale+6", False, {"channel_order": "bgr"}),
            (17, True, {"output_range": 2.5}),
        )
        if (colour, rounding) != ("y_rounded", "none")
    ],
    ids=lambda rule: f"{rule.colour}-{rule.rounding}-{rule.border}",
)
def test_scores_are_those_of_the_cpu_by_any_choice(rule: EvalProtocol) -> None:
    check(hard_pairs(), rule, 1.0)


def test_large_images_are_worked_on_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sr_bench.backends.torch.metrics._CHUNK_PIXELS", 46 * 58 * 4)
    check(hard_pairs(), EvalProtocol("p"), 255.0)


def test_the_error_of_8_bit_images_is_summed_in_integers() -> None:
    rng = np.random.default_rng(4)
    sr, hr = rng.integers(0, 256, (2, 3, *SIZE, 3)).astype(np.uint8)
    outputs = np.ascontiguousarray(sr.transpose(0, 3, 1, 2)).astype(np.float32)
    result = scored(outputs, hr, BatchScoring(EvalProtocol("p"), 255.0, 2, METRICS))
    for scores, x, y in zip(result, sr, hr, strict=True):
        squares = int(((x.astype(int) - y) ** 2).sum())
        assert scores["psnr"] == 10.0 * math.log10(255.0**2 / (squares / x.size))


def test_luma_is_rounded_at_halves_as_on_the_cpu() -> None:
    every = np.arange(256)
    levels = np.stack(np.meshgrid(every[:64], every, every), axis=-1).reshape(-1, 3)
    halves = levels[(levels @ [65481, 128553, 24966]) % 510_000 == 127_500].astype(np.uint8)
    assert len(halves)
    sr = np.resize(halves, (1, 16, 16, 3))
    rule = EvalProtocol("p", colour="y_rounded")
    outputs = np.ascontiguousarray(sr.transpose(0, 3, 1, 2)).astype(np.float32)
    (scores,) = scored(outputs, 0 * sr, BatchScoring(rule, 255.0, 2, METRICS))
    assert scores == pytest.approx(score_pair(sr[0], 0 * sr[0], rule, 2, METRICS), abs=1e-6, rel=0)


def test_identical_images_have_no_error() -> None:
    image = photos(SIZE)[0]
    how = BatchScoring(EvalProtocol("p"), 255.0, 2, METRICS)
    (scores,) = scored(to_nchw(image, white=255.0), image[None], how)
    assert scores == {"psnr": math.inf, "ssim": pytest.approx(1.0, abs=1e-12)}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("clip", [True, False])
def test_an_output_that_is_not_finite_has_no_score_and_the_others_have(
    value: float, clip: bool
) -> None:
    rule = EvalProtocol("p", clip=clip, rounding="none")
    images = np.stack(photos(SIZE)[:2])
    outputs = images.transpose(0, 3, 1, 2).astype(np.float32)
    outputs[1, 2, 45, 57] = value
    first, second = scored(outputs, images, BatchScoring(rule, 255.0, 2, METRICS))
    assert first is not None
    assert second is None


@pytest.mark.parametrize("value", [2e4, -3e12, 3e35])
def test_levels_beyond_all_measure_are_left_to_the_cpu_unless_they_are_clipped(
    value: float,
) -> None:
    image = photos(SIZE)[0]
    output = to_nchw(image, white=1.0)
    output[0, 0, 20, 20] = value
    how = BatchScoring(EvalProtocol("p", clip=False, rounding="none"), 1.0, 2, METRICS)
    assert scored(output, image[None], how) == [None]
    rule = replace(how.protocol, clip=True)
    (clipped,) = scored(output, image[None], replace(how, protocol=rule))
    expected = score_pair(read(output, rule, 1.0), image, rule, 2, METRICS)
    assert clipped == pytest.approx(expected, abs=1e-6, rel=0)


def test_only_what_is_asked_for_is_computed() -> None:
    image = photos(SIZE)[0]
    how = BatchScoring(EvalProtocol("p"), 255.0, 2, ("ssim",))
    (scores,) = scored(to_nchw(image, white=255.0), image[None], how)
    assert list(scores) == ["ssim"]


@pytest.mark.parametrize(
    ("shape", "hrs", "change"),
    [
        ((2, 3, 40, 40), (2, 40, 40, 3), {"metrics": ("psnr", "lpips")}),
        ((2, 3, 40, 38), (2, 40, 40, 3), {}),
        ((2, 1, 40, 40), (2, 40, 40, 3), {}),
        ((2, 1, 40, 40), (2, 40, 40, 1), {}),
        ((2, 3, 10, 40), (2, 10, 40, 3), {}),
        ((2, 3, 40), (2, 40, 3), {}),
        ((2, 3, 40, 40), (2, 40, 40, 3), {"protocol": EvalProtocol("p", border=15)}),
        ((2, 3, 40, 40), (2, 40, 40, 3), {"protocol": EvalProtocol("p", border=-1)}),
        (
            (2, 3, 40, 40),
            (2, 40, 40, 3),
            {"protocol": EvalProtocol("p", colour="y_rounded", rounding="none")},
        ),
    ],
)
def test_what_cannot_be_promised_is_left_to_the_cpu(
    shape: tuple[int, ...], hrs: tuple[int, ...], change: dict[str, object]
) -> None:
    how = BatchScoring(EvalProtocol("p"), 255.0, 2, METRICS)
    assert can_compare((2, 3, 40, 40), (2, 40, 40, 3), how)
    assert not can_compare(shape, hrs, replace(how, **change))


def test_the_smallest_image_that_has_a_score_has_one_here() -> None:
    how = BatchScoring(EvalProtocol("p", border=14), 255.0, 2, METRICS)
    assert can_compare((1, 3, 39, 40), (1, 39, 40, 3), how)
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (39, 40, 3)).astype(np.uint8)
    output = to_nchw(255 - image, white=255.0)
    (scores,) = scored(output, image[None], how)
    assert scores == pytest.approx(
        score_pair(255 - image, image, how.protocol, 2, METRICS), abs=1e-6, rel=0
    )


@pytest.mark.parametrize(
    "choice",
    [
        *({"colour": colour} for colour in ("y_full", "gray", "y_truncated", "ycbcr_pil")),
        {"ssim_window": "uniform7"},
        {"psnr_channels": "mean"},
        {"centre_crop": (30, 30)},
    ],
)
def test_choices_that_the_device_does_not_compute_are_left_to_the_host(choice) -> None:
    how = BatchScoring(EvalProtocol("p"), 1.0, 2, METRICS)
    assert can_compare((1, 3, 40, 40), (1, 40, 40, 3), how)
    other = replace(how, protocol=EvalProtocol("p", **choice))
    assert not can_compare((1, 3, 40, 40), (1, 40, 40, 3), other)
