"""What a session leaves behind, and what happens when it can't."""

import errno
import json
import os

import pytest


def test_every_record_is_in_both_files(pytester, run):
    run()
    latest = json.loads((pytester.path / "reports" / "latest.json").read_text())
    history = pytester.path / "reports" / "history"
    (lines,) = [path for path in history.glob("*.jsonl") if path.name != "index.jsonl"]
    header, *records = map(json.loads, lines.read_text().splitlines())
    assert records == latest["records"]
    assert header["schema_version"] == latest["schema_version"] == 2
    assert len(records) == 5
    assert {"packages", "python", "cpu", "commit", "seeds"} <= latest["environment"].keys()
    (line,) = (history / "index.jsonl").read_text().splitlines()
    assert json.loads(line)["info"]["run"] == header["run"]


def test_per_image_values_are_kept(run, zoo):
    run()
    measurement = zoo.records()["tiny_x2-fp32-pair_x2-psnr"]["measurement"]
    assert [score["image"] for score in measurement["images"]] == ["a", "b"]
    values = [score["value"] for score in measurement["images"]]
    assert sum(values) / 2 == pytest.approx(zoo.psnr, abs=1e-9)


def test_the_page_mirrors_the_table_and_compares(pytester, run, zoo):
    zoo.write_table(psnr="99.000")
    run()
    page = (pytester.path / "reports" / "tiny.md").read_text()
    row = "| [Tiny](https://example.org) | 0.018 |  0.000009  | {} | {} |  3x1000x1000 |"
    assert row.format(f"{zoo.psnr:.3f}", f"{zoo.ssim:.4f}") in page
    assert "| Tiny **vacc fp16** | - | - | - | - | - |" in page
    assert "| differs" in page


def test_each_table_of_an_emulated_run_says_so(pytester, run):
    result = run("--backend=vacc")
    result.stdout.fnmatch_lines(["backend vacc: EMULATED by *", "*match (emulated)*"])
    page = (pytester.path / "reports" / "tiny.md").read_text()
    assert "**Backend vacc, emulated: no vacc device took part in this run.**" in page
    assert "| emulated " in page


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_results_folder_that_cant_be_written_is_refused(pytester, run):
    (pytester.path / "closed").mkdir(mode=0o500)
    result = run("--sr-results-path=closed/reports")
    assert result.ret == 4


def test_a_file_in_the_place_of_the_results_folder_is_refused(pytester, run):
    (pytester.path / "taken").write_text("a file")
    result = run("--sr-results-path=taken")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*taken*--sr-results-path*"])


def test_a_full_disk_is_reported_once_and_fails_the_session(run, monkeypatch):
    write = os.write
    calls = []

    def full(handle: int, data: bytes) -> int:
        calls.append(data)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data)

    monkeypatch.setattr(os, "write", full)
    result = run("-p", "no:cacheprovider")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["ERROR: *.jsonl: the disk is full*"])
