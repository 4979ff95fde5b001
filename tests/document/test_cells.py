"""Each metric cell is known by what its row and column say."""

from sr_bench.core.cell import CellKey
from sr_bench.core.precision import Precision
from sr_bench.document.claims import MetricCell, metric_cells, nearest_number, read
from sr_bench.document.tables import Document, parse_document
from tests.reading import read_claims

TEXT = """
| Models | Source | PSNR | SSIM | Dataset |
| :-- | :-- | --: | --: | :-- |
| A | one | **30.1** | - | set5 |
| A **vacc fp16** | - | 29 | 0.91 | - |

| Models | PSNR |
| :-- | --: |
| B | - |
| C | 28.12 |
| D | 27.123 |
"""


def document(text: str = TEXT) -> Document:
    return parse_document(text, "README.md")


def cell(row: str, metric: str = "psnr", precision: str = "fp32") -> MetricCell:
    (number,) = (
        cell
        for cell in metric_cells(read(document()))
        if (cell.key.row, cell.key.metric, cell.key.precision) == (row, metric, precision)
    )
    return number


def test_a_number_is_read_without_its_marks_and_with_its_place() -> None:
    number = cell("A")
    assert (number.text, number.is_number, str(number.source)) == ("30.1", True, "README.md:4:15")
    assert (cell("A", "ssim").text, cell("A", "ssim").is_number) == ("-", False)


def test_a_precision_row_has_source_and_dataset_of_its_model_row() -> None:
    assert cell("A", precision="fp16").key == CellKey(
        "A", "one", "vacc", Precision.FP16, "set5", "psnr"
    )


def test_the_keys_of_cells_are_those_of_their_claims_and_unique() -> None:
    cells = metric_cells(read(document()))
    numbers = [cell.key for cell in cells if cell.is_number]
    assert numbers == [CellKey.of(claim) for claim in read_claims(document())]
    assert len({cell.key for cell in cells}) == len(cells)


def test_the_nearest_number_of_the_table_is_preferred_to_nearer_ones_of_others() -> None:
    far = "".join(f"| {name} | - |\n" for name in "EFGH")
    cells = metric_cells(read(document(TEXT.replace("| C |", f"{far}| C |"))))
    (blank,) = (cell for cell in cells if cell.key.row == "B")
    number = nearest_number(cells, blank)
    assert number is not None
    assert number.key.row == "C"


def test_a_table_without_a_number_takes_that_of_another_if_there_is_one() -> None:
    text = TEXT.replace("28.12", "-").replace("27.123", "-")
    cells = metric_cells(read(document(text)))
    number = nearest_number(cells, cells[-1])
    assert number is not None
    assert number.text == "29"
    assert nearest_number(cells[-3:], cells[-1]) is None


def test_a_key_is_spelled_in_words() -> None:
    assert str(cell("A", precision="fp16").key) == "A vacc fp16 PSNR on set5"
    assert str(cell("B").key) == "B fp32 PSNR"


def test_a_cell_whose_number_cannot_be_read_is_no_cell_to_fill() -> None:
    text = "| Model | PSNR | SSIM |\n|-|-|-|\n| A | 30.1 or so | - |\n"
    assert [cell.key.metric for cell in metric_cells(read(parse_document(text, "x.md")))] == [
        "ssim"
    ]
