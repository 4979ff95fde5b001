"""Every choice between a file on disk and a score that moves the number."""

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from sr_bench.core.fields import Bounds

Resize = Literal["cv2_area", "cv2_linear", "cv2_cubic", "pil_bicubic", "matlab_bicubic"]
_Side = Annotated[int, Bounds(gt=0)]
LrSource = Literal["files", "resized", "hr"]
"""LR files whose size times the scale is HR's; LR files of any size, to be resized; HR."""
Colour = Literal["rgb", "y_float", "y_rounded", "y_edsr", "y_full"]


@dataclass(frozen=True)
class EvalProtocol:
    """How an image pair becomes a score.

    The defaults are the plainest reading: native size, RGB, 8-bit output, no crop.
    """

    name: str
    lr_from: Literal["files", "hr"] = "files"
    """Where the LR comes from: the dataset's own LR files, or the HR image by `lr_resize`."""
    lr_resize: Resize | None = None
    """Rule that brings the LR to `input_shape`, or makes it from HR; None: used as it is."""
    input_shape: tuple[_Side, _Side] | None = None
    """Fixed (height, width) of the network input, aspect not kept; None: native size."""
    gt_resize: Resize | None = None
    """Rule that brings the ground truth to the output's size; None: the sizes must agree."""
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
    colour: Colour = "rgb"
    """What is compared: RGB; BT.601 studio-range Y as float, or rounded to integers after the
    conversion; ``y_edsr``: the float difference weighted by (65.738, 129.057, 25.064) / 256; or
    ``y_full``: luma of full range, 0-255, as OpenCV makes it."""
    # RealSR's published script does, by mistake.
    ssim_aggregation: Literal["mean", "last_image"] = "mean"
    """``last_image`` reproduces scripts that print the SSIM of the last image as the mean."""
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
