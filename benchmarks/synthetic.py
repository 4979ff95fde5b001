"""A zoo of any size, made of noise: its numbers mean nothing, its costs are those of a real one."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sr_bench.imaging.files import write_png

_CARD = """
[[model]]
name = "m{index:04d}_x2"
row = "M{index:04d}"
scale = 2
onnx = "m{index:04d}.onnx"
cost = {{ rule = "standard", shape = "3x64x64" }}
evaluation = [{{ dataset = "noise", protocol = "native_rgb" }}]
"""

_HEAD = """# Noise

| Models | Flops(G) | Params(M) | PSNR(dB) | SSIM | Shape |
| :---: | :--: | :--: | :---: | :----: | :--------: |
"""

_ROW = "| [M{index:04d}](https://example.org) | 1.0 | 1.0 | 30.000 | 0.9000 | 3x64x64 |\n"

_DATASET = """
title = "Noise"
description = "of a benchmark"
licence = "none"
homepage = "https://example.org"
scales = [2]
count = {count}
stems = {{ first = 1, last = {count}, width = 5 }}

[[layout]]
hr = "HR/{{stem}}.png"
lr = "LR/{{stem}}.png"
"""


@dataclass(frozen=True)
class Size:
    """How large a zoo is."""

    models: int = 1
    images: int = 1
    lr_px: int = 64
    """Side of the LR images."""
    channels: int = 16
    layers: int = 4
    """Convolutions of 3x3 between the first and the last."""


@dataclass(frozen=True)
class Zoo:
    """The folders of a zoo."""

    root: Path

    @property
    def suite(self) -> Path:
        """Where the card and the document are."""
        return self.root / "noise"

    @property
    def data(self) -> Path:
        """Where the images are."""
        return self.root / "images"


def make_zoo(root: Path, size: Size) -> Zoo:
    """Write a zoo of `size` to the new folder `root`."""
    zoo = Zoo(root)
    zoo.suite.mkdir(parents=True)
    (root / "datasets" / "noise").mkdir(parents=True)
    manifest = root / "datasets" / "noise" / "dataset.toml"
    manifest.write_text(_DATASET.format(count=size.images))
    indices = range(size.models)
    (zoo.suite / "card.toml").write_text(
        "schema = 1\n" + "".join(_CARD.format(index=index) for index in indices)
    )
    rows = "".join(_ROW.format(index=index) for index in indices)
    (zoo.suite / "README.md").write_text(_HEAD + rows)
    for index in indices:
        onnx.save(network(size, index), zoo.suite / f"m{index:04d}.onnx")
    make_images(zoo.data, size)
    return zoo


def make_images(folder: Path, size: Size) -> None:
    """Write the pairs of images; each file differs from all others."""
    for kind, side in (("HR", 2 * size.lr_px), ("LR", size.lr_px)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for index in range(1, size.images + 1):
            rng = np.random.default_rng(index)
            wave = np.add.outer(*(np.sin(np.arange(side) * rng.uniform(0.01, 0.2)) for _ in "xy"))
            image = 128 + 50 * wave[..., None] + rng.normal(0, 4, (side, side, 3))
            write_png(folder / kind / f"{index:05d}.png", image.clip(0, 255).astype(np.uint8))


def network(size: Size, seed: int) -> onnx.ModelProto:
    """Return a chain of convolutions with random weights that enlarges by 2."""
    rng = np.random.default_rng(seed)
    widths = [3, *[size.channels] * (size.layers + 1), 12]
    weights, nodes, last = [], [], "lr"
    for index, (wide, out) in enumerate(pairwise(widths)):
        values = rng.normal(0, (2 / (9 * wide)) ** 0.5, (out, wide, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"w{index}"))
        nodes.append(
            helper.make_node("Conv", [last, f"w{index}"], [f"c{index}"], pads=[1, 1, 1, 1])
        )
        nodes.append(helper.make_node("Relu", [f"c{index}"], [f"r{index}"]))
        last = f"r{index}"
    nodes[-1] = helper.make_node("DepthToSpace", [nodes[-2].output[0]], ["sr"], blocksize=2)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, f"{name}_h", f"{name}_w"])
        for name in ("lr", "sr")
    ]
    graph = helper.make_graph(nodes, "noise", ends[:1], ends[1:], weights)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="benchmark"
    )
