"""An audit makes known mistakes on kept outputs and says which ones a tolerance lets pass."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from sr_bench.core.card import Evaluation, ModelCard, Tolerance
from sr_bench.core.case import Case
from sr_bench.core.forensics import Audit, AuditedClaim
from sr_bench.core.history import Environment, PastSession, SessionInfo
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import ImageScore, Kept, Measurement, Record, Status
from sr_bench.engine.explain.tolerances import audit
from sr_bench.engine.score.protocol import aggregate, score_pair
from sr_bench.errors import NotRunError, OptionError
from sr_bench.imaging.colour import y_rounded
from sr_bench.imaging.files import write_levels, write_png
from sr_bench.metrics import psnr, ssim
from tests.report.records import CLAIM, record

NAMES = ("a", "b", "c")
KEPT = Kept("outputs/sr", "outputs/pairs")
Y = EvalProtocol("mine", colour="y_float", border=2)
RGB = EvalProtocol("mine")


def images(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 7, 3)).astype(np.uint8)
    hr = cv2.resize(coarse, (44, 40), interpolation=cv2.INTER_LINEAR)
    sr = np.clip(hr.astype(int) + rng.integers(-9, 10, hr.shape), 0, 255)
    return sr.astype(np.uint8), hr


PAIRS = [images(seed) for seed in range(len(NAMES))]


def card(rule: EvalProtocol, slack: float = 0.0, scale: int = 2) -> ModelCard:
    tolerance = Tolerance(slack, "for tests")
    return ModelCard(
        "m_x2",
        "zoo",
        Path(),
        "M",
        "",
        scale,
        "",
        evaluations=(Evaluation("set5", rule),),
        tolerances={"psnr": tolerance, "ssim": tolerance},
    )


def judged(rule: EvalProtocol, metric: str = "psnr", decimals: int = 4) -> Record:
    """Return the record of a claim that matched, about the kept images."""
    scores = [score_pair(sr, hr, rule, 2, (metric,))[metric] for sr, hr in PAIRS]
    value = aggregate(scores, rule, metric)
    claim = replace(CLAIM, metric=metric, text=f"{value:.{decimals}f}")
    measured = tuple(ImageScore(*item) for item in zip(NAMES, scores, strict=True))
    return replace(
        record(claim, value),
        protocol=rule.name,
        kept=KEPT,
        measurement=Measurement(metric, "", value, measured, len(measured)),
    )


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for index, (sr, hr) in enumerate(PAIRS):
        write_png(tmp_path / KEPT.sr / f"{index:04d}.png", sr)
        write_png(tmp_path / KEPT.pairs / f"{index:04d}-hr.png", hr)
    return tmp_path


def session_of(results: Path, *records: Record) -> PastSession:
    environment = Environment({}, "3.11", "Linux", "cpu", 1, "")
    info = SessionInfo("20261121T000000-abcdef", "", environment)
    return PastSession(info, records, results / "latest.json", results)


def audited(results: Path, rule: EvalProtocol, metric: str = "psnr", **options) -> AuditedClaim:
    slack, decimals = options.pop("slack", 0.0), options.pop("decimals", 4)
    model = card(rule, slack)
    session = session_of(results, judged(rule, metric, decimals))
    result = audit(session, {model.id: model}, **options)
    assert result.problems == ()
    return result.claims[0]


def values(claim: AuditedClaim) -> dict[str, float]:
    return {trial.mistake: trial.value for trial in claim.trials if trial.value is not None}


def mean(score: Callable[..., float], change=lambda sr: sr, border: int = 0) -> float:
    cut = slice(border, -border or None)
    return float(np.mean([score(change(sr)[cut, cut], hr[cut, cut]) for sr, hr in PAIRS]))


def shifted(sr: np.ndarray, axis: int) -> np.ndarray:
    moved = np.roll(sr, 1, axis=axis)
    if axis == 0:
        moved[0] = sr[0]
    else:
        moved[:, 0] = sr[:, 0]
    return moved


def test_every_mistake_on_outputs_leads_to_the_number_it_would_print(results: Path) -> None:
    rule = replace(RGB, border=3)
    trials = values(audited(results, rule))
    expected = {
        "bgr": mean(psnr.score, lambda sr: sr[..., ::-1], 3),
        "shift_right": mean(psnr.score, lambda sr: shifted(sr, 1), 3),
        "shift_down": mean(psnr.score, lambda sr: shifted(sr, 0), 3),
        "dc": mean(psnr.score, lambda sr: np.clip(sr.astype(int) + 1, 0, 255).astype("u1"), 3),
        "border_less": mean(psnr.score, border=2),
        "border_more": mean(psnr.score, border=4),
    }
    assert trials == pytest.approx(expected, abs=1e-9)


def test_the_repeated_edge_of_a_shift_is_scored_too(results: Path) -> None:
    assert values(audited(results, RGB))["shift_down"] == pytest.approx(
        mean(psnr.score, lambda sr: shifted(sr, 0)), abs=1e-9
    )


def test_a_border_of_zero_cannot_be_smaller(results: Path) -> None:
    assert "border_less" not in values(audited(results, RGB))


def test_luma_is_rounded_where_it_is_to_be_float_and_the_reverse(results: Path) -> None:
    rounded = mean(lambda x, y: psnr.score(y_rounded(x), y_rounded(y)), border=2)
    assert values(audited(results, Y))["luma"] == pytest.approx(rounded, abs=1e-9)
    other = audited(results, replace(Y, colour="y_rounded"))
    assert values(other)["luma"] == pytest.approx(audited(results, Y).value, abs=1e-9)
    assert "luma" not in values(audited(results, RGB))


def test_the_last_images_ssim_stands_for_the_mean_and_the_reverse(results: Path) -> None:
    scores = [ssim.score(sr, hr) for sr, hr in PAIRS]
    trials = values(audited(results, RGB, "ssim"))
    assert trials["aggregation"] == pytest.approx(scores[-1], abs=1e-9)
    last = values(audited(results, replace(RGB, ssim_aggregation="last_image"), "ssim"))
    assert last["aggregation"] == pytest.approx(np.mean(scores), abs=1e-9)
    assert "aggregation" not in values(audited(results, RGB))


def test_a_tolerance_catches_what_moves_the_number_further(results: Path) -> None:
    tight = audited(results, RGB)
    assert tight.missed == ()
    assert tight.catching is None
    smallest = min(abs(value - float(tight.text)) for value in values(tight).values())
    loose = audited(results, RGB, slack=smallest * 1.01)
    assert [trial.value for trial in loose.missed] == [
        value
        for value in values(loose).values()
        if abs(value - float(loose.text)) <= smallest * 1.01 + 0.00005
    ]
    assert loose.catching == pytest.approx(smallest)
    assert loose.tolerance == pytest.approx(smallest * 1.01 + 0.00005)


def test_the_claim_is_named_with_its_place(results: Path) -> None:
    claim = audited(results, RGB)
    assert (claim.source, claim.case_id, claim.metric) == (CLAIM.source, "m", "psnr")
    assert claim.value == pytest.approx(mean(psnr.score), abs=1e-9)


def test_a_mistake_that_cannot_be_made_says_why(results: Path) -> None:
    claim = audited(results, replace(RGB, border=19))
    (failed,) = (trial for trial in claim.trials if trial.mistake == "border_more")
    assert (failed.value, failed.caught) == (None, False)
    assert failed.why.startswith("a: can't crop a border of 20 px")


def test_other_kernels_need_another_run(results: Path) -> None:
    claim = audited(results, replace(RGB, gt_resize="cv2_area"))
    reasons = {trial.mistake: trial.why for trial in claim.trials if trial.value is None}
    assert reasons.keys() == {"gt_kernel", "lr_kernel"}
    assert all("--rerun" in why for why in reasons.values())


def test_a_network_that_enlarges_nothing_has_no_other_kernel(results: Path) -> None:
    record = replace(judged(RGB), dataset="set5_x1")
    (claim,) = audit(session_of(results, record), {"zoo/m_x2": card(RGB, scale=1)}).claims
    assert all(trial.value is not None for trial in claim.trials)


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        (RGB, {"lr_kernel": ("hr", "cv2_cubic", None)}),
        (
            replace(RGB, lr_resize="cv2_linear", input_shape=(8, 8), gt_resize="cv2_area"),
            {
                "gt_kernel": ("files", "cv2_linear", "cv2_linear"),
                "lr_kernel": ("files", "cv2_cubic", "cv2_area"),
            },
        ),
    ],
)
def test_a_rerun_uses_another_kernel_under_a_name_of_its_own(
    results: Path, rule: EvalProtocol, changed: dict[str, tuple[str, str, str]]
) -> None:
    cases: list[Case] = []

    def rerun(case: Case) -> float:
        cases.append(case)
        return 12.5

    trials = values(audited(results, rule, rerun=rerun))
    assert {name: trials[name] for name in changed} == dict.fromkeys(changed, 12.5)
    rules = [case.evaluation.protocol for case in cases]
    assert [(new.lr_from, new.lr_resize, new.gt_resize) for new in rules] == list(changed.values())
    assert len({rule.name for rule in (rule, *rules)}) == 1 + len(rules)
    assert {(case.metric, case.precision, case.backend) for case in cases} == {
        ("psnr", "fp32", "onnxruntime")
    }


def test_a_rerun_that_fails_says_why(results: Path) -> None:
    def rerun(case: Case) -> float:
        msg = "no weights here"
        raise OptionError(msg)

    claim = audited(results, RGB, rerun=rerun)
    assert [trial.why for trial in claim.trials if trial.value is None] == ["no weights here"]


def audit_of(results: Path, *records: Record, rule: EvalProtocol = RGB) -> Audit:
    model = card(rule)
    return audit(session_of(results, *records), {model.id: model})


def test_outputs_without_the_recorded_value_are_of_another_run(results: Path) -> None:
    right = judged(RGB)
    off = replace(right.measurement, value=right.measurement.value + 0.0001)
    result = audit_of(results, right, replace(right, measurement=off, case_id="other"))
    assert len(result.claims) == 1
    assert result.problems[0].startswith("other: scored again by mine, the kept outputs give")


@pytest.mark.parametrize(("offset", "belongs"), [(0.01, True), (-0.01, True), (0.1, False)])
def test_float_outputs_may_have_moved_a_little_in_storage(
    results: Path, offset: float, belongs: bool
) -> None:
    rule = replace(RGB, rounding="none")
    right = judged(rule)
    value = right.measurement.value + offset
    record = replace(right, measurement=replace(right.measurement, value=value))
    if belongs:
        assert audit_of(results, record, rule=rule).claims
    else:
        with pytest.raises(NotRunError, match="they or the protocol are of another run"):
            audit_of(results, record, rule=rule)


@pytest.mark.parametrize(("rounding", "levels"), [("round", np.rint), ("truncate", np.floor)])
def test_16_bit_outputs_are_made_levels_before_they_are_scored(
    results: Path, rounding: str, levels
) -> None:
    rule = replace(RGB, rounding=rounding)
    scores = []
    for index, (sr, hr) in enumerate(PAIRS):
        floats = np.minimum(sr, 254).astype(np.float32) + np.float32(0.6)
        write_levels(results / KEPT.sr / f"{index:04d}.png", floats)
        scores.append(psnr.score(levels(floats).astype(np.uint8), hr))
    value = float(np.mean(scores))
    right = judged(rule)
    record = replace(
        right,
        measurement=replace(right.measurement, value=value),
        claim=replace(CLAIM, text=f"{value:.4f}"),
    )
    (claim,) = audit_of(results, record, rule=rule).claims
    assert claim.value == pytest.approx(value, abs=1e-9)


def test_float_outputs_are_made_brighter_up_to_white(results: Path) -> None:
    rule = replace(RGB, rounding="none")
    scores = []
    for index, (sr, hr) in enumerate(PAIRS):
        write_levels(results / KEPT.sr / f"{index:04d}.png", sr.astype(np.float32))
        scores.append(psnr.score(np.minimum(sr.astype(np.float32) + 1, 255), hr))
    (claim,) = audit_of(results, judged(rule), rule=rule).claims
    assert values(claim)["dc"] == pytest.approx(np.mean(scores), abs=1e-4)


def test_images_that_are_gone_are_reported_once_for_the_run(results: Path) -> None:
    (results / KEPT.sr / "0001.png").unlink()
    moved = Kept("outputs/other", KEPT.pairs)
    for index, (sr, _) in enumerate(PAIRS):
        write_png(results / moved.sr / f"{index:04d}.png", sr)
    result = audit_of(results, judged(RGB), judged(RGB, "ssim"), replace(judged(RGB), kept=moved))
    assert len(result.claims) == 1
    (problem,) = result.problems
    assert problem.startswith("of 3 claims with kept outputs, 2 have images that can't be read")
    assert "0001.png" in problem


def test_a_run_without_kept_outputs_says_how_to_keep_them(results: Path) -> None:
    bare = replace(judged(RGB), kept=None)
    with pytest.raises(
        NotRunError, match="1 have no kept outputs; keep them with pytest --sr-keep"
    ):
        audit_of(results, bare)
    assert "1 have no kept outputs" in audit_of(results, bare, judged(RGB)).problems[0]


def test_only_image_claims_that_matched_count(results: Path) -> None:
    right = judged(RGB)
    other = replace(right, verdict=replace(right.verdict, status=Status.DIFFERS))
    assert len(audit_of(results, right, other).claims) == 1
    with pytest.raises(NotRunError, match="no image claim that matched"):
        audit_of(results, other)
    cost = record(replace(CLAIM, metric="params"), 30.1)
    assert audit_of(results, right, cost).problems == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "gone"}, "no card has the model zoo/gone"),
        ({"dataset": "set14_x2"}, "evaluates no set14_x2 by mine any more"),
        ({"protocol": "yours"}, "evaluates no set5_x2 by yours any more"),
        ({"claim": None}, "lacks the claim"),
    ],
)
def test_a_claim_that_its_card_no_longer_knows_is_left_out(
    results: Path, change: dict[str, object], message: str
) -> None:
    result = audit_of(results, judged(RGB), replace(judged(RGB), **change))
    assert len(result.claims) == 1
    assert message in result.problems[0]
