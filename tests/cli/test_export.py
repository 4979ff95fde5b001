"""``sr-bench export`` writes a run in the format that is named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench import discovery
from tests.cli.test_history import add_run
from tests.report.records import record

FORMATS = [name.replace("_", "-") for name in discovery.names("sr_bench.report.formats")]


@pytest.fixture
def export(sr_bench, tmp_path: Path):
    add_run(tmp_path, 1, [record(), replace(record(), model="edsr_x2")])
    return lambda *args: sr_bench("export", "--results", tmp_path, *args)


def test_the_formats_are_those_that_help_and_docs_name(export, project_root: Path) -> None:
    assert " ".join(FORMATS) == "badge csv json latex markdown model-index"
    shown = " ".join(export("--help").out.split())
    page = (project_root / "docs/how-to/papers.md").read_text("utf-8")
    assert [name for name in FORMATS if name not in shown or f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_goes_to_standard_output_or_a_file(export, tmp_path: Path, name: str) -> None:
    shown = export("--format", name)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.endswith("\n")
    target = tmp_path / "new folder" / "out"
    assert export("last", "--format", name, "--output", target).out == f"{target}: 2 records\n"
    assert target.read_text("utf-8") == shown.out


def test_only_the_models_that_are_named_are_written(export) -> None:
    value = export("--format=json", "--models", "rcan*, edsr*", "--source=https://x.org/a").json
    assert [row["model"] for row in value["records"]] == ["edsr_x2"]
    assert value["source"] == "https://x.org/a"


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("--format", "word"), 2, "unknown name 'word' in formats; the valid ones are: badge, csv"),
        (("--format", "csv", "--models", "rcan*"), 2, "has none of them; it has m_x2, edsr_x2"),
        (("--format", "csv", "--source", "javascript:1"), 2, "expected an address that starts"),
        (("--format", "csv", "2025"), 2, "is no file, run or git revision"),
        ((), 2, "the following arguments are required: --format"),
    ],
)
def test_bad_input_is_one_line(export, args, code: int, told: str) -> None:
    result = export(*args)
    assert (result.code, result.out) == (code, "")
    assert told in result.err.splitlines()[-1]


def test_a_file_that_can_not_be_written_is_one_line(export, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    result = export("--format", "badge", "--output", tmp_path / "a" / "badge.json")
    assert result.code == 1
    assert "cannot write" in result.err


def test_the_badge_is_json(export) -> None:
    assert json.loads(export("--format", "badge").out)["message"] == "2 of 2 verified"
