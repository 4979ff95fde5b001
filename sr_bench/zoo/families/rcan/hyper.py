"""What a card must declare about an RCAN or SR4K."""

from typing import Annotated, Literal

from pydantic.dataclasses import dataclass

from sr_bench.core.fields import Bounds
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import DIV2K_MEAN, FLICKR2K_MEAN
from sr_bench.zoo.hyper import Count, Factor


@dataclass(config=STRICT, frozen=True)
class RcanHyper:
    """Hyper-parameters of RCAN."""

    form: Literal["official", "basicsr"]
    """Code base whose checkpoints and value range the network has."""
    n_resgroups: Count
    n_resblocks: Count
    """Blocks in each group."""
    n_feats: Count
    attention: bool
    """Whether blocks end in channel attention."""
    reduction: Annotated[int, Bounds(ge=0)]
    """Divisor of `n_feats` inside the attention; 0 where there is none."""
    res_scale: Factor
    """Factor on each block's residual; the official code ignores it, so there it must be 1."""
    rgb_range: Factor
    """White level of the values that the body computes on: 255 in all published networks."""
    rgb_mean: Literal["div2k", "flickr2k"]
    mean_shift: Literal["frozen", "plain", "tensor"]
    """A frozen convolution of a class of its own (RCAN official), an ordinary trainable
    convolution (SR4K official), or arithmetic outside the state dict (BasicSR)."""
    head: Literal["stride1", "stride2"]
    """``stride2`` computes at half size, and the upsampler makes up for it."""
    upsample: Literal["steps", "single"]
    """Whether powers of 2 are made in steps of 2, or by one convolution and pixel shuffle."""

    def __post_init__(self) -> None:
        """Raise a ValueError about the fields that contradict each other."""
        faults = []
        if self.attention and not 1 <= self.reduction <= self.n_feats:
            faults.append(f"reduction: must be 1 to n_feats ({self.n_feats}), got {self.reduction}")
        if not self.attention and self.reduction:
            faults.append(f"reduction: must be 0 where attention is false, got {self.reduction}")
        if (self.form == "basicsr") != (self.mean_shift == "tensor"):
            faults.append(f"mean_shift: {self.mean_shift!r} does not exist in the {self.form} form")
        if self.form == "official" and self.res_scale != 1.0:
            faults.append(
                f"res_scale: the official form ignores it; expected 1.0, got {self.res_scale}"
            )
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def stride(self) -> int:
        """Stride of the first convolution."""
        return 2 if self.head == "stride2" else 1

    @property
    def scales(self) -> tuple[int, ...]:
        """Scales at which the network exists: with a stride-2 head, 3 would need a x6 step."""
        return (2, 3, 4, 8) if self.stride == 1 else (1, 2, 4)

    @property
    def mean(self) -> tuple[float, float, float]:
        """Mean R, G, B on a 0-1 scale."""
        return DIV2K_MEAN if self.rgb_mean == "div2k" else FLICKR2K_MEAN
