"""A real cluster measures what this machine would, whoever joins, dies or lacks files."""

import shutil
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

import sr_bench
from sr_bench.core.precision import Precision
from sr_bench.engine.elsewhere.cluster.client import Cluster
from sr_bench.engine.elsewhere.cluster.relocate import paths_of, relocated
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.measure.worker import Work, Worker
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.prepare.network import prepare
from sr_bench.errors import DeviceError, OptionError, SrBenchError
from sr_bench.files.hashing import sha256_file
from tests.engine.elsewhere.cluster.works import Drawn, drawn, measured

pytestmark = pytest.mark.slow

FP32 = Precision.FP32


@pytest.fixture(scope="module")
def cluster(farm):
    with Cluster(Selection(cluster=farm.address)) as found:
        yield found


def work_of(zoo, precision: Precision, **options: object) -> Work:
    """Return a run of the zoo's files; a low precision is compared with fp32."""
    selection = Selection(data=zoo.data)
    suite = load_suite(zoo.suite / "card.toml")
    case = next(one for one in plan(suite, selection) if one.metric == "psnr")
    case, runs = replace(case, precision=precision), Runs(selection, ())
    low = precision is not Precision.FP32
    full = runs.jobs.prepared(replace(case, precision=Precision.FP32)) if low else None
    return Work(runs.jobs.job(case), runs.jobs.prepared(case), reference=full, **options)


@pytest.mark.parametrize(
    "precision", [Precision.FP32, Precision.FP16, Precision("int8_percentile")]
)
def test_the_results_are_those_of_this_machine(cluster, shared_zoo, precision) -> None:
    work = work_of(shared_zoo, precision)
    here, there = measured(Worker(Selection()), work), measured(cluster, work)
    assert there.results == here.results
    assert there.begun == here.begun
    assert [told[:2] for told in there.progress] == [(1, 2), (2, 2)]
    assert all((one.fidelity is None) == (work.reference is None) for one in here.results.values())


def test_a_network_that_is_built_here_is_made_on_a_worker(cluster, farm, zoo, edsr, cache) -> None:
    work = work_of(zoo, Precision.FP32)
    work = replace(work, job=replace(work.job, card=edsr), prepared=prepare(edsr, FP32, None))
    there = measured(cluster, work)
    (file,) = (cache / "onnx").iterdir()
    makers = [name for name in ("one", "two") if (farm.cache(name) / "onnx").is_dir()]
    assert [(farm.cache(name) / "onnx" / file.name).read_bytes() for name in makers] == [
        file.read_bytes()
    ]
    assert there.results == measured(Worker(Selection()), work).results
    assert work.prepared.onnx() == file


def test_the_images_kept_come_here(cluster, zoo, tmp_path: Path) -> None:
    def keep(executor, results: Path) -> dict[str, bytes]:
        keeper = Keeper(results, "8bit", "s" * 64, "p" * 64)
        measured(executor, work_of(zoo, Precision.FP32, keeper=keeper))
        files = [path for path in results.rglob("*") if path.is_file()]
        return {path.relative_to(results).as_posix(): path.read_bytes() for path in files}

    here = keep(Worker(Selection()), tmp_path / "here")
    assert keep(cluster, tmp_path / "there") == here
    assert len(here) == 6
    pair = tmp_path / "there" / "outputs" / "pairs-pppppppppppppppp" / "0001-hr.png"
    pair.write_bytes(b"of an earlier run")
    keep(cluster, tmp_path / "there")
    assert pair.read_bytes() == b"of an earlier run"


def test_a_file_that_a_worker_can_read_where_it_is_is_not_sent(cluster, zoo) -> None:
    before = cluster.sent
    measured(cluster, work_of(zoo, Precision.FP32))
    assert cluster.sent == before


def test_a_file_that_a_worker_cannot_read_is_sent_to_it_once(farm, zoo, monkeypatch) -> None:
    for name in ("one", "two"):
        shutil.rmtree(farm.cache(name) / "content", ignore_errors=True)
    work = work_of(zoo, Precision.FP32)
    files = {path for path in paths_of(work) if path.is_file()}
    monkeypatch.chdir(zoo.root)  # where no worker is
    hidden = relocated(work, {path: path.relative_to(zoo.root) for path in files})
    with Cluster(Selection(cluster=farm.address)) as cluster:
        assert measured(cluster, hidden).results == measured(Worker(Selection()), work).results
        assert {key for key, _ in cluster.sent} == {sha256_file(path) for path in files}
        assert len(files) == 5
        measured(cluster, replace(hidden, remembered=True))
        assert max(Counter(cluster.sent).values()) == 1
        stored = {path.parent.name for path in farm.cache("").glob("*/content/*/*")}
        assert stored == {key for key, _ in cluster.sent}


def test_an_error_of_an_image_arrives_as_itself_after_the_images_before_it(cluster, zoo) -> None:
    items = [Drawn(i, failure="timeout" if i in (5, 9) else "") for i in range(12)]
    work = drawn(zoo, *items)
    with pytest.raises(DeviceError) as here:
        measured(Worker(Selection()), work)
    done: dict[int, object] = {}
    with pytest.raises(DeviceError) as there:
        cluster.measure(
            work,
            range(12),
            begin=lambda *_: None,
            done=done.__setitem__,
            progress=lambda *_: None,
        )
    assert (str(there.value), there.value.failure) == (str(here.value), here.value.failure)
    assert str(there.value.about("x")) == str(here.value.about("x"))
    assert {0, 1, 2, 3, 4} <= set(done)


def test_a_run_whose_files_are_gone_fails_and_others_go_on(cluster, zoo) -> None:
    work = work_of(zoo, Precision.FP16)
    lost = zoo.root / "gone.onnx"
    gone = replace(work.prepared, card=replace(work.job.card, onnx=lost), weights=lost)
    broken = replace(work, prepared=replace(gone, weights_digest="1" * 64))
    cluster.start(broken, [0])
    assert measured(cluster, work).results
    with pytest.raises(SrBenchError, match=r"cannot read .*gone\.onnx"):
        measured(cluster, broken, [0])


def test_only_the_images_that_are_asked_for_come(cluster, zoo) -> None:
    work = drawn(zoo, *(Drawn(i) for i in range(9)))
    cluster.start(work, range(9))
    cluster.start(work, range(9))
    heard = measured(cluster, work, [7, 2])
    assert sorted(heard.results) == [2, 7]
    assert heard.results == measured(Worker(Selection()), work, [7, 2]).results
    assert heard.progress[-1][:2] == (2, 2)


def test_a_run_that_is_handed_in_twice_is_measured_once(cluster, zoo) -> None:
    work = drawn(zoo, *(Drawn(i) for i in range(9)))
    before = sum(cluster.shares.values())
    cluster.start(work, range(5))
    cluster.start(replace(work), range(9))
    measured(cluster, work)
    assert sum(cluster.shares.values()) - before == 9


def test_nothing_is_left_on_the_cluster(farm, zoo) -> None:
    before = farm.plugins()
    with Cluster(Selection(cluster=farm.address)) as cluster:
        measured(cluster, drawn(zoo, Drawn(0)))
        cluster.start(drawn(zoo, *(Drawn(i) for i in range(40))), range(40))
        assert len(farm.plugins()) == len(before) + 1
        name = (set(farm.plugins()) - set(before)).pop()
    assert farm.plugins() == before
    assert not [key for key in farm.tasks() if name in key]


def test_a_worker_that_joins_late_takes_over_from_one_that_is_killed(
    start_farm, zoo, tmp_path: Path
) -> None:
    farm = start_farm()
    first = farm.join("first")
    work = drawn(zoo, *(Drawn(i, held=str(tmp_path) if i == 0 else "") for i in range(24)))
    told: list[int] = []

    def progress(done: int, planned: int, image: str) -> None:
        told.append(done)
        if done == 12:  # of others than the first, which holds image 0
            first.send_signal(signal.SIGKILL)
            (tmp_path / "go").touch()

    with Cluster(Selection(cluster=farm.address)) as cluster:
        joining = Thread(target=farm.join, args=("second",))
        joining.start()
        heard = measured(cluster, work, progress=progress)
        joining.join()
        assert told[-1] == 24
        assert heard.results == measured(Worker(Selection()), work).results
        assert cluster.shares[farm.address_of("second")] >= 12
        assert sum(cluster.shares.values()) == 24


def test_workers_with_other_code_are_refused_by_name(start_farm, tmp_path: Path) -> None:
    code = tmp_path / "other"
    shutil.copytree(Path(sr_bench.__file__).parent, code / "sr_bench")
    with (code / "sr_bench" / "engine" / "scoring.py").open("a") as file:
        file.write("# changed\n")
    farm = start_farm()
    farm.join("other", code=code)
    with pytest.raises(OptionError, match=r"tcp://127\.0\.0\.1:\d+: its sr-bench or its packages"):
        Cluster(Selection(cluster=farm.address))


def test_the_local_cluster_starts_and_ends(zoo) -> None:
    work = drawn(zoo, *(Drawn(i) for i in range(3)))
    with Cluster(Selection(cluster="local:1")) as cluster:
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
