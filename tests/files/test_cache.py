"""Where the cache is, and what is in it."""

from pathlib import Path

import pytest

from sr_bench.files.cache import cache_dir, cached_files


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    monkeypatch.delenv("SR_BENCH_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


def test_our_own_variable_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    monkeypatch.setenv("SR_BENCH_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path


def test_the_desktop_standard_comes_second(monkeypatch, tmp_path):
    monkeypatch.setenv("SR_BENCH_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "sr-bench"


def test_the_home_folder_is_the_last_resort(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_dir() == Path(tmp_path, ".cache", "sr-bench")


def test_a_file_that_vanishes_meanwhile_is_passed_over(monkeypatch, tmp_path):
    for name in ("gone.onnx", "kept.onnx"):
        (tmp_path / name).write_bytes(b"1234")
    look = Path.is_file

    def is_file_then_vanish(path: Path) -> bool:
        there = look(path)
        if path.name == "gone.onnx":
            path.unlink()
        return there

    monkeypatch.setattr(Path, "is_file", is_file_then_vanish)
    assert [(size, path.name) for _, size, path in cached_files(tmp_path)] == [(4, "kept.onnx")]
