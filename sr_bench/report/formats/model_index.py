"""For a model card on Hugging Face: results above its text, as metadata in YAML.

Whether a result is ``verified`` is Hugging Face's to say, by a token that only its own evaluation
issues; the card says who measured a value in the arguments of its metric.

Source: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from collections.abc import Iterable, Sequence

import yaml

from sr_bench.core.claim import split_scale
from sr_bench.core.history import PastSession, SessionInfo
from sr_bench.core.record import Record
from sr_bench.core.status import VERIFIED
from sr_bench.document import numbers
from sr_bench.errors import NotRunError
from sr_bench.report.parts.marks import heading
from sr_bench.report.parts.paper import (
    measured_by,
    measured_once,
    plain,
    readings_text,
    value_text,
)


class _Printed(str):
    """A number with the digits that it is to be printed with."""


class _Dumper(yaml.SafeDumper):
    """Knows `_Printed`, and repeats what is equal in place of naming it."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_representer(
    _Printed, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:float", text)
)


def render(session: PastSession, source: str) -> str:
    """Return the ``model-index`` of all that `session` scored on images, an entry for each model.

    Raises:
        NotRunError: Nothing was scored.
    """
    scored = [record for record in measured_once(session.records) if record.dataset]
    if not scored:
        msg = f"run {session.info.run} scored none of this on images, which a model-index is about"
        raise NotRunError(msg)
    models: dict[tuple[str, str], list[Record]] = {}  # of a table of columns they alternate
    for record in scored:
        models.setdefault((record.family, record.model), []).append(record)
    index = [
        {"name": plain(model), "results": [*_results(records, session.info, source)]}
        for (_, model), records in models.items()
    ]
    return yaml.dump(
        {"model-index": index}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000
    )


def _results(
    records: Sequence[Record], info: SessionInfo, source: str
) -> Iterable[dict[str, object]]:
    where = {"source": {"name": "sr-bench", "url": source}} if source else {}
    for name in dict.fromkeys(record.dataset for record in records):
        slug, scale = split_scale(name)
        members = [record for record in records if record.dataset == name]
        printed = next((r.claim.dataset for r in members if r.claim and r.claim.dataset), slug)
        task = f"Super-resolution x{scale}" if scale > 1 else "Image restoration"
        yield {
            "task": {"type": "image-to-image", "name": task},
            "dataset": {"type": plain(slug), "name": plain(printed), "args": {"scale": scale}},
            "metrics": [_metric(record, info) for record in members],
            **where,
        }


def _metric(record: Record, info: SessionInfo) -> dict[str, object]:
    verified = record.claim is not None and record.verdict.status in VERIFIED
    images = record.measurement.planned if record.measurement else 0
    args = {
        "protocol": record.protocol,
        "images": numbers.part(record) or str(images),
        "precision": record.precision,
        "backend": record.backend,
        "device": record.device,
        "readings": readings_text(record),
        "status": record.verdict.status.value,
        "verified_by" if verified else "measured_by": measured_by(info),
    }
    value = value_text(record)
    return {
        "type": record.metric,
        "value": value if "inf" in value else _Printed(value),  # JSON, which they keep, has no inf
        "name": plain(_name(record)),
        "args": {name: plain(text) for name, text in args.items() if text},
    }


def _name(record: Record) -> str:
    """Return the metric with what must stand beside its value: how and by what it was computed."""
    emulated = f"{record.backend}-emulated {record.precision}"
    precision = emulated if record.emulated else numbers.precision(record)
    return ", ".join(filter(None, (heading(record.metric), precision, numbers.part(record))))
