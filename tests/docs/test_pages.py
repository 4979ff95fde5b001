"""The pages under docs/ say what the code does."""

from pathlib import Path

from sr_bench.cards.protocol_files import load_protocol, protocol_names
from sr_bench.core.protocol import EvalProtocol


def protocol_row(rule: EvalProtocol) -> str:
    """Return the row of docs/protocols.md for a named protocol."""
    lr = "files" if rule.lr_from == "files" else "from HR"
    if rule.lr_resize and rule.input_shape:
        lr += f", {rule.lr_resize} to {rule.input_shape[0]}x{rule.input_shape[1]}"
    output = rule.rounding if rule.clip else f"{rule.rounding}, not clipped"
    compared = rule.colour + (", SSIM of the last image" * (rule.ssim_aggregation != "mean"))
    cells = (f"`{rule.name}`", lr, rule.gt_resize or "-", output, str(rule.border), compared)
    return f"| {' | '.join(cells)} |"


def test_the_protocol_page_lists_every_named_protocol(project_root: Path):
    page = (project_root / "docs" / "protocols.md").read_text(encoding="utf-8").splitlines()
    named = page[page.index("## Named protocols") :]
    rows = [line for line in named if line.startswith("| `")]
    assert rows == [protocol_row(load_protocol(name)) for name in protocol_names()]
