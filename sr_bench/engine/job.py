"""What measuring is about: a job, the result of an image, and who receives it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.card import ModelCard
from sr_bench.core.case import IMAGE_METRICS
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.source import ImageSet
from sr_bench.engine.score.fidelity import Fidelity
from sr_bench.engine.score.network_io import network_input
from sr_bench.engine.score.protocol import Pair, prepare_pair
from sr_bench.errors import MetricError
from sr_bench.files.hashing import sha256_json

SCORING_VERSION = 1
"""Raised when the same network output would score differently."""

Keep = Callable[[int, Pair, NDArray[np.float32]], None]
"""Called with the number of an image, its pair, and the network's output for it."""

Progress = Callable[[int, int, str], None]
"""Called with images done, images planned, and the name of the last one."""

Done = Callable[[int, "ImageResult"], None]
"""Called with the number of an image and its result as soon as it is there, from any thread."""


def quiet(_done: int, _planned: int, _image: str) -> None:
    """Show no progress."""


class Computes(Protocol):
    """What computes: a session, or one that remembers its outputs."""

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output for `lr`, both float32 NCHW."""


@dataclass(frozen=True)
class ImageResult:
    """All metrics of one image."""

    image: str
    scores: Mapping[str, float]
    fidelity: Fidelity | None = None
    """How close the output is to the reference's; None without one."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """Why metrics without a score have none."""

    def score(self, metric: str) -> float:
        """Return the score by `metric`; raises a MetricError that says why there is none."""
        if metric in self.faults:
            msg = f"image {self.image}: {self.faults[metric]}"
            raise MetricError(msg)
        return self.scores[metric]


@dataclass(frozen=True)
class Job:
    """One network over one dataset by one protocol."""

    card: ModelCard
    protocol: EvalProtocol
    images: ImageSet
    limit: int = 0
    """Images to score, from the first; 0: all."""
    metrics: tuple[str, ...] = IMAGE_METRICS
    """What each image is scored by."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The images to score, in order."""
        return self.images.names[: self.limit or None]

    @property
    def lr_made_by(self) -> str:
        """The rule by which LR is made from HR; empty if LR has files."""
        made_by_protocol = self.protocol.lr_resize or "" if self.protocol.lr_from == "hr" else ""
        return made_by_protocol or self.images.lr_made_by

    @property
    def pair_rule(self) -> tuple[object, ...]:
        """What of the protocol decides a decoded, resized pair."""
        rule = self.protocol
        later = () if rule.resized == "rgb" else (rule.resized,)
        return (rule.lr_from, rule.lr_resize, rule.input_shape, rule.gt_resize, *later)

    @cached_property
    def inputs(self) -> Mapping[str, str]:
        """What decides the scores apart from the network, by name."""
        rule = {"version": SCORING_VERSION, **self.card.network_io, **self.protocol.digested()}
        return {"data": self.images.digest(self.names), "protocol": sha256_json(rule)}

    def pair(self, index: int) -> Pair:
        """Return image number `index`, decoded and resized."""
        lr, hr = self.images.load(index)
        name = self.images.items[index].name
        return prepare_pair(lr, hr, self.protocol, self.card.scale, where=name)

    def input_shape(self, pair: Pair) -> tuple[int, int, int, int]:
        """Return the shape of what the network is given for `pair`."""
        height, width, _ = pair.lr.shape
        factor = self.card.input_scale
        return 1, self.card.input.channels, height * factor, width * factor

    def network_input(self, pair: Pair) -> NDArray[np.float32]:
        """Return the LR of `pair` as the network is given it, 1 x channels x height x width."""
        return network_input(pair.lr, self.protocol, self.card.input, self.card.scale)
