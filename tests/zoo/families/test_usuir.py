import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad
from torch.testing import assert_close

from sr_bench.zoo.build import build
from tests.zoo.weights import random_state


def scene(w: dict[str, Tensor], x: Tensor) -> Tensor:
    for i in range(1, 5):
        layer = f"image_net.conv{i}.1"
        x = conv2d(pad(x, (1, 1, 1, 1), "reflect"), w[f"{layer}.weight"], w[f"{layer}.bias"])
        variance, mean = torch.var_mean(x, dim=(2, 3), correction=0, keepdim=True)
        x = ((x - mean) / (variance + 1e-5).sqrt()).relu()
    return conv2d(x, w["image_net.final.0.weight"], w["image_net.final.0.bias"]).sigmoid()


def test_the_image_is_the_scene_whatever_the_water_is() -> None:
    module = build("usuir", {"n_feats": 5}, 1).eval()
    x = torch.rand(2, 3, 6, 5, generator=torch.Generator().manual_seed(1))
    w, other = random_state(module), random_state(module, seed=2)
    for water in (w, other):
        module.load_state_dict(water | {k: v for k, v in w.items() if k.startswith("image_net")})
        with torch.inference_mode():
            assert_close(module(x), scene(w, x))


def test_both_networks_run_as_in_the_authors_code_whose_cost_is_printed() -> None:
    ran: list[str] = []
    module = build("usuir", {"n_feats": 2}, 1)
    for name in ("image_net", "mask_net"):
        layer: nn.Module = module.get_submodule(name)
        layer.register_forward_hook(lambda *_, name=name: ran.append(name))
    module(torch.zeros(1, 3, 4, 4))
    assert sorted(ran) == ["image_net", "mask_net"]
