"""A run that was handed in, and what comes of it, in the order in which callers want it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

from sr_bench.engine.job import Done, ImageResult, Progress
from sr_bench.engine.measure.worker import Begin, Work


@dataclass(frozen=True)
class Delivery:
    """What came of a shard, or why nothing comes."""

    results: tuple[tuple[int, ImageResult], ...] = ()
    device: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    fault: BaseException | None = None
    at: int = -1
    """With a fault: the image that it is about; -1: all of the run."""


@dataclass(eq=False)
class Run:
    """A run that was handed in, for whoever waits for it."""

    key: str
    place: int
    """Among all runs: earlier ones go first."""
    work: Work
    asked: set[int] = field(default_factory=set)
    arrivals: SimpleQueue[Delivery] = field(default_factory=SimpleQueue)
    parts: list[tuple[int, ...]] = field(default_factory=list)
    """Images that wait until the networks are ready."""
    needs: set[str] = field(default_factory=set)
    """Digests of networks that are being prepared."""


def collect(
    run: Run,
    indices: Sequence[int],
    begin: Begin,
    done: Done,
    progress: Progress,
) -> int:
    """Pass on what arrives until the images `indices` are there.

    Returns:
        How many that are.
    """
    places = {index: place for place, index in enumerate(indices)}
    found: dict[int, ImageResult] = {}
    ordered: list[ImageResult] = []
    said: tuple[str, Mapping[str, str]] | None = None
    end, fault = len(indices), None
    while len(ordered) < end:
        came = run.arrivals.get()
        if came.device:
            if said is None:
                begin(came.device, came.notes)
            said = (came.device, {**(said[1] if said else {}), **came.notes})
        for index, result in came.results:
            if index in places:
                found[places[index]] = result
                done(index, result)
                progress(len(found), len(indices), result.image)
        if came.fault is not None and (at := places.get(came.at, 0)) < end:
            end, fault = at, came.fault
        while len(ordered) < end and len(ordered) in found:
            ordered.append(found[len(ordered)])
    if fault is not None:
        raise fault
    if said is not None:
        begin(*said)
    return len(ordered)
