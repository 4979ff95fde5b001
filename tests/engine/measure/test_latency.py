"""Latency: what is timed, on which image, and what the record says."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from sr_bench import discovery
from sr_bench.backends._session import CheckedSession
from sr_bench.core.backend import BackendInfo, Form
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.claim import Blank, Source
from sr_bench.core.detail import Detail
from sr_bench.core.network_io import NetworkInput
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import Record, Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.measure import latency, worker
from sr_bench.engine.measure.latency import Setting, Times
from sr_bench.engine.plan.cases import latency_cases, plan
from sr_bench.engine.plan.option import SESSION_THREADS
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.errors import BackendError, NotRunError
from sr_bench.imaging.files import read_image
from sr_bench.imaging.resize import resize
from sr_bench.recording.format import read_entries
from tests.tiny_zoo import Zoo

TIMES = Times(median_ms=4.0, mean_ms=5.0, stddev_ms=0.5, iqr_ms=0.25, min_ms=3.5, rounds=7)


class Stopwatch:
    """A timer that runs the network a few times, and says what it always says."""

    def __init__(self, runs: int = 2) -> None:
        self._runs = runs
        self.setting: Setting | None = None

    def __call__(self, run: Callable[[], object], setting: Setting) -> Times:
        self.setting = setting
        for _ in range(self._runs):
            run()
        return TIMES


class Backend:
    """Records the inputs of onnxruntime's sessions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.device = "cpu"
        self.inputs: list[NDArray[np.float32]] = []
        self.sessions: list[object] = []
        self._module = discovery.load("sr_bench.backends", "onnxruntime")
        self._open = self._module.open_session
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(self._module, "open_session", self._seen)

    def _seen(self, artefact, *, threads, options):
        assert threads == SESSION_THREADS
        session = self._open(artefact, threads=threads, options=options)
        run, session._device = session.run, self.device
        session.run = lambda lr: (self.inputs.append(lr), run(lr))[1]
        self.sessions.append(session)
        return session

    def claims_to_be(self, **names: object) -> None:
        info = BackendInfo("onnxruntime", "1", "other", emulated=False, note="")
        self._monkeypatch.setattr(self._module, "describe", lambda _: replace(info, **names))


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Backend:
    return Backend(monkeypatch)


def timed_case(zoo: Zoo, **rule: object) -> Case:
    (model,) = load_suite(zoo.suite / "card.toml").card.models
    card = replace(model, counted_shape=(3, 8, 16))
    evaluation = Evaluation("pair", EvalProtocol("mine", **rule))
    return Case(card, "latency", Precision.FP32, "onnxruntime", evaluation)


def measure(zoo: Zoo, case: Case | None = None, timer=None, **options: object) -> Record:
    bench = Bench(Selection(**({"data": zoo.data} | options)))
    return bench.measure_latency(
        case or timed_case(zoo), "card.toml::x", timer or Stopwatch(), lambda *_: None
    )


def latencies(zoo: Zoo, **options: object) -> list[str]:
    selection = Selection(**options)
    cases = plan(load_suite(zoo.suite / "card.toml"), selection)
    return [case.id for case in latency_cases(cases, selection.answers)]


def test_each_network_is_timed_once_where_its_rows_are_answered(shared_zoo: Zoo):
    case_id = "tiny_x2-fp32-3x1000x1000-latency"
    low = "tiny_x2-fp16-3x1000x1000-latency"
    assert latencies(shared_zoo) == [case_id]
    assert latencies(shared_zoo, backend="vacc", device="emulate") == [case_id, low]
    assert latencies(shared_zoo, precisions=(Precision.FP16,)) == [low]
    assert latencies(shared_zoo, models=("other",)) == []


def test_what_is_only_counted_is_not_timed(shared_zoo: Zoo):
    (model,) = load_suite(shared_zoo.suite / "card.toml").card.models
    assert not list(latency_cases([Case(model, "flops", Precision.FP32, "torch")], "torch"))


def test_a_case_of_a_cell_is_timed_without_it(shared_zoo: Zoo):
    (claimed, *_) = plan(load_suite(shared_zoo.suite / "card.toml"), Selection())[2:]
    blank = Blank("psnr", Precision.FP32, "", "", Source("README.md", 5, 3))
    for case in (claimed, replace(claimed, claim=None, blank=blank)):
        (latency,) = latency_cases([case], "onnxruntime")
        assert (latency.claim, latency.place, latency.dataset) == (None, None, "")
        assert latency.evaluation is case.evaluation is not None


def test_each_of_two_networks_is_timed(shared_zoo: Zoo):
    case = timed_case(shared_zoo)
    other = replace(case, card=replace(case.card, name="other_x2"))
    latencies = latency_cases([case, other, case], "onnxruntime")
    assert [case.card.name for case in latencies] == ["tiny_x2", "other_x2"]


def test_the_protocols_size_goes_before_the_counted_one(shared_zoo: Zoo):
    assert timed_case(shared_zoo).id == "tiny_x2-fp32-3x8x16-latency"
    case = timed_case(shared_zoo, input_shape=(6, 4), lr_resize="cv2_area")
    assert case.id == "tiny_x2-fp32-3x6x4-latency"


def test_a_network_at_hr_size_is_timed_at_the_size_of_its_input(zoo: Zoo, backend: Backend):
    case = timed_case(zoo)
    given = NetworkInput(enlarged="cv2_cubic")
    case = replace(case, card=replace(case.card, input=given, counted_shape=(3, 7, 15)))
    measure(zoo, case)
    expected = resize(read_image(zoo.data / "LR" / "a.png")[:4, :8], (8, 16), "cv2_cubic")
    first = backend.inputs[0]
    assert first.shape == (1, 3, 7, 15)
    assert first.flags.c_contiguous
    np.testing.assert_allclose(first[0].transpose(1, 2, 0), expected[:7, :15] / 255, atol=1e-6)


def test_the_shape_that_is_timed_is_that_of_the_networks_input(shared_zoo: Zoo):
    case = timed_case(shared_zoo, input_shape=(6, 4), lr_resize="cv2_area")
    given = NetworkInput(colour="y_full", enlarged="cv2_cubic")
    assert replace(case, card=replace(case.card, input=given)).shape == "1x12x8"


def test_a_network_of_one_size_is_timed_with_all_of_its_tiles(zoo: Zoo, backend: Backend):
    case = timed_case(zoo)
    given = NetworkInput(size=(8, 10), overlap=2)
    record = measure(zoo, replace(case, card=replace(case.card, input=given)), Stopwatch(runs=1))
    assert [lr.shape for lr in backend.inputs] == 2 * 2 * [(1, 3, 8, 10)]
    assert record.detail.input_fit == "cut into tiles of 8x10 that overlap by 2"


def test_the_record_holds_the_median_and_the_rest_as_notes(zoo: Zoo):
    record = measure(zoo)
    timed = record.measurement
    assert timed is not None
    assert (timed.metric, timed.unit, timed.value, timed.partial) == ("latency", "ms", 4.0, False)
    peak, waited = timed.notes["peak_mb"], timed.notes["waited_percent"]
    assert 0 <= waited <= 100
    assert timed.notes == {
        "images_per_s": 250.0,
        "mean_ms": 5.0,
        "stddev_ms": 0.5,
        "iqr_ms": 0.25,
        "min_ms": 3.5,
        "rounds": 7,
        "spread_percent": 6.25,
        "waited_percent": waited,
        "peak_mb": peak,
    }
    verdict = record.verdict
    assert (verdict.status, verdict.measured) == (Status.NEW, 4.0)
    assert verdict.sentence == "measured; no document claims a value for it"
    assert (record.dataset, record.device, record.protocol) == ("", "cpu", "mine")
    assert record.detail == Detail(shape="3x8x16", threads=1, image="pair a")


def test_the_timer_is_told_what_the_times_are_true_of(zoo: Zoo):
    timer = Stopwatch()
    measure(zoo, timer=timer)
    info = Bench(Selection()).info
    assert timer.setting == Setting(
        backend="onnxruntime",
        version=info.version,
        device="cpu",
        emulated=False,
        precision="fp32",
        shape="3x8x16",
        threads=1,
        image="pair a",
        computes=info.note,
    )


def test_the_network_is_warmed_up_and_closed(zoo: Zoo, backend: Backend):
    seen = []

    def timer(run: Callable[[], object], _: Setting) -> Times:
        seen.append(len(backend.inputs))
        run()
        return TIMES

    measure(zoo, timer=timer)
    assert seen == [1]
    assert len(backend.inputs) == 2
    (session,) = backend.sessions
    with pytest.raises(BackendError, match="closed"):
        session.run(backend.inputs[0])


def test_the_image_is_the_start_of_the_first_one_repeated_where_it_is_small(
    zoo: Zoo, backend: Backend
):
    measure(zoo)
    lr = read_image(zoo.data / "LR" / "a.png")  # 12x16
    expected = lr[:8, :16].transpose(2, 0, 1)[None] / np.float32(255)
    assert np.allclose(backend.inputs[0], expected)
    case = timed_case(zoo)
    large = replace(case, card=replace(case.card, counted_shape=(3, 20, 40)))
    measure(zoo, large)
    again = np.tile(lr, (2, 3, 1))[:20, :40].transpose(2, 0, 1)[None] / np.float32(255)
    assert np.allclose(backend.inputs[-1], again)


def test_the_image_is_given_as_the_protocol_says(zoo: Zoo, backend: Backend):
    measure(zoo, timed_case(zoo, channel_order="bgr", input_range=255.0))
    lr = read_image(zoo.data / "LR" / "a.png")[:8, :16, ::-1]
    assert np.array_equal(backend.inputs[0], lr.transpose(2, 0, 1)[None])
    assert backend.inputs[0].dtype == np.float32


def test_without_the_images_it_is_the_same_noise_each_time(zoo: Zoo, backend: Backend):
    first, second = measure(zoo, data=None), measure(zoo, data=None)
    assert first.detail.image == "random"
    assert first.fingerprint == second.fingerprint
    assert np.array_equal(backend.inputs[0], backend.inputs[-1])
    assert backend.inputs[0].shape == (1, 3, 8, 16)
    assert backend.inputs[0].std() > 0.2
    assert not np.array_equal(backend.inputs[0][..., :8], backend.inputs[0][..., 8:])


def test_faults_of_the_images_are_not_hidden_by_noise(zoo: Zoo):
    (zoo.data / "LR" / "a.png").write_bytes(b"no image")
    assert measure(zoo).verdict.status is Status.ERROR


def test_the_fingerprint_follows_what_can_change_the_times(zoo: Zoo, backend: Backend, monkeypatch):
    case = timed_case(zoo)
    prints = {measure(zoo).fingerprint, measure(zoo).fingerprint}
    assert len(prints) == 1
    larger = replace(case, card=replace(case.card, counted_shape=(3, 8, 15)))
    prints.add(measure(zoo, larger).fingerprint)
    prints.add(measure(zoo, replace(case, precision=Precision.FP16)).fingerprint)
    prints.add(measure(zoo, timed_case(zoo, channel_order="bgr")).fingerprint)
    prints.add(measure(zoo, backend="torch").fingerprint)
    monkeypatch.setattr(worker, "cpu_model", lambda: "another")
    prints.add(measure(zoo).fingerprint)
    backend.device = "npu"
    prints.add(measure(zoo).fingerprint)
    assert len(prints) == 7


def test_the_record_names_what_can_change_the_times(zoo: Zoo):
    inputs = measure(zoo).inputs
    known = {"device": "cpu", "precision": "fp32", "shape": "3x8x16", "threads": "1"}
    assert known.items() <= inputs.items()
    assert {"weights", "architecture", "data", "backend", "cpu"} <= set(inputs)


def test_an_emulation_has_no_latency(zoo: Zoo, backend: Backend):
    record = measure(zoo, backend="vacc", device="emulate")
    assert (record.verdict.status, record.measurement) == (Status.NOT_RUN, None)
    assert "speed of an emulation says nothing about the card" in record.verdict.sentence
    assert not backend.sessions


def test_a_replay_has_no_latency(zoo: Zoo, backend: Backend):
    backend.claims_to_be(form=Form.RECORDED, emulated=True)
    record = measure(zoo)
    assert record.verdict.status is Status.NOT_RUN
    assert "computes nothing, so it has no latency" in record.verdict.sentence
    assert not backend.sessions


def test_a_network_that_cannot_run_is_an_error_and_never_timed(zoo: Zoo):
    (zoo.suite / "tiny.onnx").write_bytes(b"no network")
    timer = Stopwatch()
    record = measure(zoo, timer=timer)
    assert (record.verdict.status, record.measurement) == (Status.ERROR, None)
    assert timer.setting is None


def test_a_network_that_refuses_the_shape_is_an_error_and_never_timed(zoo: Zoo, monkeypatch):
    def refuse(_session: CheckedSession, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        msg = f"not of the shape {lr.shape}"
        raise BackendError(msg)

    monkeypatch.setattr(CheckedSession, "run", refuse)
    timer = Stopwatch()
    record = measure(zoo, timer=timer)
    assert record.verdict.status is Status.ERROR
    assert record.verdict.sentence == "not of the shape (1, 3, 8, 16)"
    assert timer.setting is None


def test_a_timer_that_is_off_leaves_one_run_and_no_number(zoo: Zoo, backend: Backend):
    def off(run: Callable[[], object], setting: Setting) -> Times:
        msg = "timing is off"
        raise NotRunError(msg)

    record = measure(zoo, timer=off)
    assert (record.verdict.status, record.verdict.sentence) == (Status.NOT_RUN, "timing is off")
    assert len(backend.inputs) == 1


def test_the_peak_counts_all_runs_but_not_the_opening(zoo: Zoo, backend: Backend, monkeypatch):
    seen: list[int] = []

    class Watch:
        def rise_bytes(self) -> int:
            seen.append(len(backend.inputs))
            return 2_500_000

    def watch() -> Watch:
        seen.append(len(backend.inputs) + 10 * len(backend.sessions))
        return Watch()

    monkeypatch.setattr(latency, "watch_peak", watch)
    record = measure(zoo, timer=Stopwatch(runs=4))
    assert record.measurement.notes["peak_mb"] == 2.5
    assert seen == [10, 5]


def test_a_peak_that_did_not_rise_is_reported(zoo: Zoo, monkeypatch):
    monkeypatch.setattr(latency, "watch_peak", lambda: SimpleNamespace(rise_bytes=lambda: 0))
    assert measure(zoo).measurement.notes["peak_mb"] == 0.0


def test_there_is_no_peak_where_the_system_or_another_device_keeps_it(
    zoo: Zoo, backend: Backend, monkeypatch
):
    backend.device = "npu"
    record = measure(zoo)
    assert record.device == "npu"
    assert "peak_mb" not in record.measurement.notes
    backend.device = "cpu"
    monkeypatch.setattr(latency, "watch_peak", lambda: None)
    assert "peak_mb" not in measure(zoo).measurement.notes


def test_what_is_timed_is_not_recorded(zoo: Zoo, tmp_path: Path):
    assert measure(zoo, record=tmp_path / "outputs").measurement
    assert read_entries(tmp_path / "outputs") == ()


def test_int8_says_how_it_was_made(edsr: ModelCard, zoo: Zoo):
    evaluation = Evaluation("photos", EvalProtocol("native"))
    case = Case(edsr, "latency", Precision("int8_max"), "onnxruntime", evaluation)
    record = measure(zoo, case, data=None)
    assert record.verdict.status is Status.NEW, record.verdict.sentence
    assert record.detail.observer == "max"
    assert record.detail.int8_kernel
