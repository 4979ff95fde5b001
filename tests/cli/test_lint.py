"""``sr-bench lint``: what it prints, and with which code it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_zoo import Zoo

BAD = "| Models | PSNR(dB) |\n|---|---|\n| Net | 30.0 |\n| Net **vacc fp16** | 31.0 |\n"
MILD = "| Models | Params(M) |\n|---|---|\n| A | 0.10 |\n| B | 0.200 |\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sr_bench) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.md").write_text(BAD)
    (tmp_path / "mild.md").write_text(MILD)
    return tmp_path


def test_a_clean_zoo_ends_with_0(sr_bench, zoo: Zoo) -> None:
    result = sr_bench("lint", zoo.root)
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "1 document: 0 errors, 0 warnings, 0 notes; 0 findings waived;"
        " 5 numbers: 5 read, 0 unread, 0 ignored\n"
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "limit", "code"),
    [
        ("bad.md", None, 1),
        ("bad.md", "error", 0),
        ("mild.md", None, 0),
        ("mild.md", "note", 1),
        ("absent.md", "error", 1),
    ],
)
def test_the_exit_code_follows_the_gravest_finding(sr_bench, name, limit, code) -> None:
    assert sr_bench("lint", name, *(["--fail-on", limit] if limit else [])).code == code


@pytest.mark.usefixtures("folder")
def test_a_format_is_chosen_by_name(sr_bench) -> None:
    assert sr_bench("lint", "bad.md").out.startswith("bad.md:4:23: warning SRB101: ")
    assert sr_bench("lint", "bad.md", "--format", "json").json["findings"][0]["line"] == 4
    assert sr_bench("lint", "bad.md", "--format", "sarif").json["version"] == "2.1.0"
    assert sr_bench("lint", "bad.md", "--format", "github").out.startswith("::warning file=bad.md,")
    result = sr_bench("lint", "bad.md", "--format", "xml")
    assert result.code == 2
    assert "github, json, sarif, text" in result.err


@pytest.mark.usefixtures("folder")
def test_waived_findings_are_shown_on_request(sr_bench, folder: Path, zoo: Zoo) -> None:
    (folder / "zoo").mkdir()
    card = (zoo.suite / "card.toml").read_text().replace('row = "Tiny"', 'row = "Net"')
    waiver = '[[waive]]\ncode = "SRB101"\nreason = "known so"\n'
    (folder / "zoo" / "card.toml").write_text(card + waiver)
    (folder / "zoo" / "README.md").write_text(BAD)
    result = sr_bench("lint", "zoo")
    assert result.code == 0
    assert result.out.endswith("1 finding waived; 2 numbers: 2 read, 0 unread, 0 ignored\n")
    assert "known so" not in result.out
    assert "known so" in sr_bench("lint", "zoo", "--show-waived").out
    assert sr_bench("lint", "zoo/README.md", "--no-card").code == 1


@pytest.mark.usefixtures("folder")
def test_a_card_may_be_named_and_the_suites_folder_too(sr_bench, zoo: Zoo) -> None:
    Path("copy.md").write_text((zoo.suite / "README.md").read_text())
    card = zoo.suite / "card.toml"
    for more in (["--card", card], ["--suites", zoo.root]):
        assert sr_bench("lint", "copy.md", *more, "--format", "json").code == 0
    bound = sr_bench("lint", "copy.md", "--suites", zoo.root, "--format", "json").json
    assert "bound by" in bound["notices"][0]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a README.md"),
        (["bad.md", "mild.md", "--card", "card.toml"], "expected one README.md"),
        ([".", "--card", "card.toml"], "expected one README.md"),
        (["bad.md", "--card", "absent.toml"], "got no file"),
        (["bad.md", "--card", "a", "--no-card"], "not allowed with"),
        (["empty"], "expected a card.toml, or a .md or .rst with a table of results"),
    ],
)
def test_a_wrong_command_line_ends_with_2(sr_bench, arguments, message) -> None:
    Path("empty").mkdir()
    result = sr_bench("lint", *arguments)
    assert result.code == 2
    assert message in result.err


def test_the_rules_are_listed_with_what_they_mean(sr_bench) -> None:
    result = sr_bench("lint", "--rules")
    assert result.code == 0
    assert "SRB102  warning" in result.out
    assert "exchange the numbers" in result.out


@pytest.mark.usefixtures("folder")
def test_documents_without_a_card_import_no_library_that_computes(project_root: Path) -> None:
    script = (
        "import sys; from sr_bench.cli import main;"
        f" main(['lint', 'bad.md', '--suites', {str(project_root / 'suites')!r}]);"
        " print([m for m in ('torch', 'cv2', 'onnx', 'onnxruntime') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == json.dumps([])
