"""Show what a gate found: each question beside its limit, and the images that fare worst."""

from collections.abc import Iterable, Iterator, Sequence
from math import inf

from sr_bench.core.baseline import Held
from sr_bench.core.case import IMAGE_METRICS
from sr_bench.core.gate import Comparison, Drop, GateImage, GateVerdict, quantity
from sr_bench.core.int8 import DropLimit
from sr_bench.core.metric import with_unit
from sr_bench.core.record import Record, Status
from sr_bench.report.parts.marks import loss_name
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.printable import counted

_IMAGES_SHOWN = 5
_QUESTIONS = ("", "mean", "95 % interval", "worst", "image", "limit", "detects", "verdict")
_HELD = ("worse than approved", "quantity", "expected", "got", "slack", "where")
_COLUMNS = ("image", "fidelity", "inside", "ring", "PSNR drop", "SSIM drop")


def gate_lines(verdict: GateVerdict) -> list[str]:
    """Return the lines that show `verdict`: a row for each question, then the worst images.

    Images that do not count for a drop are named below the rows, with why.

    ``detects`` is the smallest mean drop that this many images can tell from none.
    """
    status = {finding.question: finding.status for finding in verdict.findings}
    names = [image.image for image in verdict.images]
    limits = verdict.limits
    rows = [
        *_fidelity_rows(verdict),
        _drop_row("psnr", verdict.psnr, names, limits.of("psnr"), status["psnr"]),
        _drop_row("ssim", verdict.ssim, names, limits.of("ssim"), status["ssim"]),
    ]
    without = [verdict.psnr.without(IMAGE_METRICS, names)]
    table = plain_table(_QUESTIONS, rows, left=(0, 4, 7))
    return [*table, *filter(None, without), "", *_image_lines(verdict.images)]


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return the lines that show whether a run is worse than an earlier one.

    A row, then the images that lose most; only the sentence if nothing could be compared.
    """
    drop, images, metric = comparison.drop, comparison.images, comparison.metric
    if drop is None:
        return [comparison.sentence]
    row = _drop_row(metric, drop, images, DropLimit(comparison.limit), comparison.status)
    order = sorted(range(len(images)), key=lambda index: (-drop.values[index], images[index]))
    worst = [[images[i], quantity(metric, drop.values[i])] for i in order[:_IMAGES_SHOWN]]
    table = plain_table(("image", loss_name(metric)), worst, left=(0,))
    without = filter(None, [drop.without([metric], images)])
    return [*plain_table(_QUESTIONS, [row], left=(0, 4, 7)), *without, "", *table]


def held_lines(held: Held) -> list[str]:
    """Return the lines that show a gate against its baseline: the images that fell most."""
    if not held.falls:
        return [f"baseline: {held.sentence}"]
    rows = []
    for fall in held.falls[:_IMAGES_SHOWN]:
        values = (f"{value:g}" for value in (fall.expected, fall.got, fall.slack))
        rows.append([fall.image, fall.quantity, *values, fall.place])
    lines = plain_table(_HELD, rows, left=(0, 1, 5))
    more = len(held.falls) - len(rows)
    return [*lines, f"and {more} more"] if more else lines


def explanation_failed(why: str) -> str:
    """Return the line that says why a loss has no explanation."""
    return f"the explanation failed: {why}"


def baseline_lines(records: Iterable[Record]) -> list[str]:
    """Return the line that says which gates hold no baseline; none if each does."""
    held = [record.detail.baseline for record in records]
    without = [item for item in held if item and item.status is Status.NEW]
    if not without:
        return []
    return [
        f"{counted(len(without), 'gate')} without a baseline ({without[0].sentence}): only the"
        " card's limits count; hold what was measured with: sr-bench approve last --reason '...'"
    ]


def _fidelity_rows(verdict: GateVerdict) -> Iterator[list[str]]:
    limit = verdict.limits.min_fidelity_db
    for name, values in (
        ("fidelity to fp32", {image.image: image.all_db for image in verdict.images}),
        ("in the border ring", {image.image: image.ring_db for image in verdict.images}),
    ):
        image = min(values, key=lambda image: (values[image], image))  # of equals by name
        status = Status.LOSS if values[image] < limit else Status.WITHIN  # the worst image decides
        # As in the record: of the images that have an error.
        finite = [value for value in values.values() if value != inf] or [inf]
        mean = quantity("fidelity", sum(finite) / len(finite))
        worst = quantity("fidelity", values[image])
        yield [name, mean, "-", worst, image, f">= {limit:g} dB", "-", status]


def _drop_row(
    metric: str, drop: Drop, names: Sequence[str], limit: DropLimit, status: Status
) -> list[str]:
    return [
        loss_name(metric),
        quantity(metric, drop.mean),
        drop.interval(metric),
        quantity(metric, drop.worst),
        names[drop.worst_index],
        f"<= {with_unit(f'{limit.mean:g}', metric)}",
        quantity(metric, drop.detectable),
        status,
    ]


def _image_lines(images: Sequence[GateImage]) -> list[str]:
    shown = sorted(images, key=lambda image: (image.lowest_db, image.image))[:_IMAGES_SHOWN]
    rows = []
    for image in shown:
        fidelities = (image.all_db, image.inside_db, image.ring_db)
        drops = quantity("psnr", image.drop_db), quantity("ssim", image.drop_ssim)
        rows.append([image.image, *(quantity("fidelity", db) for db in fidelities), *drops])
    lines = plain_table(_COLUMNS, rows, left=(0,))
    more = len(images) - len(shown)
    return [*lines, f"and {more} more of higher fidelity"] if more else lines
