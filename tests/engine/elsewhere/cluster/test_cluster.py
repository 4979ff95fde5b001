"""A real cluster measures what this machine would, whoever joins or dies."""

import shutil
import signal
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

import sr_bench
from sr_bench.core.precision import Precision
from sr_bench.engine.elsewhere.cluster import client
from sr_bench.engine.elsewhere.cluster.client import Cluster
from sr_bench.engine.elsewhere.cluster.connect import Workers
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.measure.worker import Work, Worker
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.prepare.network import prepare
from sr_bench.errors import BackendError, DeviceError, OptionError, SrBenchError
from tests.engine.elsewhere.cluster.works import Drawn, Received, drawn, measured

pytestmark = pytest.mark.slow

FP32 = Precision.FP32


@pytest.fixture(scope="module")
def cluster(farm, shared_cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SR_BENCH_CACHE", str(shared_cache))
        with closing(Cluster(Selection(cluster=farm.address))) as opened:
            yield opened


def work_of(zoo, precision: Precision, **options: object) -> Work:
    """Return a run of the zoo's files; a low precision is compared with fp32."""
    selection = Selection(data=zoo.data)
    suite = load_suite(zoo.suite / "card.toml")
    case = next(case for case in plan(suite, selection) if case.metric == "psnr")
    case, runs = replace(case, precision=precision), Runs(selection, ())
    low = precision is not Precision.FP32
    full = runs.jobs.prepared(replace(case, precision=Precision.FP32)) if low else None
    return Work(runs.jobs.job(case), runs.jobs.prepared(case), reference=full, **options)


@pytest.mark.parametrize(
    "precision", [Precision.FP32, Precision.FP16, Precision("int8_percentile")]
)
def test_the_results_are_those_of_this_machine(cluster, shared_zoo, precision) -> None:
    work = work_of(shared_zoo, precision)
    local, remote = measured(Worker(Selection()), work), measured(cluster, work)
    assert remote.results == local.results
    assert remote.begun == local.begun
    assert [step[:2] for step in remote.progress] == [(1, 2), (2, 2)]
    for image in local.results.values():
        assert (image.fidelity is None) == (work.reference is None)


def test_a_network_is_made_once_on_a_worker(cluster, farm, zoo, edsr, cache) -> None:
    work = work_of(zoo, Precision.FP32)
    work = replace(work, job=replace(work.job, card=edsr), prepared=prepare(edsr, FP32, None))

    def makers() -> set[str]:
        return {key for key in farm.tasks() if key.endswith(("-prepared", "-reference"))}

    before = set((cache / "onnx").iterdir()) if (cache / "onnx").is_dir() else set()
    makers_before = makers()
    low = replace(work, prepared=prepare(edsr, Precision.FP16, None), reference=work.prepared)
    cluster.start([(low, range(2)), (work, range(2))])
    low_results, plain = measured(cluster, low), measured(cluster, work)
    networks = set((cache / "onnx").iterdir()) - before
    assert len(networks) == 2
    assert {low.prepared.onnx(), work.prepared.onnx()} == networks
    assert low_results.results == measured(Worker(Selection()), low).results
    assert plain.results == measured(Worker(Selection()), work).results
    assert len(makers() - makers_before) == 2


def test_workers_keep_the_images_where_the_session_does(cluster, zoo, tmp_path: Path) -> None:
    def keep(executor, results: Path) -> dict[str, bytes]:
        keeper = Keeper(results, "8bit", "s" * 64, "p" * 64)
        measured(executor, work_of(zoo, Precision.FP32, keeper=keeper))
        files = [path for path in results.rglob("*") if path.is_file()]
        return {path.relative_to(results).as_posix(): path.read_bytes() for path in files}

    local = keep(Worker(Selection()), tmp_path / "here")
    assert keep(cluster, tmp_path / "there") == local
    assert len(local) == 6
    pair = tmp_path / "there" / "outputs" / "pairs-pppppppppppppppp" / "0001-hr.png"
    pair.write_bytes(b"of an earlier run")
    keep(cluster, tmp_path / "there")
    assert pair.read_bytes() == b"of an earlier run"


def test_a_worker_with_a_cache_of_its_own_is_refused_by_name(start_farm, tmp_path: Path) -> None:
    farm = start_farm()
    farm.join("lonely", cache=tmp_path / "other")
    message = (
        r"can't compute:\n  tcp://127\.0\.0\.1:\d+: its cache folder is .*other: start it with"
    )
    with pytest.raises(OptionError, match=message):
        Cluster(Selection(cluster=farm.address))


def test_images_whose_workers_died_are_named_and_those_before_them_kept(
    cluster, zoo, monkeypatch
) -> None:
    distributed = pytest.importorskip("distributed")
    work, received = drawn(zoo, *(Drawn(i) for i in range(9))), Received()
    cluster.start([(work, range(9))])
    run = next(iter(cluster._runs.values()))
    deadly = next(part for part in run.shards if 4 in part)
    outcome = cluster._outcome

    def killed() -> None:
        raise distributed.KilledWorker(work, SimpleNamespace(address="tcp://a"), 3)

    def progress(run, part):
        if part == deadly:
            run.shards[part].result = killed
        return outcome(run, part)

    monkeypatch.setattr(cluster, "_outcome", progress)
    names = ", ".join(f"{i:03d}" for i in deadly)
    with pytest.raises(
        BackendError, match=f"tiny_x2 on {names}: every worker that tried this died"
    ):
        measured(cluster, work, received=received)
    assert set(range(deadly[0])) <= set(received.results) <= set(range(9)) - set(deadly)


def test_a_scheduler_that_is_gone_ends_the_run_with_an_error(cluster, zoo, monkeypatch) -> None:
    monkeypatch.setattr(client, "TICK_S", 0.01)
    run = client._Run("name", 0, drawn(zoo, Drawn(0)))
    monkeypatch.setattr(cluster, "_client", SimpleNamespace(status="closed"))
    with pytest.raises(BackendError, match="cluster's scheduler has stopped answering"):
        cluster._next(run)


def test_a_card_is_asked_for_by_each_task(cluster, zoo, monkeypatch) -> None:
    requests = []

    class Client:
        def submit(self, *_args, resources, **_how):
            requests.append(resources)
            return SimpleNamespace(add_done_callback=lambda _call: None)

    work = work_of(zoo, Precision.FP16)
    monkeypatch.setattr(cluster, "_client", Client())
    monkeypatch.setattr(cluster, "_networks", {})
    monkeypatch.setattr(cluster, "_runs", {})
    monkeypatch.setattr(cluster, "_workers", Workers(cluster._workers.identity, "VACC"))
    cluster.start([(work, range(2))])
    assert requests == [{"VACC": 1}] * 3


def test_an_error_of_an_image_arrives_as_itself_after_the_images_before_it(cluster, zoo) -> None:
    items = [Drawn(i, failure="timeout" if i in (5, 9) else "") for i in range(12)]
    work = drawn(zoo, *items)
    with pytest.raises(DeviceError) as local:
        measured(Worker(Selection()), work)
    results: dict[int, object] = {}
    with pytest.raises(DeviceError) as remote:
        cluster.measure(
            work,
            range(12),
            begin=lambda *_: None,
            done=results.__setitem__,
            progress=lambda *_: None,
        )
    assert (str(remote.value), remote.value.failure) == (str(local.value), local.value.failure)
    assert str(remote.value.about("x")) == str(local.value.about("x"))
    assert {0, 1, 2, 3, 4} <= set(results)


def test_a_run_whose_files_are_gone_fails_and_others_continue(cluster, zoo) -> None:
    work = work_of(zoo, Precision.FP16)
    lost = zoo.root / "gone.onnx"
    prepared = replace(work.prepared, card=replace(work.job.card, onnx=lost), weights=lost)
    broken = replace(work, prepared=replace(prepared, weights_digest="1" * 64))
    cluster.start([(broken, [0])])
    assert measured(cluster, work).results
    with pytest.raises(SrBenchError, match=r"gone\.onnx: there is no such file"):
        measured(cluster, broken, [0])


def test_only_the_images_that_are_asked_for_are_returned(cluster, zoo) -> None:
    work = drawn(zoo, *(Drawn(i) for i in range(9)))
    cluster.start([(work, range(9))])
    cluster.start([(work, range(9))])
    received = measured(cluster, work, [7, 2])
    assert sorted(received.results) == [2, 7]
    assert received.results == measured(Worker(Selection()), work, [7, 2]).results
    assert received.progress[-1][:2] == (2, 2)


def test_a_run_that_is_handed_in_twice_is_measured_once(cluster, zoo) -> None:
    work = drawn(zoo, *(Drawn(i) for i in range(9)))
    before = sum(cluster.shares.values())
    cluster.start([(work, range(5))])
    cluster.start([(replace(work), range(9))])
    measured(cluster, work)
    assert sum(cluster.shares.values()) - before == 9


def test_nothing_is_left_on_the_cluster(farm, zoo) -> None:
    before = farm.plugins()
    with closing(Cluster(Selection(cluster=farm.address))) as cluster:
        measured(cluster, drawn(zoo, Drawn(0)))
        cluster.start([(drawn(zoo, *(Drawn(i) for i in range(40))), range(40))])
        assert len(farm.plugins()) == len(before) + 1
        name = (set(farm.plugins()) - set(before)).pop()
    assert farm.plugins() == before
    # The scheduler forgets tasks a moment after it is asked to; the limit is a last resort.
    limit = time.monotonic() + 120.0
    while left := [key for key in farm.tasks() if name in key]:
        assert time.monotonic() < limit, left
        time.sleep(0.05)


def test_a_worker_that_joins_late_takes_over_from_one_that_is_killed(
    start_farm, zoo, tmp_path: Path
) -> None:
    farm = start_farm()
    first = farm.join("first")
    work = drawn(zoo, *(Drawn(i, held=str(tmp_path) if i == 0 else "") for i in range(24)))
    finished: list[int] = []

    def progress(done: int, planned: int, image: str) -> None:
        finished.append(done)
        if done == 12:  # of others than the first, which holds image 0
            first.send_signal(signal.SIGKILL)
            (tmp_path / "go").touch()

    with closing(Cluster(Selection(cluster=farm.address))) as cluster:
        joining = Thread(target=farm.join, args=("second",))
        joining.start()
        received = measured(cluster, work, progress=progress)
        joining.join()
        assert finished[-1] == 24
        assert received.results == measured(Worker(Selection()), work).results
        assert cluster.shares[farm.address_of("second")] >= 12
        assert sum(cluster.shares.values()) == 24


def test_workers_with_other_code_are_refused_by_name(start_farm, tmp_path: Path) -> None:
    code = tmp_path / "other"
    shutil.copytree(Path(sr_bench.__file__).parent, code / "sr_bench")
    with (code / "sr_bench" / "engine" / "score" / "protocol.py").open("a") as file:
        file.write("# changed\n")
    farm = start_farm()
    farm.join("other", code=code)
    with pytest.raises(OptionError, match=r"tcp://127\.0\.0\.1:\d+: its sr-bench or its packages"):
        Cluster(Selection(cluster=farm.address))


def test_the_local_cluster_starts_and_ends(zoo) -> None:
    work = drawn(zoo, *(Drawn(i) for i in range(3)))
    with closing(Cluster(Selection(cluster="local:1"))) as cluster:
        assert measured(cluster, work).results == measured(Worker(Selection()), work).results
        assert cluster.info == Worker(Selection()).info
        assert sum(cluster.shares.values()) == 3
    cluster.close()


def test_nobody_at_the_address_is_an_error_that_says_so(monkeypatch) -> None:
    monkeypatch.setattr("sr_bench.engine.elsewhere.cluster.connect._CONNECT_S", 0.2)
    with pytest.raises(OptionError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler answers there"):
        Cluster(Selection(cluster="tcp://127.0.0.1:9"))


def test_a_backend_that_no_worker_can_use_is_an_error(farm) -> None:
    with pytest.raises(OptionError, match=r"can't compute:\n  tcp://.*--sr-device=require"):
        Cluster(Selection(backend="vacc", device="require", cluster=farm.address))
