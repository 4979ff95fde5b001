"""PSNR on R, G and B, whatever the protocol compares: what a column ``PSNR (RGB)`` claims."""

from dataclasses import replace

from sr_bench.metrics import psnr

INFO = replace(
    psnr.INFO,
    title="PSNR-RGB",
    pixels="rgb",
    headers=("psnr-rgb", "psnr(rgb)", "rgb-psnr"),
)
score = psnr.score
