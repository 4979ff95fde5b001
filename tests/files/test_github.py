"""An annotation is one line that GitHub reads, whatever its texts hold."""

from pathlib import Path

import pytest

from sr_bench.core.claim import Source
from sr_bench.files.github import annotation, escape_message, escape_property, workspace_path


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_annotation_names_file_line_column_and_title() -> None:
    line = annotation("error", "too low", title="m fp32", place=Source("README.md", 12, 37))
    assert line == "::error file=README.md,line=12,col=37,title=m fp32::too low"


def test_without_a_place_or_title_only_the_message_is_left() -> None:
    assert annotation("notice", "and 3 more") == "::notice::and 3 more"
    assert annotation("warning", "x", title="t") == "::warning title=t::x"


def test_a_message_keeps_its_lines_in_one() -> None:
    assert escape_message("50 %\r\na, b: c") == "50 %25%0D%0Aa, b: c"


def test_what_is_escaped_is_not_escaped_again() -> None:
    assert escape_message("%0A") == "%250A"


def test_a_property_can_not_begin_another_one_or_the_message() -> None:
    assert escape_property("a,line=1::b\n%") == "a%2Cline=1%3A%3Ab%0A%25"


def test_terminal_commands_are_spelled_out() -> None:
    assert escape_message("\x1b[2J") == r"\x1b[2J"
    assert escape_property("\x1b[2J") == r"\x1b[2J"


def test_names_are_escaped_in_an_annotation() -> None:
    line = annotation("error", "a\nb", title="t::u", place=Source("x,y:z.md", 1, 2))
    assert line == "::error file=x%2Cy%3Az.md,line=1,col=2,title=t%3A%3Au::a%0Ab"


def test_paths_are_relative_to_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zoo").mkdir()
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.chdir(tmp_path / "zoo")
    assert workspace_path("README.md") == "zoo/README.md"
    assert workspace_path("../README.md") == "README.md"
    assert workspace_path(str(tmp_path / "zoo/a.md")) == "zoo/a.md"


def test_without_a_workspace_the_working_directory_is_the_root(tmp_path: Path) -> None:
    assert workspace_path(str(tmp_path / "zoo/a.md")) == "zoo/a.md"
    assert workspace_path("zoo/a.md") == "zoo/a.md"


def test_a_path_outside_stays_as_it_is() -> None:
    assert workspace_path("/elsewhere/README.md") == "/elsewhere/README.md"
