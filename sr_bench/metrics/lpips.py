"""LPIPS: how far apart the features of AlexNet see two images, as the authors' version 0.1.

torchmetrics holds the trained weights of the distance. Its own class takes AlexNet from
torchvision, which nothing here may need, so AlexNet's five convolutions are below; their weights
are the user's to fetch.

Source:
    Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, 2018;
    Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.core.metric import MetricInfo
from sr_bench.files.hashing import sha256_unchanged

if TYPE_CHECKING:
    from torch import Tensor

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
_DIGEST = "7be5be79"  # torch names a file by the start of its SHA-256 digest
_SMALLEST = 31  # pixels on each side: of a smaller image AlexNet has no last features

# Number in the weights file, stride and padding of each convolution.
_LAYERS = ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1))
_POOLED = (3, 6)  # convolutions before which a maximum of 3 x 3 is taken at every second pixel
_SHIFT = (-0.030, -0.088, -0.188)  # of R, G and B between -1 and 1, as AlexNet was trained
_SCALE = (0.458, 0.448, 0.450)


def absent() -> str:
    """Return what has to be done before images can be scored here; empty if nothing."""
    if not find_spec("torchmetrics"):
        return "pip install 'sr-bench[lpips]'"
    weights = _weights_file()
    if not weights.is_file():  # nothing is downloaded unasked
        return f"save {_WEIGHTS} as {weights}"
    if not (digest := sha256_unchanged(weights)).startswith(_DIGEST):
        msg = f"expected a file of SHA-256 {_DIGEST}..., got {digest[:8]}...:"
        return f"{msg} save {_WEIGHTS} as {weights}"
    return ""


def score(sr: "Pixels", hr: "Pixels", *, data_range: float = 255.0, threads: int = 1) -> float:
    """Return the distance of two RGB images, clipped to the white level; 0 if they are identical.

    `threads` is not used: torch has its own.

    Raises:
        MetricError: The shapes differ, an image is too small, or a value is NaN or infinite.
    """
    import torch

    from sr_bench.metrics._pair import check_pair

    check_pair(sr, hr, smallest=_SMALLEST)
    alexnet, distance = _trained()
    with torch.inference_mode():
        both = torch.cat([_input(image, data_range) for image in (sr, hr)])
        layers = enumerate(_features(both, alexnet))
        return sum(_apart(layer, distance[f"lin{i}.model.1.weight"]) for i, layer in layers)


def _input(image: "Pixels", white: float) -> "Tensor":
    """Return what AlexNet is given for `image`: 1 x 3 x height x width."""
    import numpy as np
    import torch

    levels = image.astype(np.float32).clip(0, white) / white * 2 - 1
    scaled = (levels - np.asarray(_SHIFT, np.float32)) / np.asarray(_SCALE, np.float32)
    return torch.from_numpy(scaled).permute(2, 0, 1)[None]


def _features(image: "Tensor", weights: Mapping[str, "Tensor"]) -> "Iterator[Tensor]":
    """Yield the output of each convolution, N x C x height x width."""
    from torch.nn.functional import conv2d, max_pool2d

    for number, stride, padding in _LAYERS:
        if number in _POOLED:
            image = max_pool2d(image, 3, 2)
        weight, bias = (weights[f"features.{number}.{kind}"] for kind in ("weight", "bias"))
        image = conv2d(image, weight, bias, stride, padding).relu()
        yield image


def _apart(layer: "Tensor", weight: "Tensor") -> float:
    """Return the weighted squared difference of two images' features, of unit length each."""
    # 1e-10 is the authors' too: features that are all 0 stay 0.
    unit = layer / (layer.square().sum(1, keepdim=True).sqrt() + 1e-10)
    return float(((unit[0] - unit[1]).square() * weight[0]).sum(0).mean())


def _weights_file() -> Path:
    """Return where torch keeps what it downloads, without importing it."""
    cache_home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    hub = Path(os.environ.get("TORCH_HOME", f"{cache_home}/torch")).expanduser() / "hub"
    return hub / "checkpoints" / Path(_WEIGHTS).name


@cache
def _trained() -> "tuple[Mapping[str, Tensor], Mapping[str, Tensor]]":
    """Return the weights of AlexNet, and those of the distance."""
    import torch

    spec = find_spec("torchmetrics")
    library = Path(spec.origin).parent if spec and spec.origin else Path()
    files = (_weights_file(), library / "functional" / "image" / "lpips_models" / "alex.pth")
    # Weights only: any other pickle could run code.
    alexnet, distance = (torch.load(file, map_location="cpu", weights_only=True) for file in files)
    return alexnet, distance
