"""VDSR with its published weights, on the images that its repository ships."""

from pathlib import Path

import pytest


@pytest.mark.official
@pytest.mark.slow
def test_the_row_of_one_shape_is_met_to_its_last_digit(
    official_data: Path, project_root: Path, pytester: pytest.Pytester
) -> None:
    folder = official_data / "vdsr"
    if not folder.is_dir():
        pytest.skip(f"VDSR's weights and images are not at {folder}")
    suite = project_root / "suites" / "vdsr" / "card.toml"
    options = (f"--sr-weights={folder}", f"--sr-data={folder}", "-k", "1x256x256")
    result = pytester.runpytest_subprocess(str(suite), *options)
    result.stdout.fnmatch_lines(["*psnr on set5_enlarged_x1*30.958*30.958*match"])
