"""The floor of a dataset: what bicubic enlargement scores, at x1 the input; and who is below."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from sr_bench.core.claim import split_scale
from sr_bench.core.gate import NAMED, quantity
from sr_bench.core.metric import metric_info
from sr_bench.core.precision import Precision
from sr_bench.core.record import FLOOR, Record
from sr_bench.text.printable import some

_ADVICE = "check channel order, value range, half-pixel shift"
_LOW = "if fp32 is not, the low precision costs more than the network gains"


@dataclass(frozen=True)
class MeanFloor:
    """What bicubic enlargement scores on a dataset, or at x1 the images that networks are given."""

    metric: str
    dataset: str
    protocol: str
    images: int
    """How many of the dataset's images it is the mean of."""
    value: float
    """In the metric's unit."""

    @property
    def what(self) -> str:
        """What scores it, in a word."""
        return "input" if split_scale(self.dataset)[1] == 1 else "bicubic"

    @property
    def text(self) -> str:
        """The value with its unit."""
        return quantity(self.metric, self.value)


def floor_of(record: Record) -> MeanFloor | None:
    """Return the floor on the images that `record` is about; None if it has none, or no finite one.

    Those that the floor leaves out do not count.
    """
    measurement = record.measurement
    if measurement is None or not isfinite(measurement.notes.get(FLOOR, inf)):
        return None
    value = measurement.notes[FLOOR]
    images = len(measurement.images) - len(measurement.beyond_floor)
    return MeanFloor(record.metric, record.dataset, record.protocol, images, value)


def floors(records: Iterable[Record]) -> tuple[MeanFloor, ...]:
    """Return the floors of `records`, each once, in the order they are met in.

    A dataset has several where it was measured by several protocols, or not whole each time.
    """
    return tuple(dict.fromkeys(filter(None, map(floor_of, records))))


def below_floor(record: Record) -> str:
    """Return a sentence if a value is worse than the floor of its images, else an empty string."""
    floor, measurement = floor_of(record), record.measurement
    if floor is None or measurement is None:
        return ""
    gain = measurement.beside_floor - floor.value
    if (gain if metric_info(record.metric).drops else -gain) >= 0:
        return ""
    side = "below" if gain < 0 else "above"
    advice = _ADVICE if record.precision == Precision.FP32 else _LOW
    without = f" ({left_out})" if (left_out := beyond_floor(record)) else ""
    return f"{side} {floor.what} {floor.text}{without}: {advice}"


def beyond_floor(record: Record) -> str:
    """Return which images the floor leaves out, and why; empty if it leaves out none."""
    if record.measurement is None or not record.measurement.beyond_floor:
        return ""
    out, why = some(record.measurement.beyond_floor, NAMED), metric_info(record.metric).perfection
    return f"without {out}, where one of the two has {why}"


def why(record: Record) -> str:
    """Return the sentence of the verdict, and what must be known of the value besides."""
    below = below_floor(record)
    return f"{record.verdict.sentence}; {below}" if below else record.verdict.sentence


def floor_lines(records: Iterable[Record]) -> list[str]:
    """Return a line for each model of `records` with a value below its floor."""
    models: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if below_floor(record):
            models.setdefault((record.family, record.model), []).append(record)
    return [*map(_model_line, models.values())]


def _model_line(below: Sequence[Record]) -> str:
    first, *others = below
    value = quantity(first.metric, first.measurement.beside_floor) if first.measurement else ""
    more = f" (and {len(others)} more of its values)" if others else ""
    return (
        f"{first.model} {first.precision}: {first.metric} on {first.dataset} is {value},"
        f" {below_floor(first)}{more}"
    )
