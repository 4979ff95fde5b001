"""What a document's pages, or its own text, print of a row is held against the row."""

from pathlib import Path

import pytest

from sr_bench.errors import OptionError
from sr_bench.lint.finding import Finding, Severity
from sr_bench.lint.run import Report, lint
from tests.lint.pages import codes, of, page, request

COLUMNS = "Models | Source | PSNR(dB) | SSIM"
ROWS = (
    "NetA_x2 | [Official](https://a.example/o) | 31.000 | 0.9100",
    "NetA_x2 **vacc fp16** | - | 30.500 | 0.9000",
    "NetA_x2 **vacc percentile int8** | - | 28.000 | 0.8000",
    "NetB_x2 | [BasicSR](https://a.example/b) | 33.000 | 0.9300",
    "NetB_x2 **vacc fp16** | - | 32.000 | 0.9200",
)
README = page(*ROWS, columns=COLUMNS)
LOG = """## Step 4

run --params official-net_a_x2-params.json

```
# {}
mean psnr: {}, ssim: {}
```
"""


def write(folder: Path, pages: dict[str, str], readme: str = README) -> Path:
    for name, text in {"zoo/README.md": readme, **pages}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "zoo" / "README.md"


def found(*paths: Path) -> list[Finding]:
    return of(lint(request(*paths)), "SRB110")


def with_page(folder: Path, text: str, name: str = "zoo/source_code/official.md") -> list[Finding]:
    return found(write(folder, {name: text}))


def test_a_contradiction_names_both_places_and_both_numbers(tmp_path: Path) -> None:
    (finding,) = with_page(tmp_path, LOG.format("fp16", "12.80431", "0.17652"))
    assert (finding.severity, finding.row) == (Severity.WARNING, "NetA_x2")
    assert finding.source.line == 4
    assert "PSNR 30.500 dB and SSIM 0.9000, where" in finding.message
    assert "official.md:7:12 prints 12.804 dB and 0.1765" in finding.message


@pytest.mark.parametrize(
    ("psnr", "ssim", "severity"),
    [
        ("30.5003", "0.90004", None),
        ("30.5", "0.90", None),
        ("30.49", "0.9005", None),  # within chance
        ("30.2", "0.9", Severity.NOTE),
        ("30.5", "0.7", Severity.NOTE),  # another SSIM of the same images
        ("29.4", "0.9", Severity.WARNING),
    ],
)
def test_what_rounding_explains_agrees_and_a_small_difference_is_a_note(
    tmp_path: Path, psnr: str, ssim: str, severity: Severity | None
) -> None:
    findings = with_page(tmp_path, LOG.format("fp16", psnr, ssim))
    assert [one.severity for one in findings] == ([severity] if severity else [])


@pytest.mark.parametrize("word", ["fp32", "int8 max", "int8_kl", "bf16"])
def test_a_result_of_a_precision_without_a_row_is_of_none(tmp_path: Path, word: str) -> None:
    findings = with_page(tmp_path, LOG.format(word, "12.8", "0.17"))
    assert [one.row for one in findings] == (["NetA_x2"] if word == "fp32" else [])


def test_the_model_is_the_one_that_is_named_nearest_in_the_section(tmp_path: Path) -> None:
    text = "# Net_B_x2\n\n" + LOG.format("fp16", "32.0", "0.92") + "\n## End\n\nNetB_x2\n"
    assert with_page(tmp_path, text, "zoo/source_code/run.md")[0].row == "NetA_x2"
    text = text.replace("net_a_x2", "net_a_x2_tiny_b")  # whole words only: still NetA_x2
    assert with_page(tmp_path, text, "zoo/source_code/run.md")[0].row == "NetA_x2"
    text = text.replace("net_a_x2", "neta_x25")
    assert not with_page(tmp_path, text, "zoo/source_code/run.md")


def test_a_page_named_by_a_source_is_about_its_rows(tmp_path: Path) -> None:
    text = "```\n# fp16\npsnr: 32.0, ssim: 0.92\n```\n"
    assert not with_page(tmp_path, text, "zoo/source_code/basicsr.md")
    assert with_page(tmp_path, text, "zoo/source_code/official.md")[0].row == "NetA_x2"


def test_without_a_model_or_with_other_words_nothing_is_said(tmp_path: Path) -> None:
    text = "```\n# fp16\npsnr: 12.0, ssim: 0.2\n```\n"
    report = lint(request(write(tmp_path, {"zoo/source_code/deploy.md": text})))
    assert not of(report, "SRB110")
    assert "2 results printed in its text, 0 of them of rows" in report.notices[0]
    assert not with_page(tmp_path, LOG.format("fp16", "12.8", "0.2").replace("mean", "bicubic"))


def test_a_number_that_another_precision_has_is_called_a_copy(tmp_path: Path) -> None:
    (finding,) = with_page(tmp_path, LOG.format("fp16", "31.00012", "0.91004"))
    assert finding.severity is Severity.WARNING  # though 0.5 dB are a note
    assert finding.message.endswith("those are the numbers of fp32 here")


def test_the_documents_own_text_is_held_against_its_rows(tmp_path: Path) -> None:
    text = page(*ROWS[:3], columns=COLUMNS) + "\n```\n# int8\nmean psnr: 20.1\n```\n"
    (finding,) = found(write(tmp_path, {}, text))
    assert "README.md:9:12 prints 20.100 dB" in finding.message


@pytest.mark.parametrize(
    ("link", "count"),
    [
        ("[how](docs/run.md)", 1),
        ("[how](docs/run.md#step)", 1),
        (r"[how](docs\run.md)", 1),  # as Windows writes it
        ("docs/run.md", 0),
    ],
)
def test_pages_that_the_document_links_to_are_read(tmp_path: Path, link: str, count: int) -> None:
    pages = {"zoo/docs/run.md": LOG.format("fp16", "12.8", "0.2")}
    report = lint(request(write(tmp_path, pages, f"{README}\n{link}\n")))
    assert len(of(report, "SRB110")) == count
    assert report.documents == (str(tmp_path / "zoo" / "README.md"),)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    pages = {"other/run.md": LOG.format("fp16", "12.8", "0.2")}
    assert not found(write(tmp_path, pages, f"{README}\n[how](../other/run.md)\n"))


def test_a_page_that_is_named_belongs_to_the_document_of_its_name(tmp_path: Path) -> None:
    log = LOG.format("fp16", "12.8", "0.2")
    (tmp_path / "net.md").write_text(README)
    (tmp_path / "net_a.md").write_text(README)
    (tmp_path / "pages").mkdir()
    for name in ("net_a-official.md", "else-official.md"):
        (tmp_path / "pages" / name).write_text(log)
    report = lint(request(*sorted(tmp_path.glob("*.md")), *sorted(tmp_path.glob("pages/*.md"))))
    (finding,) = of(report, "SRB110")
    assert finding.source.path.endswith("net_a.md")
    (unowned,) = of(report, "SRB004")
    assert unowned.source.path.endswith("else-official.md")
    assert "its text prints 2 results: name the document" in unowned.message


def test_a_table_of_a_page_is_compared_row_by_row(tmp_path: Path) -> None:
    rows = ("NetA_x2 | 31.500 | 0.9100", "NetA_x2 **vacc fp16** | 30.500 | 0.9000", "Other | 1 | 1")
    text = page(*rows, columns="Model | PSNR(dB) | SSIM")
    (finding,) = with_page(tmp_path, text)
    assert "PSNR 31.000 dB, where" in finding.message
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize(("printed", "count"), [("0.3861", 0), ("0.301", 1)])
def test_a_share_is_held_against_a_number_in_percent(
    tmp_path: Path, printed: str, count: int
) -> None:
    text = page("det | 38.6 | 58.1", columns="Model | mAP@.5:.95 | mAP@.5")
    log = f"det\n\n{{'bbox_mAP': {printed}, 'bbox_mAP_50': 0.581}}\n"
    findings = found(write(tmp_path, {"zoo/source_code/run.md": log}, text))
    assert len(findings) == count
    assert all("38.6, where" in one.message and "30.1" in one.message for one in findings)


def folder_report(folder: Path) -> Report:
    return lint(request(folder))


def test_a_folder_without_a_card_is_looked_through_for_documents(tmp_path: Path) -> None:
    write(tmp_path, {"zoo/source_code/official.md": LOG.format("fp16", "12.8", "0.2")})
    (tmp_path / "zoo" / "NOTES.md").write_text("no numbers\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "README.md").write_text(README)
    report = folder_report(tmp_path)
    assert report.documents == (str(tmp_path / "zoo" / "README.md"),)
    assert "SRB110" in codes(report)


def test_a_folder_without_any_table_of_results_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("psnr: 30.1\n")
    with pytest.raises(OptionError, match="with a table of results"):
        folder_report(tmp_path)
