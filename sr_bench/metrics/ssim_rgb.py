"""SSIM on R, G and B, whatever the protocol compares: what a column ``SSIM (RGB)`` claims."""

from dataclasses import replace

from sr_bench.metrics import ssim

INFO = replace(
    ssim.INFO,
    title="SSIM-RGB",
    pixels="rgb",
    headers=("ssim-rgb", "ssim(rgb)", "rgb-ssim"),
)
score = ssim.score
