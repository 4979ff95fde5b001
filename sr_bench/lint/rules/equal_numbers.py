"""SRB104: rows with the same PSNR and SSIM to the last digit, or one of them at two scales."""

from collections import defaultdict
from collections.abc import Iterator

from sr_bench.core.claim import Claim, dataset_key
from sr_bench.core.metric import metric_info, quantity
from sr_bench.document.labels import without_scale
from sr_bench.lint.digits import decimals
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB104",
    Severity.WARNING,
    "different rows print equal numbers",
    "Different networks, datasets or an int8 and its fp32 don't agree in PSNR and SSIM to the last"
    " digit: one row was copied. fp16 may equal fp32, and so may two backends. Two calibrations"
    " may by chance, so that is only a note. At least 6 decimals must agree, or 4 of a PSNR alone;"
    " of one model at two scales 2 of its PSNR, or 3 of its SSIM.",
    "measure the copied row, or the copied number",
)

_ENOUGH, _ENOUGH_ALONE = 6, 4  # decimals in all; fewer agree by mere chance
_ENOUGH_AT_SCALES = {"psnr": 2, "ssim": 3}  # another scale is some dB away


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row whose numbers an earlier row has already."""
    # Of entries that differ in nothing that counts here one is enough.
    earlier: dict[tuple[str, ...], dict[tuple[object, ...], Entry]] = defaultdict(dict)
    printed: dict[tuple[object, ...], tuple[int, Claim]] = {}
    for entry in subject.entries:
        digits = _digits(entry)
        alike = earlier[digits].values() if digits else ()
        judged = ((first, _suspicious(first, entry)) for first in alike)
        first, severity = next((pair for pair in judged if pair[1]), (entry, None))
        if severity:  # one finding for a row, however many it equals
            yield RULE.found(
                entry.claims["psnr"].source,
                f"{entry.name}: {' / '.join(digits)} are to the last digit the numbers of"
                f" {first.name} in line {first.claims['psnr'].source.line}",
                row=entry.row,
                severity=severity,
            )
        elif scale := subject.scale(entry):
            yield from _of_another_scale(entry, scale, printed)
        if digits:
            kind = (_model(entry), entry.precision, entry.backend)
            earlier[digits].setdefault(kind, entry)


def _of_another_scale(
    entry: Entry, scale: int, printed: dict[tuple[object, ...], tuple[int, Claim]]
) -> Iterator[Finding]:
    """Yield a finding for each number that the same model has `printed` at another scale before."""
    model = dataset_key(without_scale(entry.row)), entry.row_source.casefold(), entry.dataset
    for metric, least in _ENOUGH_AT_SCALES.items():
        claim = entry.claims.get(metric)
        if claim is None or decimals(claim) < least:
            continue
        key = (*model, entry.precision, entry.backend, entry.device, metric, claim.text)
        first_scale, first = printed.setdefault(key, (scale, claim))
        if first_scale != scale and first.source != claim.source:
            yield RULE.found(
                claim.source,
                f"{entry.name}: {metric_info(metric).title} {quantity(claim)} is to the last digit"
                f" that of {first.row} at x{first_scale} in line {first.source.line}",
                row=entry.row,
            )


def _digits(entry: Entry) -> tuple[str, ...]:
    """Return the numbers to compare; none if they have too few digits to mean anything."""
    claims = [entry.claims[metric] for metric in ("psnr", "ssim") if metric in entry.claims]
    enough = _ENOUGH if len(claims) == 2 else _ENOUGH_ALONE
    is_enough = "psnr" in entry.claims and sum(map(decimals, claims)) >= enough
    return tuple(claim.text for claim in claims if is_enough)


def _model(entry: Entry) -> tuple[object, ...]:
    return (*entry.key, entry.dataset, entry.scale)


def _suspicious(first: Entry, second: Entry) -> Severity | None:
    """Return how grave it is that two rows agree; None if they may."""
    if first.claims["psnr"].source == second.claims["psnr"].source:
        return None  # one cell that spans both
    if _model(first) != _model(second):
        return Severity.WARNING
    dtypes = {first.precision.dtype, second.precision.dtype}
    if first.precision is second.precision or "int8" not in dtypes:
        return None
    if len(dtypes) > 1:
        return Severity.WARNING
    return Severity.NOTE if first.backend == second.backend else None
