"""Small datasets on disk."""

from pathlib import Path

import numpy as np
import pytest

from sr_bench.data.dataset import Dataset, Layout
from sr_bench.imaging.files import write_png


@pytest.fixture
def picture():
    """Return a function that writes a random PNG of a size to a path."""

    def write(path, height, width, seed=0):
        generator = np.random.default_rng(seed)
        pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
        write_png(path, pixels)
        return pixels

    return write


@pytest.fixture
def tiny():
    """Return a dataset of two images in HR and LR folders, HR alone, or flat."""
    return Dataset(
        slug="tiny",
        manifest=Path("tiny/dataset.toml"),
        title="Tiny",
        description="two images",
        licence="CC0",
        homepage="https://example.org",
        kind="files",
        scales=(2, 4),
        count=2,
        stems=("a", "b"),
        layouts=(
            Layout("HR/{stem}.png", "LR/X{scale}/{stem}x{scale}.png"),
            Layout("HR/{stem}.png", None),
            Layout("{stem}.png", None),
        ),
        lr_rule="matlab_bicubic",
    )


@pytest.fixture
def tiny_root(tmp_path, picture):
    """Write the files of `tiny` at x2: HR 13 x 16 and 12 x 17 pixels, LR 6 x 8."""
    root = tmp_path / "tiny"
    for seed, (stem, height, width) in enumerate((("a", 13, 16), ("b", 12, 17))):
        picture(root / "HR" / f"{stem}.png", height, width, seed)
        picture(root / "LR" / "X2" / f"{stem}x2.png", 6, 8, seed + 10)
    return root
