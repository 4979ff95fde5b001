"""Each model binds one row of the document and each row one model, or the card has a fault."""

from pathlib import Path

import pytest

from sr_bench.engine.plan.suite import Suite, load_suite
from sr_bench.errors import CardError, DocumentError

HEAD = (
    "| Models | Code Source | Flops(G) | Params(M) | PSNR(dB) | SSIM |\n"
    "| :-- | :-- | --: | --: | --: | --: |\n"
)
ROWS = "| A | one | 1.0 | 2.0 | 30.1 | 0.9 |\n| A **vacc fp16** | - | - | - | 29 | - |\n"
MODEL = '[[model]]\nname = "a"\nrow = "A"\nscale = 2\narchitecture = "edsr"\n'
ON_SET5 = 'evaluation = [{ dataset = "set5", protocol = "paper_y" }]\n'


@pytest.fixture
def load(tmp_path: Path):
    def load(table: str = HEAD + ROWS, card: str = MODEL + ON_SET5) -> Suite:
        (tmp_path / "README.md").write_text(table)
        (tmp_path / "card.toml").write_text("schema = 1\n" + card)
        return load_suite(tmp_path / "card.toml")

    return load


def fault(load, *args: str, error: type[Exception] = CardError) -> str:
    with pytest.raises(error) as caught:
        load(*args)
    return str(caught.value)


def test_a_model_has_the_claims_of_its_row_and_of_the_precision_rows_below(load) -> None:
    ((model, claims),) = load().claims
    assert model.name == "a"
    cells = [(claim.metric, claim.text, claim.backend, claim.precision) for claim in claims]
    assert cells == [
        ("flops", "1.0", "", "fp32"),
        ("params", "2.0", "", "fp32"),
        ("psnr", "30.1", "", "fp32"),
        ("ssim", "0.9", "", "fp32"),
        ("psnr", "29", "vacc", "fp16"),
    ]


def test_a_row_that_does_not_exist_is_refused_with_those_that_do(load) -> None:
    message = fault(load, HEAD + ROWS, MODEL.replace('"A"', '"AA"') + ON_SET5)
    assert "model 'a': the document has no row 'AA'; its rows are: 'A (one)'" in message
    assert "README.md: row 'A' of source 'one' is bound by no model" in message


def test_a_row_that_two_models_bind_is_refused(load) -> None:
    other = MODEL.replace('"a"', '"b"') + 'source = "one"\n' + ON_SET5
    message = fault(load, HEAD + ROWS, MODEL + ON_SET5 + other)
    assert "models 'a' and 'b' bind the same row 'A'" in message


def test_a_row_that_no_model_binds_is_refused_unless_it_is_ignored(load) -> None:
    table = HEAD + ROWS + "| B | two | 1.0 | - | - | - |\n"
    assert "row 'B' of source 'two' is bound by no model" in fault(load, table)
    assert len(load(table, 'ignore_rows = ["B"]\n' + MODEL + ON_SET5).claims) == 1


def test_an_ignored_row_that_does_not_exist_is_refused(load) -> None:
    card = 'ignore_rows = ["B"]\n' + MODEL + ON_SET5
    assert "ignore_rows: the document has no row 'B'" in fault(load, HEAD + ROWS, card)


def test_rows_of_one_label_need_a_source(load) -> None:
    table = HEAD + ROWS + "| A | two | 1.0 | - | - | - |\n"
    message = fault(load, table)
    assert "model 'a': several rows 'A'; set source to one of 'one', 'two'" in message
    other = MODEL.replace('"a"', '"b"') + 'source = "TWO"\n'
    first = MODEL + 'source = "One"\n' + ON_SET5
    assert [len(claims) for _, claims in load(table, first + other).claims] == [5, 1]


def test_a_source_that_no_row_has_is_named(load) -> None:
    message = fault(load, HEAD + ROWS, MODEL + 'source = "three"\n' + ON_SET5)
    assert "the document has no row 'A' of source 'three'; its rows are: 'A (one)'" in message


@pytest.mark.parametrize(
    "evaluation",
    [
        "",
        'evaluation = [{ dataset = "set5", protocol = "paper_y", claimed = false }]\n',
        'evaluation = [{ dataset = "set5", protocol = "paper_y", precisions = ["int8_kl"] }]\n',
    ],
)
def test_a_printed_psnr_that_no_evaluation_covers_is_refused_at_its_cell(
    load, evaluation: str
) -> None:
    message = fault(load, HEAD + ROWS, MODEL + evaluation)
    assert "card.toml: 3 faults" in message
    assert "README.md:3:25 prints PSNR of fp32, but no claimed [[model.evaluation]]" in message
    assert "prints SSIM of fp32" in message
    assert "prints PSNR of fp16" in message


def test_a_known_gap_that_excuses_no_printed_number_is_refused(load) -> None:
    gap = '[[model.known_gap]]\nmetric = "{}"\nprecision = "fp16"\nreason = "swapped"\n'
    message = fault(load, HEAD + ROWS, MODEL + ON_SET5 + gap.format("ssim"))
    assert "model 'a': known_gap of ssim fp16: the document prints no such number" in message
    assert load(HEAD + ROWS, MODEL + ON_SET5 + gap.format("psnr")).claims


def test_cost_alone_needs_no_evaluation(load) -> None:
    ((_, claims),) = load(HEAD + "| A | one | 1.0 | 2.0 | - | - |\n", MODEL).claims
    assert len(claims) == 2


def test_a_table_that_lost_a_column_is_named_by_line(load) -> None:
    message = fault(load, HEAD + ROWS.replace(" 29 |", ""), error=DocumentError)
    assert "README.md:4" in message


def test_a_document_without_a_table_has_no_rows(load) -> None:
    assert "its rows are: none" in fault(load, "# Nothing here\n")


def test_an_absent_document_is_named(load, tmp_path: Path) -> None:
    load()
    (tmp_path / "README.md").unlink()
    with pytest.raises(DocumentError, match=r"README\.md: expected a Markdown document"):
        load_suite(tmp_path / "card.toml")


def test_a_model_without_a_row_comes_last_and_without_claims(load) -> None:
    rowless = MODEL.replace('row = "A"', 'row = ""').replace('"a"', '"b"')
    claims = load(HEAD + ROWS, rowless + MODEL + ON_SET5).claims
    assert [(model.name, bool(claims)) for model, claims in claims] == [("a", True), ("b", False)]
