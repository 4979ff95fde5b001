"""Show how far several runtimes are apart: a matrix, a row for each pair, and where they part."""

from collections.abc import Iterator, Sequence

from sr_bench.core.agreement import Agreement, LayerApart, PairApart, Parting
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.printable import counted

_COLUMNS = ("pair", "PSNR", "worst", "image", "mean", "max", "values")


def agreement_lines(found: Agreement) -> list[str]:
    """Return the lines that show `found`."""
    return [
        *head_lines(found),
        "",
        *table_lines(found),
        "",
        *parting_lines(found),
        f"{found.status}: {found.sentence}",
    ]


def head_lines(found: Agreement) -> list[str]:
    """Return what ran, on what, and why each of the others did not."""
    ran = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    images = counted(len(found.pairs[0].images), "image")
    return [
        f"{found.model} {found.precision} on {found.dataset}, {images}: {ran}",
        *(f"not run: {name}: {why}" for name, why in found.absent.items()),
    ]


def table_lines(found: Agreement) -> list[str]:
    """Return the matrix, and a row for each pair; differences are of 255 levels.

    ``values`` is the part of the 8-bit values that differ.
    """
    rows = [_row(pair) for pair in found.pairs]
    matrix = _matrix(tuple(found.versions), found.pairs)
    return [*matrix, "", *plain_table(_COLUMNS, rows, left=(0, 3))]


def parting_lines(found: Agreement) -> list[str]:
    """Return where those part that were searched for it, in sentences."""
    return [line for parting in found.partings for line in _parting(parting)]


def _parting(parting: Parting) -> Iterator[str]:
    told = f"{parting.first} and {parting.second} on {parting.image}"
    if not parting.begins:
        yield f"{told}: none of {_tried(parting)} differs by more than float rounding"
        return
    yield f"{told} begin to part at {_layer(parting.begins)}"
    if parting.most:
        low = parting.before
        before = f", from {low.rms:.1e} at {low.layer!r}" if low else ""
        yield f"  and part most at {_layer(parting.most)}{before}, of {_tried(parting)}"


def _layer(layer: LayerApart) -> str:
    share = f"{100 * layer.share:.2g} % of the values differ"
    return f"{layer.layer!r}: {share}, by {layer.rms:.1e} of the span (rms)"


def _tried(parting: Parting) -> str:
    return f"the {parting.tried} values tried of {parting.planned}"


def _matrix(names: Sequence[str], pairs: Sequence[PairApart]) -> list[str]:
    db = {frozenset((pair.first, pair.second)): f"{pair.db:.1f}" for pair in pairs}
    rows = [[a, *(db.get(frozenset((a, b)), "-") for b in names)] for a in names]
    return plain_table(("dB", *names), rows, left=(0,))


def _row(pair: PairApart) -> list[str]:
    return [
        f"{pair.first} - {pair.second}",
        f"{pair.db:.1f}",
        f"{pair.worst.db:.1f}",
        pair.worst.image,
        f"{pair.mean_levels:.4f}",
        f"{pair.max_levels:.2f}",
        f"{100 * pair.share:.2f} %",
    ]
