from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.engine.prepare.image_sets import ImageSets
from sr_bench.errors import DatasetError
from tests.zoo.checkpoints.test_load import card


def test_a_calibration_set_without_the_scale_names_the_key_to_set(tmp_path: Path) -> None:
    enlarges = replace(card(), scale=5)
    message = r'calibrated on photos, which has no x5; .*calibration = "\.\.\." under \[model\.int8'
    with pytest.raises(DatasetError, match=message):
        ImageSets(None, ()).of(enlarges, "photos", "files", calibration=True)
