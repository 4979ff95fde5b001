"""Files on their way to workers: each content once at a time, and only as long as it is needed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sr_bench.engine.elsewhere.cluster.parcel import Content
from sr_bench.engine.elsewhere.cluster.shards import Task

if TYPE_CHECKING:  # an extra
    from distributed import Client, Future


@dataclass(eq=False)
class _Sent:
    """A content in the memory of the cluster, as long as a task needs it."""

    future: "Future[Any]"
    tasks: set[Task] = field(default_factory=set)
    workers: set[str] = field(default_factory=set)


class Traffic:
    """What is sent to workers that said what they lack.

    A worker keeps what it was sent, so that it lacks a content once. Several workers that lack it
    at the same time take it from each other.

    Args:
        client: Of the cluster.
        prefix: Starts the name of everything in the cluster's memory.
    """

    def __init__(self, client: "Client", prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._wanted: dict[Task, set[str]] = {}
        self._sent: dict[str, _Sent] = {}
        self.log: list[tuple[str, str]] = []
        """Key of each content that was sent, and the worker it was for, each time."""

    def want(self, task: Task, keys: Iterable[str]) -> None:
        """Note that a worker lacks the contents `keys` for `task`."""
        self._wanted.setdefault(task, set()).update(keys)

    def send(
        self, task: Task, worker: str, contents: Iterable[Content]
    ) -> "dict[str, Future[Any]]":
        """Return those of `contents` that are lacking for `task`, on their way to `worker`.

        Raises:
            OSError: A file can't be read.
        """
        wanted = self._wanted.get(task, ())
        return {one.key: self._future(task, worker, one) for one in contents if one.key in wanted}

    def _future(self, task: Task, worker: str, content: Content) -> "Future[Any]":
        if content.key not in self._sent:
            name = f"{self._prefix}-{content.key}-{uuid4().hex}"
            data = {name: content.read()}
            sent = self._client.scatter(  # type: ignore[no-untyped-call]
                data, workers=[worker], hash=False
            )
            self._sent[content.key] = _Sent(sent[name])
        found = self._sent[content.key]
        found.tasks.add(task)
        if worker not in found.workers:
            found.workers.add(worker)
            self.log.append((content.key, worker))
        return found.future

    def settled(self, task: Task) -> None:
        """Let go of what nobody but `task` needed."""
        for key, sent in list(self._sent.items()):
            sent.tasks.discard(task)
            if not sent.tasks:
                del self._sent[key]

    def forget(self, task: Task) -> None:
        """Note that `task` lacks nothing any more."""
        self.settled(task)
        self._wanted.pop(task, None)

    def close(self) -> None:
        """Let go of everything."""
        self._sent.clear()
