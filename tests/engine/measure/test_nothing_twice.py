"""What changes is measured again, exactly; what does not change is not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sr_bench.backends import onnxruntime
from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.imaging.files import read_image, write_png
from tests.int8_zoo import Int8Zoo, make_int8_zoo

PRECISIONS = (Precision.FP32, Precision.FP16, Precision("int8_max"))
ALL = {"fp32": 3, "fp16": 3, "int8_max": 3}
LOW = {"fp16": 3, "int8_max": 3}


@pytest.fixture
def zoo(tmp_path: Path) -> Int8Zoo:
    return make_int8_zoo(tmp_path / "my_zoo")


class Session:
    """A session on the zoo: its records, and how many images each precision was run on."""

    def __init__(self, zoo: Int8Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
        self._zoo = zoo
        self.ran: dict[str, int] = {}
        open_session = onnxruntime.open_session

        def opened(artefact: object, **how: object) -> object:
            session = open_session(artefact, **how)
            run, name = session.run, str(artefact.precision)

            def counted(lr: np.ndarray) -> np.ndarray:
                self.ran[name] = self.ran.get(name, 0) + 1
                return run(lr)

            session.run = counted
            return session

        monkeypatch.setattr(onnxruntime, "open_session", opened)

    def __call__(self, **options: object) -> dict[str, Record]:
        """Run a session; return its records by case."""
        self.ran.clear()
        settings = {"precisions": PRECISIONS, "data": self._zoo.data, "explain_s": 0.0} | options
        chosen = Selection(**settings)
        bench = Bench(chosen)
        cases = plan(load_suite(self._zoo.suite / "card.toml"), chosen)
        return {case.id: bench.evaluate(case, case.id, lambda *_: None) for case in cases}


@pytest.fixture
def session(zoo: Int8Zoo, monkeypatch: pytest.MonkeyPatch) -> Session:
    return Session(zoo, monkeypatch)


def plain(records: dict[str, Record]) -> dict[str, Record]:
    return {key: replace(record, seconds=0.0, cached=0) for key, record in records.items()}


def test_the_first_session_runs_each_image_once_in_each_precision(session: Session) -> None:
    records = session()
    assert session.ran == ALL
    assert {record.cached for record in records.values()} == {0}


def test_the_second_session_runs_nothing_and_says_so(session: Session) -> None:
    first = session()
    second = session()
    assert session.ran == {}
    assert plain(second) == plain(first)
    assert {record.cached for record in second.values() if record.dataset} == {3}


def new_weights(zoo: Int8Zoo) -> None:
    path = zoo.suite / "net.onnx"
    path.write_bytes(path.read_bytes() + b"\x12\x01x")  # another producer's name


def one_image(zoo: Int8Zoo) -> None:
    path = zoo.data / "judged" / "HR" / "judged2.png"
    write_png(path, read_image(path) ^ 1)


def one_calibration_image(zoo: Int8Zoo) -> None:
    path = zoo.data / "seen" / "LR" / "seen2.png"
    write_png(path, read_image(path) ^ 1)


def one_more_image(zoo: Int8Zoo) -> None:
    for kind in ("HR", "LR"):
        old = zoo.data / "judged" / kind / "judged1.png"
        write_png(old.with_name("judged4.png"), np.ascontiguousarray(read_image(old)[::-1]))
    manifest = zoo.root / "datasets" / "judged" / "dataset.toml"
    manifest.write_text(
        manifest.read_text().replace("count = 3", "count = 4").replace("last = 3", "last = 4")
    )


def renamed_images(zoo: Int8Zoo) -> None:
    for path in (zoo.data / "judged").rglob("judged*.png"):
        path.rename(path.with_name(path.name.replace("judged", "photo")))
    manifest = zoo.root / "datasets" / "judged" / "dataset.toml"
    manifest.write_text(manifest.read_text().replace("judged{stem}", "photo{stem}"))


def another_table(zoo: Int8Zoo) -> None:
    readme = zoo.suite / "README.md"
    readme.write_text(readme.read_text().replace("10.0", "11.0"))


def another_limit(zoo: Int8Zoo) -> None:
    zoo.write_card(limit=10.0)


def another_plan(zoo: Int8Zoo) -> None:
    zoo.write_card(plan='keep = ["tail"]')


def another_rounding(zoo: Int8Zoo) -> None:
    zoo.write_card(plan='rounding = "nearest"')


def another_protocol(zoo: Int8Zoo) -> None:
    zoo.write_card(protocol="paper_y")


@pytest.mark.parametrize(
    ("change", "ran"),
    [
        (new_weights, ALL),
        (another_protocol, ALL),
        # fp32 makes the outputs that the low precisions are compared with.
        (one_image, {"fp32": 1, "fp16": 1, "int8_max": 1}),
        (one_more_image, {"fp32": 1, "fp16": 1, "int8_max": 1}),
        (one_calibration_image, {"fp32": 3, "int8_max": 3}),
        (another_plan, {"fp32": 3, "int8_max": 3}),
        (another_rounding, {"fp32": 3, "int8_max": 3}),
        (renamed_images, {}),
        (another_table, {}),
        (another_limit, {}),
    ],
)
def test_a_change_measures_again_exactly_what_depends_on_it(
    zoo: Int8Zoo,
    session: Session,
    change: Callable[[Int8Zoo], None],
    ran: dict[str, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session()
    change(zoo)
    changed = session()
    assert session.ran == ran
    assert all(record.verdict.status is not Status.ERROR for record in changed.values())
    monkeypatch.setenv("SR_BENCH_CACHE", str(tmp_path / "empty"))
    assert plain(session()) == plain(changed)


def test_a_gate_that_is_asked_for_later_runs_only_what_it_lacks(session: Session) -> None:
    session(gate="off")
    assert session.ran == ALL
    gated = session()
    assert session.ran == ALL | LOW  # fp32 again, for its outputs
    assert any(record.metric == "fidelity" for record in gated.values())
    session(gate="off")
    assert session.ran == {}


def test_without_a_gate_nothing_says_that_there_was_one(session: Session) -> None:
    plainly = session(gate="off", cache="off")
    session()
    assert plain(session(gate="off")) == plain(plainly)


@pytest.mark.parametrize("mode", ["refresh", "off"])
def test_all_is_measured_again_if_asked(session: Session, mode: str) -> None:
    first = session()
    assert plain(session(cache=mode)) == plain(first)
    assert session.ran == ALL


def test_another_version_of_the_backend_measures_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session()
    monkeypatch.setattr(onnxruntime, "library_version", lambda: "99.0")
    session()
    assert session.ran == ALL


def test_other_code_measures_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session()
    monkeypatch.setattr("sr_bench.engine.measure.runs.measuring", lambda: "other")
    session()
    assert session.ran == ALL


def test_another_processor_measures_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session()
    monkeypatch.setattr("sr_bench.engine.measure.worker.cpu_model", lambda: "another processor")
    session()
    assert session.ran == ALL


def test_a_limited_session_is_the_start_of_a_whole_one(session: Session) -> None:
    session(limit=2, precisions=PRECISIONS[:1])
    assert session.ran == {"fp32": 2}
    whole = session(precisions=PRECISIONS[:1])
    assert session.ran == {"fp32": 1}
    assert {record.cached for record in whole.values() if record.dataset} == {2}


def test_another_number_of_threads_for_an_image_measures_again(session: Session) -> None:
    session(precisions=PRECISIONS[:1])
    session(precisions=PRECISIONS[:1], threads=2)
    assert session.ran == {}
    session(precisions=PRECISIONS[:1], session_threads=2)
    assert session.ran == {"fp32": 3}
