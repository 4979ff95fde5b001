"""Mean absolute error in levels of 0 to 255, summed in float64."""

from typing import TYPE_CHECKING

from sr_bench.core.metric import MetricInfo

if TYPE_CHECKING:
    from sr_bench.metrics._pair import Pixels

INFO = MetricInfo(
    title="MAE",
    unit="levels",
    higher_is_better=False,
    decimals=4,
    sentence_decimals=4,
    headers=("mae", "mae(levels)"),
    lowest=0.0,
    allowed_loss=0.005,
)


def score(sr: "Pixels", hr: "Pixels", *, data_range: float = 255.0, threads: int = 1) -> float:
    """Return the mean of |`sr` - `hr`| over all pixels and channels, as of a white level of 255.

    Raises:
        MetricError: The shapes differ, a value is NaN, infinite or absurdly large.
    """
    import numpy as np

    from sr_bench.metrics._pair import check_pair

    check_pair(sr, hr)
    apart = np.subtract(sr, hr, dtype=np.float64)  # differences of uint8 would wrap
    return float(np.abs(apart, out=apart).mean()) * 255.0 / data_range
