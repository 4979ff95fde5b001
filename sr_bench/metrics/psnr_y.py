"""PSNR on Y, whatever the protocol compares: what a column ``PSNR-Y`` claims."""

from dataclasses import replace

from sr_bench.metrics import psnr

INFO = replace(
    psnr.INFO,
    title="PSNR-Y",
    pixels="y",
    headers=("psnr-y", "psnr-y(db)", "psnr(y)", "psnr_y", "psnr_y(db)", "y-psnr", "y-psnr(db)"),
)
score = psnr.score
