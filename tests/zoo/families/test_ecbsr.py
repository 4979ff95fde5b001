"""ECBSR: five branches that a checkpoint of the training holds become one convolution."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad
from torch.testing import assert_close

from sr_bench.core.card import Hyper, ModelCard
from sr_bench.errors import CheckpointError
from sr_bench.zoo.build import canonical_key
from sr_bench.zoo.checkpoints import load_network
from tests.zoo.weights import load_model

FILTERS = {
    "sbx": [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
    "sby": [[1, 2, 1], [0, 0, 0], [-1, -2, -1]],
    "lpl": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
}


def hyper(*, identity: bool = False) -> Hyper:
    size: Hyper = {"n_feats": 4, "n_convs": 1, "colours": 1}
    return {**size, "activation": "relu", "identity": identity}


def trained_block(inputs: int, outputs: int) -> dict[str, Tensor]:
    """Return a block as its training leaves it, with random weights."""

    def weights(*shape: int) -> Tensor:
        return torch.randn(shape)

    block = {"conv3x3.weight": weights(outputs, inputs, 3, 3), "conv3x3.bias": weights(outputs)}
    wide = 2 * outputs
    block |= {"conv1x1_3x3.k0": weights(wide, inputs, 1, 1), "conv1x1_3x3.b0": weights(wide)}
    block |= {"conv1x1_3x3.k1": weights(outputs, wide, 3, 3), "conv1x1_3x3.b1": weights(outputs)}
    for name, values in FILTERS.items():
        mask = torch.tensor(values, dtype=torch.float32).expand(outputs, 1, 3, 3).clone()
        block |= {f"conv1x1_{name}.k0": weights(outputs, inputs, 1, 1)}
        block |= {f"conv1x1_{name}.b0": weights(outputs), f"conv1x1_{name}.mask": mask}
        block |= {f"conv1x1_{name}.scale": weights(outputs, 1, 1, 1)}
        block |= {f"conv1x1_{name}.bias": weights(outputs)}
    return block


def branches(block: dict[str, Tensor], x: Tensor) -> Tensor:
    """Return what all branches of the training add up to; the 1x1 is padded by its bias."""

    def first(branch: str) -> Tensor:
        inside = conv2d(x, block[f"{branch}.k0"])
        return pad(inside, (1, 1, 1, 1)) + block[f"{branch}.b0"].view(1, -1, 1, 1)

    out = conv2d(x, block["conv3x3.weight"], block["conv3x3.bias"], padding=1)
    out += conv2d(first("conv1x1_3x3"), block["conv1x1_3x3.k1"], block["conv1x1_3x3.b1"])
    for branch in (f"conv1x1_{name}" for name in FILTERS):
        kernel = block[f"{branch}.scale"] * block[f"{branch}.mask"]
        out += conv2d(first(branch), kernel, block[f"{branch}.bias"], groups=len(kernel))
    return out


def trained() -> dict[str, Tensor]:
    """Return a checkpoint of the training."""
    torch.manual_seed(0)
    blocks = [trained_block(1, 4), trained_block(4, 4), trained_block(4, 4)]
    return {
        f"backbone.{i}.{name}": value
        for i, block in enumerate(blocks)
        for name, value in block.items()
    }


def card(**changes: object) -> ModelCard:
    network = {"scale": 2, "architecture": "ecbsr", "hyper": hyper(), **changes}
    return ModelCard("net", "ecbsr", Path(), "", "", **network)  # type: ignore[arg-type]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.save({"params": trained()}, tmp_path / "trained.pth")
    return tmp_path / "trained.pth"


@pytest.mark.parametrize("identity", [False, True])
def test_a_folded_block_gives_what_its_branches_add_up_to_at_the_border_too(
    checkpoint: Path, identity: bool
) -> None:
    net, notes = load_network(card(hyper=hyper(identity=identity)), checkpoint)
    block = {name.removeprefix("backbone.1."): value for name, value in trained().items()}
    x = torch.randn(1, 4, 5, 6)
    skip = x if identity else torch.zeros_like(x)
    assert_close(net.get_submodule("body.2")(x), branches(block, x) + skip)
    assert notes["folded"] == "weights of the training folded into one layer each"


def test_only_blocks_that_keep_the_number_of_channels_have_a_skip(checkpoint: Path) -> None:
    with_skip, without = (
        load_model(card(hyper=hyper(identity=one)), checkpoint).state_dict()
        for one in (True, False)
    )
    differing = {name for name in without if not torch.equal(with_skip[name], without[name])}
    assert differing == {"body.2.weight", "body.4.weight"}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("backbone.0.conv3x3.weight", "body.0.weight"),
        ("backbone.3.act.weight", "body.7.weight"),
        ("backbone.3.conv1x1_sbx.k0", "body.6.conv1x1_sbx.k0"),
        ("body.6.bias", "body.6.bias"),
    ],
)
def test_names_of_both_forms_have_one_meaning(key: str, expected: str) -> None:
    assert canonical_key("ecbsr", key) == expected


def test_a_folded_checkpoint_loads_too_and_no_seed_moves(checkpoint: Path, tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    net = load_model(card(), checkpoint)
    plain = {
        f"backbone.{i}.conv3x3.{name}": net.state_dict()[f"body.{2 * i}.{name}"]
        for i in range(3)
        for name in ("weight", "bias")
    }
    torch.save(plain, tmp_path / "plain.pth")
    assert torch.equal(torch.random.get_rng_state(), before)
    x = torch.rand(1, 1, 4, 4)
    assert torch.equal(net(x), load_model(card(), tmp_path / "plain.pth")(x))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"conv1x1_sby.mask": None}, r"1 missing: body\.2\.conv1x1_sby\.mask\."),
        (
            {"conv1x1_3x3.k0": torch.zeros(7, 4, 1, 1)},
            r"body\.2\.conv1x1_3x3\.k0 \(7, 4, 1, 1\) instead of \(8, 4, 1, 1\)",
        ),
        ({"conv1x1_more.k0": torch.zeros(1)}, r"1 unexpected: body\.2\.conv1x1_more\.k0"),
    ],
)
def test_all_branches_of_all_blocks_must_fit(
    tmp_path: Path, change: dict[str, Tensor | None], words: str
) -> None:
    state = {**trained(), **{f"backbone.1.{name}": value for name, value in change.items()}}
    torch.save({k: v for k, v in state.items() if v is not None}, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=words):
        load_model(card(), tmp_path / "net.pth")
