"""A zoo whose documents are updated, in the working directory of the test."""

from pathlib import Path

import pytest

from tests.update_zoo import Zoo, make_zoo


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Zoo:
    monkeypatch.chdir(tmp_path)
    return make_zoo(tmp_path)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the cache folder of this test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SR_BENCH_CACHE", str(folder))
    return folder
