"""The tiny zoo, made once for each test file, and a cache that is not the user's."""

from pathlib import Path

import pytest

from tests.tiny_zoo import Zoo, make_zoo


@pytest.fixture(scope="module")
def shared_zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """Return a zoo that no test may change."""
    return make_zoo(tmp_path_factory.mktemp("shared") / "my_zoo")


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    """Return a zoo of the test's own."""
    return make_zoo(tmp_path / "my_zoo")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the cache folder of this test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SR_BENCH_CACHE", str(folder))
    return folder
