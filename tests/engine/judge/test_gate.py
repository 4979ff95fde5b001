"""A gate distinguishes a loss from noise: every outcome, and what is said of it."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import starmap

import numpy as np
import pytest

from sr_bench.core.codec import decode, encode
from sr_bench.core.compare import LossLimits
from sr_bench.core.gate import Comparison, Drop, GateVerdict
from sr_bench.core.int8 import DropLimit, Gate
from sr_bench.core.record import ImageScore, Measurement, Record, Status
from sr_bench.engine.job import ImageResult
from sr_bench.engine.judge.drops import drop_status
from sr_bench.engine.judge.gate import compare_records, judge_gate, judge_images, worst_status
from sr_bench.engine.judge.interval import FEWEST, paired_drop
from sr_bench.engine.score.fidelity import Fidelity
from sr_bench.errors import MetricError
from tests.report.records import record

LIMITS = Gate(min_fidelity_db=52.0, max_drop_db=0.1, max_drop_ssim=0.002)
NAMES = ("baby", "bird", "butterfly", "head", *(f"photo{i:02}" for i in range(FEWEST - 5)), "woman")
CLOSE = {name: Fidelity(53.0 + i, 54.0 + i, 52.5 + i) for i, name in enumerate(NAMES)}
STEPS = np.linspace(-1, 1, len(NAMES)).tolist()


def drop_of(values: Sequence[float], worst: float | None = None) -> Drop:
    return paired_drop([0.0] * len(values), list(values), worst=worst)


def around(mean: float, spread: float = 0.01) -> Drop:
    """Return the drop of the images `NAMES`, symmetric around `mean`."""
    return drop_of([mean + spread * step for step in STEPS])


NO_DROP = around(0.0, 0.0)


# The three outcomes of a limit.


@pytest.mark.parametrize(
    ("mean", "spread", "status"),
    [
        (0.05, 0.01, Status.WITHIN),
        (-0.5, 0.01, Status.WITHIN),
        (0.15, 0.01, Status.LOSS),
        (0.1, 0.01, Status.UNDECIDED),
        (0.05, 0.3, Status.UNDECIDED),
        (0.15, 0.3, Status.UNDECIDED),
        (0.1, 0.0, Status.WITHIN),
        (0.1001, 0.0, Status.LOSS),
    ],
)
def test_a_drop_is_judged_by_its_whole_interval(mean: float, spread: float, status: Status) -> None:
    assert drop_status(around(mean, spread), DropLimit(0.1)) is status


def test_a_limit_of_zero_is_a_limit() -> None:
    assert drop_status(NO_DROP, DropLimit(0.0)) is Status.WITHIN
    assert drop_status(around(0.001, 0.0), DropLimit(0.0)) is Status.LOSS
    assert drop_status(around(0.001, 0.01), DropLimit(0.0)) is Status.UNDECIDED


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ([Status.WITHIN, Status.UNDECIDED, Status.LOSS], Status.LOSS),
        ([Status.WITHIN, Status.UNDECIDED], Status.UNDECIDED),
        ([Status.WITHIN], Status.WITHIN),
    ],
)
def test_a_loss_outweighs_doubt_and_doubt_what_is_within(
    statuses: list[Status], worst: Status
) -> None:
    assert worst_status(statuses) is worst


@pytest.mark.parametrize(
    ("worst", "status"), [(None, Status.UNDECIDED), (0.12, Status.WITHIN), (0.09, Status.LOSS)]
)
def test_few_images_are_within_only_if_a_limit_of_each_is_kept(
    worst: float | None, status: Status
) -> None:
    drop = drop_of([0.03, 0.04, 0.05, 0.06, 0.07, 0.1], worst)
    assert drop_status(drop, DropLimit(0.1, worst)) is status


# The gate.


def close_but(image: str, all_db: float, inside_db: float, ring_db: float) -> dict[str, Fidelity]:
    return CLOSE | {image: Fidelity(all_db, inside_db, ring_db)}


def test_what_keeps_to_all_limits_is_within_and_says_by_how_much() -> None:
    verdict = judge_gate(LIMITS, CLOSE, around(0.05), NO_DROP)
    assert verdict.status is Status.WITHIN
    assert [finding.status for finding in verdict.findings] == [Status.WITHIN] * 3
    assert verdict.sentence == (
        "the output is faithful to fp32: at least 53.00 dB ('baby'), in the border ring 52.50 dB"
        " ('baby'), where 52 dB are required; PSNR drops by 0.050 dB on average (95 % interval"
        " 0.047 to 0.053 dB), within the budget of 0.1 dB; SSIM drops by 0.00000 on average"
        " (95 % interval 0.00000 to 0.00000), within the budget of 0.002"
    )


def test_one_unfaithful_image_is_a_loss_by_name() -> None:
    verdict = judge_gate(LIMITS, close_but("head", 44.1, 44.1, 52.0), NO_DROP, NO_DROP)
    assert verdict.status is Status.LOSS
    assert verdict.sentence == (
        "less faithful to fp32 than 52 dB: 1 of 36 images; 'head' is at 44.10 dB, 7.9 dB short"
    )


def test_a_damaged_border_ring_is_a_loss_by_name() -> None:
    verdict = judge_gate(LIMITS, close_but("butterfly", 52.2, 53.3, 44.2), NO_DROP, NO_DROP)
    assert verdict.status is Status.LOSS
    assert verdict.sentence == (
        "less faithful to fp32 than 52 dB: 1 of 36 images; the border ring (outer 4 px) of"
        " 'butterfly' is at 44.20 dB, 9.1 dB below the inside and 7.8 dB short"
    )


def test_a_ring_that_is_better_than_the_inside_says_so() -> None:
    verdict = judge_gate(LIMITS, close_but("bird", 48.0, 47.5, 50.0), NO_DROP, NO_DROP)
    assert "'bird' is at 48.00 dB, 4 dB short; the border ring" in verdict.sentence
    assert "is at 50.00 dB, 2.5 dB above the inside and 2 dB short" in verdict.sentence


def test_fidelity_on_the_limit_reaches_it() -> None:
    limit = LIMITS.min_fidelity_db
    fidelities = {name: Fidelity(limit, limit, limit) for name in NAMES}
    assert judge_gate(LIMITS, fidelities, NO_DROP, NO_DROP).status is Status.WITHIN


def test_a_hair_below_the_limit_is_not_shown_as_the_limit() -> None:
    verdict = judge_gate(LIMITS, close_but("baby", 51.9999, 55, 52.5), NO_DROP, NO_DROP)
    assert "'baby' is at 52.00 dB, 0.0001 dB short" in verdict.sentence


@pytest.mark.parametrize("question", ["psnr", "ssim"])
def test_a_drop_beyond_its_limit_is_a_loss(question: str) -> None:
    drops = {"psnr": NO_DROP, "ssim": NO_DROP} | {question: around(0.3)}
    verdict = judge_gate(LIMITS, CLOSE, drops["psnr"], drops["ssim"])
    assert verdict.status is Status.LOSS
    assert verdict.sentence.startswith(f"{question.upper()} drops by 0.300")
    assert "above the budget of 0." in verdict.sentence
    assert "most on 'woman' by 0.310" in verdict.sentence


def test_too_few_images_are_reported_with_what_they_can_detect() -> None:
    psnr = around(0.05, 0.6)
    verdict = judge_gate(LIMITS, CLOSE, psnr, NO_DROP)
    assert verdict.status is Status.UNDECIDED
    assert verdict.sentence == (
        "too few images to tell: PSNR drops by 0.050 dB on average (95 % interval -0.116 to"
        f" 0.216 dB); these 36 images detect drops of {psnr.detectable:.3f} dB, and the budget of"
        " 0.1 dB lies in the interval; about 397 images would tell"
    )


def test_images_too_few_to_show_one_in_ten_say_how_many_would_tell() -> None:
    close = {name: CLOSE[name] for name in NAMES[:12]}
    verdict = judge_gate(LIMITS, close, drop_of([0.01, 0.03] * 6), drop_of([0.0] * 12, 0.001))
    assert [finding.status for finding in verdict.findings] == ["within", "undecided", "within"]
    assert verdict.sentence == (
        "too few images to tell: PSNR drops by 0.020 dB on average (95 % interval 0.013 dB or"
        " more), with the budget of 0.1 dB; if one image in ten loses much, 28 % of all sets of 12"
        " show none of them; 36 images would tell, or a limit for each image"
    )


def test_one_image_beyond_what_any_may_lose_is_a_loss_by_name() -> None:
    limits = replace(LIMITS, max_image_drop_db=0.5)
    drop = drop_of([0.6, *([0.0] * (FEWEST - 1))], 0.5)
    verdict = judge_gate(limits, CLOSE, drop, NO_DROP)
    assert drop.mean < limits.max_drop_db
    assert verdict.status is Status.LOSS
    assert verdict.sentence == (
        "PSNR drops most on 'baby' by 0.600 dB, where no image may lose more than 0.5 dB"
    )


def test_a_flat_image_is_left_out_of_the_mean_and_named_with_the_reason() -> None:
    full = [ImageResult(name, {"psnr": 30.0, "ssim": 0.9}) for name in NAMES]
    full[1] = ImageResult("bird", {"psnr": math.inf, "ssim": 1.0})
    low = [replace(item, fidelity=CLOSE[item.image]) for item in full]
    low[1] = replace(low[1], scores={"psnr": 45.0, "ssim": 0.97})
    verdict = judge_images(LIMITS, low, full)
    assert (verdict.psnr.mean, verdict.psnr.left_out) == (0.0, (1,))
    assert (verdict.ssim.mean, verdict.ssim.left_out) == (0.0, (1,))
    why = "left out, with PSNR of 48.131 dB or more or SSIM of 0.99858 or more in one of the two: "
    assert verdict.sentence.endswith(f"{why}bird")


def test_an_image_that_one_metric_leaves_out_counts_for_neither() -> None:
    full = [ImageResult(name, {"psnr": 30.0, "ssim": 0.9}) for name in NAMES]
    full[1] = ImageResult("bird", {"psnr": 50.0, "ssim": 0.98})
    full[3] = ImageResult("head", {"psnr": 40.0, "ssim": 0.999})
    low = [replace(item, fidelity=CLOSE[item.image]) for item in full]
    low[1] = replace(low[1], scores={"psnr": 45.0, "ssim": 0.91})
    verdict = judge_images(LIMITS, low, full)
    assert verdict.psnr.left_out == verdict.ssim.left_out == (1, 3)
    assert (verdict.psnr.mean, verdict.ssim.mean) == (0.0, 0.0)


def test_where_each_image_is_flat_by_one_metric_those_of_psnr_are_left_out() -> None:
    full = [
        ImageResult("a", {"psnr": 50.0, "ssim": 0.9}),
        ImageResult("b", {"psnr": 30.0, "ssim": 1.0}),
    ]
    low = [replace(item, fidelity=CLOSE["baby"]) for item in full]
    assert judge_images(LIMITS, low, full).psnr.left_out == (0,)


def test_a_drop_at_the_limit_does_not_ask_for_more_images() -> None:
    verdict = judge_gate(LIMITS, CLOSE, around(0.1), NO_DROP)
    assert verdict.sentence.startswith("too close to the budget to tell: PSNR")


def test_a_single_image_is_undecided() -> None:
    baby = {"baby": CLOSE["baby"]}
    verdict = judge_gate(LIMITS, baby, drop_of([0.02]), drop_of([0.0]))
    assert verdict.status is Status.UNDECIDED
    assert "too few images to tell: one image, 'baby' by 0.020 dB in PSNR" in verdict.sentence


def test_a_loss_of_fidelity_outweighs_a_drop_that_is_undecided() -> None:
    verdict = judge_gate(LIMITS, close_but("head", 40, 40, 40), around(0.05, 0.2), NO_DROP)
    assert verdict.status is Status.LOSS
    assert "too few" not in verdict.sentence
    assert [finding.status for finding in verdict.findings] == ["loss", "undecided", "within"]


def test_identical_outputs_are_within() -> None:
    equal = {name: Fidelity(math.inf, math.inf, math.inf) for name in NAMES}
    verdict = judge_gate(replace(LIMITS, max_drop_db=0, max_drop_ssim=0), equal, NO_DROP, NO_DROP)
    assert verdict.status is Status.WITHIN


def test_a_verdict_names_the_same_images_in_any_order() -> None:
    same = {name: Fidelity(40.0, 41.0, 39.0) for name in NAMES}
    turned = dict(reversed(same.items()))
    sentences = {judge_gate(LIMITS, f, NO_DROP, NO_DROP).sentence for f in (same, turned)}
    assert len(sentences) == 1


def test_each_image_keeps_its_numbers() -> None:
    psnr, ssim = (drop_of([step * i for i in range(FEWEST)]) for step in (0.1, 1.0))
    image = judge_gate(LIMITS, CLOSE, psnr, ssim).images[3]
    assert (image.image, image.drop_db, image.drop_ssim) == ("head", pytest.approx(0.3), 3.0)
    assert (image.all_db, image.inside_db, image.ring_db) == (56.0, 57.0, 55.5)
    assert image.lowest_db == 55.5


@pytest.mark.parametrize("count", [1, 5])
def test_a_verdict_survives_a_record(count: int) -> None:
    close = dict(list(CLOSE.items())[:count]) | {"baby": Fidelity(math.inf, math.inf, math.inf)}
    drop = drop_of([0.01 * i for i in range(count)])
    verdict = judge_gate(LIMITS, close, drop, drop)
    assert decode(GateVerdict, encode(verdict)) == verdict


def test_questions_about_different_images_are_refused() -> None:
    with pytest.raises(MetricError, match="got 36, 4 and 36 images"):
        judge_gate(LIMITS, CLOSE, drop_of([0.0] * 4), NO_DROP)


# Against an earlier record.


def scored(scores: dict[str, float], metric: str = "psnr", **changes: str) -> Record:
    images = tuple(starmap(ImageScore, scores.items()))
    base = replace(record(None, 30.0, metric=metric), precision="int8_kl")
    return replace(
        base, measurement=Measurement(metric, "dB", 30.0, images, len(images)), **changes
    )


ALLOWED = LossLimits(psnr_db=0.1, fidelity_db=0.1)
BEFORE = {name: 30.0 + i / 4 for i, name in enumerate(NAMES)}


def lowered(by: float, spread: float = 0.01) -> dict[str, float]:
    return {
        name: value - by - spread * step
        for (name, value), step in zip(BEFORE.items(), STEPS, strict=True)
    }


@pytest.mark.parametrize(
    ("by", "spread", "status"),
    [
        (0.05, 0.01, Status.WITHIN),
        (-1.0, 0.01, Status.WITHIN),
        (0.3, 0.01, Status.LOSS),
        (0.1, 0.02, Status.UNDECIDED),
    ],
)
def test_a_run_is_compared_with_an_earlier_one(by: float, spread: float, status: Status) -> None:
    compared = compare_records(scored(lowered(by, spread)), scored(BEFORE), ALLOWED)
    assert compared.status is status
    assert compared.images == NAMES
    assert compared.drop is not None
    assert compared.drop.mean == pytest.approx(by)


def test_images_are_matched_by_name() -> None:
    turned = dict(reversed(lowered(0.3).items()))
    compared = compare_records(scored(turned), scored(BEFORE), ALLOWED)
    assert compared.drop is not None
    drops = dict(zip(compared.images, compared.drop.values, strict=True))
    assert drops["baby"] == pytest.approx(0.29)
    assert compared.sentence.startswith("against the earlier record: PSNR drops by 0.300 dB")
    assert "most on 'woman' by 0.310 dB" in compared.sentence


def test_an_unchanged_run_is_within_any_limit() -> None:
    for count in (2, len(NAMES)):
        few = scored(dict(list(BEFORE.items())[:count]))
        compared = compare_records(few, few, LossLimits(0.0))
        assert compared.status is Status.WITHIN
        assert compared.sentence.endswith(f"{count} images score what they did")


def test_missing_images_leave_it_undecided_and_are_named() -> None:
    now = {name: value for name, value in BEFORE.items() if name != "head"} | {"zebra": 20.0}
    compared = compare_records(scored(now), scored(BEFORE), ALLOWED)
    assert compared.status is Status.UNDECIDED
    assert (compared.missing, compared.added) == (("head",), ("zebra",))
    tail = "; missing in this run: head; not in the earlier record: zebra"
    assert compared.sentence.endswith(tail)
    assert "zebra" not in compared.images


def test_missing_images_do_not_hide_a_loss() -> None:
    now = {name: value - 1 for name, value in BEFORE.items() if name != "head"}
    assert compare_records(scored(now), scored(BEFORE), ALLOWED).status is Status.LOSS


def test_new_images_alone_change_no_verdict() -> None:
    compared = compare_records(scored(BEFORE | {"zebra": 1.0}), scored(BEFORE), ALLOWED)
    assert compared.status is Status.WITHIN


def test_many_missing_images_are_counted() -> None:
    before = BEFORE | {f"{i:02}": 30.0 for i in range(20)}
    compared = compare_records(scored(BEFORE), scored(before), ALLOWED)
    assert "missing in this run: 00, 01, 02, 03, 04 and 15 more" in compared.sentence
    assert len(compared.missing) == 20


def test_nothing_in_common_is_not_run() -> None:
    empty = replace(scored(BEFORE), measurement=None)
    for before in (scored({"zebra": 1.0}), empty):
        compared = compare_records(scored(BEFORE), before, ALLOWED)
        assert compared.status is Status.NOT_RUN
        assert compared.drop is None
        assert compared.sentence.startswith("no image is in both records")


def test_fidelity_can_be_compared_too() -> None:
    records = (scored(lowered(0.3), "fidelity"), scored(BEFORE, "fidelity"))
    compared = compare_records(*records, ALLOWED)
    assert "fidelity drops by 0.30 dB on average" in compared.sentence


def test_another_backend_is_named() -> None:
    before = scored(BEFORE, backend="vacc", device="emulated")
    compared = compare_records(scored(BEFORE), before, ALLOWED)
    assert compared.sentence.startswith("against the earlier record of vacc (emulated): ")


@pytest.mark.parametrize("field", ["model", "precision", "dataset", "metric", "protocol"])
def test_another_question_is_refused(field: str) -> None:
    before = replace(scored(BEFORE), **{field: "other"})
    with pytest.raises(MetricError, match=f"of the same {field}, got 'other' for "):
        compare_records(scored(BEFORE), before, ALLOWED)


def test_a_comparison_survives_a_record() -> None:
    for now in (BEFORE, {"zebra": 1.0}):
        compared = compare_records(scored(now), scored(BEFORE), ALLOWED)
        assert decode(Comparison, encode(compared)) == compared
