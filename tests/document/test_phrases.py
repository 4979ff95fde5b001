"""Headers, captions and headings say what numbers are about, in any zoo's words."""

from pathlib import Path

import pytest

from sr_bench.document.dimensions import Dimensions, Measure
from sr_bench.document.phrases import column_role, fallback_measure, misspelt, read_phrase

# Header, role, and what it says: most as public model zoos print them, of super-resolution or other
# vision, some as people would spell them otherwise.
HEADERS = [
    line.split("\t")
    for line in Path(__file__).with_name("real_headers.tsv").read_text("utf-8").splitlines()
]


def said(text: str) -> str:
    """Return what `text` says in one line: ``params[K-3] dataset=Set5``."""
    read = read_phrase(text)
    words = [f"{m.metric}[{m.unit}{m.exponent:+d}]" if m.unit else m.metric for m in read.measures]
    names = ("precision", "backend", "device", "dataset", "scale", "shape", "rest")
    words += [f"{name}={getattr(read, name)}" for name in names if getattr(read, name)]
    return " ".join(words)


def wide(text: str) -> str:
    """Return `text` in full-width characters, as Chinese input methods type them."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


@pytest.mark.parametrize(("header", "role", "reading"), HEADERS)
def test_a_real_header_says_what_its_column_holds(header: str, role: str, reading: str) -> None:
    assert (column_role(header), said(header)) == (role, reading)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(
            (wide("PSNR(dB)"), "PSNR(dB)"),
            ("psnr [DB]", "PSNR(dB)"),
            ("PSNR $\\uparrow$", "PSNR"),
        ),
        *(("参数量（M）", "#Params"), ("Params., M", "Params(M)"), ("FLOPs/G", "GFLOPs")),  # noqa: RUF001
        *(("Multi-Adds (G)", "MACs[G]"), ("GMACs", "MAdds"), ("MACC", "FLOPs(GMac)")),
        *(("PSNR / SSIM on Set5", "Set5 (PSNR/SSIM)"), ("PSNR|SSIM @ Set5", "Set5 PSNR/SSIM")),
        *(("Scale ×4", "4x"), ("x4", "放大4倍"), ("x2 (PSNR)", "PSNR, scale 2")),  # noqa: RUF001
        *(("Latency (ms)", "延迟(ms)"), ("Inference Time [ms]", "耗时/ms"), ("img/s", "FPS")),
        *(("half PSNR", "FP16 PSNR"), ("PSNR INT8", "int8 PSNR"), ("PSNR²", "PSNR")),
    ],
)
def test_spellings_of_one_meaning_are_read_alike(one: str, other: str) -> None:
    assert read_phrase(one) == read_phrase(other)


@pytest.mark.parametrize(
    ("header", "others"),
    [
        ("MACs(G)", ("Flops(G)", "OPS (G)", "Params(M)")),
        ("PSNR", ("PSNR-Y", "PSNR (RGB)", "PSNR loss", "PSNR gain", "WS-PSNR", "PSNR std", "SSIM")),
        ("SSIM", ("MS-SSIM", "SSIM (Y)", "3-SSIM", "SSIM drop vs fp32")),
        ("LPIPS", ("LPIPS (VGG)", "DISTS")),
        ("Latency", ("Latency (max)", "Training time", "FPS")),
        ("Params(M)", ("Params (MB)", "Model size (MB)", "Peak Memory (MB)")),
    ],
)
def test_metrics_that_are_nearly_one_another_are_not_mixed(
    header: str, others: tuple[str, ...]
) -> None:
    metric = read_phrase(header).measures[0].metric
    assert metric not in [read_phrase(other).measures[0].metric for other in others]


@pytest.mark.parametrize(
    ("header", "unit", "exponent"),
    [
        *(
            ("Params", "", 0),
            ("Params (K)", "K", -3),
            ("Params(B)", "B", 3),
            ("参数量(万)", "万", -2),
            ("FLOPs (十亿)", "十亿", 0),
        ),
        *(("Flops(M)", "M", -3), ("MFLOPs", "M", -3), ("TFLOPs", "T", 3), ("FLOPs (B)", "B", 0)),
        *(("Runtime (s)", "s", 3), ("Latency (us)", "us", -3), ("Memory (GB)", "GB", 3)),
        *(("SSIM (%)", "%", -2), ("top1 (%)", "%", 0), ("PSNR (dB)", "", 0), ("SSIM (dB)", "", 0)),
    ],
)
def test_a_unit_tells_the_power_of_ten(header: str, unit: str, exponent: int) -> None:
    (measure,) = read_phrase(header).measures
    assert (measure.unit, measure.exponent) == (unit, exponent)


def test_each_of_several_measures_has_its_own_unit() -> None:
    for header in ("Params/FLOPs (K/M)", "Params(K) / FLOPs(M)", "Params (K), MFLOPs"):
        assert read_phrase(header).measures == (
            Measure("params", "K", -3),
            Measure("flops", "M", -3),
        )


@pytest.mark.parametrize(
    ("header", "metrics"),
    [
        *(("PSNR差", ["psnr_loss"]), ("与fp32差", ["loss"]), ("差", ["loss"])),
        *(("帧差误差 ↓", ["帧_差_error"]), ("色差", []), ("差错率", [])),
    ],
)
def test_a_sign_within_a_word_says_nothing_of_its_own(header: str, metrics: list[str]) -> None:
    assert [measure.metric for measure in read_phrase(header).measures] == metrics


@pytest.mark.parametrize(
    ("header", "known"),
    [("PSRN(dB)", "PSNR"), ("SSMI", "SSIM"), ("LPIPs", ""), ("Prams (M)", "Params"), ("Foo", "")],
)
def test_a_near_miss_of_a_metric_is_known(header: str, known: str) -> None:
    assert misspelt(header) == known


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        *(("Foo", "foo", ""), ("Foo Bar (ms)", "foo_bar", "ms"), ("FP32 Größe", "grosse", "")),
        *(("(%)", "value", "%"), ("Foo (Batch Size=1)", "foo_batch_size1", "")),
    ],
)
def test_a_metric_that_no_word_gives_away_is_named_by_its_words(
    header: str, name: str, unit: str
) -> None:
    assert fallback_measure(header) == Measure(name, unit)


def test_words_without_a_meaning_are_kept_as_they_are() -> None:
    assert read_phrase("EDSR-baseline") == Dimensions(rest="EDSR-baseline")
    assert read_phrase("Ours, tiny PSNR").rest == "Ours tiny"
    assert read_phrase("x2 and x3").scale == 0
    assert read_phrase("Set5 x1.5") == Dimensions(dataset="Set5", rest="x1.5")
    assert read_phrase("PSNR " + "of a very long caption " * 40).rest.endswith("long caption ")
