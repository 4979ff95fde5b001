"""``sr-bench demo`` writes a zoo all of whose numbers are true but the one that says so."""

from pathlib import Path

import pytest

from sr_bench import discovery
from sr_bench.errors import BackendError
from tests.typed import run_line


@pytest.mark.slow
def test_a_session_on_the_demo_fails_at_the_copied_number_alone(
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run_line("sr-bench demo", capsys, monkeypatch)
    assert said.startswith(
        "demo: README.md, card.toml, pocket_edsr_x2.onnx, pocket_lesrcnn_x2.onnx"
    )
    said = run_line("pytest demo", capsys, monkeypatch)
    assert "demo/README.md:8:40: lesrcnn fp32 PSNR on photos_x2" in said
    assert "differs from the document; line 7 prints the same number: copied from there?" in said
    assert "7 match of 8, 1 differs" in said
    said = run_line("sr-bench update --reason 'it was copied'", capsys, monkeypatch)
    assert "1 number updated" in said
    assert " 32.757 | 0.9198 |" in Path("demo/README.md").read_text()
    assert "0 errors, 0 warnings, 0 notes" in run_line("sr-bench lint demo", capsys, monkeypatch)


def test_what_is_there_is_not_overwritten(sr_bench, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    refused = sr_bench("demo", tmp_path / "mine")
    assert (refused.code, refused.out) == (2, "")
    assert "mine is there already, and demo overwrites nothing; name another" in refused.err
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_demo_that_can_not_be_written_leaves_nothing(
    sr_bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    refused = sr_bench("demo", tmp_path / "file" / "demo")
    assert refused.code == 1
    assert "file/demo: " in refused.err
    assert refused.err.count("\n") == 1

    def fail(*_: object) -> None:
        msg = "no exporter"
        raise BackendError(msg)

    monkeypatch.setattr(discovery.load("sr_bench.cli", "demo"), "_export", fail)
    assert sr_bench("demo", tmp_path / "demo").code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
