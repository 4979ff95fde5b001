"""Weights that Python packages carry, and a module that a PyTorch of 2017 saved whole."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sr_bench.cards.load import load_card
from sr_bench.core.card import ModelCard
from sr_bench.engine.prepare.weights import weights_path
from sr_bench.errors import NotRunError
from sr_bench.zoo.checkpoints import load_network
from tests.zoo.reading import load_state

PACKAGED = {
    ("realsr", "realsr_df2k"): 27.37326,
    ("real_esrgan", "realesrgan_x4plus_anime_6b"): 20.96109,
}
"""PSNR in dB of the first crop of photos, by torch's functions and a script of its own."""


def packaged(family: str, name: str, root: Path) -> tuple[ModelCard, Path]:
    models = load_card(root / "suites" / family / "card.toml").models
    card = next(model for model in models if model.name == name)
    try:
        return card, weights_path(card, None)
    except NotRunError as cause:
        pytest.skip(str(cause))


@pytest.mark.official
@pytest.mark.parametrize(("family", "name"), PACKAGED)
def test_the_weights_of_a_package_are_those_of_its_network_and_told_to_be_rounded(
    family: str, name: str, project_root: Path
) -> None:
    card, path = packaged(family, name, project_root)
    module, notes = load_network(card, path)
    assert notes["weights"] == "weights rounded to fp16 by their packager"
    for key, value in module.state_dict().items():
        if key.endswith("weight"):
            assert torch.equal(value, value.half().float())


@pytest.mark.official
@pytest.mark.parametrize(("family", "name"), PACKAGED)
def test_they_score_what_an_independent_run_does(
    family: str, name: str, project_root: Path, pytester: pytest.Pytester
) -> None:
    packaged(family, name, project_root)
    suite = project_root / "suites" / family / "card.toml"
    options = ("--sr-datasets=photos", "--sr-precision=fp32", "--sr-limit=1", "-k", "psnr")
    result = pytester.runpytest_subprocess(str(suite), f"--sr-models={name}", *options)
    measured = f"{PACKAGED[family, name]:.4f}"
    result.stdout.fnmatch_lines([f"*{name}*fp32*psnr on photos_x4*{measured}*(1 of 12 images)*"])
    result.stdout.fnmatch_lines(["*fp32: weights rounded to fp16 by their packager"])


@pytest.mark.official
def test_a_module_saved_whole_in_2017_holds_the_weights_that_were_taken_from_it(
    official_data: Path,
) -> None:
    folder = official_data / "vdsr"
    if not folder.is_dir():
        pytest.skip(f"VDSR's weights are not at {folder}")
    truth = load_file(folder / "vdsr.safetensors")
    read = load_state(folder / "model_epoch_50.pth")
    assert read.keys() == {f"model.{name}" for name in truth}
    assert all(torch.equal(read[f"model.{name}"], value) for name, value in truth.items())
