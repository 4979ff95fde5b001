"""The files that a record names are found where it was made, and below the home folder."""

from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.errors import CardError
from sr_bench.update.record_files import card_path, from_home
from tests.report.records import record


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_home_folder_that_was_left_out_of_the_record_is_put_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert from_home("~/zoo/README.md") == folder / "zoo" / "README.md"
    assert from_home("~ann/README.md") == Path("~ann/README.md")


def test_the_card_is_the_one_that_pytest_was_given(folder: Path) -> None:
    (folder / "zoo").mkdir()
    (folder / "zoo" / "card.toml").touch()
    assert card_path(record()) == Path("zoo/card.toml")


def test_below_pytests_root_the_card_beside_the_document_is_taken(folder: Path) -> None:
    (folder / "card.toml").touch()
    assert card_path(record(), beside=Path("README.md")) == Path("card.toml")


def test_without_a_card_the_error_says_where_to_start(folder: Path) -> None:
    with pytest.raises(CardError, match=r"zoo/card\.toml: expected the card of m_x2.*started in"):
        card_path(record(), beside=Path("README.md"))


def test_another_file_is_not_a_card(folder: Path) -> None:
    (folder / "other").touch()
    with pytest.raises(CardError, match="other: expected the card"):
        card_path(replace(record(), node_id="other::x"))
