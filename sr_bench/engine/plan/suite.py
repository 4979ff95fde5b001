"""A suite: the cards of a folder bound to the rows of its document."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sr_bench.cards.load import load_card
from sr_bench.core.card import ModelCard, SuiteCard
from sr_bench.core.case import COST_METRICS, GATE_METRIC
from sr_bench.core.claim import Blank, Claim
from sr_bench.core.metric import metric_info
from sr_bench.document.claims import ModelRow, read_model_tables
from sr_bench.document.tables import Document, read_document
from sr_bench.errors import CardError
from sr_bench.files.validation import listed

RowKey = tuple[str, str]
"""A model row's label and the text of its Source column."""
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


def load_suite(path: Path) -> Suite:
    """Return the suite whose card.toml is at `path`.

    Raises:
        CardError: The card has faults, binds a row that doesn't exist, or leaves one unbound.
        DocumentError: The README can't be read, or its table is damaged.
    """
    card = load_card(path)
    document = read_document(card.document)
    groups: dict[RowKey, list[ModelRow]] = defaultdict(list)
    for row in (row for table in read_model_tables(document) for row in table.rows):
        groups[row.row, row.row_source].append(row)
    rows = {
        key: tuple(claim for row in group for claim in row.claims) for key, group in groups.items()
    }
    bound = {model.name: keys_of(model, rows) for model in card.models if model.row}
    faults = [  # of all kinds, at once
        *_binding_faults(card, rows, bound),
        *_unmeasurable(card, rows, bound),
        *_idle_gaps(card, rows, bound),
    ]
    if faults:
        raise CardError(listed(faults, where=str(path)))
    models = {bound[model.name][0]: model for model in card.models if model.row}
    claims = [(models[key], rows[key]) for key in rows if key in models]  # in the document's order
    rowless = [(model, ()) for model in card.models if not model.row]
    blanks = {model.name: tuple(_blanks(groups[key])) for key, model in models.items()}
    return Suite(card, document, (*claims, *rowless), blanks)


def _blanks(group: Iterable[ModelRow]) -> Iterator[Blank]:
    """Yield the cells without a number; a precision row costs what its model does."""
    for row in group:
        for blank in row.blanks:
            if blank.metric not in COST_METRICS or not row.label.qualified:
                yield blank


def keys_of(model: ModelCard, rows: Iterable[RowKey]) -> list[RowKey]:
    """Return those of `rows` that `model` binds; a card in order binds exactly one."""
    wanted = model.row_source.casefold()  # capitals in sources vary
    return [
        (label, source)
        for label, source in rows
        if label == model.row and (not wanted or wanted == source.casefold())
    ]


def _binding_faults(
    card: SuiteCard, rows: Rows, bound: Mapping[str, list[RowKey]]
) -> Iterator[str]:
    taken: dict[RowKey, str] = {}
    for model in card.models:
        if not model.row:
            continue
        keys = bound[model.name]
        if len(keys) != 1:
            yield _not_one_row(model, rows, keys)
        elif keys[0] in taken:
            yield f"models {taken[keys[0]]!r} and {model.name!r} bind the same row {model.row!r}"
        else:
            taken[keys[0]] = model.name
    labels = {label for label, _ in rows}
    for label in card.ignored_rows:
        if label not in labels:
            yield f"ignore_rows: the document has no row {label!r}; take it off the list"
    for label, source in rows:
        wanted = any((label, source) in keys for keys in bound.values())
        if not wanted and label not in card.ignored_rows:
            of = f" of source {source!r}" if source else ""
            yield (
                f"{card.document}: row {label!r}{of} is bound by no model;"
                " add a [[model]] for it, or list it in ignore_rows"
            )


def _not_one_row(model: ModelCard, rows: Rows, keys: list[RowKey]) -> str:
    if keys:
        sources = ", ".join(repr(source) for _, source in keys)
        return f"model {model.name!r}: several rows {model.row!r}; set source to one of {sources}"
    labels = ", ".join(repr(f"{label} ({source})" if source else label) for label, source in rows)
    of = f" of source {model.row_source!r}" if model.row_source else ""
    return (
        f"model {model.name!r}: the document has no row {model.row!r}{of};"
        f" its rows are: {labels or 'none'}"
    )


def _unmeasurable(card: SuiteCard, rows: Rows, bound: Mapping[str, list[RowKey]]) -> Iterator[str]:
    """Yield a fault for each printed image metric that no evaluation covers."""
    for model in card.models:
        claims = (claim for key in bound.get(model.name, ()) for claim in rows[key])
        for claim in (claim for claim in claims if claim.metric not in COST_METRICS):
            if model.claimed_evaluation(claim.precision, claim.dataset) is None:
                title = metric_info(claim.metric).title
                yield (
                    f"model {model.name!r}: {claim.source} prints {title} of"
                    f" {claim.precision}, but no claimed [[model.evaluation]] covers it"
                )


def _idle_gaps(card: SuiteCard, rows: Rows, bound: Mapping[str, list[RowKey]]) -> Iterator[str]:
    """Yield a fault for each known gap that excuses no printed number and no gate."""
    for model in card.models:
        claims = [claim for key in bound.get(model.name, ()) for claim in rows[key]]
        printed = {(claim.metric, claim.precision) for claim in claims}
        for gap in model.known_gaps:
            if gap.metric == GATE_METRIC:
                if model.gate is None:
                    yield f"model {model.name!r}: known_gap of fidelity, but it has no [model.gate]"
            elif printed and (gap.metric, gap.precision) not in printed:
                yield (
                    f"model {model.name!r}: known_gap of {gap.metric} {gap.precision}: the document"
                    " prints no such number; remove the gap"
                )
