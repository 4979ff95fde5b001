"""Share items out by run from the first card on; nothing of ours is loaded before it."""

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScheduling  # type: ignore[import-untyped]

from sr_bench.plugin.xdist.node_ids import is_ours


class ByRun:
    """xdist's usual way, or by group as soon as a worker has collected a card."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        self._config = config
        self._log = log
        self._chosen = LoadScheduling(config, log)

    def add_node_collection(self, node: object, collection: Sequence[str]) -> None:
        """Take what `node` collected; the first that did decides."""
        if isinstance(self._chosen, LoadScheduling) and any(map(is_ours, collection)):
            from sr_bench.plugin.xdist.groups import ByGroup

            nodes = self._chosen.nodes
            self._chosen = ByGroup(self._config, self._log, collection)
            for earlier in nodes:
                self._chosen.add_node(earlier)
        self._chosen.add_node_collection(node, collection)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chosen, name)
