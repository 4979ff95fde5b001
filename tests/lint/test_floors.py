"""The floors that manifests declare are what bicubic enlargement measures here."""

from pathlib import Path

import pytest

from sr_bench.cards.protocol_files import load_protocol
from sr_bench.core.case import IMAGE_METRICS
from sr_bench.data.dataset import Floor
from sr_bench.data.locate import known_datasets, load_dataset
from sr_bench.data.source import open_dataset
from sr_bench.engine.score.protocol import aggregate, prepare_pair, score_pair
from sr_bench.imaging.resize import resize


def measure(slug: str, floor: Floor, given: Path | None) -> dict[str, float]:
    """Return the mean PSNR and SSIM of the LR images, enlarged by MATLAB's bicubic rule."""
    protocol = load_protocol(floor.protocol)
    images = open_dataset(load_dataset(slug), scale=floor.scale, given=given)
    scores = []
    for index in range(len(images)):
        pair = prepare_pair(*images.load(index), protocol, floor.scale)
        height, width = pair.hr.shape[:2]
        sr = resize(pair.lr, (height, width), "matlab_bicubic")
        scores.append(score_pair(sr, pair.hr, protocol, floor.scale, IMAGE_METRICS))
    return {
        metric: aggregate([image[metric] for image in scores], protocol, metric)
        for metric in IMAGE_METRICS
    }


def floors(slug: str) -> list[object]:
    return [
        pytest.param(floor, id=f"x{floor.scale}-{floor.protocol}")
        for floor in load_dataset(slug).floors
    ]


@pytest.mark.parametrize("floor", floors("photos"))
def test_the_floors_of_the_photographs_are_measured(floor: Floor) -> None:
    floors = measure("photos", floor, None)
    assert floors["psnr"] == pytest.approx(floor.psnr_db, abs=1e-4)
    assert floors["ssim"] == pytest.approx(floor.ssim, abs=1e-5)


@pytest.mark.official
@pytest.mark.parametrize("floor", floors("set5"))
def test_the_floors_of_set5_are_measured(floor: Floor, official_data: Path) -> None:
    floors = measure("set5", floor, official_data / "set5")
    assert floors["psnr"] == pytest.approx(floor.psnr_db, abs=1e-4)
    assert floors["ssim"] == pytest.approx(floor.ssim, abs=1e-5)


def test_floors_are_of_named_protocols_and_exist_for_what_is_at_hand() -> None:
    named = {
        slug: {(row.scale, load_protocol(row.protocol).name) for row in load_dataset(slug).floors}
        for slug in known_datasets()
    }
    assert {(2, "native_rgb"), (4, "native_rgb")} <= named["photos"]
    assert {(2, "paper_y"), (4, "authors_lesrcnn")} <= named["set5"]
    assert not named["div2k_valid"]  # nobody of this project has measured it
