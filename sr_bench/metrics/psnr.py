"""Peak signal-to-noise ratio in dB, from the mean squared error in float64."""

import math
from typing import TYPE_CHECKING

from sr_bench.core.metric import MetricInfo

if TYPE_CHECKING:
    from sr_bench.core.protocol import PsnrChannels
    from sr_bench.metrics._pair import Pixels

INFO = MetricInfo(
    title="PSNR",
    unit="dB",
    higher_is_better=True,
    decimals=4,
    sentence_decimals=3,
    headers=("psnr", "psnr(db)", "峰值信噪比", "信噪比"),
    allowed_loss=0.01,
    perfect=20.0 * math.log10(255.0),  # an error of one level, root mean square
    follows_psnr_aggregation=True,
    takes=("psnr_channels",),
)


def score(
    sr: "Pixels",
    hr: "Pixels",
    *,
    data_range: float = 255.0,
    threads: int = 1,
    psnr_channels: "PsnrChannels" = "together",
) -> float:
    """Return 10 log10(data_range^2 / MSE) over all pixels and channels, in dB; inf if identical.

    Two uint8 images are compared exactly, as integers. By `psnr_channels`, three channels may have
    a PSNR each, of which this is then the weighted mean.

    Raises:
        MetricError: The shapes differ, a value is NaN, infinite or absurdly large.
    """
    from sr_bench.core.protocol import PSNR_WEIGHTS
    from sr_bench.metrics._pair import check_pair

    check_pair(sr, hr)
    if psnr_channels == "together" or sr.shape[2] != 3:
        return _psnr(sr, hr, data_range)
    weights = PSNR_WEIGHTS[psnr_channels]
    each = [_psnr(sr[..., [c]], hr[..., [c]], data_range) for c in range(3)]
    return math.fsum(w * db for w, db in zip(weights, each, strict=True)) / sum(weights)


def _psnr(sr: "Pixels", hr: "Pixels", data_range: float) -> float:
    from sr_bench.imaging.difference import squared_error

    mse = squared_error(sr, hr) / sr.size
    return 10.0 * math.log10(data_range**2 / mse) if mse else math.inf
