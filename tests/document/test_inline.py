"""What a reader sees of a cell."""

import pytest

from sr_bench.document.inline import plain, split_emphasis


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("", ""),
        ("EDSR_baseline_x2", "EDSR_baseline_x2"),
        ("[LESRCNN_x2](https://example.org/a_b)", "LESRCNN_x2"),
        ("**RCAN**", "RCAN"),
        ("_a_ `b*c`  d", "a b*c d"),
        (r"a \| b", "a | b"),
        (r"`a \| b`", "a | b"),
        (r"EDSR\_x2 &amp; more", "EDSR_x2 & more"),
        ("~~old~~ new", "old new"),
        ("RCAN<br>small", "RCAN small"),
        ("Params (10<sup>3</sup>)", "Params (10^3)"),
        ("RCAN10<sup>a</sup>", "RCAN10 a"),
        ("![logo](x.png) RCAN", "logo RCAN"),
        ("<https://example.org>", "https://example.org"),
        ("超分辨率  **模型**", "超分辨率 模型"),
        # Marks that are none, or mean more, beside links and bold words as most are.
        ("x2**[a](u)**", "x2**a**"),
        ("**[a](u)**", "a"),
        ("x_[a](u)_y", "x_a_y"),
        ("_[a](u)_", "a"),
        ("**a****b**", "a****b"),
        ("***a***", "a"),
        ("**30.21**/0.8646", "30.21/0.8646"),
        (r"[m](u.pth) \| [l](u.json)", "m | l"),
        ("![m](u) [l](javascript:u)", "m [l](javascript:u)"),
    ],
)
def test_plain_is_what_a_reader_sees(source: str, seen: str) -> None:
    assert plain(source) == seen


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("DF2K **vacc fp16**", ("DF2K", "vacc fp16")),
        ("[DF2K](u) *fp16*", ("DF2K", "fp16")),
        ("DF2K **vacc** **fp16** ", ("DF2K", "vacc fp16")),
        ("**big** DF2K __fp16__", ("big DF2K", "fp16")),
        ("**a *b***", ("a b", "")),
        ("x **a *b***", ("x", "a b")),
        ("**DF2K**", ("DF2K", "")),
        ("[**DF2K**](u)", ("DF2K", "")),
        ("**DF2K** large", ("DF2K large", "")),
        ("DF2K **vacc", ("DF2K **vacc", "")),
        ("", ("", "")),
    ],
)
def test_only_emphasis_at_the_end_is_split_off(source: str, parts: tuple[str, str]) -> None:
    assert split_emphasis(source) == parts


def test_a_text_longer_than_any_label_is_kept_with_its_markup() -> None:
    long = "[a](" * 20_000
    assert plain(f" {long} ") == long
    assert split_emphasis(f"{long}**b**") == (f"{long}**b**", "")
    assert plain("*" + "a" * 998 + "*") == "a" * 998
