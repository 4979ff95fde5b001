"""What a page is about: a model on a dataset, with the records of all its precisions."""

from collections.abc import Sequence
from dataclasses import dataclass

from sr_bench.core.case import COST_METRICS, LATENCY_METRIC
from sr_bench.core.record import Record
from sr_bench.report.html.names import page_name
from sr_bench.report.parts.order import in_document_order, rank


@dataclass(frozen=True)
class PageSubject:
    """A model on a dataset by a protocol on a backend; its cost records stand on each such page."""

    family: str
    model: str
    dataset: str
    """Empty if nothing but costs is known of the model."""
    protocol: str
    backend: str
    records: tuple[Record, ...]
    """In document order."""

    @property
    def page(self) -> str:
        """The name of its page."""
        return page_name(
            "model", self.family, self.model, self.dataset, self.protocol, self.backend
        )

    @property
    def scored(self) -> tuple[Record, ...]:
        """Those records that are about images."""
        return tuple(record for record in self.records if record.dataset)

    @property
    def costs(self) -> tuple[Record, ...]:
        """Those records that are about the network alone."""
        return tuple(record for record in self.records if not record.dataset)

    @property
    def precisions(self) -> tuple[str, ...]:
        """Of the records about images, fp32 first."""
        return tuple(sorted({record.precision for record in self.scored}, key=rank))

    def measured(self, precision: str, metric: str) -> Record | None:
        """Return the first record of that kind that has a value of each image."""
        for record in self.scored:
            if (record.precision, record.metric) == (precision, metric):
                if record.measurement and record.measurement.images:
                    return record
        return None

    def source(self, precision: str) -> Record | None:
        """Return the record that says which images `precision` was measured on.

        One that kept them, if any did.
        """
        found = [
            record
            for record in self.scored
            if record.precision == precision and record.measurement and record.measurement.images
        ]
        kept = [record for record in found if record.kept]
        return next(iter((*kept, *found)), None)


def subjects_of(records: Sequence[Record]) -> tuple[PageSubject, ...]:
    """Return what there are pages about, in document order."""
    ordered = in_document_order(records)
    scored = dict.fromkeys(_key(record) for record in ordered if record.dataset)
    known = {(family, model, backend) for family, model, *_, backend in scored}
    bare = dict.fromkeys(
        _key(record)
        for record in ordered
        if (record.family, record.model, record.backend) not in known
    )
    order = {(r.family, r.model): index for index, r in reversed([*enumerate(ordered)])}
    keys = sorted((*scored, *bare), key=lambda key: order[key[0], key[1]])
    return tuple(PageSubject(*key, _about(key, ordered)) for key in keys)


def _key(record: Record) -> tuple[str, str, str, str, str]:
    return record.family, record.model, record.dataset, record.protocol, record.backend


def _about(key: tuple[str, str, str, str, str], records: Sequence[Record]) -> tuple[Record, ...]:
    family, model, *_, backend = key
    return tuple(
        record
        for record in records
        if _key(record) == key
        or (
            record.metric in (*COST_METRICS, LATENCY_METRIC)
            and (record.family, record.model, record.backend) == (family, model, backend)
        )
    )
