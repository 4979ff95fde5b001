"""A zoo of one small network with convolutions, its evaluation and its calibration images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sr_bench.imaging.files import write_png
from tests.precision.nets import images, residual_net

CARD = """
schema = 1

[[model]]
name = "res_x2"
row = "Res"
scale = 2
onnx = "net.onnx"
cost = {{ rule = "standard", shape = "3x8x8" }}
evaluation = [{{ dataset = "judged", protocol = "{protocol}" }}]

[model.int8]
calibration = "seen"
{plan}

[model.gate]
min_fidelity_db = {limit}
max_drop_db = 2.0
max_drop_ssim = 0.2
max_image_drop_db = 2.5
max_image_drop_ssim = 0.25
"""

TABLE = """# Res

| Models | PSNR(dB) | SSIM |
| :--- | ---: | ---: |
| Res | 10.0 | 0.5 |
"""

DATASET = """
title = "Images"
description = "for tests"
licence = "none"
homepage = "https://example.org"
scales = [2]
count = {count}
stems = {{ first = 1, last = {count}, width = 1 }}

[[layout]]
hr = "HR/{slug}{{stem}}.png"
lr = "LR/{slug}{{stem}}.png"
"""


@dataclass(frozen=True)
class Int8Zoo:
    """Its folders."""

    root: Path

    @property
    def suite(self) -> Path:
        return self.root / "res"

    @property
    def data(self) -> Path:
        return self.root / "images"

    def write_card(
        self, *, plan: str = "", limit: float = 33.0, protocol: str = "native_rgb"
    ) -> None:
        text = CARD.format(plan=plan, limit=limit, protocol=protocol)
        (self.suite / "card.toml").write_text(text)


def make_int8_zoo(root: Path) -> Int8Zoo:
    """Make the zoo in the new folder `root`."""
    zoo = Int8Zoo(root)
    zoo.suite.mkdir(parents=True)
    residual_net(zoo.suite / "net.onnx")
    for slug, count, seed in (("judged", 3, 1), ("seen", 4, 2)):
        _write_images(zoo.data / slug, slug, images(count, 24, seed))
        manifest = root / "datasets" / slug / "dataset.toml"
        manifest.parent.mkdir(parents=True)
        manifest.write_text(DATASET.format(slug=slug, count=count))
    (zoo.suite / "README.md").write_text(TABLE)
    zoo.write_card()
    return zoo


def _write_images(folder: Path, slug: str, images: list[np.ndarray]) -> None:
    for number, image in enumerate(images, 1):
        lr = np.rint(image[0].transpose(1, 2, 0) * 255).astype(np.uint8)
        for kind, pixels in (("LR", lr), ("HR", lr.repeat(2, 0).repeat(2, 1))):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            write_png(folder / kind / f"{slug}{number}.png", np.ascontiguousarray(pixels))
