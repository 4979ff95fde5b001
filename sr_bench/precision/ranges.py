"""Clip ranges of a whole network: made by an observer, then saved to a JSON file and read back."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from sr_bench import discovery
from sr_bench.core.int8 import ClipRange, Int8Plan, RangeChoice
from sr_bench.core.precision import OBSERVERS
from sr_bench.errors import BackendError
from sr_bench.files.atomic import write_text
from sr_bench.files.validation import Table, nearest, validate
from sr_bench.precision.acceptance import Widened
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.network import Network
from sr_bench.precision.points import MOVES

NO_CHOICES: Mapping[str, RangeChoice] = MappingProxyType({})


@dataclass(frozen=True)
class Ranges:
    """The clip ranges of a network's tensors, and their origin."""

    observer: str
    clip: Mapping[str, ClipRange]
    """By name of the tensor."""
    provenance: Mapping[str, str]
    """What a record says about the calibration set."""
    widened: Mapping[str, Widened] = field(default_factory=dict)
    """By name of the tensor: those whose range was not accepted as the observer chose it."""

    @property
    def widened_text(self) -> str:
        """Say how many were widened, and for which images; empty if none was."""
        images = Counter(change.image for change in self.widened.values())
        each = ", ".join(f"{image} ({count})" for image, count in images.most_common())
        return f"{len(self.widened)} of {len(self.clip)} clip ranges, for {each}" if each else ""


class _ClipTable(Table):
    low: Annotated[FiniteFloat, Field(le=0)]
    high: Annotated[FiniteFloat, Field(ge=0)]


class _WidenedTable(Table):
    image: str
    asked: _ClipTable
    clip: _ClipTable


class _RangesTable(Table):
    schema_version: Literal[1]
    """It grows when the meaning of a key changes."""
    observer: str
    clip: dict[str, _ClipTable]
    provenance: dict[str, str]
    widened: dict[str, _WidenedTable] = {}


def clip_ranges(
    network: Network,
    histograms: Mapping[str, Histogram],
    observer: str,
    plan: Int8Plan,
    *,
    input_range: ClipRange,
    choices: Mapping[str, RangeChoice] = NO_CHOICES,
) -> dict[str, ClipRange]:
    """Return the clip range of every tensor in `histograms`, and of the network's input, by name.

    The input gets `input_range`, what an image can hold, whatever the calibration set
    reached. What the layers that match a pattern of `choices` read is chosen as that says; of two
    that match, the last counts.

    Raises:
        OptionError: There is no such observer; the message lists the valid ones.
        CardError: A pattern matches no layer.
    """
    clip = chosen(histograms, observer, plan)
    read = _read_by_choice(network, choices)
    for name in read.keys() & clip.keys():
        if other := read[name].observer:
            clip |= chosen({name: histograms[name]}, other, plan)
    clip[network.input] = input_range
    for name in read.keys() & clip.keys():
        if read[name].symmetric:
            reach = max(-clip[name].low, clip[name].high)
            clip[name] = ClipRange(-reach, reach)
    return clip


def _read_by_choice(network: Network, choices: Mapping[str, RangeChoice]) -> dict[str, RangeChoice]:
    """Return the choice for each tensor that a layer reads, and for those of the same values."""
    found: dict[str, RangeChoice] = {}
    for pattern, choice in choices.items():
        for layer in network.matching((pattern,), key="observers"):
            name = layer.input
            found[name] = choice
            # The first tensor of a chain of moves lends the others its range.
            while (node := network.producers.get(name)) is not None and node.op_type in MOVES:
                name = node.input[0]
                found[name] = choice
    return found


def chosen(
    histograms: Mapping[str, Histogram], observer: str, plan: Int8Plan
) -> dict[str, ClipRange]:
    """Return what `observer` chooses for each tensor alone.

    Raises:
        OptionError: There is no such observer; the message lists the valid ones.
    """
    choose: Callable[[Histogram, Int8Plan], ClipRange]
    choose = discovery.load(OBSERVERS, observer).clip_range
    return {name: choose(histogram, plan) for name, histogram in histograms.items()}


def save_ranges(path: Path, ranges: Ranges) -> None:
    """Write `ranges` to `path` as JSON, whole or not at all; every float comes back exactly.

    Raises:
        SrBenchError: The file can't be written.
    """
    whole = {
        "schema_version": 1,
        "observer": ranges.observer,
        "provenance": dict(ranges.provenance),
        "widened": {name: asdict(change) for name, change in ranges.widened.items()},
        "clip": {name: asdict(limits) for name, limits in ranges.clip.items()},
    }
    write_text(path, json.dumps(whole, indent=1, allow_nan=False) + "\n")


def load_ranges(path: Path) -> Ranges:
    """Return the ranges in a file that `save_ranges` wrote, or that was edited after.

    Raises:
        BackendError: It can't be read, or has faults; all are listed.
    """
    table = validate(_RangesTable, _read(path), where=str(path), error=BackendError)
    observers = discovery.names(OBSERVERS)
    if table.observer not in observers:
        msg = f"{path}: unknown observer {table.observer!r}; {nearest(table.observer, observers)}"
        raise BackendError(msg)
    clip = {name: _range(limits) for name, limits in table.clip.items()}
    widened = {
        name: Widened(change.image, _range(change.asked), _range(change.clip))
        for name, change in table.widened.items()
    }
    return Ranges(table.observer, clip, table.provenance, widened)


def _range(limits: _ClipTable) -> ClipRange:
    return ClipRange(limits.low, limits.high)


def _read(path: Path) -> dict[str, object]:
    expected = "expected clip ranges, as `sr-bench calibrate` writes them"
    try:
        content = json.loads(path.read_bytes())
    except OSError as cause:
        msg = f"{path}: can't be read ({cause.strerror}); {expected}"
        raise BackendError(msg) from cause
    except (ValueError, RecursionError) as cause:  # the latter: brackets by the thousand
        msg = f"{path}: not valid JSON ({cause}); {expected}"
        raise BackendError(msg) from cause
    if not isinstance(content, dict):
        msg = f"{path}: got a {type(content).__name__}; {expected}"
        raise BackendError(msg)
    return content
