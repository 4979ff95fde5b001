"""Networks whose files workers make: one after the other where they share steps, each just once."""

from collections import deque
from dataclasses import dataclass, field, replace

from sr_bench.engine.elsewhere.cluster.outcome import Outcome
from sr_bench.engine.elsewhere.cluster.parcel import Made, Preparation, given_files, must_be_made
from sr_bench.engine.elsewhere.cluster.relocate import inside
from sr_bench.engine.elsewhere.cluster.runs import Run
from sr_bench.engine.elsewhere.cluster.shards import Task
from sr_bench.engine.prepare.network import Effort, Prepared
from sr_bench.errors import BackendError
from sr_bench.files.atomic import write_bytes
from sr_bench.files.cache import cache_dir


@dataclass(eq=False)
class _Network:
    """A network whose file is being made."""

    prepared: Prepared
    task: Task
    runs: list[Run] = field(default_factory=list)
    """Who waits for it."""
    wants_data: bool = False
    """Whether the file has to come here, as it is only on the worker's disk."""


class Networks:
    """What is being made, and what was made."""

    def __init__(self) -> None:
        self.made: dict[str, Made] = {}
        """By the digest of the network."""
        self._making: dict[Task, _Network] = {}
        # The precisions of one network share its export, and those of int8 one calibration pass.
        self._groups: dict[str, deque[Task]] = {}

    def need(self, run: Run) -> list[Task]:
        """Note what `run` has to wait for; return what can be made at once.

        Raises:
            SrBenchError: A file is absent.
        """
        work = run.work
        networks = (work.prepared, work.reference) if work.reference else (work.prepared,)
        missing = {
            one.digest: one for one in networks if must_be_made(one) and one.digest not in self.made
        }
        run.needs.update(missing)
        return [task for one in missing.values() for task in self._ordered(one, run)]

    def _ordered(self, prepared: Prepared, run: Run) -> list[Task]:
        """Let `run` wait for a network; return its task if nothing else goes first."""
        name = f"prepare-{prepared.digest}"
        for one in self._making.values():
            if one.task.name == name:
                one.runs.append(run)
                return []
        task = Task(name, run="", place=run.place, home=("network", prepared.network))
        self._making[task] = _Network(prepared, task, [run])
        group = self._groups.setdefault(prepared.network, deque())
        group.append(task)
        return [task] if group[0] == task else []

    def name(self, task: Task) -> str:
        """Return the name of the model that `task` prepares."""
        return self._making[task].prepared.card.id

    def parcel(self, task: Task) -> Preparation:
        """Return what a worker needs for `task`."""
        one = self._making[task]
        effort = Effort(one.prepared.effort.memory_bytes)
        prepared = replace(one.prepared, effort=effort)
        return Preparation(prepared, given_files(prepared), one.wants_data)

    def accept(self, task: Task, outcome: Outcome) -> bool:
        """Take what came of `task`; False if it has to be asked again, for the file itself.

        The file goes to the cache folder of this machine as if it had been made here.

        Raises:
            SrBenchError: It can't be written, or the worker made none.
        """
        one = self._making[task]
        if outcome.made is None:
            msg = f"worker {outcome.worker} made no file of {self.name(task)}"
            raise BackendError(msg)
        name, told, data = outcome.made
        target = inside(cache_dir(), name)
        if not target.is_file():
            if data is None:
                one.wants_data = True
                return False
            write_bytes(target, data)
        self.made[one.prepared.digest] = Made(target, told)
        return True

    def finished(self, task: Task) -> tuple[list[Run], list[Task]]:
        """Return who waited for `task`, whatever came of it, and what can be made next."""
        one = self._making.pop(task)
        group = self._groups[one.prepared.network]
        group.popleft()
        for run in one.runs:
            run.needs.discard(one.prepared.digest)
        return one.runs, [group[0]] if group else []
