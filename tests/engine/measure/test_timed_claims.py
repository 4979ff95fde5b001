"""Printed times: what they are measured under, once for all of a row, and where they are not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from sr_bench import discovery
from sr_bench.core.backend import Form
from sr_bench.core.case import Case
from sr_bench.core.claim import Blank, Claim, Source
from sr_bench.core.latency import LatencyPlan
from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.measure import latency
from sr_bench.engine.measure.latency import Setting, Times
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.system.cpu import usable_cores
from tests.tiny_zoo import Zoo, nearest_x2

PLACE = Source("README.md", 5, 3)
PLAN = LatencyPlan(device="*?", shape=(3, 8, 16), rounds=20)


class Stopwatch:
    """A timer that says what it always says, and counts how often it is asked."""

    def __init__(self, ms: float = 4.0, iqr_ms: float = 0.1) -> None:
        self.settings: list[Setting] = []
        self._times = Times(ms, ms, 0.0, iqr_ms, ms, 20)

    def __call__(self, run: Callable[[], object], setting: Setting) -> Times:
        self.settings.append(setting)
        run()
        return self._times


@pytest.fixture(autouse=True)
def _idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no machine be busy."""
    monkeypatch.setattr(latency.CoreWatch, "waited_percent", lambda _: 0.0)


@pytest.fixture
def case(shared_zoo: Zoo) -> Callable[..., Case]:
    (model,) = load_suite(shared_zoo.suite / "card.toml").card.models

    def case(metric: str, text: str, *, precision: str = "fp32", **plan: object) -> Case:
        printed = Precision(precision)
        claim = Claim(metric, text, "Tiny", "", printed, "", "", "", PLACE)
        card = replace(model, latency=replace(PLAN, **plan))
        return Case(card, metric, printed, "onnxruntime", claim=claim)

    return case


def answer(bench: Bench, case: Case, timer: Stopwatch) -> Record:
    return bench.measure_latency(case, "card.toml::x", timer, lambda *_: None)


@pytest.fixture
def bench() -> Bench:
    return Bench(Selection(latency=True))


def test_ms_fps_and_the_time_that_nobody_prints_are_one_timing(bench: Bench, case) -> None:
    timer = Stopwatch()
    ms, fps = (answer(bench, case(*asked), timer) for asked in (("latency", "4.1"), ("fps", "200")))
    assert (ms.verdict.status, fps.verdict.status) == (Status.MATCH, Status.BETTER)
    assert (ms.measurement.value, fps.measurement.value) == (4.0, 250.0)
    alone = replace(case("latency", "4.1"), claim=None)
    assert answer(bench, alone, timer).verdict.status is Status.NEW
    assert len(timer.settings) == 1
    assert answer(bench, case("latency", "4.1", rounds=21), timer).verdict.status is Status.MATCH
    assert len(timer.settings) == 2  # more rounds than there were
    assert (ms.detail.image, ms.detail.shape) == ("random", "3x8x16")


def test_fps_are_of_all_images_of_a_batch(bench: Bench, case, tmp_path: Path) -> None:
    timer = Stopwatch()
    fixed = answer(bench, case("fps", "500", batch=2), timer)
    assert "or time one image: batch = 1 under [model.latency]" in fixed.verdict.sentence
    network = nearest_x2()
    for end in (*network.graph.input, *network.graph.output):
        end.type.tensor_type.shape.dim[0].dim_param = "n"
    onnx.save(network, tmp_path / "free.onnx")
    fps, ms = (case(*asked, batch=2) for asked in (("fps", "500"), ("latency", "4.0")))
    fps, ms = (
        answer(bench, replace(one, card=replace(one.card, onnx=tmp_path / "free.onnx")), timer)
        for one in (fps, ms)
    )
    assert (fps.verdict.status, fps.measurement.value) == (Status.MATCH, 500.0)
    assert [setting.shape for setting in timer.settings] == ["2x3x8x16"]
    assert (ms.verdict.status, ms.measurement.value) == (Status.MATCH, 4.0)


def test_rounds_that_spread_decide_nothing(bench: Bench, case) -> None:
    record = answer(bench, case("latency", "9.0"), Stopwatch(iqr_ms=0.5))
    assert record.verdict.status is Status.UNDECIDED
    assert "20 rounds spans 12.5 % of their median, more than the 10 %" in record.verdict.sentence


def test_a_wait_for_a_core_decides_nothing_unless_several_threads_wait_for_each_other(
    bench: Bench, case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency.CoreWatch, "waited_percent", lambda _: 40.0)
    record = answer(bench, case("latency", "2.0"), Stopwatch())
    assert record.verdict.status is Status.UNDECIDED
    monkeypatch.setattr(latency, "usable_cores", lambda: 2)
    record = answer(bench, case("latency", "2.0", threads=2, rounds=21), Stopwatch())
    assert (record.verdict.status, record.detail.threads) == (Status.DIFFERS, 2)


def test_more_threads_than_cores_are_not_run(bench: Bench, case) -> None:
    cores = usable_cores()
    record = answer(bench, case("latency", "4.0", threads=cores + 1), Stopwatch())
    assert (record.verdict.status, record.measurement) == (Status.NOT_RUN, None)
    assert record.verdict.sentence == (
        f"the card times with {cores + 1} threads, and this process may use {cores} cores"
    )


def test_an_emulated_precision_has_no_printed_time_unless_the_card_gives_its_file(
    bench: Bench, case, shared_zoo: Zoo
) -> None:
    timer, low = Stopwatch(), case("latency", "4.0", precision="fp16")
    record = answer(bench, low, timer)
    assert (record.verdict.status, timer.settings) == (Status.NOT_RUN, [])
    assert record.verdict.sentence.startswith("onnxruntime emulates fp16 here, in float32")
    alone = answer(bench, replace(low, claim=None), timer)  # that nobody prints is shown
    assert alone.verdict.sentence.endswith("; fp16 is emulated here, in float32")
    given = {Precision.FP16: shared_zoo.suite / "absent.onnx"}
    own = replace(low, card=replace(low.card, onnx_by_precision=given))
    assert "emulate" not in answer(bench, own, timer).verdict.sentence


def test_a_time_of_fp32_beside_a_device_is_not_that_of_the_device(
    bench: Bench, case, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = discovery.load("sr_bench.backends", "onnxruntime")
    info = replace(module.describe(), device="npu", hardware="NPU 9")
    monkeypatch.setattr(module, "describe", lambda _: info)
    record = answer(Bench(Selection(latency=True)), case("latency", "4.0"), Stopwatch())
    assert record.verdict.sentence == "fp32 is computed on cpu here, not on npu"


def test_a_blank_cell_is_measured_like_a_printed_number(bench: Bench, case) -> None:
    asked = case("latency", "4.0")
    blank = Blank("latency", Precision.FP32, "", "", PLACE)
    asked = replace(asked, claim=None, blank=blank)
    assert answer(bench, asked, Stopwatch()).verdict.status is Status.NEW
    wide = Bench(Selection(latency=True))
    assert answer(wide, asked, Stopwatch(iqr_ms=2)).verdict.status is Status.UNDECIDED


def test_a_low_precision_is_timed_in_turn_with_fp32_on_the_same_device(
    case, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = discovery.load("sr_bench.backends", "onnxruntime")
    info = replace(module.describe(), imitates=())  # as if fp16 were its own
    monkeypatch.setattr(module, "describe", lambda _: info)
    opened = []
    open_session = module.open_session

    def seen(artefact, **options):
        session = open_session(artefact, **options)
        opened.append((artefact.precision, options["threads"], session))
        return session

    monkeypatch.setattr(module, "open_session", seen)
    pairs = {"fp32_ms": 4.0, "of_fp32": 1.5, "of_fp32_low": 1.4, "of_fp32_high": 1.6}
    monkeypatch.setattr(latency, "beside", lambda low, full, clock: (low(), full()) and pairs)
    low = replace(case("latency", "4.0", precision="fp16"), claim=None)
    record = answer(Bench(Selection(latency=True)), low, Stopwatch())
    assert [(precision, threads) for precision, threads, _ in opened] == [("fp16", 1), ("fp32", 1)]
    assert pairs.items() <= record.measurement.notes.items()
    assert record.verdict.sentence.endswith(
        "; slower than fp32: 1.50 times fp32's time (1.40 to 1.60, in turn)"
    )
    full = replace(low, precision=Precision.FP32)
    assert "of_fp32" not in answer(Bench(Selection()), full, Stopwatch()).measurement.notes


def test_without_an_fp32_network_there_is_nothing_to_compare_with(case, bench: Bench) -> None:
    low = replace(case("latency", "4.0", precision="fp16"), claim=None)
    given = {Precision.FP16: low.card.onnx}
    card = replace(low.card, onnx=None, onnx_by_precision=given)
    assert bench.info.form is Form.ONNX
    record = answer(bench, replace(low, card=card), Stopwatch())
    assert "of_fp32" not in (record.measurement.notes if record.measurement else {})
