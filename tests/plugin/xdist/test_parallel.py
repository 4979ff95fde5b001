"""Workers of pytest-xdist share the items out by run, measure the same, and show their progress."""

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from sr_bench.plugin import progress
from sr_bench.plugin.progress import Progress
from sr_bench.plugin.xdist import parallel
from sr_bench.plugin.xdist.parallel import Controller, WorkerProgress
from tests.int8_zoo import make_int8_zoo
from tests.tiny_zoo import Zoo


class Screen:
    every_s = 0.0
    columns = 79

    def __init__(self) -> None:
        self.shown = ""

    def show(self, text: str) -> None:
        self.shown = text

    def wipe(self) -> None:
        self.shown = ""


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> Controller:
    screen = Screen()
    monkeypatch.setattr(parallel, "open_screen", lambda _: screen)
    reporter = SimpleNamespace(stats={"": []})
    manager = SimpleNamespace(getplugin={"terminalreporter": reporter}.get)
    controller = Controller(SimpleNamespace(pluginmanager=manager), lambda _: None, by_run=True)
    controller.screen, controller.stats = screen, reporter.stats[""]
    return controller


def report(controller: Controller, worker: str, **more: object) -> None:
    """Let `controller` and pytest's terminal see a report of `worker`."""
    report = pytest.TestReport("x", ("x", 1, "x"), {}, "passed", None, "setup", **more)
    report.worker_id = worker
    hook: Iterator[None] = controller.pytest_runtest_logreport(report)
    next(hook)
    controller.stats.append(report)
    with pytest.raises(StopIteration):
        next(hook)


def test_one_line_says_what_every_worker_does(controller: Controller):
    report(controller, "gw1", sr_progress=("rcan_x4-int8_max", 1, 20, 95.4, "a"))
    assert controller.screen.shown == "gw1 rcan_x4-int8_max: 1/20, 95 s left"
    report(controller, "gw0", sr_progress=("edsr_x2-fp32", 12, 100, 40.0, "b"))
    shown = "gw0 edsr_x2-fp32: 12/100, 40 s left | gw1 rcan_x4-int8_max: 1/20, 95 s left"
    assert controller.screen.shown == shown


def test_long_titles_are_cut_so_that_every_worker_has_its_share(controller: Controller):
    for worker in ("gw0", "gw1"):
        report(controller, worker, sr_progress=(40 * "t", 12, 100, 40.0, "b"))
    assert controller.screen.shown == " | ".join(
        f"{worker} tttttttttttt...: 12/100, 40 s left" for worker in ("gw0", "gw1")
    )


def test_pytest_writes_where_nothing_is_in_the_way_and_keeps_no_progress(controller: Controller):
    report(controller, "gw0", sr_progress=("edsr_x2-fp32", 12, 100, 40.0, "b"))
    assert controller.stats == []
    report(controller, "gw0")
    assert controller.screen.shown == ""
    assert len(controller.stats) == 1
    report(controller, "gw1", sr_progress=("rcan_x4-int8_max", 1, 20, 95.4, "a"))
    assert controller.screen.shown.startswith("gw1")


def test_a_worker_that_died_is_not_shown(controller: Controller):
    for worker in ("gw0", "gw1"):
        report(controller, worker, sr_progress=("edsr_x2-fp32", 12, 100, 40.0, "b"))
    controller.pytest_testnodedown(SimpleNamespace(gateway=SimpleNamespace(id="gw0")))
    assert controller.screen.shown == ""
    report(controller, "gw1", sr_progress=("edsr_x2-fp32", 13, 100, 40.0, "b"))
    assert controller.screen.shown.startswith("gw1")


def test_at_the_end_nothing_is_left(controller: Controller):
    report(controller, "gw0", sr_progress=("edsr_x2-fp32", 12, 100, 40.0, "b"))
    controller.pytest_sessionfinish()
    assert controller.screen.shown == ""


def test_it_is_not_drawn_more_often_than_the_screen_wants(controller: Controller):
    controller.screen.every_s = 1e9
    report(controller, "gw0", sr_progress=("edsr_x2-fp32", 12, 100, 40.0, "b"))
    assert controller.screen.shown == ""


@pytest.mark.parametrize(("every_s", "sent"), [(0.2, 0.5), (30.0, 30.0)])
def test_a_worker_is_told_how_often_to_send(controller: Controller, every_s: float, sent: float):
    controller.screen.every_s = every_s
    node = SimpleNamespace(workerinput={})
    controller.pytest_configure_node(node)
    assert list(node.workerinput.values()) == [sent]


def test_the_libraries_of_each_worker_share_the_cores_unless_the_user_chose(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
):
    cleanups: list[Callable[[], object]] = []
    controller._config.add_cleanup = cleanups.append
    monkeypatch.setattr(parallel, "usable_cores", lambda: 7)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.setattr(parallel.os, "environ", dict(parallel.os.environ))
    monkeypatch.delitem(parallel.os.environ, "OPENBLAS_NUM_THREADS", raising=False)
    controller.pytest_xdist_setupnodes(["popen"] * 3)
    chosen = parallel.os.environ
    assert (chosen["OMP_NUM_THREADS"], chosen["OPENBLAS_NUM_THREADS"]) == ("5", "2")
    for cleanup in cleanups:
        cleanup()
    assert "OPENBLAS_NUM_THREADS" not in chosen
    assert chosen["OMP_NUM_THREADS"] == "5"


def test_more_workers_than_cores_have_one_thread_each(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
):
    controller._config.add_cleanup = lambda _: None
    monkeypatch.setattr(parallel, "usable_cores", lambda: 2)
    monkeypatch.setattr(parallel.os, "environ", {})
    controller.pytest_xdist_setupnodes(["popen"] * 3)
    assert set(parallel.os.environ.values()) == {"1"}


def test_a_worker_sends_nothing_between_items():
    hook = SimpleNamespace(pytest_runtest_logreport=pytest.fail)
    WorkerProgress(SimpleNamespace(hook=hook), 0.5).send(Progress("a", 1, 2, 3.0))


OFTEN = """
from sr_bench.plugin import progress
from sr_bench.plugin.xdist import parallel

progress._QUIET_S = 0.0
progress.Log.every_s = parallel._WORKER_EVERY_S = 1e-9
"""

LOGGED = """
import os
from pathlib import Path

def pytest_runtest_call(item):
    with Path(__file__).with_name("ran.txt").open("a") as file:
        file.write(f"{os.environ.get('PYTEST_XDIST_WORKER')} {item.nodeid}\\n")
"""

CRASHING = """
import os

def pytest_runtest_call(item):
    if item.name.endswith("ssim"):
        os._exit(3)
"""


@pytest.fixture
def workers(pytester: pytest.Pytester, zoo: Zoo):
    """Run pytest on the zoo with workers, which are processes, under this one."""

    def workers(*args: str, count: int = 2) -> pytest.RunResult:
        options = (f"--sr-data={zoo.data}", f"-n{count}", *args)
        return pytester.runpytest_inprocess("my_zoo", *options)

    return workers


@pytest.fixture
def often(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each step told: here until the test ends, and in the workers."""
    monkeypatch.setattr(progress, "_QUIET_S", 0.0)
    monkeypatch.setattr(progress.Log, "every_s", 1e-9)
    monkeypatch.setattr(parallel, "_WORKER_EVERY_S", 1e-9)
    pytester.makeconftest(OFTEN)


def timeless(records: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    return {name: record | {"seconds": 0} for name, record in records.items()}


def test_records_are_those_of_a_session_without_workers(run, workers, zoo: Zoo):
    options = ("--sr-precision=fp32,fp16", "--sr-cache=refresh", "-v")
    run(*options).assert_outcomes(passed=6, skipped=1)
    alone = timeless(zoo.records())
    result = workers(*options)
    result.assert_outcomes(passed=6, skipped=1)
    collected = "sr-bench *: 5 claims in 1 suite, plus 2 unclaimed measurements"
    result.stdout.fnmatch_lines(["scheduling tests via ByRun", collected, "backend onnxruntime: *"])
    assert timeless(zoo.records()) == alone
    assert list(zoo.records()) == list(alone)


def test_the_users_own_choice_wins_and_measures_the_same(run, workers, zoo: Zoo):
    run()
    alone = zoo.records()
    result = workers("--dist=loadgroup", "-v")
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(["scheduling tests via LoadGroupScheduling"])
    together = zoo.records()
    assert list(together) == list(alone)
    for case, record in together.items():
        for field in ("verdict", "measurement", "fingerprint", "claim"):
            assert record[field] == alone[case][field]


def test_without_a_choice_of_the_user_a_run_stays_on_one_worker(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SR_BENCH_CACHE", str(pytester.path / "cache"))
    zoo = make_int8_zoo(pytester.path / "my_zoo")
    pytester.makeconftest(LOGGED)
    zoo.write_card(limit=60.0)  # so that each run of int8 is judged a loss, where it was made
    args = ("my_zoo", f"--sr-data={zoo.data}", "--sr-precision=fp16,int8_max,int8_kl", "-n2")
    result = pytester.runpytest_inprocess(*args, "--sr-explain=0")
    result.assert_outcomes(passed=7, failed=2)
    result.stdout.fnmatch_lines(["fidelity to fp32 *>= 60 dB*loss"])
    ran = [line.split() for line in (pytester.path / "ran.txt").read_text().splitlines()]
    runs = {(worker, name.rpartition("-")[0]) for worker, name in ran}
    assert len(runs) == 3
    assert {worker for worker, _ in runs} == {"gw0", "gw1"}


@pytest.mark.usefixtures("often")
def test_progress_reaches_the_log_and_counts_as_nothing(
    pytester: pytest.Pytester, workers, zoo: Zoo
):
    options = ("--sr-precision=fp32", "--junitxml=junit.xml", "--durations=0", "-rA")
    result = workers(*options, count=1)
    result.assert_outcomes(passed=4)
    result.stdout.re_match_lines([r"gw\d tiny_x2-fp32-pair_x2-(psnr|ssim): [12]/2, \d s left.*"])
    assert (pytester.path / "junit.xml").read_text().count("<testcase") == 4
    assert len(zoo.records()) == 4


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("option", ["-q", "-pno:terminal"])
def test_it_breaks_no_way_of_reporting(workers, zoo: Zoo, option: str):
    assert workers("--sr-precision=fp32", option, count=1).ret == pytest.ExitCode.OK
    assert len(zoo.records()) == 4


def test_a_crash_costs_one_number(pytester: pytest.Pytester, workers, zoo: Zoo):
    pytester.makeconftest(CRASHING)
    result = workers("--sr-precision=fp32", "--junitxml=junit.xml", count=1)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.re_match_lines(
        [
            r"_+ 0\.\d+ -> error: crashed \(my_zoo/tiny/README.md:5:\d+\) _+",
            "FAILED 0.* -> error: .*",
        ]
    )
    junit = (pytester.path / "junit.xml").read_text()
    assert '<property name="sr_failure" value="crashed" />' in junit
    (crashed,) = (record for record in zoo.records().values() if not record.get("measurement"))
    assert crashed["metric"] == "ssim"
    assert crashed["detail"] == {"failure": "crashed"}
    assert re.match(r"crashed: worker 'gw\d' crashed while running", crashed["verdict"]["sentence"])
    assert len(zoo.records()) == 4


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "--sr-models=tiny_x2,tiny_x3",
            "--sr-models=tiny_x3: no such model; did you mean 'tiny_x2'?",
        ),
        ("--sr-results-path=file", "*file: can't make the results folder*"),
    ],
)
def test_what_no_session_would_start_with_is_refused(
    pytester: pytest.Pytester, workers, zoo: Zoo, option: str, message: str
):
    (pytester.path / "file").touch()
    result = workers(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.assert_outcomes()
    (result.stdout if result.stdout.str().count("ERROR:") else result.stderr).fnmatch_lines(
        [f"ERROR: {message}"]
    )


def test_workers_tell_of_the_cache_once(pytester: pytest.Pytester, workers) -> None:
    (pytester.path / "cache").write_text("a file where a folder should be")
    result = workers("--sr-precision=fp32,fp16", "--dist=load")
    assert result.parseoutcomes()["warnings"] == 1
    result.stdout.fnmatch_lines(["*CacheWarning: the cache can't be used: *"])
