"""What the sizes of image files say about them, from their headers."""

from pathlib import Path

from sr_bench.errors import ImageError
from sr_bench.imaging.files import image_size


def nearest_scale(hr: Path, lr: Path) -> int | None:
    """Return the whole number that both sides of `hr` are nearly times those of `lr`, if one.

    None also if one of them is no image: whoever uses it says so.
    """
    try:
        high, low = image_size(hr), image_size(lr)
    except ImageError:
        return None
    ratios = {round(large / small) for large, small in zip(high, low, strict=True)}
    return ratios.pop() if len(ratios) == 1 else None
