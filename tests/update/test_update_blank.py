"""Cells without a number are filled like the numbers around them."""

import pytest

from tests.update_zoo import (
    A8,
    README,
    A,
    Zoo,
    changed,
    refused,
    update,
    why,
)


def test_missing_fills_blank_cells_like_the_nearest_number_of_their_column(zoo: Zoo) -> None:
    session = zoo.session({"b_x2 fp32 psnr": 28.12345, "b_x2 fp32 params": 3.21, A: 31.0})
    result = update(session, "missing")
    assert zoo.text == README.replace("| 1.5 | - | - |", "| 1.5 | 3.2 | 28.12 |")
    assert [edit.old for edit in result.edits] == ["-", "-"]
    again = update(session, "missing")
    assert (again.edits, len(again.refused)) == ((), 1)


def test_the_nearest_row_decides_and_of_two_the_upper_one(zoo: Zoo) -> None:
    zoo.edit("| 1.5 | - | - | 0.85 |", "| 1.5 | - | - | 0.85 |\n| C | - | - | - | 27.1 | - |")
    zoo.card.write_text(
        zoo.card.read_text().replace("schema = 1", 'schema = 1\nignore_rows = { C = "why" }')
    )
    update(zoo.session({"b_x2 fp32 psnr": 28.12345}), "missing")
    assert "| - | 28.12 | 0.85 |" in zoo.text


def test_without_any_number_of_the_metric_the_usual_decimals_are_printed(zoo: Zoo) -> None:
    zoo.edit("| 2.0 |", "| - |")
    update(zoo.session({"b_x2 fp32 params": 3.25}), "missing")
    assert "| 3.250000 |" in zoo.text


def test_a_new_number_is_cut_as_the_card_says_the_document_does(zoo: Zoo) -> None:
    card = zoo.card.read_text()
    zoo.card.write_text(card + '[model.tolerance.psnr]\ndigits = "truncated"\n')
    update(zoo.session({"b_x2 fp32 psnr": 28.129}), "missing")
    assert "| 28.12 | 0.85 |" in zoo.text


def test_an_emulated_value_does_not_fill_a_devices_blank_cell(zoo: Zoo) -> None:
    zoo.edit("| 29.50 |", "| - |")
    session = changed(zoo.session({A8: 28.0}), "int8_max-psnr", device="emulated")
    assert "about the vacc device" in why(update(session, "missing"))["zoo/README.md:6:37"]
    assert "| 28.00 |" not in zoo.text


def test_a_blank_cell_that_was_filled_or_moved_since_is_refused(zoo: Zoo) -> None:
    session = zoo.session({"b_x2 fp32 psnr": 28.0})
    zoo.edit("| - | 0.85 |", "| 28.5 | 0.85 |")
    assert "expected a cell without a number for B fp32 PSNR, got '28.5'" in refused(
        session, zoo, "missing"
    )
    zoo.edit("| 28.5 | 0.85 |", "| - | 0.85 |")
    zoo.edit("# Zoo", "# Zoo\n")
    assert "expected a cell for PSNR of B fp32; it is not there" in refused(session, zoo, "missing")


def test_failed_leaves_blank_cells_and_all_fills_them(zoo: Zoo) -> None:
    session = zoo.session({"b_x2 fp32 psnr": 28.0})
    assert update(session).edits == ()
    update(session, "all")
    assert "| 28.00 | 0.85 |" in zoo.text


def test_a_record_without_a_cell_is_left_alone(zoo: Zoo) -> None:
    session = changed(zoo.session({"b_x2 fp32 psnr": 28.0}), "b_x2--fp32-psnr", place=None)
    assert update(session, "all").edits == ()


def test_filling_a_cell_twice_from_one_run_does_nothing_more(zoo: Zoo) -> None:
    session = zoo.session({"b_x2 fp32 psnr": 28.0})
    assert len(update(session, "missing").edits) == 1
    again = update(session, "missing")
    assert (again.edits, again.refused) == ((), ())


def _with_datasets(dataset: str) -> str:
    return (
        README.replace("SSIM |", "SSIM | Dataset |")
        .replace("--: |\n", "--: | :-- |\n")
        .replace("0.9100 |", "0.9100 | - |")
        .replace("0.8800 |", "0.8800 | - |")
        .replace("0.85 |", f"0.85 | {dataset} |")
    )


def test_a_blank_cell_is_filled_however_its_dataset_is_spelled(zoo: Zoo) -> None:
    zoo.readme.write_text(_with_datasets("[SET 5](u)"))
    update(zoo.session({"b_x2 fp32 psnr": 28.0}), "missing")
    assert "28.00" in zoo.text


@pytest.mark.parametrize(
    "fields", [{"model": "a_x2"}, {"precision": "fp16"}, {"dataset": "set14_x2"}]
)
def test_a_blank_cell_of_something_else_is_not_filled(zoo: Zoo, fields: dict[str, str]) -> None:
    zoo.readme.write_text(_with_datasets("set5"))
    session = changed(zoo.session({"b_x2 fp32 psnr": 28.0}), "b_x2--fp32-psnr", **fields)
    assert "it is not there any more" in refused(session, zoo, "missing")


def test_a_blank_cell_of_the_same_label_and_another_source_is_not_filled(zoo: Zoo) -> None:
    row = "| B | two | 1.5 | - | - | 0.85 |\n"
    zoo.edit(row, row + row.replace("two", "six"))
    card = zoo.card.read_text()
    second = card[card.rindex("[[model]]") :].replace("b_x2", "c_x2")
    second = second.replace('row = "B"', 'row = "B"\nsource = "six"')
    card = card.replace('row = "B"', 'row = "B"\nsource = "TWO"')
    zoo.card.write_text(f"{card}\n{second}")
    session = zoo.session({"b_x2 fp32 psnr": 28.0})
    zoo.readme.write_text(
        zoo.text.replace("two", "new").replace("six", "two").replace("new", "six")
    )
    assert "it is not there any more" in refused(session, zoo, "missing")
    assert len(update(zoo.session({"b_x2 fp32 psnr": 28.0}), "missing").edits) == 1
