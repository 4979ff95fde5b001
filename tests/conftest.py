"""Fixtures that every test may use."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before the libraries load: networks are tiny here, and threads would wait for each other, at full
# speed.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

ROOT = Path(__file__).resolve().parent.parent

#: Changes what an inner run of pytest prints or writes, and is set or not by where the tests run.
SURROUNDINGS = (
    "BUILD_NUMBER",
    "CI",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKSPACE",
    "PYTEST_XDIST_WORKER",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what opts in to tests on real hardware, and to other pages than are there."""
    parser.addoption(
        "--vacc-hardware", action="store_true", help="run the tests that need a VastAI card"
    )
    parser.addoption(
        "--refresh-transcripts",
        action="store_true",
        help="write what is printed now into docs/tutorials",
    )


@pytest.fixture(scope="module", autouse=True)
def _spare_the_collector() -> None:
    """Let the collector pass over all that was there before this file's tests.

    Each run of pytest within a test ends with a collection, of all libraries' objects too.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _same_everywhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test see nothing of the CI system or the worker that it runs in.

    Nor of the other tests of its process: in an inner run of pytest the plugin of hypothesis warns,
    or imports all of it, by what ran before.
    """
    if "pytester" in request.fixturenames:  # which discards the variable
        request.getfixturevalue("pytester")
    for name in SURROUNDINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest")


@pytest.fixture(autouse=True)
def _a_process_of_its_own() -> Iterator[None]:
    """Let a test find nothing that another session of the same process kept in memory."""
    from sr_bench.files.kept import spare_of  # once the number of threads is set

    yield
    spare_of.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _no_wait_for_the_disk() -> Iterator[None]:
    """Let files be written without a flush, which takes a third of some files of tests.

    What a power failure leaves, no test can see; those about flushing put their own in its place.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _handle: None)
        yield


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the cache folder of this test, which is not there yet and not the user's."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SR_BENCH_CACHE", str(folder))
    return folder


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
