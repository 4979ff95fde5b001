"""A suite: the cards of a folder bound to the rows of its document."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sr_bench.cards.load import load_card
from sr_bench.core.card import ModelCard, SuiteCard
from sr_bench.core.case import COST_METRICS
from sr_bench.core.claim import Claim
from sr_bench.document.claims import ModelRow, read_claims
from sr_bench.document.tables import Document, read_document
from sr_bench.errors import CardError


@dataclass(frozen=True)
class Suite:
    """One family: its document and its bound models."""

    card: SuiteCard
    document: Document
    claims: tuple[tuple[ModelCard, tuple[Claim, ...]], ...]
    """Each model with the claims of its row and of the precision rows below it."""


def load_suite(path: Path) -> Suite:
    """Return the suite whose card.toml is at `path`.

    Raises:
        CardError: The card has faults, binds a row that doesn't exist, or leaves one unbound.
        DocumentError: The README can't be read, or its table is damaged.
    """
    card = load_card(path)
    document = read_document(card.document)
    rows = read_claims(document)
    bound = tuple((model, _row_of(model, rows)) for model in card.models)
    faults = [*_binding_faults(card, rows, bound), *_unclaimed_evaluations(bound)]
    if faults:
        msg = "\n  ".join([f"{path}: {len(faults)} fault{'s' * (len(faults) > 1)}", *faults])
        raise CardError(msg)
    return Suite(
        card,
        document,
        tuple((model, row.claims) for model, row in bound if row),
    )


def _row_of(model: ModelCard, rows: tuple[ModelRow, ...]) -> ModelRow | None:
    found = [row for row in rows if row.label == model.row and _source_fits(model, row)]
    return found[0] if len(found) == 1 else None


def _source_fits(model: ModelCard, row: ModelRow) -> bool:
    return not model.row_source or model.row_source.casefold() == row.source.casefold()


def _binding_faults(
    card: SuiteCard,
    rows: tuple[ModelRow, ...],
    bound: tuple[tuple[ModelCard, ModelRow | None], ...],
) -> Iterator[str]:
    for model, row in bound:
        if row is None:
            yield _no_row(model, rows)
    taken: dict[int, str] = {}
    for model, row in bound:
        if row and row.line in taken:
            other = taken[row.line]
            yield f"models {other!r} and {model.name!r} bind the same row, line {row.line}"
        elif row:
            taken[row.line] = model.name
    for row in rows:
        if row.line not in taken and row.label not in card.ignored_rows and row.claims:
            yield (
                f"{card.document}:{row.line}: row {row.label!r} is bound by no model;"
                " add a [[model]] for it, or list it in ignore_rows"
            )


def _no_row(model: ModelCard, rows: tuple[ModelRow, ...]) -> str:
    same = [row for row in rows if row.label == model.row]
    if same:
        sources = ", ".join(repr(row.source) for row in same)
        return f"model {model.name!r}: row {model.row!r} needs source = one of {sources}"
    known = ", ".join(repr(row.label) for row in rows) or "none"
    return f"model {model.name!r}: the document has no row {model.row!r}; its rows are: {known}"


def _unclaimed_evaluations(
    bound: tuple[tuple[ModelCard, ModelRow | None], ...],
) -> Iterator[str]:
    """Yield a fault for each printed image metric that no evaluation could measure."""
    for model, row in bound:
        for claim in row.claims if row else ():
            if claim.metric in COST_METRICS:
                continue
            if model.claimed_evaluation(claim.precision, claim.dataset) is None:
                yield (
                    f"model {model.name!r}: {claim.source} prints {claim.metric.upper()} of"
                    f" {claim.precision}, but no claimed [[model.evaluation]] covers it"
                )
