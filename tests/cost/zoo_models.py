"""The networks of the documents, and the numbers that the documents print about them."""

from dataclasses import dataclass, field

import torch
from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.zoo.build import build

A = "thop_0_0_31"
B = "thop_0_1_1"


@dataclass(frozen=True)
class Printed:
    """One network and what is printed about it."""

    architecture: str
    scale: int
    hyper: Hyper = field(hash=False)
    shape: tuple[int, int, int]
    rule: str
    flops_g: str
    params: int
    params_m: str
    """Empty where a script prints Flops only."""

    def module(self, device: str = "meta") -> nn.Module:
        with torch.device(device):
            return build(self.architecture, self.hyper, self.scale).eval()


def _edsr(form: str, feats: int, blocks: int) -> Hyper:
    scale = 0.1 if feats == 256 else 1.0
    return {
        "form": form,
        "n_feats": feats,
        "n_resblocks": blocks,
        "res_scale": scale,
        "rgb_range": 255.0,
    }


def _sr4k(form: str, feats: int, groups: int) -> Hyper:
    return {
        "form": form,
        "n_resgroups": groups,
        "n_resblocks": 2,
        "n_feats": feats,
        "attention": False,
        "reduction": 0,
        "res_scale": 1.0,
        "rgb_range": 255.0,
        "rgb_mean": "div2k",
        "mean_shift": "plain" if form == "official" else "tensor",
        "head": "stride2",
        "upsample": "single",
    }


RCAN: Hyper = _sr4k("official", 64, 10) | {
    "n_resblocks": 20,
    "attention": True,
    "reduction": 16,
    "mean_shift": "frozen",
    "head": "stride1",
    "upsample": "steps",
}

_LESRCNN: Hyper = {"n_feats": 64, "multi_scale": False}
_RRDB: Hyper = {"n_feats": 64, "n_blocks": 23, "growth": 32, "res_scale": 0.2}
_MSRN: Hyper = {"n_feats": 16, "n_blocks": 2, "rgb_range": 255.0}
_NCNET: Hyper = {"n_feats": 32}
_BICUBIC: Hyper = {"n_feats": 32}
_VDSR: Hyper = {"n_feats": 64, "n_convs": 18, "colours": 1}
_DRRN: Hyper = {"n_feats": 128, "n_units": 25, "colours": 1}


def _plain(feats: int, convs: int, colours: int, activation: str = "prelu") -> Hyper:
    return {"n_feats": feats, "n_convs": convs, "colours": colours, "activation": activation}


def _dipnet(feats: int, mid: int, esa: int) -> Hyper:
    return {"n_feats": feats, "mid_feats": mid, "esa_feats": esa}


_ECBSR: Hyper = _plain(8, 4, 1) | {"identity": False}
_SPAR: Hyper = {"n_feats": 32, "max_feats": 128, "n_halve": 3, "n_blocks": 1, "depth": 5}
_ATTENTION_3D: Hyper = {"norm": "bn", "attention": "spar3d"}
_BASELINE, _FULL = _edsr("official", 64, 16), _edsr("official", 256, 32)
_Y256, _YHD = (1, 256, 256), (1, 1080, 1920)
_128, _256, _HD = (3, 128, 128), (3, 256, 256), (3, 1080, 1920)

MODELS = {
    "lesrcnn_x2": Printed("lesrcnn", 2, _LESRCNN, _128, B, "44.459", 626_328, "0.626"),
    "lesrcnn_x4": Printed("lesrcnn", 4, _LESRCNN, _128, B, "152.592", 774_040, "0.7740"),
    "edsr_mx2": Printed(
        "edsr", 2, _edsr("basicsr", 64, 16), (3, 768, 1024), A, "2403.078", 1_369_859, "1.370"
    ),
    "edsr_x1": Printed(
        "edsr", 1, _edsr("basicsr", 32, 9), (3, 720, 1280), A, "363.469", 177_475, "0.177"
    ),
    "edsr_x2": Printed("edsr", 2, _FULL, _256, A, "5934.700", 40_729_627, "40.730"),
    "edsr_baseline_x2": Printed("edsr", 2, _BASELINE, _256, A, "200.256", 1_369_883, "1.370"),
    "edsr_baseline_x4": Printed("edsr", 4, _BASELINE, _256, A, "289.330", 1_517_595, "1.518"),
    "esrgan_x4": Printed("rrdbnet", 4, _RRDB, _128, A, "653.675", 16_697_987, "16.698"),
    "sr4k_official": Printed(
        "rcan", 2, _sr4k("official", 32, 3), _HD, A, "358.207", 297_723, "0.297"
    ),
    "rcan2_official": Printed(
        "rcan", 2, _sr4k("official", 16, 2), _HD, B, "80.331", 63_547, "0.063"
    ),
    "sr4k_basicsr": Printed(
        "rcan", 2, _sr4k("basicsr", 32, 3), _HD, B, "356.659", 297_699, "0.298"
    ),
    "realsr_df2k": Printed("rrdbnet", 4, _RRDB, _128, B, "652.697", 16_697_987, "16.698"),
    "realsr_df2k_jpeg": Printed("rrdbnet", 4, _RRDB, _128, B, "652.697", 16_697_987, "16.698"),
    "realsr_dped": Printed("rrdbnet", 4, _RRDB, _128, B, "652.697", 16_697_987, "16.698"),
    "bsrgan_x2": Printed("rrdbnet", 2, _RRDB, _128, A, "615.207", 16_661_059, "16.661"),
    "real_esrgan_x2plus": Printed(
        "rrdbnet", 2, _RRDB | {"unshuffle": True}, _128, A, "163.466", 16_703_171, "16.703"
    ),
    "real_esrgan_anime": Printed(
        "rrdbnet", 4, _RRDB | {"n_blocks": 6}, _128, A, "208.149", 4_467_779, "4.468"
    ),
    "vdsr": Printed("vdsr", 1, _VDSR, _Y256, A, "96.805", 664_704, "0.664"),
    "drrn": Printed("drrn", 1, _DRRN, _Y256, A, "1074.077", 297_216, ""),
    "ecbsr_plain_x2": Printed("ecbsr", 2, _ECBSR, _YHD, A, "12.478", 2_748, "0.0027"),
    "ncnet_x2": Printed("ncnet", 2, _NCNET, _HD, B, "195.748", 42_664, "0.042"),
    "msrn_x2": Printed("msrn", 2, _MSRN, _HD, B, "477.094", 102_603, "0.103"),
    "dipnet_x2": Printed("dipnet", 2, _dipnet(32, 24, 0), _HD, B, "431.604", 93_664, "0.093"),
    "bicubic_x2": Printed("bicubic_plusplus", 2, _BICUBIC, _HD, B, "38.154", 33_120, "0.033"),
    "bicubic_x3": Printed("bicubic_plusplus", 3, _BICUBIC, _HD, B, "58.061", 50_400, "0.050"),
    "bicubic_x4": Printed("bicubic_plusplus", 4, _BICUBIC, _HD, B, "85.930", 74_592, ""),
    "dipnet_x4": Printed(
        "dipnet", 4, _dipnet(44, 38, 16), (3, 640, 960), A, "310.928", 243_252, "0.243"
    ),
    "dipnet_esa": Printed("dipnet", 2, _dipnet(44, 38, 16), _HD, A, "983.728", 228_996, ""),
    "dipnet_esa_mini": Printed("dipnet", 2, _dipnet(38, 32, 16), _HD, B, "722.327", 173_046, ""),
    "dipnet_noesa": Printed("dipnet", 2, _dipnet(44, 38, 0), _HD, B, "937.617", 203_476, ""),
    "dipnet_small": Printed("dipnet", 2, _dipnet(16, 12, 0), _HD, B, "112.878", 24_496, ""),
    "animevideov3": Printed("srvgg", 4, _plain(64, 16, 3), _128, A, "22.586", 621_424, ""),
    "general_x4v3": Printed("srvgg", 4, _plain(64, 32, 3), _128, A, "44.098", 1_213_296, ""),
    "pairlie": Printed(
        *("pairlie", 1, {"n_feats": 64, "exponent": 0.2}, (3, 400, 600)),
        *(A, "182.276", 341_767, "0.342"),
    ),
    "usuir_uieb": Printed("usuir", 1, {"n_feats": 64}, (3, 720, 1280), A, "461.910", 225_542, ""),
    "usuir_ruie": Printed(
        "usuir", 1, {"n_feats": 64}, (3, 300, 400), A, "60.145", 225_542, "0.226"
    ),
    "pfsrnet": Printed(
        "pfsrnet", 8, {"n_feats": 512}, (3, 16, 16), B, "22.418", 8_967_939, "8.968"
    ),
    "sparnet_light": Printed(
        "sparnet", 1, _SPAR | _ATTENTION_3D, _128, A, "15.355", 5_242_211, "5.242"
    ),
    "lesrcnn_x3": Printed("lesrcnn", 3, _LESRCNN, _128, A, "85.083", 810_968, ""),
    "edsr_baseline_x3": Printed("edsr", 3, _BASELINE, _256, A, "228.407", 1_554_523, ""),
    "edsr_x3": Printed("edsr", 3, _FULL, _256, A, "6369.418", 43_680_027, ""),
    "edsr_x4": Printed("edsr", 4, _FULL, _256, A, "7321.770", 43_089_947, ""),
}
"""Rows of the tables, and values that only the export scripts or an author's log print."""

TRUNCATED = ("sr4k_official", "rcan2_official", "vdsr", "ncnet_x2", "dipnet_x2")
"""Rows whose Params are cut, not rounded."""

SMALL = {
    "edsr_official_x2": ("edsr", 2, _edsr("official", 8, 2)),
    "edsr_official_x4_scaled": ("edsr", 4, _edsr("official", 8, 2) | {"res_scale": 0.1}),
    "edsr_basicsr_x1": ("edsr", 1, _edsr("basicsr", 8, 2)),
    "edsr_basicsr_x3": ("edsr", 3, _edsr("basicsr", 8, 2)),
    "rcan_official_x2": ("rcan", 2, RCAN | {"n_feats": 16, "n_resgroups": 2, "n_resblocks": 2}),
    "rcan_basicsr_x4": (
        "rcan",
        4,
        RCAN
        | {"form": "basicsr", "n_feats": 16, "n_resgroups": 2, "n_resblocks": 2}
        | {"mean_shift": "tensor"},
    ),
    "sr4k_official_x2": ("rcan", 2, _sr4k("official", 16, 2)),
    "sr4k_basicsr_x2": ("rcan", 2, _sr4k("basicsr", 16, 2)),
    "rrdbnet_x4": ("rrdbnet", 4, {"n_feats": 8, "n_blocks": 2, "growth": 4, "res_scale": 0.2}),
    "rrdbnet_x2": (
        "rrdbnet",
        2,
        {"n_feats": 8, "n_blocks": 1, "growth": 4, "res_scale": 0.2, "unshuffle": True},
    ),
    "vdsr_x1": ("vdsr", 1, {"n_feats": 8, "n_convs": 3, "colours": 3}),
    "drrn_x1": ("drrn", 1, {"n_feats": 8, "n_units": 3, "colours": 3}),
    "ecbsr_x2": ("ecbsr", 2, _plain(8, 2, 3) | {"identity": False}),
    "ncnet_x4": ("ncnet", 4, {"n_feats": 8}),
    "msrn_x3": ("msrn", 3, _MSRN | {"n_feats": 8}),
    "dipnet_x2": ("dipnet", 2, _dipnet(8, 6, 0)),
    "bicubic_x2": ("bicubic_plusplus", 2, {"n_feats": 8}),
    "srvgg_x4": ("srvgg", 4, _plain(8, 2, 3, "leakyrelu")),
    # A power that fp16 holds: ONNX files round their constants, torch keeps its factors.
    "pairlie_x1": ("pairlie", 1, {"n_feats": 6, "exponent": 0.25}),
    "usuir_x1": ("usuir", 1, {"n_feats": 6}),
    "pfsrnet_x8": ("pfsrnet", 8, {"n_feats": 16}),
    "lesrcnn_x2": ("lesrcnn", 2, _LESRCNN | {"n_feats": 8}),
    "lesrcnn_x3": ("lesrcnn", 3, _LESRCNN | {"n_feats": 8}),
    "lesrcnn_x4": ("lesrcnn", 4, _LESRCNN | {"n_feats": 8}),
    "lesrcnn_multi_x4": ("lesrcnn", 4, {"n_feats": 8, "multi_scale": True}),
}
"""Every form of every architecture that takes odd sizes, small: (architecture, scale, hyper)."""


def small(name: str) -> nn.Module:
    """Return a small network with seeded random weights, ready to run."""
    architecture, scale, hyper = SMALL[name]
    torch.manual_seed(0)
    return build(architecture, hyper, scale).eval()
