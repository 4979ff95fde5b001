"""What is handed in when, to whom, and what is run a second time, without any cluster."""

import pytest

from sr_bench.engine.elsewhere.cluster.shards import AHEAD, Ledger, Task, split

WORKERS = {"a": 1, "b": 1}


def shard(number: int, *, run: str = "r", place: int = 1, home: object = None) -> Task:
    return Task(f"{run}-{number}", run, place, (number, number + 1), home)


def ledger_of(*tasks: Task) -> Ledger:
    ledger = Ledger()
    for task in tasks:
        ledger.add(task)
    return ledger


def take_all(ledger: Ledger, workers=WORKERS, now: float = 0.0) -> list[tuple[Task, str]]:
    found = []
    while step := ledger.take(workers, now):
        found.append(step)
    return found


@pytest.mark.parametrize("count", [0, 1, 7, 100, 1000])
@pytest.mark.parametrize("window", [1, 32])
def test_shards_hold_each_image_once_and_windows_whole(count: int, window: int) -> None:
    shards = split(range(count), window=window)
    assert [index for one in shards for index in one] == list(range(count))
    owners = [
        {n for n, one in enumerate(shards) if set(one) & set(range(w, w + window))}
        for w in range(0, count, window)
    ]
    assert all(len(one) <= 1 for one in owners)


def test_shards_are_large_first_and_single_at_the_end() -> None:
    sizes = [len(one) for one in split(range(1000))]
    assert (sizes[0], sizes[-1], max(sizes)) == (16, 1, 16)
    assert sizes == sorted(sizes, reverse=True)


def test_only_a_few_tasks_are_out_for_each_thread() -> None:
    ledger = ledger_of(*map(shard, range(0, 40, 2)))
    assert len(take_all(ledger, {"a": 1, "b": 3})) == AHEAD * 4
    assert (ledger.waiting, ledger.out) == (12, 8)


def test_earlier_runs_go_first_and_their_networks_before_them() -> None:
    late, early = shard(0, run="s", place=9), shard(4, place=8)
    network = Task("prepare", "", 9)
    ledger = ledger_of(late, early, network)
    assert [task for task, _ in take_all(ledger)] == [network, early, late]


def test_a_network_of_a_far_run_waits_for_the_shards_before_it() -> None:
    network, early = Task("prepare", "", 9), shard(4, place=2)
    assert [task for task, _ in take_all(ledger_of(network, early))] == [early, network]


def test_the_same_images_go_to_the_same_worker() -> None:
    ledger = ledger_of(shard(0, home="x"), shard(2, home="y"))
    first = dict(take_all(ledger))
    for task, worker in first.items():
        ledger.finished(task, worker, 1.0)
    for number, home in ((0, "y"), (2, "x")):
        ledger.add(shard(number, run="s", home=home))
    homes = {task.home: worker for task, worker in take_all(ledger)}
    assert homes == {task.home: worker for task, worker in first.items()}


def test_a_worker_that_joins_takes_what_is_at_home_elsewhere() -> None:
    ledger = ledger_of(*(shard(n, home=n) for n in range(0, 8, 2)))
    for task, worker in take_all(ledger, {"a": 2}):
        ledger.finished(task, worker, 1.0)
    for n in range(0, 8, 2):
        ledger.add(shard(n, run="s", home=n))
    assert {worker for _, worker in take_all(ledger)} == {"a", "b"}


def out_and_measured(*, measured: float = 1.0) -> tuple[Ledger, Task, str]:
    """Return a ledger with one shard of two images out, after another took `measured` seconds."""
    ledger = ledger_of(shard(0), shard(2))
    (first, one), (slow, other) = take_all(ledger)
    ledger.finished(first, one, measured)
    return ledger, slow, other


def test_a_shard_is_run_twice_after_three_times_the_usual_time() -> None:
    ledger, slow, at = out_and_measured()
    (idle,) = set(WORKERS) - {at}
    assert ledger.late(WORKERS, 3.0) == []
    assert ledger.late(WORKERS, 3.1) == [(slow, idle)]
    assert ledger.late(WORKERS, 99.0) == []


def test_no_shard_is_run_twice_while_others_wait_or_no_worker_is_idle() -> None:
    ledger, _, at = out_and_measured()
    assert ledger.late({at: 1}, 99.0) == []
    ledger.add(shard(6))
    assert ledger.late(WORKERS, 99.0) == []


def test_a_shard_of_a_run_without_any_result_is_never_late() -> None:
    ledger = ledger_of(shard(0))
    take_all(ledger)
    assert ledger.late(WORKERS, 1e9) == []


def test_a_task_whose_workers_died_runs_again_alone_before_it_is_blamed() -> None:
    ledger = ledger_of(shard(0), shard(2))
    (bad, _), (good, at) = take_all(ledger)
    assert ledger.suspect(bad)
    assert ledger.take(WORKERS, 0.0) is None
    ledger.finished(good, at, 1.0)
    assert ledger.take(WORKERS, 0.0)[0] == bad
    ledger.add(shard(4))
    assert ledger.take(WORKERS, 0.0) is None
    assert not ledger.suspect(bad)
    assert ledger.take(WORKERS, 0.0)[0] == shard(4)


def test_a_run_that_is_dropped_leaves_nothing() -> None:
    ledger = ledger_of(*map(shard, range(0, 20, 2)), shard(0, run="s", place=2))
    out = [task for task, _ in take_all(ledger)]
    ledger.suspect(out[0])
    assert ledger.drop("r") == out[1:]
    assert [task.run for task, _ in take_all(ledger)] == ["s"]
