"""Frechet inception distance: declared so that a column of it is understood, not measured here."""

from sr_bench.core.metric import MetricInfo

INFO = MetricInfo(
    title="FID",
    unit="",
    higher_is_better=False,
    decimals=3,
    sentence_decimals=3,
    headers=("fid",),
    lowest=0.0,
    compares="sets",
    pixels="rgb",
    features="Inception v3",
)
