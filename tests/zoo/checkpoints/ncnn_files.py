"""Write ncnn files for a network of one branch, as its converters do."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

FP16, FP32, INT8 = 0x01306B47, 0, 0x000D4B38


@dataclass
class Layer:
    """A line of the ``.param`` and its part of the ``.bin``."""

    kind: str
    options: str
    data: bytes = b""


def tagged(weight: Tensor, tag: int) -> bytes:
    values = weight.detach().numpy().ravel()
    stored = values.astype("<f2" if tag == FP16 else "<f4").tobytes()
    return struct.pack("<I", tag) + stored + bytes(-len(stored) % 4)


def plain(*tensors: Tensor | None) -> bytes:
    return b"".join(t.detach().numpy().astype("<f4").tobytes() for t in tensors if t is not None)


def layer_of(module: nn.Module, tag: int = FP16) -> Layer:
    """Return what converters make of a layer of torch."""
    match module:
        case nn.Conv2d() | nn.ConvTranspose2d():
            weight, wide = module.weight, isinstance(module, nn.ConvTranspose2d)
            groups = f" 7={module.groups}" if module.groups > 1 else ""
            if wide and module.groups == 1:
                weight = weight.transpose(0, 1).contiguous()
            kernel = f"1={module.kernel_size[1]} 11={module.kernel_size[0]}"
            stride, padding = module.stride[0], module.padding[0]
            options = f"0={module.out_channels} {kernel} 3={stride} 4={padding}{groups}"
            options += f" 5={int(module.bias is not None)} 6={weight.numel()}"
            kind = ("Deconvolution" if wide else "Convolution") + ("DepthWise" if groups else "")
            return Layer(kind, options, tagged(weight, tag) + plain(module.bias))
        case nn.Linear():
            options = f"0={module.out_features} 1={int(module.bias is not None)}"
            data = tagged(module.weight, tag) + plain(module.bias)
            return Layer("InnerProduct", f"{options} 2={module.weight.numel()}", data)
        case nn.PReLU():
            return Layer("PReLU", f"0={module.num_parameters}", plain(module.weight))
        case nn.BatchNorm2d():
            data = plain(module.weight, module.running_mean, module.running_var, module.bias)
            return Layer("BatchNorm", f"0={module.num_features} 1={module.eps}", data)
    return Layer("LeakyReLU", "0=0.2")


def write(path: Path, layers: Sequence[Layer]) -> Path:
    """Write `layers` one behind the other to `path` and the ``.bin`` beside it."""
    lines = ["7767517", f"{len(layers) + 1} {len(layers) + 1}", "Input in 0 1 b0"]
    lines += [
        f"{layer.kind:24} n{at} 1 1 b{at} b{at + 1} {layer.options}"
        for at, layer in enumerate(layers)
    ]
    path.write_text("\n".join(lines) + "\n")
    path.with_suffix(".bin").write_bytes(b"".join(layer.data for layer in layers))
    return path


def random_(module: nn.Module) -> nn.Module:
    """Fill all of `module` with numbers that fp16 can hold."""
    generator = torch.Generator().manual_seed(5)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            values = torch.randint(1, 64, tensor.shape, generator=generator) / 64
            tensor.copy_(values.to(torch.float16).float())
    return module.eval()


def equal(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
