"""A zoo whose documents are updated, in the working directory of the test."""

from pathlib import Path

import pytest

from tests.update_zoo import Zoo, make_zoo


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Zoo:
    monkeypatch.chdir(tmp_path)
    return make_zoo(tmp_path)


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(cache: Path) -> None:
    """Let each test have a cache of its own."""
