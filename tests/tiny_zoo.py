"""A zoo of one tiny network on two tiny images, whose numbers scikit-image computes."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from sr_bench.imaging.files import write_png

CARD = """
schema = 1

[[model]]
name = "tiny_x2"
row = "Tiny"
scale = 2
onnx = "tiny.onnx"
cost = { rule = "standard", shape = "3x1000x1000" }
evaluation = [{ dataset = "pair", protocol = "native_rgb" }]
"""

TABLE = """# Tiny

| Models | Flops(G) | Params(M) | PSNR(dB) | SSIM | Shape |
| :---: | :--: | :--: | :---: | :----: | :--------: |
| [Tiny](https://example.org) | 0.018 |  0.000009  | {psnr} | {ssim} |  3x1000x1000 |
| Tiny **vacc fp16** | - | - | {psnr} | - | - |
"""

DATASET = """
title = "Two images"
description = "for tests"
licence = "none"
homepage = "https://example.org"
scales = [2]
count = 2
stems = ["a", "b"]

[[layout]]
hr = "HR/{stem}.png"
lr = "LR/{stem}.png"
"""


@dataclass(frozen=True)
class Zoo:
    """The folders of a zoo, and what is true of its network."""

    root: Path
    psnr: float
    ssim: float

    @property
    def suite(self) -> Path:
        return self.root / "tiny"

    @property
    def data(self) -> Path:
        return self.root / "images"

    def write_table(self, **numbers: str) -> None:
        true = {"psnr": f"{self.psnr:.3f}", "ssim": f"{self.ssim:.4f}"}
        (self.suite / "README.md").write_text(TABLE.format(**(true | numbers)))

    def write_card(self, more: str = "") -> None:
        (self.suite / "card.toml").write_text(CARD + more)

    def records(self) -> dict[str, dict[str, object]]:
        latest = json.loads((self.root.parent / "reports" / "latest.json").read_text())
        return {record["case_id"]: record for record in latest["records"]}


def nearest_x2() -> onnx.ModelProto:
    """Repeat each pixel twice in both directions, after a convolution that changes nothing."""
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    weight = numpy_helper.from_array(np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1), "weight")
    nodes = [
        helper.make_node("Conv", ["lr", "weight"], ["same"]),
        helper.make_node(
            "Resize",
            ["same", "", "scales"],
            ["sr"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, f"{name}_h", f"{name}_w"])
        for name in ("lr", "sr")
    ]
    graph = helper.make_graph(nodes, "tiny", ends[:1], ends[1:], [scales, weight])
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="test"
    )


def make_images(folder: Path) -> tuple[float, float]:
    """Write two image pairs; return PSNR and SSIM of nearest enlargement by scikit-image."""
    rng = np.random.default_rng(7)
    psnr, ssim = [], []
    for stem in "ab":
        hr = (rng.random((24, 32, 3)) * 60 + np.linspace(40, 150, 32)[:, None]).astype(np.uint8)
        lr = np.ascontiguousarray(hr[::2, ::2])
        for kind, image in (("HR", hr), ("LR", lr)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            write_png(folder / kind / f"{stem}.png", image)
        sr = lr.repeat(2, axis=0).repeat(2, axis=1)
        psnr.append(peak_signal_noise_ratio(hr, sr))
        ssim.append(
            structural_similarity(
                hr.astype(float),
                sr.astype(float),
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                channel_axis=2,
                data_range=255,
            )
        )
    return float(np.mean(psnr)), float(np.mean(ssim))


def make_zoo(root: Path) -> Zoo:
    """Make the zoo in the new folder `root`, with true numbers in its table."""
    (root / "datasets" / "pair").mkdir(parents=True)
    (root / "datasets" / "pair" / "dataset.toml").write_text(DATASET)
    (root / "tiny").mkdir()
    onnx.save(nearest_x2(), root / "tiny" / "tiny.onnx")
    zoo = Zoo(root, *make_images(root / "images"))
    zoo.write_table()
    zoo.write_card()
    return zoo
