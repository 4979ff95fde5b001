"""SRB104: rows with the same PSNR and SSIM to the last digit."""

from collections import defaultdict
from collections.abc import Iterator

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
    " may by chance, so that is only a note. At least 6 decimals must agree, or 4 of a PSNR alone.",
    "measure the copied row",
)

_ENOUGH, _ENOUGH_ALONE = 6, 4  # decimals in all; fewer agree by mere chance


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row whose numbers an earlier row has already."""
    # Of entries that differ in nothing that counts here one is enough.
    earlier: dict[tuple[str, ...], dict[tuple[object, ...], Entry]] = defaultdict(dict)
    for entry in subject.entries:
        if not (digits := _digits(entry)):
            continue
        for first in earlier[digits].values():
            if severity := _suspicious(first, entry):
                yield RULE.found(
                    entry.claims["psnr"].source,
                    f"{entry.name}: {' / '.join(digits)} are to the last digit the numbers of"
                    f" {first.name} in line {first.claims['psnr'].source.line}",
                    row=entry.row,
                    severity=severity,
                )
                break  # one finding for a row, however many it equals
        kind = (_model(entry), entry.precision, entry.backend)
        earlier[digits].setdefault(kind, entry)


def _digits(entry: Entry) -> tuple[str, ...]:
    """Return the numbers to compare; none if they have too few digits to mean anything."""
    claims = [entry.claims[metric] for metric in ("psnr", "ssim") if metric in entry.claims]
    if "psnr" not in entry.claims:
        return ()
    enough = _ENOUGH if len(claims) == 2 else _ENOUGH_ALONE
    if sum(map(decimals, claims)) < enough:
        return ()
    return tuple(claim.text for claim in claims)


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
