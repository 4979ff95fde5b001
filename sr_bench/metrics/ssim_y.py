"""SSIM on Y, whatever the protocol compares: what a column ``SSIM-Y`` claims."""

from dataclasses import replace

from sr_bench.metrics import ssim

INFO = replace(
    ssim.INFO, title="SSIM-Y", pixels="y", headers=("ssim-y", "ssim(y)", "ssim_y", "y-ssim")
)
score = ssim.score
