"""Each model binds one row of the document and each row one model, or the card has a fault."""

from pathlib import Path

import pytest

from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import Suite, load_suite, refuse_unread
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
    assert len(load(table, 'ignore_rows = { B = "why" }\n' + MODEL + ON_SET5).claims) == 1


def test_an_ignored_row_that_does_not_exist_is_refused(load) -> None:
    card = 'ignore_rows = { B = "why" }\n' + MODEL + ON_SET5
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


TWINS = (
    "| Models | PSNR(dB) | Shape |\n| :-- | --: | :-- |\n"
    "| A | 30.1 | multi-size |\n| A | 29.1 | 3x64x64 |\n| A **vacc fp16** | 29 | 3x64x64 |\n"
)


def test_rows_that_only_their_shape_tells_apart_may_follow_two_protocols(load) -> None:
    whole = '[[model.evaluation]]\ndataset = "set5"\nprotocol = "paper_y"\nvariant = "Multi-size"\n'
    rest = '[[model.evaluation]]\ndataset = "set5"\nprotocol = "native_rgb"\n'
    cases = plan(load(TWINS, MODEL + whole + rest), Selection(backend="vacc"))
    assert [(case.id, case.on_images.protocol.name) for case in cases] == [
        ("a-multi_size-fp32-set5_x2-psnr", "paper_y"),
        ("a-3x64x64-fp32-set5_x2-psnr", "native_rgb"),
        ("a-vacc-fp16-set5_x2-psnr", "native_rgb"),
    ]
    message = fault(load, TWINS, MODEL + whole.replace("Multi", "many") + rest)
    assert "evaluation of variant 'many-size': its numbers are told apart by" in message
    assert "'3x64x64', 'multi_size'" in message
    gap = '[[model.known_gap]]\nmetric = "psnr"\nprecision = "fp32"\nreason = "r"\nvariant = "{}"\n'
    message = fault(load, TWINS, MODEL + whole + rest + gap.format("many-size"))
    assert "known_gap of variant 'many-size': its numbers are told apart by" in message
    assert load(TWINS, MODEL + whole + rest + gap.format("multi-size")).claims


def test_a_known_gap_that_excuses_no_printed_number_is_refused(load) -> None:
    gap = '[[model.known_gap]]\nmetric = "{}"\nprecision = "fp16"\nreason = "swapped"\n'
    message = fault(load, HEAD + ROWS, MODEL + ON_SET5 + gap.format("ssim"))
    assert "model 'a': known_gap of ssim fp16: the document prints no such number" in message
    assert load(HEAD + ROWS, MODEL + ON_SET5 + gap.format("psnr")).claims


def test_cost_alone_needs_no_evaluation(load) -> None:
    ((_, claims),) = load(HEAD + "| A | one | 1.0 | 2.0 | - | - |\n", MODEL).claims
    assert len(claims) == 2


def test_a_model_row_that_lost_a_column_is_named_by_line(load) -> None:
    message = fault(load, HEAD + ROWS.replace(" 0.9 |", ""))
    assert "no row 'A'; its rows are: none; not read are:" in message
    assert "README.md:3: expected 6 cells as in the header, got 5: the row lost a column" in message


def test_a_document_without_a_table_has_no_rows(load) -> None:
    assert "its rows are: none" in fault(load, "# Nothing here\n")


def test_an_absent_document_is_named(load, tmp_path: Path) -> None:
    load()
    (tmp_path / "README.md").unlink()
    with pytest.raises(DocumentError, match=r"README\.md: expected a document"):
        load_suite(tmp_path / "card.toml")


def test_a_model_without_a_row_comes_last_and_without_claims(load) -> None:
    rowless = MODEL.replace('row = "A"', 'row = ""').replace('"a"', '"b"')
    claims = load(HEAD + ROWS, rowless + MODEL + ON_SET5).claims
    assert [(model.name, bool(claims)) for model, claims in claims] == [("a", True), ("b", False)]


@pytest.mark.parametrize("cell", ["SET5", "Set 5", "[Set5](u)", "**Set5**", "set-5", "set5_x2"])
def test_a_dataset_cell_may_be_spelled_freely(load, cell: str) -> None:
    table = f"| Model | Dataset | PSNR |\n|-|-|-|\n| A | {cell} | 30.1 |\n"
    ((model, (claim,)),) = load(table).claims
    assert model.claimed_evaluation(claim.precision, claim.dataset) is model.evaluations[0]


def test_a_row_that_is_nowhere_is_refused_with_the_tables_and_why_they_are_not_read(load) -> None:
    table = "# a\n| Exp | Set5 |\n|-|-|\n| A | 37.1 |\n\n<table><tr><td>A</td></tr></table>\n"
    message = fault(load, table)
    assert "the document has no row 'A'; its rows are: none; not read are:" in message
    assert (
        "README.md:2: table 'Exp | Set5': no header, row or caption of it names a metric" in message
    )
    assert "README.md:6: table 'a': no column, row or heading of it names the models" in message


def test_numbers_that_nothing_reads_are_refused_all_at_once_up_to_twenty(load) -> None:
    refuse_unread(load())
    columns = [f"X{n}" for n in range(22)]
    head = f"| Models | PSNR | {' | '.join(columns)} |\n|-|-|{'-|' * 22}\n"
    with pytest.raises(DocumentError) as caught:
        refuse_unread(load(f"{head}| A | 30.1 | {'7 or 8 | ' * 22}\n"))
    first, *named, last = str(caught.value).splitlines()
    assert "README.md: 23 numbers: 1 read, 22 unread, 0 ignored" in first
    assert sum("nothing reads '7 or 8'" in line for line in named) == 20
    assert any('ignore_columns = { "X19" = "why" }' in line for line in named)
    assert last.startswith("  and 2 more: sr-bench lint ")


def test_what_the_card_ignores_is_no_claim_and_refuses_nothing(load) -> None:
    card = 'ignore_columns = { fps = "w", SSIM = "one image" }\nignore_tables = { Old = "w" }\n'
    table = HEAD.replace("SSIM |", "SSIM | FPS |").replace("| --: |\n", "| --: | --: |\n")
    row = (
        "| A | one | 1.0 | 2.0 | 30.1 | 0.9 | 7 |\n\n# Old\n| Method | B100 |\n|-|-|\n| A | 3.1 |\n"
    )
    suite = load(table + row, card + MODEL + ON_SET5)
    refuse_unread(suite)
    assert [claim.metric for claim in suite.claims[0][1]] == ["flops", "params", "psnr"]
    assert not suite.blanks["a"]


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (
            'ignore_columns = { FPS = "w" }',
            "ignore_columns: the document has no column",
        ),
        (
            'ignore_tables = { Old = "w" }',
            "ignore_tables: the document has no table",
        ),
        ('ignore_rows = ["B"]', "ignore_rows: expected a reason for each name, such as"),
        ('ignore_columns = { FPS = " " }', "ignore_columns.FPS: expected words, got none"),
    ],
)
def test_a_name_that_is_ignored_needs_a_reason_and_must_be_there(load, card: str, words: str):
    assert words in fault(load, HEAD + ROWS, f"{card}\n{MODEL}{ON_SET5}")


def test_cards_of_one_document_read_it_together(tmp_path: Path) -> None:
    row = "| B | two | 1.0 | 2.0 | - | - |\n"
    text = HEAD + ROWS + row + "\n| Method | B100 |\n|-|-|\n| A | 37.1 |\n"
    (tmp_path / "README.md").write_text(text)
    start = 'schema = 1\ndocument = "../README.md"\n'
    other = MODEL.replace('"a"', '"b"').replace('"A"', '"B"')
    for name, card in (
        ("a", MODEL + ON_SET5),
        ("b", 'ignore_tables = { "line 7" = "w" }\n' + other),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.toml").write_text(start + card)
    for name, count in (("a", 5), ("b", 2)):
        suite = load_suite(tmp_path / name / "card.toml")
        refuse_unread(suite)
        assert [len(claims) for _, claims in suite.claims] == [count]
    (tmp_path / "b" / "card.toml").unlink()
    with pytest.raises(CardError, match="row 'B' of source 'two' is bound by no model"):
        load_suite(tmp_path / "a" / "card.toml")


def scaled(psnr: str, ssim: str = "") -> str:
    """Return a document whose header names the scale of a metric."""
    head = HEAD.replace("PSNR(dB)", f"PSNR {psnr}").replace("SSIM", f"SSIM {ssim}")
    return head + "| A | one | 1.0 | 2.0 | 30.1 | 0.9 |\n"


def of_scales(*scales: int) -> str:
    scaled = (MODEL.replace('"a"', f'"a{n}"').replace("scale = 2", f"scale = {n}") for n in scales)
    return "".join(f"{model}{ON_SET5}" for model in scaled)


def test_models_of_several_scales_share_a_row_and_the_first_has_what_names_none(load) -> None:
    claims = load(scaled("x2", "x3"), of_scales(3, 2)).claims
    assert [(model.name, [c.metric for c in cells]) for model, cells in claims] == [
        ("a3", ["flops", "params", "ssim"]),
        ("a2", ["psnr"]),
    ]


def test_a_scale_that_no_model_of_the_row_has_is_refused(load) -> None:
    with pytest.raises(CardError, match=r"README\.md:3:25: row 'A' prints a number of x4, and"):
        load(scaled("x4"), of_scales(2))


def test_a_row_without_a_scale_is_bound_by_one_model_whatever_their_scales(load) -> None:
    with pytest.raises(CardError, match="models 'a2' and 'a3' bind the same row 'A'"):
        load(scaled(""), of_scales(2, 3))
    with pytest.raises(CardError, match="row 'A' is bound 2 times at scale 2"):
        load(scaled("x2"), of_scales(2) + of_scales(2).replace('"a2"', '"b2"'))


def test_what_the_card_says_of_a_table_is_read_and_must_be_of_the_document(load) -> None:
    table = "# Sets\n| Net | Set5 |\n|-|-|\n| A | 37.1 |\n"
    told = '[[table]]\nheading = "Sets"\nmetric = "psnr"\n'
    ((_, claims),) = load(table, told + MODEL + ON_SET5).claims
    assert [(claim.metric, claim.dataset) for claim in claims] == [("psnr", "Set5")]
    message = fault(load, table, f'[[table]]\nheader = "Net | Set14"\n{told}' + MODEL + ON_SET5)
    assert "table 'Net | Set14': the document has no such table" in message
    wrong = f'{told}columns = {{ "Set6" = "ssim" }}\nrows = {{ "B" = "ssim" }}\n'
    message = fault(load, table, wrong + MODEL + ON_SET5)
    assert "table 'Sets': columns: it has no column 'Set6'; take it off" in message
    assert "table 'Sets': rows: it has no row 'B'; take it off" in message
