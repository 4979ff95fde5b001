"""Judge what a low precision loses, and tell a loss from noise: pure functions."""

from collections.abc import Iterable, Mapping, Sequence

from sr_bench.core.case import IMAGE_METRICS
from sr_bench.core.compare import LossLimits
from sr_bench.core.gate import NAMED, Comparison, Drop, GateFinding, GateImage, GateVerdict
from sr_bench.core.int8 import RING_PX, Gate
from sr_bench.core.record import Record, Status
from sr_bench.engine.job import ImageResult
from sr_bench.engine.judge.drops import drop_by, flat, judge_drop
from sr_bench.engine.score.fidelity import Fidelity
from sr_bench.errors import MetricError
from sr_bench.text.printable import counted, some


def judge_images(
    limits: Gate, low: Sequence[ImageResult], full: Sequence[ImageResult]
) -> GateVerdict:
    """Return whether `low` keeps to `limits`, compared with the same images in fp32, `full`.

    Raises:
        MetricError: The images are not the same ones, or there is none.
    """
    fidelities = {item.image: item.fidelity for item in low if item.fidelity}
    scores = {
        metric: tuple([item.score(metric) for item in run] for run in (low, full))
        for metric in IMAGE_METRICS
    }
    by_psnr, by_ssim = (flat(metric, now, then) for metric, (now, then) in scores.items())
    both = {*by_psnr, *by_ssim}  # both drops are of the same images
    left_out = both if len(both) < len(low) else by_psnr
    psnr, ssim = (
        drop_by(metric, now, then, limits.of(metric), left_out)
        for metric, (now, then) in scores.items()
    )
    return judge_gate(limits, fidelities, psnr, ssim)


def judge_gate(
    limits: Gate, fidelities: Mapping[str, Fidelity], psnr: Drop, ssim: Drop
) -> GateVerdict:
    """Return whether a low precision keeps to `limits`.

    Fidelity is a loss if one image, or one border ring, does not reach the limit. A drop is within
    its limit if all of its interval is, a loss if none of it is or if one image drops by more than
    any may, and undecided otherwise. A limit of 0 is a limit: then nothing may be lost. A loss
    outweighs what is undecided, and that what is within.

    `fidelities` are by image, in the dataset's order; `psnr` and `ssim` are what is lost against
    the ground truth, over the same images in the same order.

    Raises:
        MetricError: The numbers of images differ, or there is none.
    """
    # Before zip, which would say less.
    counts = (len(fidelities), len(psnr.values), len(ssim.values))
    if len(set(counts)) > 1:
        msg = (
            "expected fidelity, PSNR and SSIM of the same images,"
            f" got {counts[0]}, {counts[1]} and {counts[2]} images"
        )
        raise MetricError(msg)
    images = tuple(
        GateImage(name, likeness.all_db, likeness.inside_db, likeness.ring_db, drop_db, drop_ssim)
        for (name, likeness), drop_db, drop_ssim in zip(
            fidelities.items(), psnr.values, ssim.values, strict=True
        )
    )
    names = tuple(fidelities)
    findings = (
        _fidelity(images, limits.min_fidelity_db),
        GateFinding("psnr", *judge_drop("psnr", psnr, limits.of("psnr"), names)),
        GateFinding("ssim", *judge_drop("ssim", ssim, limits.of("ssim"), names)),
    )
    # Only the findings that decide are told: what is within says nothing beside a loss.
    status = worst_status(finding.status for finding in findings)
    told = [finding.sentence for finding in findings if finding.status is status]
    sentence = "; ".join([*told, *filter(None, [psnr.without(IMAGE_METRICS, names)])])
    return GateVerdict(status, sentence, limits, findings, psnr, ssim, images)


def worst_status(statuses: Iterable[Status]) -> Status:
    """Return ``loss`` if it is among `statuses`, else ``undecided``, else ``within``."""
    given = set(statuses)
    return next((s for s in (Status.LOSS, Status.UNDECIDED) if s in given), Status.WITHIN)


def _fidelity(images: Sequence[GateImage], limit: float) -> GateFinding:
    poor = [image for image in images if image.lowest_db < limit]
    whole = min(images, key=lambda image: (image.all_db, image.image))
    # Ties by name, so that a sentence is the same each time.
    ring = min(images, key=lambda image: (image.ring_db, image.image))
    if not poor:
        sentence = (
            f"the output is faithful to fp32: at least {whole.all_db:.2f} dB ({whole.image!r}),"
            f" in the border ring {ring.ring_db:.2f} dB ({ring.image!r}),"
            f" where {limit:g} dB are required"
        )
        return GateFinding("fidelity", Status.WITHIN, sentence)
    parts = [f"less faithful to fp32 than {limit:g} dB: {len(poor)} of {len(images)} images"]
    if whole.all_db < limit:
        short = f"{limit - whole.all_db:.3g} dB short"
        parts.append(f"{whole.image!r} is at {whole.all_db:.2f} dB, {short}")
    if ring.ring_db < limit:
        parts.append(_ring(ring, limit))
    return GateFinding("fidelity", Status.LOSS, "; ".join(parts))


def _ring(image: GateImage, limit: float) -> str:
    behind = image.inside_db - image.ring_db
    side = "below" if behind >= 0 else "above"
    return (
        f"the border ring (outer {RING_PX} px) of {image.image!r} is at {image.ring_db:.2f} dB,"
        f" {abs(behind):.1f} dB {side} the inside and {limit - image.ring_db:.3g} dB short"
    )


def compare_records(now: Record, before: Record, limits: LossLimits) -> Comparison:
    """Return whether `now` is worse than the earlier record `before`, image by image.

    Images are matched by name. Those that only one record holds are named and not compared; what
    would be within the limit is undecided if images of the earlier record are missing. Images that
    all have the very score they had are within any limit, however few. Another backend or device
    is named.

    Raises:
        MetricError: The records are not about the same thing.
    """
    _check_same(now, before)
    limit = limits.of(now.metric)
    new, old = _scores(now), _scores(before)
    images = tuple(name for name in new if name in old)
    missing = tuple(name for name in old if name not in new)
    added = tuple(name for name in new if name not in old)
    unmatched = f"; missing in this run: {some(missing, NAMED)}" if missing else ""
    unmatched += f"; not in the earlier record: {some(added, NAMED)}" if added else ""
    if not images:
        sentence = f"no image is in both records, so nothing can be compared{unmatched}"
        return Comparison(
            Status.NOT_RUN, sentence, now.metric, limit.mean, None, (), missing, added
        )
    scores = [new[name] for name in images], [old[name] for name in images]
    drop = drop_by(now.metric, *scores, limit)
    if scores[0] == scores[1]:  # nothing changed, so no other image would tell more
        status, loss = Status.WITHIN, f"{counted(len(images), 'image')} score what they did"
    else:
        status, loss = judge_drop(now.metric, drop, limit, images)
    loss = "; ".join([loss, *filter(None, [drop.without([now.metric], images)])])
    if missing:
        status = worst_status((status, Status.UNDECIDED))
    same = (now.backend, now.device) == (before.backend, before.device)  # allowed, but said
    elsewhere = "" if same else f" of {before.backend} ({before.device})"
    sentence = f"against the earlier record{elsewhere}: {loss}{unmatched}"
    return Comparison(status, sentence, now.metric, limit.mean, drop, images, missing, added)


def _check_same(now: Record, before: Record) -> None:
    for what in ("model", "precision", "dataset", "metric", "protocol"):
        ours, theirs = getattr(now, what), getattr(before, what)
        if ours != theirs:
            msg = (
                f"{now.case_id}: expected an earlier record of the same {what},"
                f" got {theirs!r} for {ours!r}"
            )
            raise MetricError(msg)


def _scores(record: Record) -> Mapping[str, float]:
    images = record.measurement.images if record.measurement else ()
    return {score.image: score.value for score in images}
