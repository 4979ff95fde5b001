"""Items behave as real test functions do, and the plugin stays out of the way of others."""

import subprocess
import sys

import pytest

from tests.tiny_zoo import Zoo


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


FOREIGN = [
    'title = "hearts"\n[card]\nsuit = "spades"\n',
    'schema = "https://example.org/card"\nmodel = "resnet"\n',
    "[[card]]\nscale = 2\n",
    "not TOML at all",
    "",
]


@pytest.mark.parametrize("text", FOREIGN)
def test_a_card_of_someone_else_is_left_alone(pytester, text: str):
    pytester.makefile(".toml", card=text)
    pytester.makepyfile("def test_other(): pass")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    assert result.ret == 0


@pytest.mark.parametrize("text", FOREIGN)
def test_a_card_that_is_named_is_read_whatever_it_holds(pytester, text: str):
    result = pytester.runpytest_inprocess(pytester.makefile(".toml", card=text))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*card.toml: *"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("schema = 1", "shema = 1"),
        ("schema = 1", "schema = '1'"),
        ("[[model]]", "[[modle]]"),
        ("schema = 1", "schema = = 1"),
        ("[[model]]", "[[model]"),
    ],
)
def test_a_slip_does_not_make_a_card_vanish(run, zoo, old: str, new: str):
    card = zoo.suite / "card.toml"
    text = card.read_text()
    assert old in text
    card.write_text(text.replace(old, new, 1))
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*card.toml: *"])


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


def test_what_runs_a_number_again_is_a_path_from_where_pytest_was_started(
    pytester: pytest.Pytester, zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo.write_table(ssim="0.1000")
    pytester.makeini("[pytest]")  # its folder is the root
    monkeypatch.chdir(zoo.root)
    result = pytester.runpytest_inprocess("tiny", f"--sr-data={zoo.data}", "-k", "fp32 and ssim")
    rerun = "pytest tiny/card.toml::tiny_x2-fp32-pair_x2-ssim --backend=onnxruntime"
    result.stdout.fnmatch_lines([f"rerun      {rerun}"])
    assert rerun in (pytester.path / "reports" / "README.md").read_text()


def test_a_document_is_answered_with_its_card_or_with_what_drafts_one(
    pytester: pytest.Pytester, zoo: Zoo
) -> None:
    result = pytester.runpytest_inprocess("my_zoo/tiny/README.md")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = (
        "ERROR: the card beside my_zoo/tiny/README.md has its tests: pytest my_zoo/tiny/card.toml"
    )
    result.stderr.fnmatch_lines([told])
    (zoo.suite / "card.toml").rename(zoo.suite / "elsewhere.toml")
    result = pytester.runpytest_inprocess("my_zoo/tiny/README.md")
    told = "no card.toml is beside my_zoo/tiny/README.md: sr-bench init my_zoo/tiny/README.md"
    result.stderr.fnmatch_lines([f"ERROR: {told}"])


def test_other_sessions_see_nothing_of_the_plugin(pytester):
    pytester.makepyfile("def test_other(): pass")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*backend*")
    result.stdout.no_fnmatch_line("*= sr-bench =*")
    assert not (pytester.path / "reports").exists()


# What each session of pytest loads of ours, as it declares the options.
DECLARES = [
    "cards",
    "core",
    "core.fields",
    "core.modes",
    "core.precision",
    "discovery",
    "engine",
    "engine.plan",
    "engine.plan.option",
    "engine.plan.options",
    "errors",
    "plugin",
    "plugin.markers",
    "plugin.settings",
    "report",
    "report.hooks",
    "system",
    "system.cpu",
    "text",
    "text.printable",
]
CONTROLS_WORKERS = [
    "plugin.progress",
    "plugin.xdist",
    "plugin.xdist.by_run",
    "plugin.xdist.node_ids",
    "plugin.xdist.parallel",
    "plugin.xdist.refusal",
]
READS_OR_COMPUTES = {"pydantic", "markdown_it", "numpy", "torch", "cv2", "onnxruntime", "pandas"}


@pytest.mark.parametrize(
    ("arguments", "ours"),
    [([], DECLARES), (["--help"], DECLARES), (["-n1"], DECLARES + CONTROLS_WORKERS)],
    ids=["alone", "help", "workers"],
)
def test_a_session_without_a_card_imports_only_what_declares_the_options(
    pytester, arguments: list[str], ours: list[str]
):
    pytester.makepyfile("def test_other(): pass")
    code = f"import sys, pytest; pytest.main({arguments}); print(*sys.modules, file=sys.stderr)"
    loaded = set(pytester.run(sys.executable, "-c", code).stderr.str().split())
    assert not loaded & READS_OR_COMPUTES
    assert {name for name in loaded if name.startswith("sr_bench.")} == {
        f"sr_bench.{name}" for name in ours
    }


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


def test_a_card_of_someone_else_is_left_alone_unless_it_is_named(pytester):
    pytester.makepyfile("def test_other(): pass")
    path = pytester.makefile(".toml", card="[card]\ncolour = 'red'\n")
    pytester.runpytest().assert_outcomes(passed=1)
    result = pytester.runpytest(path)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*card.toml: *", "*schema: required, but absent*"])
