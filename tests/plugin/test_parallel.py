"""Workers of pytest-xdist share the items out by run, find the same, and show what they do."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from xdist.scheduler import LoadScheduling

from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.int8 import Gate
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.selection import Selection
from sr_bench.plugin import parallel
from sr_bench.plugin.parallel import ByGroup, ByRun, Controller, Worker, groups_of
from sr_bench.plugin.progress import Progress
from tests.int8_zoo import make_int8_zoo
from tests.tiny_zoo import Zoo

PRECISIONS = tuple(Precision)[:5]


def model(name: str, *, gated: bool = True) -> ModelCard:
    gate = Gate(40.0, 0.1, 0.01) if gated else None
    return ModelCard(name, "zoo", Path("zoo"), "", "", 2, "edsr", gate=gate)


def cases(*models: ModelCard, datasets: tuple[str, ...] = ("set5",)) -> list[Case]:
    evaluations = [Evaluation(dataset, EvalProtocol("native_rgb")) for dataset in datasets]
    return [
        Case(card, metric, precision, "onnxruntime", evaluation)
        for card in models
        for evaluation in evaluations
        for precision in PRECISIONS
        for metric in ("psnr", "ssim")
    ]


def groups(found: list[Case], workers: int = 2) -> list[str]:
    return groups_of(found, Selection(), workers)


def test_a_run_is_never_divided_and_no_group_holds_two_models():
    found = cases(model("a"), model("b"), model("c", gated=False))
    by_group: dict[str, list[Case]] = {}
    by_run: dict[str, set[str]] = {}
    for case, group in zip(found, groups(found), strict=True):
        by_group.setdefault(group, []).append(case)
        by_run.setdefault(case.run_key, set()).add(group)
    assert all(len(one) == 1 for one in by_run.values())
    assert all(len({case.card.name for case in one}) == 1 for one in by_group.values())


@pytest.mark.parametrize(
    ("models", "workers", "expected"),
    [(1, 2, 5), (2, 2, 2), (3, 2, 2 + 5), (4, 2, 4), (2, 3, 10), (4, 3, 3 + 5), (3, 1, 3)],
)
def test_gated_models_stay_whole_but_those_that_do_not_come_out_even(
    models: int, workers: int, expected: int
):
    found = cases(*(model(f"m{index}") for index in range(models)))
    assert len(set(groups(found, workers))) == expected


def test_without_a_gate_each_run_goes_where_there_is_room():
    found = cases(model("a", gated=False), model("b", gated=False))
    assert len(set(groups(found))) == 10
    gated = cases(model("a"), model("b"))
    assert len(set(groups_of(gated, Selection(gate="off"), 2))) == 10


def test_a_model_measured_in_fp32_alone_is_one_run_and_no_model_to_count():
    fp32 = [case for case in cases(model("a")) if case.precision is Precision.FP32]
    found = [*fp32, *cases(model("b"), model("c"))]
    assert len(set(groups(found))) == 1 + 2


def test_each_dataset_and_each_folder_has_groups_of_its_own():
    found = cases(model("a"), datasets=("set5", "set14"))
    assert len(set(groups(found))) == 2
    other = replace(model("a"), folder=Path("other"))
    assert len(set(groups(cases(model("a"), other)))) == 2


def test_costs_need_no_worker_in_particular():
    costs = [Case(model("a"), name, Precision.FP32, "torch") for name in ("flops", "params")]
    assert len(set(groups(costs))) == 2


TX = {"tx": ["2*popen"]}
OPTION = SimpleNamespace(loadscopereorder=True, debug=False)
CONFIG = SimpleNamespace(option=OPTION, getvalue=TX.get, getoption=TX.get)


class Node:
    """A worker as the scheduler sees it."""

    shutting_down = False

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def scheduled(monkeypatch: pytest.MonkeyPatch, ids: str, group: dict[str, str]) -> ByGroup:
    """Return what has shared `ids` out to two workers."""
    monkeypatch.setattr(parallel, "_groups", lambda *_: group)
    made = ByGroup(CONFIG, None, ids)
    for name in ("gw0", "gw1"):
        made.add_node(Node(name))
    for node in made.nodes:
        made.add_node_collection(node, list(ids))
    made.schedule()
    return made


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> ByGroup:
    group = dict.fromkeys("abcdef", "left") | dict.fromkeys("uvwxyz", "right")
    return scheduled(monkeypatch, "abcdefuvwxyz12", group)


def test_a_new_worker_is_given_enough_to_start(monkeypatch: pytest.MonkeyPatch):
    made = scheduled(monkeypatch, "abcd", {})
    assert [made.remove_node(node) for node in made.nodes] == ["a", "b"]
    new = Node("gw2")
    made.add_node(new)
    made.add_node_collection(new, list("abcd"))
    made.schedule()
    assert new.given == [2, 3]


def test_what_crashes_a_worker_is_not_run_again_and_its_group_goes_on(scheduler: ByGroup):
    first, second = scheduler.nodes
    assert (first.given, second.given) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11])
    scheduler.mark_test_complete(first, 0)
    assert scheduler.remove_node(first) == "b"
    for index in range(6, 12):
        scheduler.mark_test_complete(second, index)
    assert set(second.given[6:]) == {2, 3, 4, 5, 12, 13}


def test_a_worker_that_ends_in_order_leaves_nothing(scheduler: ByGroup):
    first = scheduler.nodes[0]
    for index in range(6):
        scheduler.mark_test_complete(first, index)
    for index in first.given[6:]:
        scheduler.mark_test_complete(first, index)
    assert scheduler.remove_node(first) is None


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
    made = Controller(SimpleNamespace(pluginmanager=manager), by_run=True)
    made.screen, made.stats = screen, reporter.stats[""]
    return made


def report(made: Controller, worker: str, **more: object) -> None:
    """Let `made` and pytest's terminal see a report of `worker`."""
    told = pytest.TestReport("x", ("x", 1, "x"), {}, "passed", None, "setup", **more)
    told.worker_id = worker
    hook: Iterator[None] = made.pytest_runtest_logreport(told)
    next(hook)
    made.stats.append(told)
    with pytest.raises(StopIteration):
        next(hook)


def test_one_line_tells_what_every_worker_does(controller: Controller):
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
    controller.pytest_testnodedown(Node("gw0"))
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
    Worker(SimpleNamespace(hook=hook), 0.5).send(Progress("a", 1, 2, 3.0))


OFTEN = """
from sr_bench.plugin import parallel, progress

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
    """Run pytest on the zoo with two workers."""

    def workers(*args: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("my_zoo", f"--sr-data={zoo.data}", "-n2", *args)

    return workers


def timeless(records: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    return {name: record | {"seconds": 0} for name, record in records.items()}


def test_records_are_those_of_a_session_without_workers(run, workers, zoo: Zoo):
    run("--sr-precision=fp32,fp16").assert_outcomes(passed=6, skipped=1)
    alone = timeless(zoo.records())
    workers("--sr-precision=fp32,fp16", "--sr-cache=refresh").assert_outcomes(passed=6, skipped=1)
    assert timeless(zoo.records()) == alone
    assert list(zoo.records()) == list(alone)


def test_without_a_choice_of_the_user_a_run_stays_on_one_worker(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SR_BENCH_CACHE", str(pytester.path / "cache"))
    zoo = make_int8_zoo(pytester.path / "my_zoo")
    pytester.makeconftest(LOGGED)
    args = ("my_zoo", f"--sr-data={zoo.data}", "--sr-precision=fp16,int8_max,int8_kl", "-n2")
    pytester.runpytest_subprocess(*args, "--sr-explain=0").assert_outcomes(passed=9)
    ran = [line.split() for line in (pytester.path / "ran.txt").read_text().splitlines()]
    runs = {(worker, name.rpartition("-")[0]) for worker, name in ran}
    assert len(runs) == 3
    assert {worker for worker, _ in runs} == {"gw0", "gw1"}


def test_the_users_own_choice_wins(workers):
    workers("-v").stdout.fnmatch_lines(["scheduling tests via ByRun"])
    workers("-v", "--dist=load").stdout.fnmatch_lines(["scheduling tests via LoadScheduling"])


@pytest.mark.parametrize(
    ("collected", "expected"),
    [
        (("test_a.py::x",), LoadScheduling),
        (("test_a.py::x", "card.toml::x"), ByGroup),
        (("test_a.py::x", "zoo/card.toml::x"), ByGroup),
        (("mycard.toml/test_a.py::card.toml",), LoadScheduling),
    ],
)
def test_only_sessions_with_cards_are_shared_out_by_group(
    monkeypatch: pytest.MonkeyPatch, collected: tuple[str, ...], expected: type
):
    monkeypatch.setattr(parallel, "_groups", lambda *_: {})
    made = ByRun(CONFIG, None)
    for name in ("gw0", "gw1"):
        made.add_node(Node(name))
    for node in made.nodes:
        assert not made.collection_is_completed
        made.add_node_collection(node, collected)
    made.schedule()
    assert type(made._chosen) is expected
    assert sum(len(node.given) for node in made.nodes) == len(collected)


def test_progress_reaches_the_log_and_counts_as_nothing(
    pytester: pytest.Pytester, workers, zoo: Zoo
):
    pytester.makeconftest(OFTEN)
    done = workers("--sr-precision=fp32", "--junitxml=junit.xml", "--durations=0", "-rA")
    done.assert_outcomes(passed=4)
    done.stdout.re_match_lines([r"gw\d tiny_x2-fp32-pair_x2-(psnr|ssim): [12]/2, \d s left.*"])
    assert (pytester.path / "junit.xml").read_text().count("<testcase") == 4
    assert len(zoo.records()) == 4


@pytest.mark.parametrize("option", ["-q", "-pno:terminal"])
def test_it_breaks_no_way_of_reporting(pytester: pytest.Pytester, workers, zoo: Zoo, option: str):
    pytester.makeconftest(OFTEN)
    assert workers("--sr-precision=fp32", option).ret == pytest.ExitCode.OK
    assert len(zoo.records()) == 4


def test_a_crash_costs_one_number(pytester: pytest.Pytester, workers, zoo: Zoo):
    pytester.makeconftest(CRASHING)
    done = workers("--sr-precision=fp32")
    done.assert_outcomes(passed=3, failed=1)
    assert json.dumps(list(zoo.records())).count("ssim") == 0
