"""SRB105: a low precision beside an fp32 number of another shape or protocol."""

from collections.abc import Iterator

from sr_bench.core.metric import image_metrics, with_unit
from sr_bench.lint.digits import signed
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB105",
    Severity.WARNING,
    "rows are compared under different shapes or protocols",
    "Readers take the difference between a model's fp32 row and its low precision row for what the"
    " precision costs. It is not, if the two were measured on inputs of another shape or by another"
    " protocol.",
    "measure fp32 on the low precision's inputs too, or say below the table that they differ",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each low precision row whose conditions aren't those of its fp32 row."""
    for full, low in subject.pairs:
        shared = (m for m in full.claims if m in low.claims and m in image_metrics())
        metric = next(shared, None)
        differ = [*_shapes(full, low), *_protocols(subject, full, low)]
        if metric and differ:  # without a shared number nobody takes the difference
            gap = with_unit(signed(low.claims[metric], full.claims[metric]), metric)
            yield RULE.found(
                low.claims[metric].source,
                f"{low.name}: the {gap} from fp32 is not what the precision costs:"
                f" {'; '.join(differ)}",
                row=low.row,
            )


def _shapes(full: Entry, low: Entry) -> Iterator[str]:
    same = (full.size or full.shape.casefold()) == (low.size or low.shape.casefold())
    if full.shape and low.shape and not same:  # a blank cell contradicts none
        yield f"fp32 is on {full.shape}, this on {low.shape}"


def _protocols(subject: Subject, full: Entry, low: Entry) -> Iterator[str]:
    of_full, of_low = subject.protocol(full), subject.protocol(low)
    if of_full != of_low and of_full and of_low:
        yield f"fp32 follows protocol {of_full}, this {of_low}"
