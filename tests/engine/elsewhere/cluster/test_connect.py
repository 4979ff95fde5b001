"""Which workers of a cluster may compute: those that are alike and see the session's files."""

from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("distributed")

from sr_bench.core.backend import BackendInfo
from sr_bench.engine.elsewhere.cluster.connect import (
    Identity,
    Places,
    Workers,
    agreed_workers,
    look,
)
from sr_bench.engine.elsewhere.cluster.remote import Station
from sr_bench.engine.elsewhere.cluster.shared_work import PROBE, session_folder
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.code_digest import measuring_and_metrics
from sr_bench.errors import OptionError

CPU = BackendInfo("onnxruntime", "1", "cpu", emulated=False, note="n")
CARD = BackendInfo("vacc", "1", "vacc", emulated=False, note="n")
HERE = Identity(measuring_and_metrics(), "cpu", CPU)


class Seen:
    """A client whose workers say what they are."""

    def __init__(self, **workers: tuple[object, dict[str, int]]) -> None:
        self.workers = {name: {"resources": more} for name, (_, more) in workers.items()}
        self.looks = {name: look for name, (look, _) in workers.items()}

    def wait_for_workers(self, count: int, timeout: float) -> None:
        if not self.workers:
            raise TimeoutError

    def scheduler_info(self):
        return {"workers": self.workers}

    def run(self, _look, _selection, _places, *, on_error):
        return self.looks


def agreed(backend: str = "onnxruntime", **workers) -> Workers:
    return agreed_workers(Seen(**workers), Selection(backend=backend), Places(Path()))


def test_workers_that_are_alike_agree() -> None:
    workers = agreed(a=(HERE, {}), b=(HERE, {}))
    assert (workers.identity, workers.resource) == (HERE, "")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Identity("0", "cpu", CPU), "b: its sr-bench or its packages"),
        (Identity(measuring_and_metrics(), "old", CPU), "b: its processor is old, not cpu"),
        (Identity(measuring_and_metrics(), "cpu", CARD), "b: its backend is vacc 1 on vacc"),
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
    card = Identity(measuring_and_metrics(), "cpu", CARD)
    with pytest.raises(OptionError, match=r"no worker offers VACC: .*--resources VACC=1"):
        agreed("vacc", a=(card, {}))


def test_only_workers_that_offer_the_device_have_to_agree() -> None:
    card = Identity(measuring_and_metrics(), "cpu", CARD)
    other = Identity(measuring_and_metrics(), "other cpu", CARD)
    workers = agreed("vacc", a=(HERE, {}), b=(card, {"VACC": 1}), c=(other, {"VACC": 2}))
    assert (workers.identity, workers.resource) == (card, "VACC")


def test_no_worker_at_all_is_an_error() -> None:
    with pytest.raises(OptionError, match="no worker after"):
        agreed()


@pytest.fixture
def places() -> Places:
    folder = session_folder("mine")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROBE).touch()
    return Places(folder)


def test_a_station_of_other_code_computes_nothing(places: Places) -> None:
    station = Station(Selection(), places, Identity("other", "cpu", CPU))
    station.setup(SimpleNamespace(address="tcp://w"))
    for fault in (station.measure("work", {}, []).fault, station.make("work", "prepared")):
        assert str(fault).startswith("worker tcp://w can't compute here: its sr-bench")


def test_a_worker_says_which_of_the_sessions_paths_it_does_not_see(
    places: Places, tmp_path: Path
) -> None:
    assert isinstance(look(Selection(), places), Identity)
    absent = tmp_path / "images"
    answer = look(Selection(), Places(places.folder, (tmp_path, absent)))
    assert str(answer).startswith(f"{absent} is not there: the workers of a cluster need")
    (places.folder / PROBE).unlink()
    assert str(look(Selection(), places)).startswith(f"{places.folder / PROBE} is not there")


def test_a_worker_with_another_cache_says_what_to_start_it_with(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = places.folder.parent.parent
    monkeypatch.setenv("SR_BENCH_CACHE", "/elsewhere")
    expected = f"its cache folder is /elsewhere: start it with SR_BENCH_CACHE={cache}"
    assert look(Selection(), places) == expected
