"""Where the cache is."""

from pathlib import Path

import pytest

from sr_bench.files.cache import cache_dir


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
