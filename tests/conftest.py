"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what opts in to tests on real hardware."""
    parser.addoption(
        "--vacc-hardware", action="store_true", help="run the tests that need a VastAI card"
    )


@pytest.fixture(scope="session")
def official_data() -> Path:
    """Return the folder of the authors' weights and images; skip where it is absent."""
    folder = Path(os.environ.get("SR_BENCH_OFFICIAL", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the authors' weights and images are not at {folder}; set SR_BENCH_OFFICIAL")
    return folder


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Return the root of the repository."""
    return ROOT
