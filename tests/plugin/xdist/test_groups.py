"""Workers of pytest-xdist share the items out by run, and a crash costs one of them."""

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
from sr_bench.engine.plan.options import Selection
from sr_bench.plugin.xdist import groups as groups_of_workers
from sr_bench.plugin.xdist.by_run import ByRun
from sr_bench.plugin.xdist.groups import ByGroup, groups_of

PRECISIONS = Precision.all()[:5]


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


def groups(chosen: list[Case], workers: int = 2) -> list[str]:
    return groups_of(chosen, Selection(), workers)


def test_a_run_is_never_divided_and_no_group_holds_two_models():
    chosen = cases(model("a"), model("b"), model("c", gated=False))
    by_group: dict[str, list[Case]] = {}
    by_run: dict[str, set[str]] = {}
    for case, group in zip(chosen, groups(chosen), strict=True):
        by_group.setdefault(group, []).append(case)
        by_run.setdefault(case.run_key, set()).add(group)
    assert all(len(run) == 1 for run in by_run.values())
    assert all(len({case.card.name for case in run}) == 1 for run in by_group.values())


@pytest.mark.parametrize(
    ("models", "workers", "expected"),
    [(1, 2, 5), (2, 2, 2), (3, 2, 2 + 5), (4, 2, 4), (2, 3, 10), (4, 3, 3 + 5), (3, 1, 3)],
)
def test_gated_models_stay_whole_unless_the_shares_are_uneven(
    models: int, workers: int, expected: int
):
    chosen = cases(*(model(f"m{index}") for index in range(models)))
    assert len(set(groups(chosen, workers))) == expected


def test_without_a_gate_each_run_goes_where_there_is_room():
    chosen = cases(model("a", gated=False), model("b", gated=False))
    assert len(set(groups(chosen))) == 10
    gated = cases(model("a"), model("b"))
    assert len(set(groups_of(gated, Selection(gate="off"), 2))) == 10


def test_a_model_measured_in_fp32_alone_is_one_run_and_no_model_to_count():
    fp32 = [case for case in cases(model("a")) if case.precision is Precision.FP32]
    chosen = [*fp32, *cases(model("b"), model("c"))]
    assert len(set(groups(chosen))) == 1 + 2


def test_each_dataset_and_each_folder_has_groups_of_its_own():
    chosen = cases(model("a"), datasets=("set5", "set14"))
    assert len(set(groups(chosen))) == 2
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
    """Return a scheduler that has shared `ids` out to two workers."""
    monkeypatch.setattr(groups_of_workers, "_groups", lambda *_: group)
    scheduler = ByGroup(CONFIG, None, ids)
    for name in ("gw0", "gw1"):
        scheduler.add_node(Node(name))
    for node in scheduler.nodes:
        scheduler.add_node_collection(node, list(ids))
    scheduler.schedule()
    return scheduler


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> ByGroup:
    group = dict.fromkeys("abcdef", "left") | dict.fromkeys("uvwxyz", "right")
    return scheduled(monkeypatch, "abcdefuvwxyz12", group)


def test_a_new_worker_is_given_enough_to_start(monkeypatch: pytest.MonkeyPatch):
    scheduler = scheduled(monkeypatch, "abcd", {})
    assert [scheduler.remove_node(node) for node in scheduler.nodes] == ["a", "b"]
    new = Node("gw2")
    scheduler.add_node(new)
    scheduler.add_node_collection(new, list("abcd"))
    scheduler.schedule()
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
    monkeypatch.setattr(groups_of_workers, "_groups", lambda *_: {})
    scheduler = ByRun(CONFIG, None)
    for name in ("gw0", "gw1"):
        scheduler.add_node(Node(name))
    for node in scheduler.nodes:
        assert not scheduler.collection_is_completed
        scheduler.add_node_collection(node, collected)
    scheduler.schedule()
    assert type(scheduler._chosen) is expected
    assert sum(len(node.given) for node in scheduler.nodes) == len(collected)
