"""Where a card says no sizes, a built-in architecture's are its own."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import sr_bench.zoo.build
from sr_bench.core.card import ModelCard
from sr_bench.core.network_io import NetworkInput
from sr_bench.core.precision import Precision
from sr_bench.engine.measure.worker import Worker
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.network import prepare
from sr_bench.engine.prepare.sizes import with_sizes
from sr_bench.files.kept import Kept
from sr_bench.zoo.build import build

HYPER = {"n_feats": 4, "growth": 4, "n_blocks": 1, "res_scale": 0.2, "unshuffle": True}


@pytest.fixture
def folding(edsr: ModelCard) -> ModelCard:
    """Return the card of a network that takes even sides."""
    torch.save(build("rrdbnet", HYPER, 2).state_dict(), edsr.folder / "small.pth")
    return replace(edsr, architecture="rrdbnet", hyper=HYPER)


def test_they_are_found_once(folding: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept.usual()
    assert with_sizes(folding, kept) == replace(folding.input, multiple_of=2)
    monkeypatch.setattr(sr_bench.zoo.build, "size_multiple", None)
    assert with_sizes(folding, kept).multiple_of == 2


def test_the_card_comes_before_and_other_networks_take_any(
    folding: ModelCard, edsr: ModelCard
) -> None:
    for given in (NetworkInput(multiple_of=6), NetworkInput(size=(8, 8))):
        assert with_sizes(replace(folding, input=given), Kept.usual()) is given
    assert not with_sizes(edsr, Kept.usual()).is_fitted
    assert not with_sizes(replace(folding, architecture="nets.mine:Net"), Kept.usual()).is_fitted


@pytest.mark.parametrize("backend", ["onnxruntime", "torch"])
def test_odd_images_go_through_a_network_that_takes_even_sides(
    folding: ModelCard, backend: str
) -> None:
    worker = Worker(Selection(backend=backend))
    lr = np.random.default_rng(1).random((1, 3, 7, 9), np.float32)
    form = worker.info.form
    with worker.open(prepare(folding, Precision.FP32, None, form=form)) as session:
        assert session.run(lr).shape == (1, 3, 14, 18)
        assert session.notes["input_fit"] == "padded where a side is no multiple of 2 (reflect)"
