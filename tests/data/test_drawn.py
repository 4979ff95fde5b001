"""The drawn calibration images are those of their digests, and none but them stresses."""

import numpy as np

from sr_bench.data.crops import load_crop
from sr_bench.data.locate import load_dataset
from sr_bench.data.source import open_dataset


def test_drawn_images_lie_beside_the_manifest_and_load_whole() -> None:
    dataset = load_dataset("photos")
    drawn = [crop for crop in dataset.crops.calibration if crop.name.startswith("drawn_")]
    assert len(drawn) == 8
    for crop in drawn:
        assert (dataset.manifest.parent / crop.file).is_file()
        assert load_crop(dataset.crops, crop).shape == (240, 240, 3)


def test_only_drawn_images_stress_and_photographs_come_first() -> None:
    images = open_dataset(load_dataset("photos"), scale=2, split="calibration")
    assert images.stress == {name for name in images.names if name.startswith("drawn_")} - {
        "drawn_sky"
    }
    assert not any(name in images.stress for name in images.names[:16])
    assert open_dataset(load_dataset("photos"), scale=2).stress == frozenset()


def test_the_colours_hold_each_primary_and_each_mixture() -> None:
    dataset = load_dataset("photos")
    (crop,) = [crop for crop in dataset.crops.calibration if crop.name == "drawn_colours"]
    colours = {
        tuple(colour) for colour in np.unique(load_crop(dataset.crops, crop).reshape(-1, 3), axis=0)
    }
    assert colours >= {(255, 0, 0), (0, 255, 0), (0, 0, 255)}
    assert colours >= {(0, 255, 255), (255, 0, 255), (255, 255, 0)}
