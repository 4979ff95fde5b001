"""A model in a process of its own gives the same records, and leaves nothing running."""

import psutil
import pytest


def without_times(zoo) -> dict[str, dict[str, object]]:
    return {key: {**record, "seconds": 0, "cached": 0} for key, record in zoo.records().items()}


def test_isolated_models_have_the_records_of_others(
    run, zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    run().assert_outcomes(passed=4, skipped=1)
    expected = without_times(zoo)
    run("--sr-isolate=model", "--sr-cache=refresh").assert_outcomes(passed=4, skipped=1)
    assert without_times(zoo) == expected
    children = psutil.Process().children(recursive=True)
    assert not [child for child in children if "child_main" in " ".join(child.cmdline())]


def test_limits_reach_the_process(run) -> None:
    result = run("--sr-isolate=model", "-osr_memory_limit=5", "--sr-cache=off")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*5 MiB*"])
