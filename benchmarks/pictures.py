"""Photographs, at DIV2K's size, and what is evaluated on them, for the benchmarks of evaluation."""

from pathlib import Path

import numpy as np
from quantisation import NETWORKS

from sr_bench.cards.protocol_files import load_protocol
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.locate import load_dataset
from sr_bench.data.source import ImageSet, open_dataset
from sr_bench.engine.job import Job
from sr_bench.imaging.files import write_png
from sr_bench.imaging.resize import resize

DIV2K = (1356, 2040)
"""Height and width of most of its ground truths."""
SCALE = 2

MANIFEST = """
title = "Benchmark"
description = "enlarged photographs"
licence = "see scikit-image"
homepage = "https://scikit-image.org"
scales = [2]
count = {count}
stems = {{ first = 1, last = {count}, width = 4 }}

[[layout]]
hr = "HR/{{stem}}.png"
lr = "LR/{{stem}}.png"
"""


def make_images(folder: Path, count: int, size_hw: tuple[int, int] = DIV2K) -> None:
    """Write `count` pairs: photographs enlarged, with noise so that PNG stays as large."""
    from skimage import data  # here, so that the processes whose memory is measured don't hold it

    rng = np.random.default_rng(0)
    sources = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    lr_size = (size_hw[0] // SCALE, size_hw[1] // SCALE)
    for index in range(1, count + 1):
        hr = resize(np.ascontiguousarray(sources[index % 4]), size_hw, "cv2_cubic").astype(int)
        hr = np.clip(hr + rng.integers(-6, 7, hr.shape), 0, 255).astype(np.uint8)
        for kind, image in (("HR", hr), ("LR", resize(hr, lr_size, "cv2_area"))):
            write_png(folder / kind / f"{index:04d}.png", image)
    (folder / "dataset.toml").write_text(MANIFEST.format(count=count))


def link_images(folder: Path, source: Path, count: int) -> None:
    """Fill `folder` with `count` pairs that are those of `source`, over and over."""
    for kind in ("HR", "LR"):
        files = sorted((source / kind).iterdir())
        (folder / kind).mkdir(parents=True)
        for index in range(count):
            (folder / kind / f"{index + 1:04d}.png").hardlink_to(files[index % len(files)])
    (folder / "dataset.toml").write_text(MANIFEST.format(count=count))


def open_images(folder: Path) -> ImageSet:
    return open_dataset(load_dataset(folder.name, (folder.parent,)), scale=SCALE, given=folder)


def protocol(side: int) -> EvalProtocol:
    """Return the way of LESRCNN's scripts: LR is squashed to `side`, HR to its double."""
    seed = load_protocol("lesrcnn_seed")
    return EvalProtocol(
        name=f"lesrcnn_seed at {side}",
        lr_resize=seed.lr_resize,
        gt_resize=seed.gt_resize,
        input_shape=(side, side),
    )


def make_job(network: str, images: ImageSet, side: int) -> Job:
    architecture, hyper = NETWORKS[network]
    rule = protocol(side)
    card = ModelCard(
        name=network,
        family=network,
        folder=Path(),
        row="",
        row_source="",
        scale=SCALE,
        architecture=architecture,
        hyper=hyper,
        evaluations=(Evaluation("benchmark", rule),),
    )
    return Job(card, rule, images)
