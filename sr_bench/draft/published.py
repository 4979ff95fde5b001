"""The networks that their authors published, by what documents call them.

No hyper-parameter is guessed: a row is about one of these if its label names it and its parameters
are those of the network.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sr_bench.core.card import Hyper
from sr_bench.core.network_io import NetworkInput


@dataclass(frozen=True)
class Published:
    """A network as its authors released it."""

    label: str
    """What labels say, as a pattern for letters and digits alone."""
    about: str
    """What else the row, its links or its document must say; empty: nothing."""
    architecture: str
    hyper: Hyper
    value_range: float = 1.0
    input: NetworkInput = field(default_factory=NetworkInput)
    """What it reads, but for the value range."""

    def at(self, scale: int) -> NetworkInput:
        """Return what it reads at `scale`: at 1, the input has its final size already."""
        return replace(self.input, enlarged=None) if scale == 1 else self.input


def _edsr(form: str, n_feats: int, n_resblocks: int, res_scale: float) -> Hyper:
    size: Hyper = {"n_feats": n_feats, "n_resblocks": n_resblocks, "res_scale": res_scale}
    return {"form": form, **size, "rgb_range": 255.0}


def _rcan(form: str, mean_shift: str, n_resgroups: int, n_resblocks: int, n_feats: int) -> Hyper:
    is_whole = n_resgroups == 10
    size: Hyper = {"n_resgroups": n_resgroups, "n_resblocks": n_resblocks, "n_feats": n_feats}
    block: Hyper = {"attention": is_whole, "reduction": 16 if is_whole else 0, "res_scale": 1.0}
    mean: Hyper = {"rgb_range": 255.0, "rgb_mean": "div2k", "mean_shift": mean_shift}
    head, upsample = ("stride1", "steps") if is_whole else ("stride2", "single")
    return {"form": form, **size, **block, **mean, "head": head, "upsample": upsample}


def _rrdb(n_blocks: int) -> Hyper:
    return {"n_feats": 64, "n_blocks": n_blocks, "growth": 32, "res_scale": 0.2}


def _plain(n_feats: int, n_convs: int, colours: int) -> Hyper:
    size: Hyper = {"n_feats": n_feats, "n_convs": n_convs}
    return {**size, "colours": colours, "activation": "prelu"}


def _plain_luma(n_feats: int, **size: int) -> Hyper:
    return {"n_feats": n_feats, **size, "colours": 1}


def _msrn(n_feats: int, n_blocks: int) -> Hyper:
    return {"n_feats": n_feats, "n_blocks": n_blocks, "rgb_range": 255.0}


def _dipnet(n_feats: int, mid_feats: int, esa_feats: int) -> Hyper:
    return {"n_feats": n_feats, "mid_feats": mid_feats, "esa_feats": esa_feats}


def _ecbsr(convs: int, feats: int, label: str) -> Iterator[Published]:
    """Yield both forms of ECBSR with so many convolutions and features: luma's and RGB's."""
    folded = {"identity": False}
    luma, rgb = ({**_plain(feats, convs, colours), **folded} for colours in (1, 3))
    yield Published(label, "", "ecbsr", luma, 255.0, _LUMA)
    yield Published(label, "", "ecbsr", rgb)


_LUMA = NetworkInput(colour="y_float")
"""As MATLAB makes it of the images that the authors train on."""
_ENLARGED = replace(_LUMA, enlarged="matlab_bicubic")

_BASICSR, _NOT_BASICSR, _YULUN = "basicsr", "edsr-?pytorch|official|sanghyun", "official|yulun"

PUBLISHED: tuple[Published, ...] = (
    Published("edsrbaseline(x[234])?", _NOT_BASICSR, "edsr", _edsr("official", 64, 16, 1.0), 255.0),
    Published("edsr(x[234])?", _NOT_BASICSR, "edsr", _edsr("official", 256, 32, 0.1), 255.0),
    Published(r"(\d{3})?edsrmx[234]f64b16.*", "", "edsr", _edsr("basicsr", 64, 16, 1.0)),
    Published(r"(\d{3})?edsrlx[234]f256b32.*", "", "edsr", _edsr("basicsr", 256, 32, 0.1)),
    Published("edsrmx[234]", _BASICSR, "edsr", _edsr("basicsr", 64, 16, 1.0)),
    Published("edsrlx[234]", _BASICSR, "edsr", _edsr("basicsr", 256, 32, 0.1)),
    Published("edsrx1", _BASICSR, "edsr", _edsr("basicsr", 32, 9, 1.0)),
    Published("rcan(x[2348])?", _YULUN, "rcan", _rcan("official", "frozen", 10, 20, 64), 255.0),
    Published("rcan(x[234])?", _BASICSR, "rcan", _rcan("basicsr", "tensor", 10, 20, 64)),
    # SR4K, the trimmed RCAN of VastModelZOO: only its parameters tell it from RCAN.
    Published("rcan", _YULUN, "rcan", _rcan("official", "plain", 3, 2, 32), 255.0),
    Published("rcan2", _YULUN, "rcan", _rcan("official", "plain", 2, 2, 16), 255.0),
    Published("rcan", _BASICSR, "rcan", _rcan("basicsr", "tensor", 3, 2, 32)),
    Published("lesrcnn(x[234])?", "", "lesrcnn", {"n_feats": 64, "multi_scale": False}),
    Published("(real)?esr(gan|net)(x4)?(plus)?", "", "rrdbnet", _rrdb(23)),
    Published("bsr(gan|net)(x[24])?", "", "rrdbnet", _rrdb(23)),
    Published("realesrganx2plus", "", "rrdbnet", {**_rrdb(23), "unshuffle": True}),
    Published("df2k(jpeg)?|dped", "real-?sr", "rrdbnet", _rrdb(23)),
    Published("realesrganx4plusanime6b", "", "rrdbnet", _rrdb(6)),
    Published("real(esr|esrgan)animevideov3|animevideov3", "", "srvgg", _plain(64, 16, 3)),
    Published("real(esr|esrgan)?general(wdn)?x4v3", "", "srvgg", _plain(64, 32, 3)),
    Published("vdsr(x[234])?", "", "vdsr", _plain_luma(64, n_convs=18), 1.0, _ENLARGED),
    Published("drrn(b1u25)?(x[234])?", "", "drrn", _plain_luma(128, n_units=25), 1.0, _ENLARGED),
    Published("drrnb1u9(x[234])?", "", "drrn", _plain_luma(128, n_units=9), 1.0, _ENLARGED),
    *(
        form
        for convs, feats in ((4, 8), (4, 16), (10, 16), (10, 32), (16, 64))
        for form in _ecbsr(convs, feats, f"ecbsrm{convs}c{feats}(prelu)?(x[24])?")
    ),
    *_ecbsr(4, 8, "ecbsr(plain)?([24]x|x[24])?"),
    *_ecbsr(4, 16, "ecbsr(plain)?([24]x|x[24])?"),
    Published("ncnet(x[234])?", "", "ncnet", {"n_feats": 32}, 255.0),
    Published("msrn(x[2348])?", "", "msrn", _msrn(64, 8), 255.0),
    Published("msrn(x2)?", "", "msrn", _msrn(16, 2), 255.0),  # VastModelZOO's
    Published("dipnet(x[24])?", "", "dipnet", _dipnet(44, 38, 16)),
    Published("dipnet(x2)?", "", "dipnet", _dipnet(32, 24, 0)),  # VastModelZOO's
    Published("bicubic(pp|plusplus)([234]x|x[234])?", "", "bicubic_plusplus", {"n_feats": 32}),
)
