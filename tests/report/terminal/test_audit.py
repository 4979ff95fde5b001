"""The audit's table says which mistakes pass, and which tolerance would catch them."""

from dataclasses import replace

from sr_bench.core.claim import Source
from sr_bench.core.forensics import Audit, AuditedClaim, Trial
from sr_bench.report.terminal.audit import MISTAKES, audit_lines

PLACE = Source("zoo/README.md", 7, 22)
PASSES = Trial("border_more", 30.1031)
CLAIM = AuditedClaim(
    "m-psnr",
    PLACE,
    "psnr",
    "30.100",
    0.004,
    30.1002,
    (
        Trial("bgr", 21.0, caught=True),
        PASSES,
        Trial("dc", 30.1039),
        Trial("lr_kernel", why="needs another run"),
    ),
)
SAFE = replace(CLAIM, case_id="n-psnr", trials=(Trial("bgr", 20.0, caught=True),))


def test_the_table_has_a_row_for_each_claim_and_a_column_for_each_mistake() -> None:
    head, _, first, second, *_ = audit_lines(Audit("run", (CLAIM, SAFE)))
    assert head.split() == ["claim", "bgr", "dc", "border_more", "lr_kernel"]
    cells = ["m-psnr", "caught", "NOT CAUGHT 30.10390", "NOT CAUGHT 30.10310", "not tried"]
    assert first.split("  ") != first
    assert [cell.strip() for cell in first.split("  ") if cell.strip()] == cells
    assert second.split() == ["n-psnr", "caught", "-", "-", "-"]


def test_what_passes_is_shown_with_the_tolerance_that_would_catch_it() -> None:
    lines = audit_lines(Audit("run", (CLAIM, SAFE)))
    start = lines.index("zoo/README.md:7:22: 30.100 dB, tolerance 0.004, lets pass:")
    assert lines[start + 1 : start + 4] == [
        "  border 1 px larger: 30.10310 (+0.00310)",
        "  SR one level brighter: 30.10390 (+0.00390)",
        "  a tolerance below 0.0031 would catch all",
    ]
    assert lines[-1] == "run run: of 4 mistakes in 2 claims, 2 caught, 2 not caught"
    assert lines[-2] == "not tried: lr_kernel in 1 claim: needs another run"


def test_a_mistake_that_the_digits_hide_needs_more_of_them() -> None:
    hidden = replace(CLAIM, trials=(replace(PASSES, value=30.1004),))
    assert "  no tolerance would catch all, as the printed digits hide them: print more digits" in (
        audit_lines(Audit("run", (hidden,)))
    )
    further = replace(CLAIM, value=30.0965)  # the right value is further off than the mistake
    assert any("print more digits" in line for line in audit_lines(Audit("run", (further,))))


def test_what_is_left_out_is_shown_and_cannot_steer_the_terminal() -> None:
    odd = replace(CLAIM, case_id="m\x1b[2J", source=Source("a\nb", 1, 1))
    text = "\n".join(audit_lines(Audit("run", (odd,), ("x: gone\x07",))))
    assert "left out: x: gone\\x07" in text
    assert "m\\x1b[2J" in text
    assert "a\\nb:1:1" in text
    assert "\x1b" not in text


def test_only_mistakes_that_occur_are_explained() -> None:
    lines = audit_lines(Audit("run", (SAFE,)))
    explained = [line.partition(":")[0] for line in lines if line.partition(":")[0] in MISTAKES]
    assert explained == ["bgr"]
