"""GPEN: a StyleGAN2 generator, whose code and noise are what an encoder finds in the image.

Source: yangxy/GPEN b611a9f, face_model/gpen_model.py, ``FullGenerator`` (parameter names and
arithmetic). Hyper-parameters of the published networks for 512x512: ``size = 512``, ``code = 512``,
``n_mlp = 8``, ``multiplier = 2``, ``narrow = 1.0``; of those for 256x256, ``multiplier = 1`` and
``narrow = 0.5``. Input and output are RGB in -1 to 1, of the one `size`.

The authors make each convolution anew for each face. Here its input is weighed in place of its
weights, which comes to the same; the factors of equalised learning rates are folded into weights.
"""

import re
from collections.abc import Sequence
from math import sqrt
from typing import Annotated

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu

from sr_bench.core.card import Hyper
from sr_bench.core.fields import Bounds
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import Foldable, conv, store_weight
from sr_bench.zoo.hyper import Count, Factor, check_scale, read

_SMALLEST = 4  # pixels of the side at which the generator starts
_WIDEST = 512  # channels at 32x32 and below, before they are narrowed
_PIXELS = 16_384  # side times channels above, before they are multiplied and narrowed
_MLP_RATE = 0.01  # by which training slows the layers that map the code
_EPSILON = 1e-8
_LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)

_SCALED = r"(\becd\d+\.0\.\d|\bfinal_linear\.0|\bstyle\.\d+|\.conv|\.conv\.modulation)"
_NAMES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (_SCALED + r"\.weight$", r"\1.weight_orig"),
        (r"\b(ecd\d+)\.0\.0\.kernel$", r"\1.blur.kernel"),
        (r"\b(ecd\d+)\.0\.\d\.", r"\1.layer."),
        (r"\bfinal_linear\.0\.", "final."),
        (r"\binput\.input$", "start"),
        (r"\bstyle\.(?=\d)", "mapping."),
        (r"\.conv\.(modulation|blur)\.", r".\1."),
        (r"\.conv\.weight_orig$", ".layer.weight_orig"),
        (r"\.noise\.weight$", ".noise"),
        (r"\.activate\.bias$", ".bias"),
        (r"(\.to_rgb1|\.to_rgbs\.\d+)\.bias$", r"\1.layer.bias"),
    )
)


@dataclass(config=STRICT, frozen=True)
class GpenHyper:
    """Hyper-parameters of GPEN."""

    size: Annotated[int, Bounds(ge=2 * _SMALLEST)]
    """Height and width of the image, a power of 2."""
    code: Count
    """Values that choose the face."""
    n_mlp: Count
    """Layers that map the code."""
    multiplier: Count
    """Factor on the channels at 64x64 and above."""
    narrow: Factor
    """Factor on all channels."""

    def __post_init__(self) -> None:
        if self.size & (self.size - 1):
            msg = f"expected a size that is a power of 2, got {self.size}"
            raise ValueError(msg)
        if not min(self.widths):
            msg = f"no channels are left at {self.size}x{self.size} with narrow = {self.narrow}"
            raise ValueError(msg)

    @property
    def widths(self) -> list[int]:
        """Channels at each size, from that of the image down to the smallest."""
        sides = [self.size >> step for step in range(self.size.bit_length() - 2)]
        wide = [_WIDEST if side <= 32 else _PIXELS // side * self.multiplier for side in sides]
        return [int(width * self.narrow) for width in wide]


def _rectified(x: Tensor) -> Tensor:
    return leaky_relu(x, 0.2) * sqrt(2)  # the factor keeps the variance


class _Linear(nn.Linear):
    """A linear layer with its activation."""

    def forward(self, x: Tensor) -> Tensor:
        return _rectified(super().forward(x))


class _Norm(nn.Module):
    """Bring a code to values whose squares are 1 on average."""

    def forward(self, x: Tensor) -> Tensor:
        return x * (x.square().mean(1, keepdim=True) + _EPSILON).rsqrt()


class _Blur(nn.Module):
    """Smooth an image by a fixed kernel, which is in the checkpoint."""

    kernel: Tensor

    def __init__(self, channels: int, gain: int = 1) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.channels = channels
        self.register_buffer("kernel", taps[:, None] * taps * (gain / 64))

    def forward(self, x: Tensor, padding: int) -> Tensor:
        return conv2d(x, self._of_each(), padding=padding, groups=self.channels)

    def _of_each(self) -> Tensor:
        return self.kernel.expand(self.channels, 1, -1, -1)


class _Upsample(_Blur):
    """Double the height and width of an image."""

    def forward(self, x: Tensor, padding: int = 1) -> Tensor:
        kernels = self._of_each()
        return conv_transpose2d(x, kernels, stride=2, padding=padding, groups=self.channels)


class _Encode(nn.Module):
    """A convolution with its activation, which halves height and width unless it is the first."""

    def __init__(self, inputs: int, outputs: int, *, first: bool) -> None:
        super().__init__()
        self.blur = None if first else _Blur(inputs)
        kernel, stride = (1, 1) if first else (3, 2)
        self.layer = nn.Conv2d(inputs, outputs, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        return _rectified(self.layer(x if self.blur is None else self.blur(x, 2)))


class _Styled(nn.Module):
    """A convolution of features that the code weighs; features of the encoder are set beside it."""

    def __init__(self, inputs: int, outputs: int, code: int, *, double: bool) -> None:
        super().__init__()
        self.modulation = nn.Linear(code, inputs)
        self.layer = (
            nn.ConvTranspose2d(inputs, outputs, 3, 2, bias=False)
            if double
            else conv(inputs, outputs, bias=False)
        )
        self.blur = _Blur(outputs, 4) if double else None
        self.noise = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(2 * outputs))

    def forward(self, x: Tensor, code: Tensor, beside: Tensor) -> Tensor:
        weights = self.modulation(code)
        out: Tensor = self.layer(x * weights[..., None, None])
        # As if the weights had been weighed and then brought to unit norm.
        energy = self.layer.weight.square().sum((2, 3))
        energy = energy.transpose(0, 1) if self.blur is None else energy  # inputs to outputs
        norm = (weights.square() @ energy + _EPSILON).rsqrt()
        out = out * norm[..., None, None]
        out = out if self.blur is None else self.blur(out, 1)
        joined = torch.cat((out, beside * self.noise), dim=1)
        return _rectified(joined + self.bias[:, None, None])


class _ToRgb(nn.Module):
    """A 1x1 convolution of features that the code weighs; with the image so far, their sum."""

    def __init__(self, inputs: int, code: int, *, first: bool) -> None:
        super().__init__()
        self.modulation = nn.Linear(code, inputs)
        self.layer = conv(inputs, 3, kernel=1)
        self.upsample = None if first else _Upsample(3, 4)

    def forward(self, x: Tensor, code: Tensor, image: Tensor | None = None) -> Tensor:
        out: Tensor = self.layer(x * self.modulation(code)[..., None, None])
        return out if self.upsample is None else out + self.upsample(image)


class _Generator(nn.Module):
    """Map a code and features of all sizes, the smallest first, to an image."""

    def __init__(self, hyper: GpenHyper) -> None:
        super().__init__()
        code, (smallest, *widths) = hyper.code, hyper.widths[::-1]
        layers = (_Linear(code, code) for _ in range(hyper.n_mlp))
        self.mapping = nn.Sequential(_Norm(), *layers)
        self.start = nn.Parameter(torch.randn(1, smallest, _SMALLEST, _SMALLEST))
        self.conv1 = _Styled(smallest, smallest, code, double=False)
        self.to_rgb1 = _ToRgb(2 * smallest, code, first=True)
        self.convs, self.to_rgbs = nn.ModuleList(), nn.ModuleList()
        for before, width in zip((smallest, *widths), widths, strict=False):
            self.convs.append(_Styled(2 * before, width, code, double=True))
            self.convs.append(_Styled(2 * width, width, code, double=False))
            self.to_rgbs.append(_ToRgb(2 * width, code, first=False))

    def forward(self, code: Tensor, features: Sequence[Tensor]) -> Tensor:
        code = self.mapping(code)
        start = self.start.expand(code.shape[0], -1, -1, -1)
        out = self.conv1(start, code, features[0])
        image: Tensor = self.to_rgb1(out, code)
        steps = zip(self.convs[::2], self.convs[1::2], self.to_rgbs, features[1:], strict=True)
        for first, second, to_rgb, beside in steps:
            out = second(first(out, code, beside), code, beside)
            image = to_rgb(out, code, image)
        return image


class Gpen(nn.Module):
    """Map RGB (N, 3, size, size) in -1 to 1 to (N, 3, size, size) in the same range."""

    def __init__(self, hyper: GpenHyper) -> None:
        super().__init__()
        widths = hyper.widths
        self.encoders = [f"ecd{step}" for step in range(len(widths))]
        for name, inputs, outputs in zip(self.encoders, (3, *widths), widths, strict=False):
            self.add_module(name, _Encode(inputs, outputs, first=name == "ecd0"))
        self.final = _Linear(widths[-1] * _SMALLEST**2, hyper.code)
        self.generator = _Generator(hyper)

    def forward(self, x: Tensor) -> Tensor:
        """Return the restored faces; values are not clipped."""
        features = []
        for name in self.encoders:
            x = self.get_submodule(name)(x)
            features.append(x)
        out: Tensor = self.generator(self.final(x.flatten(1)), features[::-1])
        return out


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return a GPEN; its scale is 1.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(GpenHyper, hyper, architecture="gpen")
    check_scale(scale, (1,), architecture="gpen")
    return Gpen(params)


def trained(hyper: Hyper, _scale: int) -> Foldable:
    """Return the GPEN whose weights are scaled as it runs.

    Raises:
        CardError: A hyper-parameter is not valid.
    """
    return _Trained(read(GpenHyper, hyper, architecture="gpen"))


def canonical_key(key: str) -> str:
    """Return our name of a parameter; the authors scale most weights as the network runs.

    >>> canonical_key("generator.convs.0.conv.modulation.bias"), canonical_key("ecd3.0.1.weight")
    ('generator.convs.0.modulation.bias', 'ecd3.layer.weight_orig')
    """
    for pattern, name in _NAMES:
        key = pattern.sub(name, key)
    return key


class _Trained(Gpen, Foldable):
    def __init__(self, hyper: GpenHyper) -> None:
        super().__init__(hyper)
        for part in self.modules():
            if isinstance(part, _Styled | _ToRgb):
                weight = part.layer.weight
                doubles = isinstance(part.layer, nn.ConvTranspose2d)
                part.layer.weight = nn.Parameter(
                    (weight.transpose(0, 1) if doubles else weight)[None]
                )
            if isinstance(part, _ToRgb):
                part.layer.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))
        for layer in self.modules():
            if isinstance(layer, _LAYERS):
                store_weight(layer)

    def folded(self) -> dict[str, Tensor]:
        """Return the weights times the factors of their equalised learning rates."""
        state = self.state_dict()
        for name, layer in self.named_modules():
            if isinstance(layer, _LAYERS):
                rate = _MLP_RATE if ".mapping." in name else 1.0
                stored = state.pop(f"{name}.weight_orig")
                weight = stored[0] if stored.dim() == 5 else stored
                weight = weight * (rate / sqrt(weight[0].numel()))
                doubles = isinstance(layer, nn.ConvTranspose2d)
                state[f"{name}.weight"] = weight.transpose(0, 1) if doubles else weight
                if f"{name}.bias" in state:
                    state[f"{name}.bias"] = state[f"{name}.bias"].flatten() * rate
        return state
