"""Train the pocket models of suites/pocket on photographs that no evaluation uses.

``python benchmarks/pocket/train.py [NAME ...]`` trains the named models of
suites/pocket/card.toml, all of them by default, and writes suites/pocket/weights/NAME.safetensors.
"""

import argparse
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from sr_bench.cards.load import load_card
from sr_bench.core.card import ModelCard
from sr_bench.data.crops import photograph_path
from sr_bench.data.locate import load_dataset
from sr_bench.errors import DatasetError
from sr_bench.imaging.files import read_image
from sr_bench.imaging.resize import resize
from sr_bench.zoo.build import build
from sr_bench.zoo.families.lesrcnn.network import Lesrcnn

SUITE = Path(__file__).resolve().parents[2] / "suites" / "pocket"

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Region:
    """Part of a photograph: half-open pixel ranges; None means to the edge."""

    photograph: str
    rows: tuple[int, int | None] = (0, None)
    columns: tuple[int, int | None] = (0, None)
    weight: float = 1.0
    """How often it is drawn, relative to the others."""


# The two motorcycles are a stereo pair with up to 60 pixels of disparity: the right one is cut
# earlier, so that nothing seen in the held-out part is also trained on.
TRAINING = (
    Region("motorcycle_left.png", columns=(0, 560), weight=4),
    Region("motorcycle_right.png", columns=(0, 480), weight=3),
    Region("ihc.png", rows=(0, 384), weight=2),
    Region("brick.png"),
    Region("camera.png", columns=(0, 384), weight=3),
    Region("coins.png", weight=1.5),
    Region("grass.png"),
    Region("gravel.png"),
    Region("moon.png", weight=0.5),
    Region("page.png", weight=0.5),
)
HELD_OUT = (
    Region("motorcycle_left.png", columns=(560, None)),
    Region("ihc.png", rows=(384, None)),
    Region("camera.png", columns=(384, None)),
)


@dataclass(frozen=True)
class Recipe:
    """How one model is trained: Adam on the L1 loss, one cycle of the learning rate."""

    seed: int
    steps: int
    peak_rate: float
    batch: int = 8
    patch: int = 32
    """Side of the LR patches, in pixels."""


RECIPES = {
    "pocket_sr4k_x2": Recipe(seed=1, steps=4000, peak_rate=2e-3),
    "pocket_edsr_x2": Recipe(seed=2, steps=1500, peak_rate=2e-3),
    "pocket_edsr_x4": Recipe(seed=3, steps=1500, peak_rate=2e-3, patch=24),
    "pocket_lesrcnn_x2": Recipe(seed=4, steps=1500, peak_rate=2e-3),
}


@dataclass(frozen=True)
class Pair:
    """An LR image and its HR original, uint8 (H, W, 3)."""

    lr: Image
    hr: Image


def load_pair(region: Region, scale: int) -> Pair:
    """Return `region` and its MATLAB bicubic reduction; sides are cut to multiples of 8 pixels."""
    rows, columns = slice(*region.rows), slice(*region.columns)
    hr = read_image(_photograph(region.photograph))[rows, columns]
    height, width = (side // 8 * 8 for side in hr.shape[:2])
    hr = np.ascontiguousarray(hr[:height, :width])
    return Pair(resize(hr, (height // scale, width // scale), "matlab_bicubic"), hr)


def _photograph(file: str) -> Path:
    """Return where `file` is; refuse what the dataset ``photos`` doesn't leave for training."""
    crops = load_dataset("photos").crops
    if crops is None or file not in crops.training:
        msg = f"{file} is not among the training photographs of datasets/photos/dataset.toml"
        raise DatasetError(msg)
    return photograph_path(crops, file)


def batches(recipe: Recipe, scale: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield endless batches (LR, HR) of augmented patches, float32 NCHW in 0-1."""
    rng = np.random.default_rng(recipe.seed)
    pairs = [load_pair(region, scale) for region in TRAINING]
    odds = np.array([region.weight for region in TRAINING])
    while True:
        chosen = rng.choice(len(pairs), recipe.batch, p=odds / odds.sum())
        patches = [_augment(_cut(pairs[i], recipe.patch, rng), rng) for i in chosen]
        yield _tensor([patch.lr for patch in patches]), _tensor([patch.hr for patch in patches])


def _cut(pair: Pair, patch: int, rng: np.random.Generator) -> Pair:
    scale = pair.hr.shape[0] // pair.lr.shape[0]
    top, left = (int(rng.integers(side - patch + 1)) for side in pair.lr.shape[:2])
    ends = slice(top, top + patch), slice(left, left + patch)
    hr_ends = tuple(slice(end.start * scale, end.stop * scale) for end in ends)
    return Pair(pair.lr[ends], pair.hr[hr_ends])


def _augment(pair: Pair, rng: np.random.Generator) -> Pair:
    """Turn, flip, swap channels and change their contrast: LR and HR stay a pair.

    Reduction is linear and symmetric, so it commutes with all of these.
    """
    turns, flip, order = int(rng.integers(4)), bool(rng.integers(2)), rng.permutation(3)
    low = rng.uniform(0, 60) + rng.uniform(-20, 20, 3)
    high = rng.uniform(195, 265) + rng.uniform(-20, 20, 3)
    gain = ((high - low) / 255).astype(np.float32)

    def change(image: Image) -> NDArray[np.float32]:
        turned = np.rot90(image, turns)
        turned = turned[:, ::-1] if flip else turned
        return np.clip(turned[..., order] * gain + low.astype(np.float32), 0, 255)

    return Pair(change(pair.lr), change(pair.hr))


def _tensor(images: list[NDArray[np.float32]]) -> Tensor:
    return torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).copy()) / 255


def train(card: ModelCard, recipe: Recipe) -> nn.Module:
    """Return the network of `card`, trained by `recipe`; print the held-out PSNR on the way."""
    torch.manual_seed(recipe.seed)
    network = build(card.architecture, card.hyper, card.scale)
    network.to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    if isinstance(network, Lesrcnn):
        _carry_image(network)
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimiser = torch.optim.Adam(weights, recipe.peak_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.peak_rate, recipe.steps, pct_start=0.1, final_div_factor=100
    )
    held_out = [load_pair(region, card.scale) for region in HELD_OUT]
    source = batches(recipe, card.scale)
    for step in range(1, recipe.steps + 1):
        lr, hr = next(source)
        optimiser.zero_grad()
        loss = nn.functional.l1_loss(network(lr * card.value_range) / card.value_range, hr)
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 0.1)
        optimiser.step()
        schedule.step()
        if step % 500 == 0 or step == recipe.steps:
            print(f"  step {step}: held out {held_out_psnr(network, card, held_out)}", flush=True)
    return network


@torch.no_grad()
def _carry_image(network: Lesrcnn) -> None:
    """Let an LESRCNN x2 start close to nearest-neighbour enlargement.

    No skip leads around its last layers, so that from a random start it first has to learn, for
    thousands of steps, to let the image pass. Rectifiers lose what is negative: the image goes
    through as it is in three channels and negated in three others.
    """
    feats = network.get_parameter("conv1.0.weight").shape[0]
    signed = torch.zeros(feats, 3)
    signed[:6] = torch.cat((torch.eye(3), -torch.eye(3)))
    same = torch.eye(feats)
    carriers = {"conv1": signed, "conv18": signed.T / 2, "upsample": same.repeat_interleave(4, 0)}
    for name, layer in network.named_modules():
        part = name.partition(".")[0]
        if isinstance(layer, nn.Conv2d) and (part in carriers or part.startswith("conv17_")):
            layer.weight *= 0.1
            layer.weight[:, :, 1, 1] += carriers.get(part, same)


@torch.no_grad()
def held_out_psnr(network: nn.Module, card: ModelCard, pairs: list[Pair]) -> str:
    """Return the PSNR (RGB, rounded to 8 bits) of each pair and the gain over bicubic, in dB."""
    gains = []
    for pair in pairs:
        out = network(_tensor([pair.lr]) * card.value_range)[0] / card.value_range
        sr = (out.clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
        bicubic = resize(pair.lr, pair.hr.shape[:2], "matlab_bicubic")
        gains.append((_psnr_db(sr, pair.hr), _psnr_db(bicubic, pair.hr)))
    ours, theirs = np.mean(gains, axis=0)
    each = ", ".join(f"{sr:.2f} ({sr - bicubic:+.2f})" for sr, bicubic in gains)
    return f"{ours:.3f} dB, {ours - theirs:+.3f} over bicubic; each: {each}"


def _psnr_db(image: NDArray[np.generic], reference: Image) -> float:
    error = image.astype(np.float64) - reference
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RECIPES)}")
    names = parser.parse_args().names or list(RECIPES)
    if unknown := set(names) - set(RECIPES):
        parser.error(f"unknown {', '.join(sorted(unknown))}; the models are {', '.join(RECIPES)}")
    # One thread and deterministic kernels: the same machine and torch give the same weights.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    cards = {card.name: card for card in load_card(SUITE / "card.toml").models}
    for name in names:
        started = time.monotonic()
        print(f"{name}: {RECIPES[name]}", flush=True)
        network = train(cards[name], RECIPES[name])
        path = SUITE / "weights" / f"{name}.safetensors"
        path.parent.mkdir(exist_ok=True)
        state = {key: value.contiguous() for key, value in network.state_dict().items()}
        save_file(state, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"  {path.stat().st_size} bytes, {time.monotonic() - started:.0f} s, sha256 {digest}")


if __name__ == "__main__":
    main()
