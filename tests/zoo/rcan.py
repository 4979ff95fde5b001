"""The hyper-parameters of RCAN as published, and what SR4K trims off it."""

from sr_bench.core.card import Hyper

RCAN: Hyper = {
    "form": "official",
    "n_resgroups": 10,
    "n_resblocks": 20,
    "n_feats": 64,
    "attention": True,
    "reduction": 16,
    "res_scale": 1.0,
    "rgb_range": 255.0,
    "rgb_mean": "div2k",
    "mean_shift": "frozen",
    "head": "stride1",
    "upsample": "steps",
}
TRIMMED: Hyper = {"attention": False, "reduction": 0, "head": "stride2", "upsample": "single"}
