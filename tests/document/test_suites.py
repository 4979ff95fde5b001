"""The five shipped documents yield exactly the claims that they print."""

from collections import Counter
from pathlib import Path

import pytest

from sr_bench.document.claims import read
from sr_bench.document.mirror import mirror, replace_numbers
from sr_bench.document.rows import ModelRow
from sr_bench.document.tables import Document, read_document
from tests.reading import read_claims

FAMILIES = ("lesrcnn", "edsr", "esrgan", "rcan", "realsr")
METRICS = ("flops", "params", "psnr", "ssim")

# family, model, source, backend (. for none), precision, Flops, Params, PSNR, SSIM, shape
EXPECTED = """
lesrcnn LESRCNN_x2       .        .    fp32            44.459   0.626  29.763 0.916 3x128x128
lesrcnn LESRCNN_x2       .        vacc int8_percentile -        -      27.575 0.877 3x128x128
lesrcnn LESRCNN_x4       .        .    fp32            152.592  0.7740 25.951 0.769 3x128x128
lesrcnn LESRCNN_x4       .        vacc int8_percentile -        -      25.258 0.752 3x128x128
edsr    EDSR_Mx2         BasicSR  .    fp32            2403.078 1.370  31.619 0.908 3x768x1024
edsr    EDSR_Mx2         BasicSR  vacc int8_percentile -        -      33.031 0.853 3x768x1024
edsr    EDSR_x1          BasicSR  .    fp32            363.469  0.177  28.847 0.872 3x720x1280
edsr    EDSR_x1          BasicSR  vacc int8_percentile -        -      28.788 0.807 3x720x1280
edsr    EDSR_x2          Official .    fp32            5934.700 40.730 35.030 -     multi-shape
edsr    EDSR_x2          Official vacc int8_percentile -        -      29.320 0.787 3x256x256
edsr    EDSR_baseline_x2 Official .    fp32            200.256  1.370  34.610 -     multi-shape
edsr    EDSR_baseline_x2 Official vacc int8_percentile -        -      28.552 0.801 3x256x256
edsr    EDSR_baseline_x4 Official .    fp32            289.330  1.518  28.950 -     multi-shape
edsr    EDSR_baseline_x4 Official vacc int8_percentile -        -      27.252 0.609 3x256x256
esrgan  ESRGAN_x4        .        .    fp32            653.675  16.698 19.688 0.605 3x128x128
esrgan  ESRGAN_x4        .        vacc fp16            -        -      21.939 0.639 3x128x128
esrgan  ESRGAN_x4        .        vacc int8_percentile -        -      18.801 0.510 3x128x128
rcan    RCAN             Official .    fp32            358.207  0.297  32.785 0.776 -
rcan    RCAN             Official vacc int8_max        -        -      32.628 0.766 3x1080x1920
rcan    RCAN2            Official .    fp32            80.331   0.063  32.917 0.775 3x1080x1920
rcan    RCAN2            Official vacc int8_max        -        -      32.349 0.764 3x1080x1920
rcan    RCAN             BasicSR  .    fp32            356.659  0.298  29.470 0.731 3x1080x1920
rcan    RCAN             BasicSR  vacc int8_max        -        -      29.551 0.738 3x1080x1920
realsr  DF2K             .        .    fp32            652.697  16.698 23.699 0.685 3x128x128
realsr  DF2K             .        vacc fp16            -        -      23.654 0.649 3x128x128
realsr  DF2K             .        vacc int8_kl         -        -      23.116 0.597 3x128x128
realsr  DF2K-JPEG        .        .    fp32            652.697  16.698 22.570 0.619 3x128x128
realsr  DPED             .        .    fp32            652.697  16.698 18.040 0.531 3x128x128
"""


def _document(root: Path, family: str) -> Document:
    return read_document(root / "suites" / family / "README.md")


def _described(family: str, row: ModelRow) -> list[str]:
    texts = {claim.metric: claim.text for claim in row.claims}
    numbers = (texts.get(metric, "-") for metric in METRICS)
    words = (row.row, row.row_source or ".", row.backend or ".", str(row.precision))
    return [family, *words, *numbers, row.shape or "-"]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_row_of_the_documents_is_read_as_it_is_printed(
    family: str, project_root: Path
) -> None:
    tables = read(_document(project_root, family)).tables
    rows = [_described(family, row) for table in tables for row in table.rows]
    expected = [line.split() for line in EXPECTED.strip().splitlines()]
    assert rows == [words for words in expected if words[0] == family]


def test_the_documents_hold_81_claims_in_28_rows(project_root: Path) -> None:
    documents = [_document(project_root, family) for family in FAMILIES]
    claims = [claim for document in documents for claim in read_claims(document)]
    assert Counter(claim.metric for claim in claims) == dict(
        zip(METRICS, (14, 14, 28, 25), strict=True)
    )
    rows = [row for document in documents for t in read(document).tables for row in t.rows]
    assert len(rows) == 28


@pytest.mark.parametrize("family", FAMILIES)
def test_each_claim_points_at_its_number(family: str, project_root: Path) -> None:
    document = _document(project_root, family)
    lines = document.text.split("\n")
    for claim in read_claims(document):
        assert claim.source.path.endswith(f"{family}/README.md")
        assert lines[claim.source.line - 1][claim.source.column - 1 :].startswith(claim.text)


@pytest.mark.parametrize("family", FAMILIES)
def test_mirrored_with_its_own_numbers_a_document_does_not_change(
    family: str, project_root: Path
) -> None:
    document = _document(project_root, family)
    numbers = {claim.source: claim.text for claim in read_claims(document)}
    reading = read(document)
    assert replace_numbers(reading, numbers) == document.text
    (table,) = reading.tables
    printed = [line for line in document.text.split("\n") if line.startswith("|")]
    assert mirror(reading, numbers).split("\n") == printed[: len(table.rows) + 2]


@pytest.mark.official
@pytest.mark.parametrize("family", FAMILIES)
def test_the_tables_are_byte_for_byte_those_of_the_zoo(
    family: str, project_root: Path, official_data: Path
) -> None:
    seed = official_data.parent / "seeds" / f"{family}.md"
    if not seed.is_file():
        pytest.skip(f"the zoo's own document is not at {seed}")
    theirs = [line for line in seed.read_bytes().splitlines(True) if line.startswith(b"|")]
    ours = (project_root / "suites" / family / "README.md").read_bytes()
    assert b"".join(theirs) in ours
