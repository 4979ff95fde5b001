"""LPIPS: how far apart the features of AlexNet see two images, as the authors' version 0.1.

torchmetrics computes it and holds the trained weights of the distance; AlexNet itself comes from
torchvision, which no library of LPIPS does without, and its weights are the user's to fetch.
"""

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sr_bench.core.metric import MetricInfo

if TYPE_CHECKING:
    from sr_bench.metrics._pair import Pixels

INFO = MetricInfo(
    title="LPIPS",
    unit="",
    higher_is_better=False,
    decimals=4,
    sentence_decimals=4,
    headers=("lpips",),
    lowest=0.0,
    allowed_loss=0.0005,
    pixels="rgb",
    features="AlexNet",
)

_WEIGHTS = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
_SMALLEST = 31
"""Pixels on each side: of a smaller image AlexNet has no last features."""


def absent() -> str:
    """Return what has to be done before images can be scored here; empty if nothing."""
    if not (find_spec("torchmetrics") and find_spec("torchvision")):
        return "pip install 'sr-bench[lpips]'"
    # Where torch keeps its downloads; it is not imported to ask.
    cache_home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    torch_home = Path(os.environ.get("TORCH_HOME", f"{cache_home}/torch")).expanduser()
    weights = torch_home / "hub" / "checkpoints" / Path(_WEIGHTS).name
    if not weights.is_file():  # nothing is downloaded unasked
        return f"save {_WEIGHTS} as {weights}"
    try:
        _network()
    except (ImportError, RuntimeError) as cause:  # of a torchvision built for another torch
        return f"{cause}; install a torchvision that fits the installed torch"
    return ""


def score(sr: "Pixels", hr: "Pixels", *, data_range: float = 255.0, threads: int = 1) -> float:
    """Return the distance of two RGB images, clipped to the white level; 0 if they are identical.

    `threads` is not used: torch has its own.

    Raises:
        MetricError: The shapes differ, an image is too small, or a value is NaN or infinite.
    """
    import numpy as np
    import torch

    from sr_bench.metrics._pair import check_pair

    check_pair(sr, hr, smallest=_SMALLEST)
    pair = [
        torch.from_numpy(np.float32(image).clip(0, data_range) / data_range).permute(2, 0, 1)[None]
        for image in (sr, hr)
    ]
    with torch.inference_mode():
        return float(_network()(*pair, normalize=True))


@cache
def _network() -> Any:
    """Return what computes it: without the sums of torchmetrics, which threads would mix."""
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

    return LearnedPerceptualImagePatchSimilarity(net_type="alex", normalize=True).net
