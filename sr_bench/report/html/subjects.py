"""What a page is about: a model on a dataset, with the records of all its precisions."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sr_bench.core.record import Record
from sr_bench.report.html.names import page_name
from sr_bench.report.parts.order import in_document_order, rank


@dataclass(frozen=True)
class Topic:
    """A model on a dataset by a protocol on a backend: what a page is about."""

    family: str
    model: str
    dataset: str
    """Empty if nothing but costs is known of the model."""
    protocol: str
    backend: str

    @property
    def page(self) -> str:
        """The name of its page."""
        return page_name("model", *astuple(self))


@dataclass(frozen=True)
class PageSubject:
    """A topic with its records; those of the model that are about no dataset stand on each."""

    topic: Topic
    records: tuple[Record, ...]
    """In document order."""

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
        return next((r for r in self._measured(precision) if r.metric == metric), None)

    def source(self, precision: str) -> Record | None:
        """Return the record that says which images `precision` was measured on.

        One that kept them, if any did.
        """
        measured = self._measured(precision)
        return next((record for record in measured if record.kept), next(iter(measured), None))

    def _measured(self, precision: str) -> list[Record]:
        records = [record for record in self.scored if record.precision == precision]
        return [r for r in records if r.measurement and r.measurement.images]


def subjects_of(records: Sequence[Record]) -> tuple[PageSubject, ...]:
    """Return what there are pages about, in document order."""
    ordered = in_document_order(records)
    scored = dict.fromkeys(_topic(record) for record in ordered if record.dataset)
    known = {_network(topic) for topic in scored}
    bare = dict.fromkeys(_topic(record) for record in ordered if _network(record) not in known)
    # A model stands where its first record does: from the end, the first is entered last.
    order = {(r.family, r.model): index for index, r in reversed([*enumerate(ordered)])}
    topics = sorted((*scored, *bare), key=lambda topic: order[topic.family, topic.model])
    return tuple(PageSubject(topic, _about(topic, ordered)) for topic in topics)


def _topic(record: Record) -> Topic:
    return Topic(record.family, record.model, record.dataset, record.protocol, record.backend)


def _network(about: Topic | Record) -> tuple[str, str, str]:
    return about.family, about.model, about.backend


def _about(topic: Topic, records: Sequence[Record]) -> tuple[Record, ...]:
    return tuple(
        record
        for record in records
        if _topic(record) == topic or (not record.dataset and _network(record) == _network(topic))
    )
