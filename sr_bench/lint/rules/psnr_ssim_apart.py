"""SRB103: PSNR and SSIM that tell opposite stories of the same two rows."""

from collections.abc import Iterator
from itertools import chain, combinations

from sr_bench.lint.digits import CLEAR, difference, excess, signed
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB103",
    Severity.WARNING,
    "PSNR and SSIM disagree",
    "Between two rows of one model PSNR rises and SSIM falls, or SSIM falls far where PSNR hardly"
    " moves. One of the two numbers is usually of other images, most often the SSIM of the last"
    " image in place of the mean.",
    "check that both numbers are means over the same images",
)

_MOST_ROWS = 64  # the precisions and backends of one model: no document needs more
_STILL_DB = 0.1
_FAR_SSIM = 0.02


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each two rows of one model and dataset that move apart."""
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in subject.entries:
        if {"psnr", "ssim"} <= entry.claims.keys():
            groups.setdefault(entry.question, []).append(entry)
    pairs = (combinations(group[:_MOST_ROWS], 2) for group in groups.values())
    for first, second in chain.from_iterable(pairs):
        if second.precision.is_full:
            first, second = second, first  # so that the difference is from fp32
        if how := _apart(first, second):
            psnr, ssim = (signed(second.claims[m], first.claims[m]) for m in ("psnr", "ssim"))
            base = "fp32" if first.precision.is_full else first.name
            yield RULE.found(
                second.claims["ssim"].source,
                f"{second.name}: PSNR is {psnr} dB and SSIM {ssim} from {base}: {how}",
                row=second.row,
            )


def _apart(first: Entry, second: Entry) -> str:
    psnr, ssim = ((second.claims[m], first.claims[m]) for m in ("psnr", "ssim"))
    pairs = (psnr, CLEAR["psnr"]), (ssim, CLEAR["ssim"])
    for (up, up_limit), (down, down_limit) in (pairs, reversed(pairs)):
        if excess(*up) > up_limit and excess(*reversed(down)) > down_limit:
            return "they move in opposite directions"
    still = abs(float(difference(*psnr))) < _STILL_DB
    if still and excess(*reversed(ssim)) > _FAR_SSIM:
        return "SSIM falls far where PSNR hardly moves"
    return ""
