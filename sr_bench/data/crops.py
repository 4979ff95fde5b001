"""Fixed crops of the photographs that an installed package carries, or that lie beside them."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_bench.data.dataset import Crop, CropSet
from sr_bench.errors import DatasetError, NotRunError
from sr_bench.files.hashing import sha256_file
from sr_bench.imaging.files import read_image

Image = NDArray[np.uint8]


def photograph_path(crops: CropSet, file: str) -> Path:
    """Return where the photograph is, once its content is known to be the declared one.

    Raises:
        NotRunError: The package isn't installed.
        DatasetError: The package has no such file, or another one of that name.
    """
    path = crops.beside / file
    if not path.is_file():
        path = _in_package(crops, file)
    digest, expected = sha256_file(path), crops.sha256[file]
    if digest != expected:
        msg = f"{path} is another photograph than declared: expected {expected}, got {digest}"
        raise DatasetError(msg)
    return path


def _in_package(crops: CropSet, file: str) -> Path:
    spec = find_spec(crops.package)  # imports nothing
    if spec is None or not spec.submodule_search_locations:
        msg = f"the package {crops.package} is not installed; install it to get its photographs"
        raise NotRunError(msg)
    path = Path(spec.submodule_search_locations[0], crops.folder, file)
    if not path.is_file():
        msg = f"the installed {crops.package} has no photograph {path}; reinstall it"
        raise DatasetError(msg)
    return path


def load_crop(crops: CropSet, crop: Crop) -> Image:
    """Return the pixels of `crop`: RGB (height, width, 3) of 8 bits.

    Raises:
        DatasetError: The crop leaves the photograph; or see `photograph_path`.
    """
    path = photograph_path(crops, crop.file)
    whole = _decoded(path, crops.sha256[crop.file])
    bottom, right = crop.top + crop.height, crop.left + crop.width
    if bottom > whole.shape[0] or right > whole.shape[1]:
        msg = (
            f"crop {crop.name} ends at row {bottom}, column {right}, but {path} has only "
            f"{whole.shape[0]} rows and {whole.shape[1]} columns"
        )
        raise DatasetError(msg)
    order = ["rgb".index(channel) for channel in crop.channels]
    return np.ascontiguousarray(whole[crop.top : bottom, crop.left : right, order])


@lru_cache(maxsize=1)  # crops of one photograph follow each other
def _decoded(path: Path, sha256: str) -> Image:
    pixels = read_image(path)
    pixels.flags.writeable = False  # crops are views of what the cache holds
    return pixels
