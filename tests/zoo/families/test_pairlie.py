import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad
from torch.testing import assert_close

from sr_bench.zoo.build import build, canonical_key
from tests.zoo.weights import random_state

HYPER = {"n_feats": 5, "exponent": 0.2}


def estimate(w: dict[str, Tensor], net: str, x: Tensor) -> Tensor:
    for i in (1, 4, 7, 10, 13):
        x = conv2d(pad(x, (1, 1, 1, 1), "reflect"), w[f"{net}.{i}.weight"], w[f"{net}.{i}.bias"])
        x = x.sigmoid() if i == 13 else x.relu()
    return x


def test_the_image_is_the_light_to_a_power_times_the_reflectance() -> None:
    module = build("pairlie", HYPER, 1).eval()
    w = random_state(module)
    module.load_state_dict(w)
    x = torch.rand(1, 3, 6, 5, generator=torch.Generator().manual_seed(1))
    clean = estimate(w, "N_net", x)
    light, reflectance = estimate(w, "L_net", clean), estimate(w, "R_net", clean)
    assert light.shape == (1, 1, 6, 5)
    with torch.inference_mode():
        assert_close(module(x), light**0.2 * reflectance)


def test_checkpoints_name_each_of_the_networks_twice() -> None:
    with torch.device("meta"):
        names = build("pairlie", HYPER, 1).state_dict().keys()
    theirs = {f"{name.partition('.')[0]}.{name}" for name in names}
    assert {canonical_key("pairlie", name) for name in theirs} == names
    assert {canonical_key("pairlie", name) for name in names} == names
