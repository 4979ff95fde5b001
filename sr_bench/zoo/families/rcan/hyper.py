"""What a card must declare about an RCAN or SR4K."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from sr_bench.zoo.blocks import DIV2K_MEAN, FLICKR2K_MEAN


@dataclass(frozen=True)
class RcanHyper:
    """Hyper-parameters of RCAN."""

    form: Literal["official", "basicsr"]
    """Code base whose checkpoints and value range the network has."""
    n_resgroups: int
    n_resblocks: int
    """Blocks in each group."""
    n_feats: int
    attention: bool
    """Whether blocks end in channel attention."""
    reduction: int = field(metadata={"minimum": 0})
    """Divisor of `n_feats` inside the attention; 0 where there is none."""
    res_scale: float
    """Factor on each block's residual; the official code ignores it, so there it must be 1."""
    rgb_range: float
    """White level of the values that the body computes on: 255 in all published networks."""
    rgb_mean: Literal["div2k", "flickr2k"]
    mean_shift: Literal["frozen", "plain", "tensor"]
    """A frozen convolution of a class of its own (RCAN official), an ordinary trainable
    convolution (SR4K official), or arithmetic outside the state dict (BasicSR)."""
    head: Literal["stride1", "stride2"]
    """``stride2`` computes at half size, and the upsampler makes up for it."""
    upsample: Literal["steps", "single"]
    """Whether powers of 2 are made in steps of 2, or by one convolution and pixel shuffle."""

    def faults(self) -> Iterator[str]:
        """Yield contradictions between the fields."""
        if self.attention and not 1 <= self.reduction <= self.n_feats:
            yield f"reduction: must be 1 to n_feats ({self.n_feats}), got {self.reduction}"
        if not self.attention and self.reduction:
            yield f"reduction: must be 0 where attention is false, got {self.reduction}"
        if (self.form == "basicsr") != (self.mean_shift == "tensor"):
            yield f"mean_shift: {self.mean_shift!r} does not exist in the {self.form} form"
        if self.form == "official" and self.res_scale != 1.0:
            yield f"res_scale: the official form ignores it; declare 1.0, got {self.res_scale}"

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
