"""The pages under docs/ say what the code does."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from docs.generate.__main__ import generated, pages
from sr_bench.cards.load import load_card
from sr_bench.core.protocol import Colour, Resize, SsimWindow
from sr_bench.engine.plan.suite import load_suite
from sr_bench.lint.run import rules


def page(project_root: Path, name: str) -> str:
    return (project_root / "docs" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_what_is_generated_of_a_page_is_what_the_code_says(path: Path):
    text = path.read_text(encoding="utf-8")
    assert generated(text) == text, "run `make reference`, and commit what it writes"
    assert not re.search(r"%\(|\| ```", text), "of argparse, or of code that is code twice"


@pytest.mark.parametrize("choice", [Colour, Resize, SsimWindow], ids=["colour", "resize", "window"])
def test_the_protocol_page_explains_every_colour_resize_rule_and_window(
    project_root: Path, choice: object
):
    rows = re.findall(r"^\| (`[^|]*`) \|", page(project_root, "reference/protocols"), re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(get_args(choice)) <= explained


def test_the_card_of_the_card_page_binds_the_table_of_its_labels(
    project_root: Path, tmp_path: Path
):
    names = ("reference/card", "reference/tables", "reference/protocols")
    text = "".join(page(project_root, name) for name in names)
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    ignores, card, protocol = (
        next(block for block in blocks if key in block)
        for key in ("[ignore_rows]", "[model.tolerance.psnr]", "[protocol.mine]")
    )
    (tmp_path / "card.toml").write_text(card + protocol, encoding="utf-8")
    labels = re.findall(r"^\| `([^`]*FastSR[^`]*)` \|", text, re.MULTILINE)
    rows = [f"| {label} | 30.1 | 0.91 |" for label in (*labels, "FastSR **vacc kl int8**")]
    table = ["| Models | PSNR(dB) | SSIM |", "|---|---|---|", *rows]
    (tmp_path / "README.md").write_text("\n".join(table), encoding="utf-8")
    ((model, claims),) = load_suite(tmp_path / "card.toml").claims
    assert model.name == "fastsr_x2"
    assert len(claims) == 2 * len(rows)
    (tmp_path / "card.toml").write_text(card.replace("[[model]]", f"{ignores}\n[[model]]", 1))
    assert load_card(tmp_path / "card.toml").ignored.rows["Bicubic"] == "no network"


def test_the_rules_page_names_only_rules_that_there_are(project_root: Path):
    named = set(re.findall(r"SRB\d{3}", page(project_root, "reference/lint-rules")))
    assert named == {rule.code for rule in rules()}


def named_pages(project_root: Path) -> Iterator[tuple[str, str]]:
    """Yield each page below docs/ that a file of ours names, and the file."""
    for folder in ("sr_bench", "suites/pocket", "datasets", "benchmarks", "tests"):
        for path in (project_root / folder).rglob("*"):
            if path.suffix in (".py", ".toml", ".md", ".j2"):
                for name in re.findall(r"\bdocs/[a-z-]+/[\w-]+\.md", path.read_text("utf-8")):
                    yield name, str(path)


def test_every_page_that_our_files_name_is_there(project_root: Path):
    named = list(named_pages(project_root))
    assert len(named) > 10
    assert [(n, path) for n, path in named if not (project_root / n).is_file()] == []


def test_every_test_that_the_security_page_names_is_there(project_root: Path):
    named = re.findall(r"`([\w/*]+\.py)`", page(project_root, "explanation/security"))
    places = [project_root / "tests", project_root]
    assert [n for n in named if not any((place / n).is_file() for place in places)] == []
