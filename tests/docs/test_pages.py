"""The pages under docs/ say what the code does."""

import re
from pathlib import Path

from sr_bench.cards.load import load_card
from sr_bench.cards.protocol_files import load_protocol, protocol_names
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import Status
from sr_bench.engine.plan.suite import load_suite


def protocol_row(rule: EvalProtocol) -> str:
    """Return the row of docs/reference/protocols.md for a named protocol."""
    lr = "files" if rule.lr_from == "files" else "from HR"
    if rule.lr_resize and rule.input_shape:
        lr += f", {rule.lr_resize} to {rule.input_shape[0]}x{rule.input_shape[1]}"
    output = rule.rounding if rule.clip else f"{rule.rounding}, not clipped"
    compared = rule.colour + (", SSIM of the last image" * (rule.ssim_aggregation != "mean"))
    cells = (f"`{rule.name}`", lr, rule.gt_resize or "-", output, str(rule.border), compared)
    return f"| {' | '.join(cells)} |"


def test_the_protocol_page_lists_every_named_protocol(project_root: Path):
    page = (
        (project_root / "docs" / "reference" / "protocols.md")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    named = page[page.index("## Named protocols") :]
    rows = [line for line in named if line.startswith("| `")]
    assert rows == [protocol_row(load_protocol(name)) for name in protocol_names()]


def test_the_card_of_the_zoo_page_binds_the_table_of_its_labels(project_root: Path, tmp_path: Path):
    page = (project_root / "docs" / "how-to" / "own-zoo.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    ignores, card, protocol = (
        next(block for block in blocks if key in block)
        for key in ("[ignore_rows]", "[model.tolerance.psnr]", "[protocol.mine]")
    )
    (tmp_path / "card.toml").write_text(card + protocol, encoding="utf-8")
    labels = re.findall(r"^\| `([^`]*FastSR[^`]*)` \|", page, re.MULTILINE)
    rows = [f"| {label} | 30.1 | 0.91 |" for label in (*labels, "FastSR **vacc kl int8**")]
    table = ["| Models | PSNR(dB) | SSIM |", "|---|---|---|", *rows]
    (tmp_path / "README.md").write_text("\n".join(table), encoding="utf-8")
    ((model, claims),) = load_suite(tmp_path / "card.toml").claims
    assert model.name == "fastsr_x2"
    assert len(claims) == 2 * len(rows)
    (tmp_path / "card.toml").write_text(card.replace("[[model]]", f"{ignores}\n[[model]]", 1))
    assert load_card(tmp_path / "card.toml").ignored.rows["Bicubic"] == "no network"


def test_the_zoo_page_explains_every_status(project_root: Path):
    page = (project_root / "docs" / "how-to" / "own-zoo.md").read_text(encoding="utf-8")
    assert [status for status in Status if f"| `{status}` |" not in page] == []
