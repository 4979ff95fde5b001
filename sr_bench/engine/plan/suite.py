"""A suite: the cards of a folder bound to the rows of its document."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sr_bench.cards.documents import cards_of
from sr_bench.cards.load import load_card
from sr_bench.core.card import ModelCard, SuiteCard
from sr_bench.core.case import COST_METRICS, GATE_METRIC
from sr_bench.core.claim import Blank, Claim, dataset_key
from sr_bench.core.ignored import Ignored, spelled_alike
from sr_bench.document.claims import Reading, read
from sr_bench.document.printed import Printed, number_counts, unread_numbers
from sr_bench.document.rows import ModelRow
from sr_bench.document.tables import Document, read_document
from sr_bench.document.told import place
from sr_bench.engine.plan.binding import RowKey, by_label, keys_of, of_scale
from sr_bench.errors import CardError, DocumentError
from sr_bench.files.validation import listed
from sr_bench.text.printable import printable

_MOST_NAMED = 20

Rows = Mapping[RowKey, tuple[Claim, ...]]
"""Each model row with the claims of the row itself and of its precision rows."""


@dataclass(frozen=True)
class Suite:
    """One family: its document and its bound models."""

    card: SuiteCard
    document: Document
    claims: tuple[tuple[ModelCard, tuple[Claim, ...]], ...]
    """Each model with the claims of its row and of the precision rows below it, in the document's
    order; then those that the document has no row for."""
    blanks: Mapping[str, tuple[Blank, ...]] = field(default_factory=dict)
    """By model: the cells of its rows without a number."""
    printed: tuple[Printed, ...] = ()
    """Every number of the document; what another card of it reads or ignores is not unread."""


def load_suite(path: Path) -> Suite:
    """Return the suite whose card.toml is at `path`.

    Raises:
        CardError: The card has faults, binds a row that doesn't exist, or leaves one unbound.
        DocumentError: The README can't be read.
    """
    card = load_card(path)
    document = replace(read_document(card.document), told=card.told, ignored=card.ignored)
    reading = read(document)
    groups: dict[RowKey, list[ModelRow]] = defaultdict(list)
    for row in (row for table in reading.tables for row in table.rows):
        groups[row.row, row.row_source].append(row)
    rows = {
        key: tuple(claim for row in group for claim in row.claims) for key, group in groups.items()
    }
    keys = by_label(rows)
    bound = {model.name: keys_of(model, keys) for model in card.models if model.row}
    models: dict[RowKey, list[ModelCard]] = {key: [] for key in rows}  # in the document's order
    for model in card.models:
        for key in bound.get(model.name, ()):
            models[key].append(model)
    bindings = [(key, model) for key in rows for model in models[key]]
    pairs = [(model, of_scale(model, models[key], rows[key])) for key, model in bindings]
    faults = [  # of all kinds, at once
        *_binding_faults(card, rows, bound, reading),
        *_unbound_scales(rows, models, card),
        *_idle_ignores(card, reading),
        *_idle_tables(card, reading),
        *_idle_gaps(pairs),
        *_idle_variants(pairs),
    ]
    if faults:
        raise CardError(listed(faults, where=str(path)))
    rowless = [(model, ()) for model in card.models if not model.row]
    blanks = {
        model.name: of_scale(model, models[key], tuple(_blanks(groups[key])))
        for key, model in bindings
    }
    return Suite(card, document, (*pairs, *rowless), blanks, _left(reading, card))


def refuse_unread(suite: Suite) -> None:
    """Refuse a document that prints numbers which nobody reads.

    Raises:
        DocumentError: It does; the message names the first of them, with what to do.
    """
    unread = unread_numbers(suite.printed)
    if not unread:
        return
    places = [f"{one.source}: {one.message}" for one in unread[:_MOST_NAMED]]
    if more := len(unread) - len(places):
        places.append(f"and {more} more: sr-bench lint {suite.card.path} names them all")
    msg = f"{suite.document.path}: {number_counts(suite.printed)}; each unread one is a fault"
    raise DocumentError(printable("\n  ".join([msg, *places])))


def _left(reading: Reading, card: SuiteCard) -> tuple[Printed, ...]:
    """Return the numbers of `reading`, with why another card of the document ignores one."""
    if not any(one.unread for one in reading.printed):
        return reading.printed
    # Rows that others ignore are theirs to name; columns and tables are the document's.
    others = [Ignored(c.ignored.columns, {}, c.ignored.tables) for c in _sharing(card)]
    return tuple(
        one._replace(ignored=next(filter(None, (one.ignored_by(o) for o in others)), ""))
        if one.unread
        else one
        for one in reading.printed
    )


def _sharing(card: SuiteCard) -> Iterator[SuiteCard]:
    """Yield the other cards of the same document."""
    own = card.path.resolve()
    yield from (other for other in cards_of(card.document) if other.path.resolve() != own)


def _blanks(group: Iterable[ModelRow]) -> Iterator[Blank]:
    """Yield the cells without a number; a precision row costs what its model does."""
    for row in group:
        for blank in row.blanks:
            if blank.metric not in COST_METRICS or not row.qualified:
                yield blank


def _bound_by_others(card: SuiteCard, rows: Iterable[RowKey]) -> list[tuple[RowKey, ModelCard]]:
    """Return the models of other cards of the document that bind any of `rows`, with the row."""
    keys = by_label(rows)
    models = (model for other in _sharing(card) for model in other.models)
    return [(key, model) for model in models for key in keys_of(model, keys)]


def _unbound_scales(
    rows: Rows, models: Mapping[RowKey, Sequence[ModelCard]], card: SuiteCard
) -> Iterator[str]:
    """Yield a fault for each scale that a bound row prints and that no model of the row has."""
    for (label, source), claims in rows.items():
        known = {model.scale for model in models[label, source]}
        if not known:
            continue
        free = {claim.scale: claim for claim in claims if claim.scale not in (0, *known)}
        others = _bound_by_others(card, [(label, source)]) if free else []
        for scale, claim in free.items():
            if all(model.scale != scale for _, model in others):
                yield (
                    f"{claim.source}: row {label!r} prints a number of x{scale}, and the models of"
                    f" that row are of {', '.join(f'x{one}' for one in sorted(known))}: add a"
                    f" [[model]] of this row with scale = {scale}"
                )


def _binding_faults(
    card: SuiteCard, rows: Rows, bound: Mapping[str, list[RowKey]], reading: Reading
) -> Iterator[str]:
    taken: dict[tuple[RowKey, int], str] = {}
    for model in card.models:
        if not model.row:
            continue
        keys = bound[model.name]
        if len(keys) != 1:
            yield _not_one_row(card, model, rows, keys, reading)
            continue
        # Models of several scales share a row that prints numbers of each.
        printed = {claim.scale for claim in rows[keys[0]]}
        place = keys[0], model.scale if model.scale in printed else 0
        if place in taken:
            yield f"models {taken[place]!r} and {model.name!r} bind the same row {model.row!r}"
        else:
            taken[place] = model.name
    free = set(rows).difference(*bound.values())
    if free:
        free -= {key for key, _ in _bound_by_others(card, free)}
    for label, source in (key for key in rows if key in free):
        of = f" of source {source!r}" if source else ""
        yield (
            f"{card.document}: row {label!r}{of} is bound by no model; add a [[model]] for it,"
            f' or ignore it: ignore_rows = {{ "{label}" = "why" }}'
        )


def _idle_ignores(card: SuiteCard, reading: Reading) -> Iterator[str]:
    """Yield a fault for each name that the card ignores and that is none of the document's."""
    headers = {one.header for one in reading.printed}
    titles = {name for one in reading.printed for name in one.grid.names}
    ignored = card.ignored
    for key, names, valid, what in (
        ("ignore_columns", ignored.columns, headers, "column with numbers"),
        ("ignore_rows", ignored.rows, reading.labels, "row"),
        ("ignore_tables", ignored.tables, titles, "table with numbers"),
    ):
        for name in _absent(names, valid):
            yield f"{key}: the document has no {what} {name!r}; take it off the list"


def _absent(names: Iterable[str], valid: Collection[str]) -> list[str]:
    return [name for name in names if not any(spelled_alike(name, other) for other in valid)]


def _idle_tables(card: SuiteCard, reading: Reading) -> Iterator[str]:
    """Yield a fault for each told table, and each name in one, that the document does not have."""
    for told in card.told:
        meant = [layout for layout in reading.layouts if layout.told is told]
        if not meant:
            yield f"table {told.name!r}: the document has no such table; take it off"
            continue
        headers = {column.header for layout in meant for column in layout.columns}
        headers |= {place(n) for layout in meant for n, _ in enumerate(layout.columns, 1)}
        labels = {row[0].plain for layout in meant for row in layout.body.rows if row}
        for what, names, valid in (("column", told.columns, headers), ("row", told.rows, labels)):
            for name in _absent(names, valid):
                yield f"table {told.name!r}: {what}s: it has no {what} {name!r}; take it off"


def _not_one_row(
    card: SuiteCard, model: ModelCard, rows: Rows, keys: list[RowKey], reading: Reading
) -> str:
    if keys:
        sources = ", ".join(repr(source) for _, source in keys)
        return f"model {model.name!r}: several rows {model.row!r}; set source to one of {sources}"
    if card.ignored.row([model.row]):
        return f"model {model.name!r} binds the row {model.row!r}, which ignore_rows leaves out"
    labels = ", ".join(repr(f"{label} ({source})" if source else label) for label, source in rows)
    of = f" of source {model.row_source!r}" if model.row_source else ""
    unread = (*reading.unread_rows(model.row), *reading.unread_tables)
    seen = [f"\n    {reading.path}:{place}" for place in unread]
    more = f"\n    and {len(seen) - _MOST_NAMED} more" if len(seen) > _MOST_NAMED else ""
    tables = f"; not read are:{''.join(seen[:_MOST_NAMED])}{more}" if seen else ""
    return (
        f"model {model.name!r}: the document has no row {model.row!r}{of};"
        f" its rows are: {labels or 'none'}{tables}"
    )


def _idle_gaps(pairs: Iterable[tuple[ModelCard, Sequence[Claim]]]) -> Iterator[str]:
    """Yield a fault for each known gap that excuses no printed number and no gate."""
    for model, claims in pairs:
        printed = {(claim.metric, model.measured_in(claim.precision)) for claim in claims}
        for gap in model.known_gaps:
            if gap.metric == GATE_METRIC:
                if model.gate is None:
                    yield f"model {model.name!r}: known_gap of fidelity, but it has no [model.gate]"
            elif printed and (gap.metric, gap.precision) not in printed:
                yield (
                    f"model {model.name!r}: known_gap of {gap.metric} {gap.precision}: the document"
                    " prints no such number; remove the gap"
                )


def _idle_variants(pairs: Iterable[tuple[ModelCard, Sequence[Claim]]]) -> Iterator[str]:
    """Yield a fault for each evaluation or gap of rows which the document does not have."""
    for model, claims in pairs:
        told = {claim.variant for claim in claims if claim.variant}
        meant = [("evaluation", each.variant) for each in model.evaluations]
        meant += [("known_gap", gap.variant) for gap in model.known_gaps]
        for entry, variant in meant:
            if variant and dataset_key(variant) not in map(dataset_key, told):
                names = ", ".join(map(repr, sorted(told))) or "nothing"
                yield (
                    f"model {model.name!r}: {entry} of variant {variant!r}: its"
                    f" numbers are told apart by {names}"
                )
