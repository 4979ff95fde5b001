"""Documents and cards for lint: a table from its rows, and a card with facts about them."""

from collections.abc import Sequence
from pathlib import Path

from sr_bench.data.locate import load_dataset
from sr_bench.lint.finding import Finding, Severity
from sr_bench.lint.gather import Request
from sr_bench.lint.run import Report, lint

COLUMNS = "Models | Flops(G) | Params(M) | PSNR(dB) | SSIM | Shape"

# Per pixel of the input 5112 MACs and 76 biased outputs; 4531 parameters (see tests of cost).
CARD = """
schema = 1

[[model]]
name = "net"
row = "Net"
scale = 2
architecture = "edsr"
hyper = { form = "basicsr", n_feats = 8, n_resblocks = 1, res_scale = 1.0, rgb_range = 255.0 }
cost = { rule = "standard", shape = "3x1000x1000" }
evaluation = [{ dataset = "photos", protocol = "native_rgb" }]
"""


def page(*rows: str, columns: str = COLUMNS) -> str:
    """Return a document with one model-info table of `rows`, their outer pipes left out."""
    dashes = " | ".join("---" for _ in columns.split("|"))
    return "\n".join(f"| {line} |" for line in (columns, dashes, *rows)) + "\n"


def request(*paths: Path, **more: object) -> Request:
    return Request(tuple(paths), load_dataset, **more)


def look(folder: Path, text: str, card: str = "") -> Report:
    """Return lint's report on a document, with a card if one is given."""
    (folder / "zoo").mkdir(exist_ok=True)
    document = folder / "zoo" / "README.md"
    document.write_text(text, encoding="utf-8")
    if card:
        (folder / "zoo" / "card.toml").write_text(card, encoding="utf-8")
    return lint(request(document))


def of(report: Report, code: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == code]


def severities(report: Report, code: str) -> list[Severity]:
    return [finding.severity for finding in of(report, code)]


def codes(source: Report | Sequence[Finding]) -> list[str]:
    findings = source.findings if isinstance(source, Report) else source
    return sorted({finding.code for finding in findings})
