"""Gates from end to end: deliberate regressions are caught, and the dossier names their cause."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper

from sr_bench.backends import onnxruntime
from sr_bench.core.dossier import Dossier
from sr_bench.core.history import SessionInfo
from sr_bench.core.int8 import ClipRange
from sr_bench.core.record import Record, Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.elsewhere.open import open_executor
from sr_bench.engine.explain import layers
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.option import PRECISIONS
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.prepare import int8
from sr_bench.history.store import SessionStore, read_run
from sr_bench.metrics import mae, psnr
from sr_bench.report.terminal.failure import failure_text
from sr_bench.update.approve import Approval, approve
from tests.int8_zoo import TABLE, Int8Zoo, make_int8_zoo
from tests.sessions import ENVIRONMENT

INT8 = "int8_max,int8_percentile,int8_kl,int8_mse"


@pytest.fixture
def zoo(tmp_path: Path) -> Int8Zoo:
    return make_int8_zoo(tmp_path / "my_zoo")


def _records(zoo: Int8Zoo, precisions: str = "int8_max", **options: object) -> dict[str, Record]:
    """Return the records of all cases in the given precisions, by metric and precision."""
    chosen = Selection(
        data=zoo.data, precisions=PRECISIONS.read(precisions), **({"explain_s": 60.0} | options)
    )
    bench = Bench(chosen, (), open_executor(chosen))
    records = [
        bench.evaluate(case, case.id, lambda *_: None)
        for case in plan(load_suite(zoo.suite / "card.toml"), chosen)
    ]
    bench.close()
    return {f"{record.precision} {record.metric}": record for record in records}


def _gate(zoo: Int8Zoo, precision: str = "int8_max", **options: object) -> Record:
    return _records(zoo, precision, **options)[f"{precision} fidelity"]


def _dossier(record: Record) -> Dossier:
    return record.detail.dossier


def _with_mae(zoo: Int8Zoo) -> None:
    rows = zip(TABLE.splitlines()[2:], ("MAE", "---:", "1.0"), strict=True)
    table = "\n".join(f"{row} {cell} |" for row, cell in rows)
    (zoo.suite / "README.md").write_text(f"# Res\n\n{table}\n")


def _low_outputs(monkeypatch: pytest.MonkeyPatch, change: Callable[..., np.ndarray]) -> None:
    """Let int8 sessions return ``change(run, lr)``."""
    open_session = onnxruntime.open_session

    def opened(artefact: object, **how: object) -> object:
        session = open_session(artefact, **how)
        if artefact.precision.dtype == "int8":
            run = session.run
            session.run = lambda lr: change(run, lr)
        return session

    monkeypatch.setattr(onnxruntime, "open_session", opened)


def test_every_mode_is_within_the_limits_and_says_how_it_was_made(zoo: Int8Zoo) -> None:
    records = _records(zoo, INT8 + ",fp16")
    gates = {name: record for name, record in records.items() if name.endswith("fidelity")}
    assert {record.verdict.status for record in gates.values()} == {Status.WITHIN}
    assert len(gates) == 5
    detail = gates["int8_kl fidelity"].detail
    assert detail.observer == "kl"
    assert detail.calibration_set == "seen_x2"
    assert detail.calibration_images == "4"
    assert detail.int8_layers == "5 of 5 int8 layers run in integers"
    assert detail.dossier is None
    assert len({record.fingerprint for record in records.values()}) == len(records)
    gate = detail.gate
    assert [image.image for image in gate.images] == ["1", "2", "3"]


@pytest.fixture
def any_range(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept whatever clip ranges an observer chooses."""
    monkeypatch.setattr(int8, "widened", lambda *_: {})


@pytest.fixture
def wrong_scale(monkeypatch: pytest.MonkeyPatch, any_range: None) -> None:
    """Give the tensor 'relu', between 'body.0' and 'body.1', a quarter of its range."""
    clip_ranges = int8.clip_ranges

    def wrong(*args: object, **options: object) -> dict[str, ClipRange]:
        clip = clip_ranges(*args, **options)
        return clip | {"relu": ClipRange(0.0, clip["relu"].high / 4)}

    monkeypatch.setattr(int8, "clip_ranges", wrong)


@pytest.mark.usefixtures("wrong_scale")
def test_a_wrong_scale_between_two_layers_is_caught_and_both_named(zoo: Int8Zoo) -> None:
    record = _gate(zoo)
    assert record.verdict.status is Status.LOSS
    dossier = _dossier(record)
    assert {layer.layer for layer in dossier.layers[:2]} == {"body.0", "body.1"}
    assert len(dossier.layers) == dossier.layers_planned == 5


def test_the_search_scores_no_metric_that_gates_do_not_judge(
    zoo: Int8Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_mae(zoo)
    zoo.write_card(limit=60.0)
    scored = []
    monkeypatch.setattr(mae, "score", lambda *_, **_how: scored.append(1) or 1.0)
    records = _records(zoo, "int8_percentile")
    assert _dossier(records["int8_percentile fidelity"]).layers
    images, precisions = 3, 2  # fp32 beside it
    assert len(scored) == images * precisions


@pytest.mark.usefixtures("any_range")
def test_a_low_percentile_is_caught_and_the_clip_ranges_blamed(zoo: Int8Zoo) -> None:
    zoo.write_card(plan="percentile = 90.0")
    record = _gate(zoo, "int8_percentile")
    assert record.verdict.status is Status.LOSS
    (sign,) = [sign for sign in _dossier(record).signs if "clip ranges of percentile" in sign]
    assert "max (" in sign


def test_a_low_percentile_harms_no_calibration_image(zoo: Int8Zoo) -> None:
    zoo.write_card(plan="percentile = 90.0")
    record = _gate(zoo, "int8_percentile")
    assert record.verdict.status is Status.WITHIN
    widened = record.detail.notes["widened"]
    assert re.fullmatch(r"\d of \d clip ranges, for \d \(\d\).*", widened)


def test_an_isolated_model_is_calibrated_measured_and_explained_alike(zoo: Int8Zoo) -> None:
    zoo.write_card(limit=60.0)
    local = _gate(zoo, "int8_percentile", explain_s=3600.0)
    isolated = _gate(zoo, "int8_percentile", explain_s=3600.0, isolate="model", cache="refresh")
    assert (isolated.verdict, isolated.measurement) == (local.verdict, local.measurement)
    dossiers = [replace(_dossier(record), seconds=0.0) for record in (local, isolated)]
    assert dossiers[0] == dossiers[1]


def test_bgr_for_rgb_is_caught_and_named(zoo: Int8Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    _low_outputs(monkeypatch, lambda run, lr: run(np.ascontiguousarray(lr[:, ::-1])))
    record = _gate(zoo)
    assert record.verdict.status is Status.LOSS
    assert "takes BGR for RGB in its input" in _dossier(record).signs[0]
    assert _dossier(record).remedy is None


def test_an_error_that_the_protocol_crops_away_is_caught_and_named(
    zoo: Int8Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo.write_card(protocol="authors_lesrcnn")
    before = _records(zoo)

    def border(run: Callable[[np.ndarray], np.ndarray], lr: np.ndarray) -> np.ndarray:
        output = run(lr).copy()
        inside = output[..., 2:-2, 2:-2].copy()
        output += 0.2
        output[..., 2:-2, 2:-2] = inside
        return output

    _low_outputs(monkeypatch, border)
    after = _records(zoo, cache="refresh")
    assert after["int8_max psnr"].measurement == before["int8_max psnr"].measurement
    record = after["int8_max fidelity"]
    assert record.verdict.status is Status.LOSS
    assert "the border ring (outer 4 px) of " in record.verdict.sentence
    assert _dossier(record).signs[0].startswith("the error is in the outer 2 px")


@pytest.mark.usefixtures("wrong_scale")
def test_a_plan_that_would_pass_is_found_and_passes(zoo: Int8Zoo) -> None:
    remedy = _dossier(_gate(zoo)).remedy
    assert remedy is not None
    assert remedy.images == 3
    assert 0 < remedy.int8_share < 1
    zoo.write_card(plan=f"keep = {list(remedy.keep)}".replace("'", '"'))
    again = _gate(zoo)
    assert again.verdict.status is Status.WITHIN
    worst = min(again.measurement.notes["worst_db"], again.measurement.notes["ring_db"])
    assert worst == pytest.approx(remedy.worst_db)


def test_without_time_for_an_explanation_there_is_none(zoo: Int8Zoo) -> None:
    zoo.write_card(limit=90.0)
    record = _gate(zoo, explain_s=0)
    assert record.verdict.status is Status.LOSS
    assert record.detail.dossier is None


def test_a_limited_gate_is_not_judged(zoo: Int8Zoo) -> None:
    record = _gate(zoo, limit=2)
    assert record.verdict.status is Status.NOT_RUN
    assert record.verdict.sentence.startswith("measured on 2 of 3 images, so not judged")


def test_gates_can_be_left_out(zoo: Int8Zoo) -> None:
    assert set(_records(zoo, gate="off")) == {"int8_max psnr", "int8_max ssim"}


def test_unchanged_content_is_not_run_again_unless_asked(
    zoo: Int8Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _records(zoo)
    opened = []
    open_session = onnxruntime.open_session

    def counted(artefact: object, **how: object) -> object:
        opened.append(artefact.precision)
        return open_session(artefact, **how)

    monkeypatch.setattr(onnxruntime, "open_session", counted)
    second = _records(zoo)
    assert not opened
    assert {record.cached for record in first.values()} == {0}
    assert {record.cached for record in second.values()} == {3}
    assert {k: replace(r, seconds=0) for k, r in first.items()} == {
        k: replace(r, seconds=0, cached=0) for k, r in second.items()
    }
    _records(zoo, cache="refresh")
    assert set(opened) == {"fp32", "int8_max"}
    opened.clear()
    zoo.write_card(plan='keep = ["tail"]')
    _records(zoo)
    assert set(opened) == {"fp32", "int8_max"}


@pytest.mark.filterwarnings("ignore::sr_bench.errors.CacheWarning")
def test_a_damaged_cache_is_measured_again(zoo: Int8Zoo, cache: Path) -> None:
    first, files = _gate(zoo), list((cache / "results").rglob("*.jsonl"))
    for path in files:
        path.write_text("{")
    again = _gate(zoo)
    assert (again.verdict, again.cached) == (first.verdict, 0)
    assert len(files) == 3  # fp32, int8_max, bicubic
    assert all(len(path.read_text()) > 100 for path in files)


def test_images_that_are_judged_too_are_refused_or_named(zoo: Int8Zoo) -> None:
    zoo.write_card(plan="")
    card = zoo.suite / "card.toml"
    card.write_text(card.read_text().replace('calibration = "seen"', 'calibration = "judged"'))
    record = _gate(zoo)
    assert record.verdict.status is Status.ERROR
    assert "calibration images are evaluated too: 1, 2, 3" in record.verdict.sentence
    card.write_text(card.read_text().replace("[model.int8]", "[model.int8]\nshared_images = true"))
    assert _gate(zoo).detail.calibration_shared == "1, 2, 3"


def _on_the_emulated_card(zoo: Int8Zoo, gate: str) -> Record:
    zoo.write_card()
    with (zoo.suite / "card.toml").open("a") as card:
        means, most = "max_drop_db = 9.0, max_drop_ssim = 0.9", "max_image_drop_db = 9.5"
        limits = f"{gate}, {means}, {most}, max_image_drop_ssim = 1.0"
        card.write(f"[model.vacc]\ngate = {{ {limits} }}\n")
    return _gate(zoo, backend="vacc", device="emulate", explain_s=0.0)


def test_an_emulated_card_is_judged_by_its_own_limits_in_two_readings(zoo: Int8Zoo) -> None:
    record = _on_the_emulated_card(zoo, "min_fidelity_db = 5.0")
    assert (record.verdict.status, record.device) == (Status.WITHIN, "emulated")
    low, high = record.interval
    assert low == record.measurement.value < high
    assert record.fingerprint != _on_the_emulated_card(zoo, "min_fidelity_db = 6.0").fingerprint


def test_a_limit_between_the_readings_leaves_the_gate_undecided(zoo: Int8Zoo) -> None:
    notes = _on_the_emulated_card(zoo, "min_fidelity_db = 5.0").measurement.notes
    above_tvm = min(notes["worst_db"], notes["ring_db"]) + 0.2
    record = _on_the_emulated_card(zoo, f"min_fidelity_db = {above_tvm}")
    assert record.verdict.status is Status.UNDECIDED
    assert "readings of the device's int8 disagree: tvm says loss" in record.verdict.sentence


def test_a_metric_that_raises_leaves_the_gate_and_its_comparison_of_the_others(
    zoo: Int8Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_mae(zoo)
    before = SessionStore(tmp_path / "earlier", SessionInfo("before", "", ENVIRONMENT))
    before.start()
    earlier = before.finish([*_records(zoo).values()])

    def fail(sr: np.ndarray, hr: np.ndarray, **how: object) -> float:
        msg = "boom"
        raise ValueError(msg)

    monkeypatch.setattr(mae, "score", fail)
    records = _records(zoo, compare=(earlier,), cache="off")
    assert records["int8_max mae"].verdict.status is Status.ERROR
    gate = records["int8_max fidelity"]
    assert gate.verdict.status is Status.WITHIN
    assert [item.metric for item in gate.detail.compared] == ["psnr", "ssim", "fidelity"]
    monkeypatch.setattr(psnr, "score", fail)
    assert "image 1: psnr: its score raised" in _gate(zoo, cache="off").verdict.sentence


def _approved(
    zoo: Int8Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **record: object
) -> Approval:
    """Approve the gate of int8_max as a session would."""
    monkeypatch.chdir(zoo.root)
    store = SessionStore(tmp_path / "approved", SessionInfo("first", "", ENVIRONMENT))
    store.start()
    gate = replace(_gate(zoo), node_id="res/card.toml::gate", **record)
    path = store.finish([gate])
    return approve(read_run(path), lambda _: True, reason="first", write=True)


def test_a_fall_within_the_limits_is_a_loss_against_what_was_approved(
    zoo: Int8Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _gate(zoo).detail.baseline.status is Status.NEW
    done = _approved(zoo, tmp_path, monkeypatch)
    assert (len(done.gates), done.refused) == (1, ())
    assert _gate(zoo).detail.baseline.status is Status.WITHIN
    _low_outputs(monkeypatch, lambda run, lr: run(lr) + np.float32(0.01))
    record = _gate(zoo, cache="off")
    assert (record.detail.gate.status, record.verdict.status) == (Status.WITHIN, Status.LOSS)
    assert "worse than approved: res/gate_baseline.toml:" in record.verdict.sentence
    assert "most of the error is an offset" in _dossier(record).signs[0]
    assert _dossier(record).remedy is None
    assert "fidelity_db" in failure_text(record)


def test_approving_again_changes_nothing_and_keeps_other_gates_and_slack(
    zoo: Int8Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _approved(zoo, tmp_path, monkeypatch)
    path = zoo.suite / "gate_baseline.toml"
    path.write_text(path.read_text().replace("fidelity_db = 0.3", "fidelity_db = 0.7", 1))
    text = path.read_text()
    done = _approved(zoo, tmp_path, monkeypatch)
    assert (done.gates, done.same, path.read_text()) == ((), 1, text)
    _approved(zoo, tmp_path, monkeypatch, device="emulated")
    assert text[text.index("[[gate]]") :] in path.read_text()
    assert path.read_text().count("[[gate]]") == 2


def test_a_baseline_that_cannot_be_read_is_named_and_left_as_it_is(
    zoo: Int8Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = _gate(zoo)
    path = zoo.suite / "gate_baseline.toml"
    path.write_bytes(b"\xff")
    detail = {"detail": gate.detail, "verdict": gate.verdict, "measurement": gate.measurement}
    (why,) = _approved(zoo, tmp_path, monkeypatch, **detail).refused
    assert why.startswith("res/gate_baseline.toml: ")
    assert path.read_bytes() == b"\xff"


@pytest.mark.parametrize("how", [{"limit": 90.0}, {"images": 2}])
def test_what_breaks_the_limits_or_is_partial_is_not_approved(
    zoo: Int8Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, float]
) -> None:
    zoo.write_card(limit=how.get("limit", 33.0))
    gate = _gate(zoo, explain_s=0.0, limit=how.get("images", 0))
    detail = {"detail": gate.detail, "verdict": gate.verdict, "measurement": gate.measurement}
    done = _approved(zoo, tmp_path, monkeypatch, **detail)
    assert done.gates == ()
    assert len(done.refused) == 1
    assert not (zoo.suite / "gate_baseline.toml").exists()


def test_a_search_that_throws_does_not_cost_the_verdict(
    zoo: Int8Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo.write_card(limit=90.0)

    def fail(*_: object, **_how: object) -> None:
        msg = "boom"
        raise ZeroDivisionError(msg)

    monkeypatch.setattr(layers, "explain", fail)
    record = _gate(zoo)
    assert record.verdict.status is Status.LOSS
    assert record.detail.explanation_failed == "boom"
    assert "the explanation failed: boom" in failure_text(record)


def _damage(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Write int8 files whose first constant with a name that ends so is 0."""
    write = int8.Int8Maker.write

    def damaged(self: int8.Int8Maker, model: object, target: Path) -> None:
        tensor = next(t for t in model.graph.initializer if t.name.endswith(end))
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 0, tensor.name))
        write(self, model, target)

    monkeypatch.setattr(int8.Int8Maker, "write", damaged)


def test_a_file_that_its_plan_does_not_give_is_told_apart_from_a_bad_plan(
    zoo: Int8Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    _damage(monkeypatch, "/weight/int")
    dossier = _dossier(_gate(zoo))
    assert dossier.signs[0].startswith("channels are dead, as all their weights are 0: ")
    assert any(sign.startswith("made again by the same plan") for sign in dossier.signs)
    assert dossier.remedy is None


def test_a_damaged_file_is_a_loss_though_its_outputs_are_within_also_from_the_cache(
    zoo: Int8Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo.write_card(limit=1.0)
    _damage(monkeypatch, "/bias/int")
    for _ in range(2):
        record = _gate(zoo, explain_s=0.0)
        assert (record.detail.gate.status, record.verdict.status) == (Status.WITHIN, Status.LOSS)
        sentence = "the int8 file is damaged: the bias is missing, or 0: head"
        assert record.verdict.sentence == sentence
    assert record.cached == 3
