"""The tiny zoo, made once for each test file, and a cache that is not the user's."""

from pathlib import Path

import pytest
import torch

from sr_bench.core.card import ModelCard
from sr_bench.core.checkpoint import Checkpoint
from sr_bench.zoo.build import build
from tests.ends import ends
from tests.tiny_zoo import Zoo, make_zoo


@pytest.fixture(scope="module")
def shared_zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """Return a zoo that no test may change."""
    return make_zoo(tmp_path_factory.mktemp("shared") / "my_zoo")


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    """Return a zoo of the test's own."""
    return make_zoo(tmp_path / "my_zoo")


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(cache: Path) -> None:
    """Let each test have a cache of its own."""


HYPER = {"form": "official", "n_feats": 4, "n_resblocks": 1, "res_scale": 1.0, "rgb_range": 255.0}


@pytest.fixture
def edsr(tmp_path: Path) -> ModelCard:
    """Return the card of a small EDSR x2 with random weights beside it, in a zoo of its own."""
    torch.manual_seed(5)
    folder = tmp_path / "edsr_zoo" / "small"
    folder.mkdir(parents=True)
    torch.save(build("edsr", HYPER, 2).state_dict(), folder / "small.pth")
    return ModelCard(
        name="small_x2",
        family="small",
        folder=folder,
        row="Small",
        row_source="",
        scale=2,
        architecture="edsr",
        hyper=HYPER,
        checkpoint=Checkpoint("small.pth"),
        **ends(255.0),
        counted_shape=(3, 8, 8),
    )
