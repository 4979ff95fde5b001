"""SRB202: Flops that no known way of counting gives."""

from collections.abc import Iterator, Sequence

from sr_bench.core.metric import quantity
from sr_bench.document.sizes import Size
from sr_bench.lint.counting import KNOWN, MACS, STANDARD, CountedRow, times
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB202",
    Severity.ERROR,
    "Flops match neither MACs, 2 x MACs nor a known rule",
    "The network of the card was counted on the printed shape, or the card's where none is"
    " printed, and no convention gives the number. The finding names the shape or the factor that"
    " would.",
    "count again, and print the shape that was counted on",
)

_UNKNOWN = "no known rule, shape or factor gives it"
_USUAL_SIZES: tuple[Size, ...] = (
    *((3, side, side) for side in (128, 224, 256, 512)),
    *((3, height, height * 16 // 9) for height in (360, 540, 720, 1080)),
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row whose Flops nothing explains."""
    printed = {entry.size for entry in subject.entries if entry.size}
    for row in subject.counted:
        if row.flops and not row.conventions:
            # The likeliest first, as the first that fits is named.
            sizes = [row.model.counted_shape, *sorted(printed), *_related(row), *_USUAL_SIZES]
            causes = [*_shapes(row, sizes), *_factors(row)]
            cause = f"that is {' or '.join(causes)}" if causes else _UNKNOWN
            yield RULE.found(
                row.flops.source,
                f"{row.row}: Flops {quantity(row.flops)} are"
                f" {times(row.flops.value, row.flops_g[STANDARD])} 2 x MAC on {row.shape}"
                f" ({row.flops_g[STANDARD]:.3f} G): {cause}",
                row=row.row,
            )


def _related(row: CountedRow) -> Iterator[Size]:
    """Yield the sizes that people take for the input's: the output's, and the other way round."""
    channels, height, width = row.size
    scale = row.model.scale
    yield channels, height * scale, width * scale
    if height % scale == 0 and width % scale == 0:
        yield channels, height // scale, width // scale


def _shapes(row: CountedRow, sizes: Sequence[Size]) -> Iterator[str]:
    """Yield the first size on which a convention, the usual one first, gives the number."""
    others = [s for s in dict.fromkeys(sizes) if s[0] == row.size[0] and s != row.size]
    # Cost is all but linear in the pixels, so that most sizes needn't be counted.
    counts = {size: row.at(size) for size in others if _near(row, size)}
    for name in _usual_first(row):
        for size, flops_g in counts.items():
            if name in flops_g and row.agrees(flops_g[name]):
                yield f"{_called(name)} on {'x'.join(map(str, size))}"
                return


def _factors(row: CountedRow) -> Iterator[str]:
    for name in _usual_first(row):
        for factor, ratio in KNOWN:
            if row.agrees(row.flops_g[name] * ratio):
                yield f"{factor} times {_called(name)}"
                return


def _usual_first(row: CountedRow) -> list[str]:
    return sorted(row.flops_g, key=lambda name: (name != STANDARD, name == MACS))


def _near(row: CountedRow, size: Size) -> bool:
    area = size[1] * size[2] / (row.size[1] * row.size[2])
    printed = row.flops.value if row.flops else 0.0
    return any(abs(value * area - printed) <= 0.05 * printed for value in row.flops_g.values())


def _called(convention: str) -> str:
    return {STANDARD: "2 x MAC", MACS: "MAC"}.get(convention, f"the count by {convention}")
