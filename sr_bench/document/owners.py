"""The model row that a row of a precision belongs to: the nearest above that has its label."""

from itertools import zip_longest
from typing import NamedTuple

from sr_bench.document.dimensions import Dimensions
from sr_bench.document.labels import Label
from sr_bench.errors import DocumentError


class LabelledRow(NamedTuple):
    """What a row of a named model says of itself."""

    label: Label
    says: Dimensions
    remarks: tuple[str, ...]
    number: int
    """Of its line, 1-based."""


class Owners:
    """The nearest model rows above, of one document."""

    def __init__(self) -> None:
        # Of a label and source, of a label (source None), or of any (None); by key, as a search of
        # all rows for each of them would take long.
        self._nearest: dict[tuple[str, str | None] | None, LabelledRow] = {}

    def owned(self, row: LabelledRow, place: str, *, by_source: bool, needed: bool) -> LabelledRow:
        """Return `row` with what it shares with its model's row above; remember a model's row.

        Args:
            row: Of a model, or of one in another precision.
            place: For errors.
            by_source: Whether a column of sources tells models of one label apart.
            needed: Whether a row of a precision must have one of its model above.

        Raises:
            DocumentError: There is none.
        """
        label, says, last = row.label, row.says, self._nearest.get(None)
        # Two models may share a label and differ in Source; most precision rows leave that blank.
        keys = ((label.model, says.row_source or None), (label.model, None))
        owner = next(filter(None, map(self._nearest.get, keys)), None)
        # A model that is named again in the next row, with no source, is the same one.
        again = owner is last and by_source and not says.row_source
        if owner and (label.is_qualified or again):
            dataset = says.dataset or owner.says.dataset
            says = says._replace(row_source=owner.says.row_source, dataset=dataset)
            row = row._replace(says=says)
        if not label.is_qualified:
            keys = ((label.model, says.row_source), (label.model, None))
            self._nearest |= dict.fromkeys((*keys, None), row)
        elif owner:
            pairs = zip_longest(row.remarks, owner.remarks, fillvalue="")
            row = row._replace(remarks=tuple(own or theirs for own, theirs in pairs))
        elif needed and not label.alone:
            nearest = f"{last.says.model!r} in line {last.number}" if last else "none"
            msg = (
                f"{place}: expected a row of the model {label.model!r} above its"
                f" {label.precision} row; the nearest model row above is {nearest}"
            )
            raise DocumentError(msg)
        return row
