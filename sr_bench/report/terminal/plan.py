"""Show what a search for an int8 plan came to: the front, and the plan that was chosen."""

from collections.abc import Iterator

from sr_bench.core.found import Found, Tried
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.printable import counted


def plan_lines(found: Found) -> Iterator[str]:
    """Yield the front, the largest share of int8 first, and how it was found."""
    images = found.front[0].images
    yield (
        f"{counted(found.tried, 'plan')} of {counted(found.layers, 'layer')} measured on {images}"
        " calibration images, each by ranges that it did not make; unseen: what the worst of"
        f" {images} others like these has at least, in 19 of 20 cases"
    )
    yield from plain_table(
        ("", "MACs in int8", "mean", "worst", "worst ring", "unseen", "latency", "skips",
         "layers in float"),
        [_row(one, found) for one in found.front],
        left=(0, 7, 8),
    )  # fmt: skip
    ended = ", and time was up" if found.out_of_time else ""
    fp32 = f"; fp32 takes {found.fp32_ms:.1f} ms" if found.fp32_ms is not None else ""
    yield f"(searched for {found.seconds:.0f} s{ended}{fp32})"


def _row(one: Tried, found: Found) -> list[str]:
    keep = one.candidate.keep
    named = ", ".join(keep[:4]) + (f" and {len(keep) - 4} more" if len(keep) > 4 else "")
    latency = "-" if one.latency_ms is None else f"{one.latency_ms:.1f} ms"
    values = (one.mean_db, one.worst_db, one.ring_db, one.unseen_db)
    decibels = (f"{value:.2f} dB" for value in values)
    mark, share = "*" if one is found.chosen else "", f"{100 * one.int8_share:.2f} %"
    return [mark, share, *decibels, latency, one.candidate.skips, named or "none"]
