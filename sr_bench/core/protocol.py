"""Every choice between a file on disk and a score that moves the number."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from sr_bench.core.fields import Bounds

Resize = Literal[
    "cv2_area",
    "cv2_linear",
    "cv2_cubic",
    "cv2_lanczos",
    "cv2_nearest",
    "pil_box",
    "pil_bilinear",
    "pil_bicubic",
    "pil_lanczos",
    "pil_nearest",
    "matlab_bicubic",
]
_Side = Annotated[int, Bounds(gt=0)]
LrSource = Literal["files", "resized", "hr"]
"""LR files whose size times the scale is HR's; LR files of any size, to be resized; HR."""
Colour = Literal[
    "rgb",
    "y_float",
    "y_rounded",
    "y_truncated",
    "y_edsr",
    "y_fsrcnn",
    "y_full",
    "y_full_float",
    "gray",
    "y_bt709",
    "y_pil",
    "ycbcr_pil",
]
Resized = Literal["rgb", "y_full", "y_pil"]
"""The three channels; or luma, as `Colour` names it, repeated in all three."""
SsimWindow = Literal[
    "gaussian",
    "gaussian_sample",
    "gaussian13",
    "gaussian13_sample",
    "gaussian_replicate",
    "gaussian_mirror",
    "gaussian5_mirror",
    "gaussian_zero",
    "gaussian_3d",
    "gaussian_pooled",
    "gaussian_lowpass",
    "uniform7",
    "uniform7_population",
    "uniform8",
    "uniform11",
    "uniform11_sample",
]
PsnrChannels = Literal["together", "mean", "mean_6_1_1"]
PSNR_WEIGHTS: Mapping[PsnrChannels, tuple[int, int, int]] = {
    "mean": (1, 1, 1),
    "mean_6_1_1": (6, 1, 1),
}
"""Of the PSNR of each of three channels, where it is taken of each."""

_LATER = ("resized", "centre_crop", "ssim_window", "psnr_channels", "psnr_aggregation")
"""Choices that came when records existed: at their defaults, digests don't hold them."""


@dataclass(frozen=True)
class EvalProtocol:
    """How an image pair becomes a score.

    The defaults are the plainest reading: native size, RGB, 8-bit output, no crop.
    """

    name: str
    lr_from: Literal["files", "hr"] = "files"
    """Where the LR comes from: the dataset's own LR files (where it has none, made from HR by the
    ``lr_rule`` of its manifest, which reports say), or the HR image by `lr_resize`."""
    lr_resize: Resize | None = None
    """Rule that brings the LR to `input_shape`, or makes it from HR; None: used as it is."""
    input_shape: tuple[_Side, _Side] | None = None
    """Fixed (height, width) of the LR, aspect not kept, before a card's ``enlarged``; None: that
    which it has."""
    gt_resize: Resize | None = None
    """Rule that brings the ground truth to the output's size; None: the sizes must agree."""
    # Luma is of whole levels: VDSR on Set5, squashed to 256x256, 30.958 dB; of squashed RGB 30.925.
    resized: Resized = "rgb"
    """What of both images is resized: all channels, or the luma that a script took of them first;
    pictures are gray then."""
    channel_order: Literal["rgb", "bgr"] = "rgb"
    """``bgr``: the channels are given to the network, and read, in reverse, by mistake."""
    input_range: Annotated[float, Bounds(gt=0)] | None = None
    """White level fed to the network (1.0 or 255.0); None: as the card says."""
    output_range: Annotated[float, Bounds(gt=0)] | None = None
    """White level that the output is read with; None: as the card says."""
    clip: bool = True
    """Whether the output is clipped to [0, white] before scoring."""
    # LESRCNN's authors truncate: 37.65 dB on Set5 x2, which rounding makes 37.72.
    rounding: Literal["none", "round", "truncate"] = "round"
    """How the output becomes 8-bit levels; ``none`` keeps floats on the 0-255 scale."""
    # EDSR-PyTorch takes scale + 6 on DIV2K, where its README says scale + 2.
    border: Literal["none", "scale", "scale+6"] | Annotated[int, Bounds(ge=0)] = "none"
    """Pixels cropped from each side of both images before scoring."""
    centre_crop: tuple[_Side, _Side] | None = None
    """(height, width) of the middle part of both images that is scored, cropped before the border;
    None: the whole ones."""
    colour: Colour = "rgb"  # sr_bench.imaging.colour.COLOURS makes it
    """What is compared."""
    ssim_window: SsimWindow = "gaussian"  # sr_bench.imaging.windows.WINDOWS does it
    """How SSIM takes local means."""
    psnr_channels: PsnrChannels = "together"
    """``mean``: of one PSNR per channel; ``mean_6_1_1``: with these weights, as of Y, Cb, Cr."""
    # RealSR's published script does, by mistake.
    ssim_aggregation: Literal["mean", "last_image"] = "mean"
    """``last_image`` reproduces scripts that print the SSIM of the last image as the mean."""
    psnr_aggregation: Literal["mean", "pooled"] | Annotated[int, Bounds(gt=0)] = "mean"
    """``pooled``: the PSNR of the mean squared error of all images; a number: that of each batch
    of so many, and their mean."""
    source: str = ""
    """Where the choices were read."""

    @property
    def lr_source(self) -> LrSource:
        """What the network's input is made of."""
        return "resized" if self.lr_from == "files" and self.input_shape else self.lr_from

    def border_px(self, scale: int) -> int:
        """Return the crop in pixels at `scale`."""
        named = {"none": 0, "scale": scale, "scale+6": scale + 6}
        return self.border if isinstance(self.border, int) else named[self.border]

    def choices(self) -> dict[str, object]:
        """Return all that can change a number: every field but the name and the source."""
        return {k: v for k, v in asdict(self).items() if k not in {"name", "source"}}

    def digested(self) -> dict[str, object]:
        """Return `choices` as digests of records hold them, which older ones must equal."""
        plain = EvalProtocol("").choices()
        return {k: v for k, v in self.choices().items() if k not in _LATER or v != plain[k]}
