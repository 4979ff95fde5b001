"""What a worker answers: results, files, what it lacks, or an error that the controller raises."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sr_bench.engine.elsewhere.cluster.relocate import inside
from sr_bench.engine.job import ImageResult
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.errors import SrBenchError
from sr_bench.files.atomic import write_bytes
from sr_bench.text.home import without_home


@dataclass(frozen=True)
class Fault:
    """An error on its way back: some can't be pickled, and its paths are the worker's."""

    kind: type[SrBenchError]
    args: tuple[object, ...]
    state: Mapping[str, object]

    def error(self) -> SrBenchError:
        """Return the error."""
        found: SrBenchError = self.kind.__new__(self.kind, *self.args)
        vars(found).update(self.state)
        return found


def fault_of(error: SrBenchError, where: Mapping[Path, Path]) -> Fault:
    """Return `error` with the paths that the controller knows, and no home of the worker's user."""

    def told(value: object) -> object:
        if isinstance(value, str):
            for theirs, own in where.items():
                value = value.replace(str(own), str(theirs))
            return without_home(value)
        return value

    state = {key: told(item) for key, item in vars(error).items() if key != "__notes__"}
    return Fault(type(error), tuple(map(told, error.args)), state)


@dataclass(frozen=True)
class Outcome:
    """What a worker answers."""

    worker: str
    missing: tuple[str, ...] = ()
    """Keys of the contents that it has not: nothing was done."""
    refused: str = ""
    """Why its numbers would not be the others'; nothing was done."""
    device: str = ""
    notes: Mapping[str, str] | None = None
    results: tuple[tuple[int, ImageResult], ...] = ()
    """By number in the whole dataset."""
    kept: tuple[tuple[str, bytes], ...] = ()
    """Files of the images kept, by their path in the results folder."""
    made: tuple[str, Mapping[str, str], bytes | None] | None = None
    """Of a preparation: the file's name in the cache folder, its notes, and what is in it."""
    fault: Fault | None = None
    seconds: float = 0.0

    def write_kept(self, keeper: Keeper | None) -> None:
        """Write the images kept, as `keeper` would have done here.

        Raises:
            SrBenchError: They can't be written, or would lie outside of the results folder.
        """
        if keeper:
            for name, data in self.kept:
                write_bytes(inside(keeper.results, name), data)
