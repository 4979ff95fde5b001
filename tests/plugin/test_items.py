"""Items behave as real test functions do, and the plugin stays out of the way of others."""

import subprocess
import sys

import pytest


def test_marks_select_by_model_precision_dataset_and_metric(run):
    for expression, count in [
        ("tiny_x2", 5),
        ("fp16", 1),
        ("pair", 3),
        ("pair_x2 and psnr", 2),
        ("psnr or ssim", 3),
        ("tiny and not fp32", 1),
    ]:
        result = run("--collect-only", "-q", "-m", expression)
        result.stdout.fnmatch_lines([f"{count}*tests collected*"])


def test_marks_are_known_to_strict_markers(run):
    assert run("--strict-markers", "--collect-only").ret == 0


def test_last_failed_runs_just_what_failed(run, zoo):
    zoo.write_table(psnr="99.000")
    run().assert_outcomes(passed=3, failed=1, skipped=1)
    run("--lf").assert_outcomes(failed=1)


def test_exitfirst_stops(run, zoo):
    zoo.write_table(psnr="99.000")
    run("-x").assert_outcomes(passed=2, failed=1)


def test_a_single_item_runs_by_its_node_id(pytester, zoo):
    node = "my_zoo/tiny/card.toml::tiny_x2-fp32-pair_x2-ssim"
    pytester.runpytest_inprocess(node, f"--sr-data={zoo.data}").assert_outcomes(passed=1)


def test_junit_says_what_was_claimed_and_measured(pytester, run):
    run("--junitxml=junit.xml")
    text = (pytester.path / "junit.xml").read_text()
    assert 'name="tiny_x2-fp32-pair_x2-psnr"' in text
    assert '<property name="sr_status" value="match"' in text


def test_fixtures_reach_items_benchmark_among_them(pytester, run):
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(autouse=True)
        def timed(benchmark, request):
            yield
            benchmark(lambda: request.node.case.id)
        """
    )
    result = run("-k", "params")
    result.assert_outcomes(passed=1, deselected=4)
    result.stdout.fnmatch_lines(["*benchmark: 1 tests*"])


def test_the_zoo_may_be_the_working_directory(pytester, zoo, monkeypatch):
    monkeypatch.chdir(zoo.suite)
    pytester.runpytest_inprocess(f"--sr-data={zoo.data}").assert_outcomes(passed=4, skipped=1)


def test_other_sessions_see_nothing_of_the_plugin(pytester):
    pytester.makepyfile("def test_other(): pass")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*backend*")
    result.stdout.no_fnmatch_line("*= sr-bench =*")
    assert not (pytester.path / "reports").exists()


HEAVY = "import sys; loaded = {'torch', 'cv2', 'onnxruntime', 'onnx'} & set(sys.modules)"


@pytest.mark.parametrize("arguments", [["--collect-only", "-q"], ["--help"]])
def test_collecting_and_help_import_nothing_heavy(zoo, arguments: list[str]):
    code = f"import pytest; pytest.main({['my_zoo', *arguments]}); {HEAVY}; print(loaded)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=zoo.root.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.rstrip().endswith("set()")
