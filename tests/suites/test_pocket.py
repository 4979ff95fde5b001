"""The pocket models: small, whole, honestly trained, and better than bicubic."""

import ast
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sr_bench.cards.load import load_card
from sr_bench.core.card import ModelCard
from sr_bench.data.locate import load_dataset
from sr_bench.data.source import open_dataset
from sr_bench.files.hashing import sha256_file
from sr_bench.imaging.resize import resize
from tests.zoo.weights import load_model

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "suites" / "pocket"
NAMES = ("pocket_sr4k_x2", "pocket_edsr_x2", "pocket_edsr_x4", "pocket_lesrcnn_x2")
LEAST_GAIN_DB = {2: 0.4, 4: 0.2}


@cache
def card_of(name: str) -> ModelCard:
    return next(card for card in load_card(SUITE / "card.toml").models if card.name == name)


def weights_of(name: str) -> Path:
    checkpoint = card_of(name).checkpoint
    assert checkpoint is not None
    return SUITE / "weights" / checkpoint.file


def psnr_db(image: np.ndarray, reference: np.ndarray) -> float:
    error = np.mean((image.astype(np.float64) - reference) ** 2)
    return float(10 * np.log10(255**2 / error))


def test_the_card_declares_the_four_networks() -> None:
    assert tuple(card.name for card in load_card(SUITE / "card.toml").models) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_under_one_megabyte_and_have_the_digest_of_the_card(name: str) -> None:
    path = weights_of(name)
    assert path.stat().st_size < 1_000_000
    assert sha256_file(path) == card_of(name).checkpoint.sha256


@pytest.mark.parametrize("name", NAMES)
def test_weights_load_strictly(name: str) -> None:
    module = load_model(card_of(name), weights_of(name))
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_no_photograph_that_is_trained_on_is_evaluated() -> None:
    crops = load_dataset("photos").crops
    assert crops is not None
    measured = {crop.file for crop in crops.evaluation}
    script = ast.parse((ROOT / "benchmarks" / "pocket" / "train.py").read_text("utf-8"))
    read = {
        node.args[0].value
        for node in ast.walk(script)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Region"
    }
    assert len(read) == 10
    assert read <= set(crops.training)
    assert not read & measured


def gain_db(module: nn.Module, white: float, lr: np.ndarray, hr: np.ndarray) -> float:
    """Return by how much the network is above bicubic on one image."""
    with torch.inference_mode():
        out = module(torch.from_numpy(lr.transpose(2, 0, 1).copy())[None] * (white / 255))[0]
    sr = (out * (255 / white)).clamp(0, 255).round().permute(1, 2, 0).numpy()
    return psnr_db(sr, hr) - psnr_db(resize(lr, hr.shape[:2], "matlab_bicubic"), hr)


@pytest.mark.parametrize("name", NAMES)
def test_the_network_is_above_bicubic_on_each_crop_and_clearly_so_on_all(name: str) -> None:
    card = card_of(name)
    module = load_model(card, weights_of(name))
    images = open_dataset(load_dataset("photos"), scale=card.scale)
    pairs = map(images.load, range(len(images)))
    gains = [gain_db(module, card.input.range[1], lr, hr) for lr, hr in pairs]
    assert len(gains) == 12
    assert min(gains) > 0
    assert np.mean(gains) > LEAST_GAIN_DB[card.scale]
