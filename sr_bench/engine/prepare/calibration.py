"""The images that clip ranges come from, as a network's inputs or as levels, and their digest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.card import ModelCard
from sr_bench.core.int8 import ClipRange
from sr_bench.core.network_io import NetworkInput
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.source import ImageSet
from sr_bench.engine.job import Progress, quiet
from sr_bench.engine.score.network_io import network_input
from sr_bench.engine.score.protocol import in_input_shape
from sr_bench.errors import CardError, DatasetError
from sr_bench.files.hashing import sha256_json
from sr_bench.imaging.resize import resize


@dataclass(frozen=True)
class Effort:
    """What calibration may use, and where it reports; none of it changes the result."""

    memory_bytes: int = 2**30
    workers: int = 1
    progress: Progress = quiet


LEAST_EFFORT = Effort()


@dataclass(frozen=True)
class CalibrationSet:
    """The images of a card's int8 plan, as the network gets them."""

    card: ModelCard
    images: ImageSet
    shared: tuple[str, ...] = ()
    """Images that are evaluated too."""
    evaluated_by: EvalProtocol | None = None
    """How images become the network's input; None: as in the card's first table."""

    @property
    def names(self) -> tuple[str, ...]:
        """The images, in order."""
        return self.images.names[: self.card.int8.count or None]

    @property
    def stress(self) -> frozenset[str]:
        """Those that no observer sees: see `acceptance`."""
        return self.images.stress.intersection(self.names)

    @property
    def input_range(self) -> ClipRange:
        """What the network's input can hold, 0 included."""
        return self._given.values

    @property
    def _given(self) -> NetworkInput:
        return self.card.input.with_white(self._rule.input_range)

    @property
    def _rule(self) -> EvalProtocol:
        return self.evaluated_by or self.card.usual_protocol

    @cached_property
    def digest(self) -> str:
        """Digest of the images and of all that is done to them."""
        rule = self._rule
        luma = [rule.resized] if rule.resized != "rgb" else []
        resized = [rule.lr_resize, rule.input_shape, *luma] if rule.input_shape else luma
        given = self._given
        # Of RGB from 0 to white its white level alone.
        declared = [choices] if (choices := given.choices()) else []
        facts = [rule.channel_order, given.range[1], *resized, *declared]
        return sha256_json([self.images.digest(self.names), *facts])

    def inputs(self) -> tuple[Callable[[], NDArray[np.float32]], ...]:
        """Return a function for each image that loads it as the network's input."""
        return tuple(partial(self._input, index) for index in range(len(self.names)))

    def levels(self) -> tuple[Callable[[], NDArray[np.uint8]], ...]:
        """Return a function for each image that loads it as height x width x 3, RGB, 0-255.

        Each is in the size that the network gets what is judged in.
        """
        return tuple(partial(self._levels, index) for index in range(len(self.names)))

    def _input(self, index: int) -> NDArray[np.float32]:
        lr = self._lr(index)
        lr = self._filled(lr) if self.card.onnx else lr  # which may take no other size
        return network_input(lr, self._rule, self.card.input, self.card.scale)

    def _levels(self, index: int) -> NDArray[np.uint8]:
        lr, factor = self._filled(self._lr(index)), self.card.input_scale
        rule = self.card.input.enlarged
        return resize(lr, (lr.shape[0] * factor, lr.shape[1] * factor), rule) if rule else lr

    def _lr(self, index: int) -> NDArray[np.uint8]:
        lr, hr = self.images.load(index)
        if lr is None and self.card.scale == 1:
            lr = hr
        if lr is None:
            msg = f"{self.images.slug}: {self.names[index]} has no LR image to calibrate with"
            raise DatasetError(msg)
        shape = self._rule.input_shape
        if shape:  # enlarged, it would lack the detail of what is judged, and that be clipped
            shape = (min(shape[0], lr.shape[0]), min(shape[1], lr.shape[1]))
        return in_input_shape(lr, replace(self._rule, input_shape=shape))

    def _filled(self, lr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return `lr` mirrored until it fills the size that the protocol resizes to."""
        height, width = self._rule.input_shape or lr.shape[:2]
        spare = ((0, height - lr.shape[0]), (0, width - lr.shape[1]), (0, 0))
        return np.pad(lr, spare, "reflect")

    def provenance(self) -> Mapping[str, str]:
        """Return what a record says about the set."""
        provenance = {
            "calibration_set": f"{self.images.slug}_x{self.images.scale}",
            "calibration_images": str(len(self.names)),
            "calibration_digest": self.digest,
        }
        if self.shared:
            provenance["calibration_shared"] = ", ".join(self.shared)
        return provenance


def calibration_set(
    card: ModelCard,
    images: ImageSet,
    evaluated: Sequence[ImageSet],
    evaluated_by: EvalProtocol | None = None,
) -> CalibrationSet:
    """Return the calibration images of `card`, the first of `images`, its int8 plan's dataset.

    They become inputs by the protocol `evaluated_by`; without one as in the card's first table.

    Raises:
        DatasetError: There are fewer images than the plan's count.
        CardError: An image is among the `evaluated` too, and the card doesn't allow it.
    """
    count = card.int8.count
    if not images.items or count > len(images):
        msg = f"{card.id}: int8.count = {count}, but {images.slug} has {len(images)} images"
        raise DatasetError(msg)
    # By content: names may differ.
    judged = {digest for image_set in evaluated for digest in image_set.digests}
    named = zip(images.names, images.digests[: count or None], strict=False)
    shared = tuple(name for name, digest in named if digest in judged)
    if shared and not card.int8.shared_images:
        msg = (
            f"{card.id}: calibration images are evaluated too: {', '.join(shared[:5])}; calibrate"
            " with another dataset, or allow it with int8.shared_images = true (reports say so)"
        )
        raise CardError(msg)
    return CalibrationSet(card, images, shared, evaluated_by)
