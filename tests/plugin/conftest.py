"""The tiny zoo in the folder of the test, and pytest on it."""

import onnxruntime  # noqa: F401 - pytester forgets what a run imports; to be read just once
import pandas as pd  # noqa: F401
import pandas.core.arrays.arrow.extension_types  # noqa: F401 - registers types, which works once
import pytest
import tabulate  # noqa: F401

import sr_bench.engine.bench
import sr_bench.engine.explain.number
import sr_bench.plugin.collect
import sr_bench.plugin.hooks
import sr_bench.report.markdown.family  # noqa: F401
from tests.tiny_zoo import Zoo, make_zoo


@pytest.fixture
def zoo(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Zoo:
    """Make the zoo in the test's own folder, with true numbers in its table."""
    monkeypatch.setenv("SR_BENCH_CACHE", str(pytester.path / "cache"))
    return make_zoo(pytester.path / "my_zoo")


@pytest.fixture
def run(pytester: pytest.Pytester, zoo: Zoo):
    """Run pytest on the zoo, in this process, with its images."""

    def run(*args: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess("my_zoo", f"--sr-data={zoo.data}", *args)

    return run
