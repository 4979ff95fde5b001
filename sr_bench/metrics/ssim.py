"""Structural similarity: 11x11 Gaussian, sigma 1.5, K 0.01 / 0.03, valid region, channel mean.

Protocols may choose another window.
"""

from typing import TYPE_CHECKING

from sr_bench.core.metric import MetricInfo

if TYPE_CHECKING:
    from sr_bench.core.protocol import SsimWindow
    from sr_bench.metrics._pair import Pixels

INFO = MetricInfo(
    title="SSIM",
    unit="",
    higher_is_better=True,
    decimals=6,
    sentence_decimals=5,
    headers=("ssim", "结构相似性", "结构相似度"),
    lowest=-1.0,
    highest=1.0,
    allowed_loss=0.0005,
    # The rounding error of 8 bits, 1/12, in a flat image: C2 / (C2 + 1/12).
    perfect=1.0 - 1.0 / (1.0 + 12.0 * (0.03 * 255.0) ** 2),
    follows_ssim_aggregation=True,
    takes=("ssim_window",),
)


def score(
    sr: "Pixels",
    hr: "Pixels",
    *,
    data_range: float = 255.0,
    threads: int = 1,
    ssim_window: "SsimWindow" = "gaussian",
) -> float:
    """Return the mean structural similarity; see `sr_bench.metrics._ssim.score`.

    Raises:
        MetricError: As there.
    """
    from sr_bench.metrics import _ssim

    if ssim_window == "gaussian":  # by tiles, several times as fast
        return _ssim.score(sr, hr, data_range=data_range, threads=threads)
    from sr_bench.imaging.windows import SMALLEST, windowed_ssim
    from sr_bench.metrics._pair import check_pair

    check_pair(sr, hr, smallest=SMALLEST)
    return windowed_ssim(sr, hr, ssim_window, data_range)
