"""What is done about lost, late, refused and deadly shards, on a cluster that the test plays."""

from collections.abc import Iterator
from queue import SimpleQueue
from types import SimpleNamespace

import pytest

distributed = pytest.importorskip("distributed")

from sr_bench.core.backend import BackendInfo  # noqa: E402
from sr_bench.engine.elsewhere.cluster import dispatch  # noqa: E402
from sr_bench.engine.elsewhere.cluster.connect import Workers, agreed_workers  # noqa: E402
from sr_bench.engine.elsewhere.cluster.dispatch import Dispatcher  # noqa: E402
from sr_bench.engine.elsewhere.cluster.outcome import Outcome  # noqa: E402
from sr_bench.engine.elsewhere.cluster.remote import Identity, Station  # noqa: E402
from sr_bench.engine.elsewhere.cluster.runs import Delivery, Run  # noqa: E402
from sr_bench.engine.job import ImageResult  # noqa: E402
from sr_bench.engine.plan.options import Selection  # noqa: E402
from sr_bench.engine.prepare.code_digest import measuring  # noqa: E402
from sr_bench.errors import BackendError, OptionError  # noqa: E402
from tests.engine.elsewhere.cluster.works import Drawn, drawn  # noqa: E402

CPU = BackendInfo("onnxruntime", "1", "cpu", emulated=False, note="n")
CARD = BackendInfo("vacc", "1", "vacc", emulated=False, note="n")
HERE = Identity(measuring(), "cpu", CPU)


class Handed:
    """A task that was handed in; the test says what comes of it."""

    def __init__(self, key: str, shard, sent, how) -> None:
        self.key, self.shard, self.sent, self.how = key, shard, sent, how
        self._came: object = None

    def add_done_callback(self, call) -> None:
        self._call = call

    def result(self):
        if isinstance(self._came, Exception):
            raise self._came
        return self._came

    def end(self, came: object) -> None:
        self._came = came
        self._call(self)

    def finish(self, *, worker: str = "a", **more: object) -> None:
        numbers = [self.shard.numbers[index] for index in self.shard.asked]
        results = tuple((n, ImageResult(f"{n:03d}", {"psnr": 1.0})) for n in numbers)
        self.end(Outcome(worker, device="cpu", results=results, seconds=1e-9, **more))


class Played:
    """Stands for a client."""

    def __init__(self, **workers: dict[str, object]) -> None:
        self.status = "running"
        self.workers = workers
        self.handed: SimpleQueue[Handed] = SimpleQueue()
        self.scattered: list[str] = []

    def scheduler_info(self):
        return {"workers": self.workers}

    def submit(self, _function, _station, shard, sent, *, key, **how):
        task = Handed(key, shard, sent, how)
        self.handed.put(task)
        return task

    def scatter(self, data, **_how):
        self.scattered += data
        return data

    def next(self) -> Handed:
        task = self.handed.get(timeout=20)
        while not hasattr(task, "_call"):
            pass
        return task


@pytest.fixture
def client() -> Played:
    return Played(a={"nthreads": 1}, b={"nthreads": 1})


@pytest.fixture
def dispatcher(client, monkeypatch) -> Iterator[Dispatcher]:
    monkeypatch.setattr(dispatch, "TICK_S", 0.02)
    found = Dispatcher(client, Workers(HERE), "station", 1)
    yield found
    found.close()


def handed_in(dispatcher: Dispatcher, zoo, count: int) -> Run:
    run = Run("key", 1, drawn(zoo, *(Drawn(i) for i in range(count))))
    dispatcher.add(run, range(count))
    return run


def came(run: Run) -> Delivery:
    return run.arrivals.get(timeout=20)


def killed(task: Handed) -> Exception:
    where = SimpleNamespace(address="tcp://a")
    return distributed.KilledWorker(task.key, where, 2)


def test_a_shard_that_is_lost_on_the_way_is_handed_in_again(dispatcher, client, zoo) -> None:
    run = handed_in(dispatcher, zoo, 1)
    first = client.next()
    first.end(distributed.CancelledError("lost"))
    second = client.next()
    assert second.key != first.key
    second.finish()
    assert came(run).results[0][0] == 0


def test_a_shard_that_is_always_lost_is_given_up(dispatcher, client, zoo) -> None:
    run = handed_in(dispatcher, zoo, 1)
    for _ in range(8):
        client.next().end(distributed.CancelledError("lost"))
    assert isinstance(came(run).fault, distributed.CancelledError)


def test_what_a_worker_lacks_comes_with_the_next_attempt(dispatcher, client, zoo) -> None:
    run = handed_in(dispatcher, zoo, 1)
    first = client.next()
    assert first.sent == {}
    key = first.shard.contents[0].key
    first.end(Outcome("a", missing=(key,)))
    second = client.next()
    assert list(second.sent) == [key]
    second.finish()
    assert came(run).fault is None
    assert len(client.scattered) == 1


def test_two_shards_that_lack_a_file_share_it_on_its_way(dispatcher, client, zoo) -> None:
    run = handed_in(dispatcher, zoo, 2)
    first, second = client.next(), client.next()
    key = first.shard.contents[0].key
    first.end(Outcome("a", missing=(key,)))
    again = [client.next()]
    second.end(Outcome("a", missing=(key,)))
    again.append(client.next())
    assert again[0].sent == again[1].sent
    assert len(client.scattered) == 1
    for task in again:
        task.finish()
    assert [came(run).fault, came(run).fault] == [None, None]


def test_a_worker_that_never_has_its_files_is_given_up(dispatcher, client, zoo) -> None:
    run = handed_in(dispatcher, zoo, 1)
    for _ in range(8):
        task = client.next()
        task.end(Outcome("a", missing=(task.shard.contents[0].key,)))
    assert "can't keep the files" in str(came(run).fault)


def test_a_late_shard_is_run_twice_and_the_first_result_counts(dispatcher, client, zoo) -> None:
    run = handed_in(dispatcher, zoo, 2)
    quick, slow = client.next(), client.next()
    quick.finish()
    again = client.next()
    assert again.shard.numbers == slow.shard.numbers
    assert again.how["workers"] != slow.how["workers"]
    again.finish(worker="b")
    slow.finish(worker="a")
    assert {came(run).results[0][0], came(run).results[0][0]} == {0, 1}
    dispatcher.close()
    assert run.arrivals.empty()
    assert sum(dispatcher.shares.values()) == 2


def test_one_attempt_that_dies_leaves_the_other(dispatcher, client, zoo) -> None:
    run = handed_in(dispatcher, zoo, 2)
    quick, slow = client.next(), client.next()
    quick.finish()
    again = client.next()
    slow.end(killed(slow))
    again.finish()
    assert [came(run).fault, came(run).fault] == [None, None]
    dispatcher.close()
    assert client.handed.empty()


def test_a_shard_that_kills_its_workers_is_blamed_once_it_ran_alone(
    dispatcher, client, zoo
) -> None:
    run = handed_in(dispatcher, zoo, 2)
    bad, good = client.next(), client.next()
    bad.end(killed(bad))
    good.finish()
    alone = client.next()
    assert alone.shard.numbers == bad.shard.numbers
    alone.end(killed(alone))
    assert came(run).fault is None
    blamed = came(run)
    assert isinstance(blamed.fault, BackendError)
    assert f"tiny/tiny_x2 on 00{bad.shard.numbers[0]}: each worker" in str(blamed.fault)
    assert "tcp://a" in str(blamed.fault)
    assert blamed.at == bad.shard.numbers[0]
    other = Run("other", 2, run.work)
    dispatcher.add(other, [0])
    client.next().finish()
    assert came(other).fault is None


def test_a_worker_that_differs_is_named_and_its_shard_not_counted(dispatcher, client, zoo) -> None:
    run = handed_in(dispatcher, zoo, 1)
    client.next().end(Outcome("tcp://b", refused="its processor is other"))
    assert "worker tcp://b can't compute here: its processor is other" in str(came(run).fault)


def test_an_error_of_our_own_is_not_hidden(dispatcher, client, zoo) -> None:
    run = handed_in(dispatcher, zoo, 1)
    client.next().end(ZeroDivisionError("a bug"))
    assert isinstance(came(run).fault, ZeroDivisionError)


def test_a_scheduler_that_is_gone_ends_all_runs_with_an_error(dispatcher, client, zoo) -> None:
    run = handed_in(dispatcher, zoo, 1)
    client.next()
    client.status = "closed"
    assert "scheduler of the cluster does not answer" in str(came(run).fault)
    assert "scheduler of the cluster" in str(came(handed_in(dispatcher, zoo, 1)).fault)


def test_a_worker_that_joins_gets_work_at_once(client, monkeypatch, zoo) -> None:
    monkeypatch.setattr(dispatch, "TICK_S", 0.02)
    del client.workers["b"]
    dispatcher = Dispatcher(client, Workers(HERE), "station", 1)
    handed_in(dispatcher, zoo, 20)
    assert {client.next().how["workers"][0] for _ in range(2)} == {"a"}
    client.workers["b"] = {"nthreads": 1}
    assert client.next().how["workers"] == ["b"]
    dispatcher.close()


def test_a_card_is_asked_for_by_each_shard(client, monkeypatch, zoo) -> None:
    client.workers["b"] = {"nthreads": 8, "resources": {"VACC": 1}}
    dispatcher = Dispatcher(client, Workers(HERE, "VACC"), "station", 1)
    handed_in(dispatcher, zoo, 20)
    tasks = [client.next(), client.next()]
    assert [task.how["resources"] for task in tasks] == [{"VACC": 1}] * 2
    assert {task.how["workers"][0] for task in tasks} == {"b"}
    dispatcher.close()
    assert client.handed.empty()


def test_files_that_are_kept_may_not_leave_the_results_folder(
    dispatcher, client, zoo, tmp_path
) -> None:
    from dataclasses import replace

    from sr_bench.engine.measure.kept_images import Keeper

    run = Run("key", 1, replace(drawn(zoo, Drawn(0)), keeper=Keeper(tmp_path, "8bit", "s", "p")))
    dispatcher.add(run, [0])
    client.next().finish(kept=(("../evil.png", b"x"),))
    assert "outside of its folder" in str(came(run).fault)
    assert not (tmp_path.parent / "evil.png").exists()


class Seen(Played):
    """A client whose workers say what they are."""

    def __init__(self, **workers: tuple[object, dict[str, int]]) -> None:
        info = {name: {"nthreads": 1, "resources": more} for name, (_, more) in workers.items()}
        super().__init__(**info)
        self.looks = {name: what for name, (what, _) in workers.items()}

    def wait_for_workers(self, count: int, timeout: float) -> None:
        if not self.workers:
            raise TimeoutError

    def run(self, _look, _selection, *, on_error):
        return self.looks


def agreed(backend: str = "onnxruntime", **workers) -> Workers:
    return agreed_workers(Seen(**workers), Selection(backend=backend), "tcp://x")


def test_workers_that_are_alike_agree() -> None:
    found = agreed(a=(HERE, {}), b=(HERE, {}))
    assert (found.identity, found.resource) == (HERE, "")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Identity("0", "cpu", CPU), "b: its sr-bench or its packages"),
        (Identity(measuring(), "old", CPU), "b: its processor is old, not cpu"),
        (Identity(measuring(), "cpu", CARD), "b: its backend is vacc 1 on vacc"),
        ("no card\x1b[31m", r"b: no card\\x1b\[31m"),
        (ModuleNotFoundError("No module named 'sr_bench'"), "b: No module named 'sr_bench'"),
    ],
)
def test_a_worker_that_differs_is_refused_by_name(other, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        agreed(a=(HERE, {}), b=(other, {}))


def test_all_workers_alike_but_unlike_this_machine_are_refused() -> None:
    other = Identity("0", "cpu", CPU)
    with pytest.raises(OptionError, match="a: its sr-bench"):
        agreed(a=(other, {}))


def test_a_device_that_no_worker_offers_is_refused_at_the_start() -> None:
    card = Identity(measuring(), "cpu", CARD)
    with pytest.raises(OptionError, match=r"no worker offers VACC: .*--resources VACC=1"):
        agreed("vacc", a=(card, {}))


def test_only_workers_that_offer_the_device_have_to_agree() -> None:
    card = Identity(measuring(), "cpu", CARD)
    other = Identity(measuring(), "other cpu", CARD)
    found = agreed("vacc", a=(HERE, {}), b=(card, {"VACC": 1}), c=(other, {"VACC": 2}))
    assert (found.identity, found.resource) == (card, "VACC")


def test_no_worker_at_all_is_an_error() -> None:
    with pytest.raises(OptionError, match="no worker after"):
        agreed()


def test_a_station_of_other_code_computes_nothing(zoo) -> None:
    station = Station(Selection(), Identity("other", "cpu", CPU))
    station.setup(SimpleNamespace(address="tcp://w", local_directory=""))
    assert "its sr-bench" in station.measure(None, {}).refused
    assert "its sr-bench" in station.prepare(None, {}).refused
