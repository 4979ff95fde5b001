"""Random weights that keep values of a small network's layers apart and of one magnitude."""

from pathlib import Path

import torch
from torch import Tensor, nn

from sr_bench.core.card import Hyper, ModelCard
from sr_bench.zoo.checkpoints import load_network


def random_state(module: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """Return float weights for `module`, by name; those that share a tensor stay equal."""
    noise = torch.Generator().manual_seed(seed)
    drawn: dict[int, Tensor] = {}
    state = {}
    for name, value in module.state_dict(keep_vars=True).items():
        if value.is_floating_point():
            if id(value) not in drawn:
                drawn[id(value)] = _random(name, value, noise)
            state[name] = drawn[id(value)]
    return state


def _random(name: str, value: Tensor, noise: torch.Generator) -> Tensor:
    if name.endswith("running_var") or (name.endswith("weight") and value.dim() == 1):
        return torch.rand(value.shape, generator=noise, dtype=value.dtype) + 0.5
    fan_in = value[0].numel() if value.dim() > 1 else 10
    return torch.randn(value.shape, generator=noise, dtype=value.dtype) / fan_in**0.5


def load_model(card: ModelCard, path: Path) -> nn.Module:
    """Return the network of `card` with the weights of the file at `path`."""
    return load_network(card, path)[0]


def loaded(
    architecture: str, hyper: Hyper, scale: int, state: dict[str, Tensor], folder: Path
) -> nn.Module:
    """Return the network with the weights of a checkpoint that holds `state`."""
    torch.save(state, folder / "weights.pth")
    names = {"name": architecture, "family": architecture, "row": "", "row_source": ""}
    card = ModelCard(folder=folder, scale=scale, architecture=architecture, hyper=hyper, **names)
    return load_model(card, folder / "weights.pth")
