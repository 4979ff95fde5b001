"""``sr-bench demo`` writes a zoo all of whose numbers are true but the one that says so."""

from pathlib import Path

import pytest
import torch  # noqa: F401 - first: pytester forgets what it imports, and torch loads but once

from sr_bench import discovery
from sr_bench.errors import BackendError

pytest_plugins = ["pytester"]


@pytest.mark.slow
def test_a_session_on_the_demo_fails_at_the_copied_number_alone(
    sr_bench, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pytester.path)
    written = sr_bench("demo")
    assert (written.code, written.err) == (0, "")
    assert written.out.startswith("demo: README.md, card.toml, pocket_edsr_x2.onnx, pocket_lesr")
    update = ("--sr-update=failed", "--sr-reason=copied")
    result = pytester.runpytest("demo", "-p", "no:cacheprovider", *update)
    result.assert_outcomes(passed=7, failed=1)
    said = "differs from the document; line 7 prints the same number: copied from there?"
    result.stdout.fnmatch_lines(
        ["demo/README.md:8:*: lesrcnn fp32 PSNR on photos_x2", f"verdict    differs: {said}"]
    )
    assert " 32.757 | 0.9198 |" in (pytester.path / "demo" / "README.md").read_text()
    assert sr_bench("lint", "demo", "--fail-on=note").code == 0


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
