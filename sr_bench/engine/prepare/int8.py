"""From a calibration set to an int8 network: one pass serves every observer, kept by content."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper

from sr_bench.core.backend import PROFILE_KEY
from sr_bench.core.card import ModelCard
from sr_bench.core.device import DevicePlan, Profile
from sr_bench.core.int8 import ClipRange, RangeChoice
from sr_bench.engine.prepare.calibrated import Calibrated, packed, unpacked
from sr_bench.engine.prepare.calibration import CalibrationSet, Effort
from sr_bench.engine.prepare.read_once import network_in
from sr_bench.engine.prepare.stress import stress_weight
from sr_bench.errors import BackendError, NotRunError
from sr_bench.files.kept import Kept
from sr_bench.files.onnx_file import metadata
from sr_bench.files.onnx_write import write_onnx
from sr_bench.precision.acceptance import Images, widened
from sr_bench.precision.emulated.device import COUNTING, clip_thresholds, emulate
from sr_bench.precision.histogram import USUAL
from sr_bench.precision.macs import run_in_integers
from sr_bench.precision.network import Layer, Network
from sr_bench.precision.noise.carried import Carrier, largest_side
from sr_bench.precision.noise.plans import Predictor
from sr_bench.precision.noise.reach import reach
from sr_bench.precision.points import points
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.scale import Scale
from sr_bench.precision.qdq.write import int8_share, quantise
from sr_bench.precision.ranges import Ranges, clip_ranges
from sr_bench.precision.scaling.channel_profile import channel_profiles
from sr_bench.precision.scaling.equalise import UNSCALED, Scaling, scaled, scaling, watched
from sr_bench.precision.statistics.calibrate import collect
from sr_bench.precision.tiles import LARGEST_TILE, MIDDLE, Cutter, Run

_CARRIED = 3
"""Images that noise is carried through the network for, to scale its channels."""

_WHOLE = 512
"""Pixels of a result's side up to which a device, whose compiler never cuts, sees an image whole:
VDSR's range of 256 pixels in tiles gave 0.05 dB more."""


@dataclass(frozen=True)
class Int8Maker:
    """Makes int8 networks of one fp32 network from one calibration pass, for any plan."""

    network: Network
    """With scaled channels, where the plan lets them be."""
    calibrated: Calibrated
    images: CalibrationSet

    def ranges(self, observer: str, choices: Mapping[str, RangeChoice] | None = None) -> Ranges:
        """Return the clip range of every tensor by `observer`, widened where it is not accepted.

        `choices` are those of `clip_ranges`; None: those of the card's plan.
        """
        if choices is None:
            return self._by_plan(observer)
        plan, made = self.images.card.int8, self.calibrated
        whole = {pattern: replace(choice, observer="max") for pattern, choice in choices.items()}

        def chosen(name: str, choices: Mapping[str, RangeChoice]) -> dict[str, ClipRange]:
            histograms, given = {**made.histograms, **made.live}, self.images.input_range
            return clip_ranges(
                self.network, histograms, name, plan, input_range=given, choices=choices
            )

        clip = chosen(observer, choices)
        is_widest = (observer, choices) == ("max", whole)
        widest = clip.copy() if is_widest else chosen("max", whole)
        images = Images(sorted(self.images.names), self.images.stress, made.stress_weight)
        tails = {name: made.tails[name] for name in clip if name != self.network.input}
        changes = widened(clip, widest, tails, images, plan)
        clip |= {name: change.clip for name, change in changes.items()}
        return Ranges(observer, clip, self.images.provenance(), changes)

    @cached_property
    def _by_plan(self) -> Callable[[str], Ranges]:
        """The ranges by an observer; 2 s of 351 layers, and trials ask for them again and again."""
        return cache(lambda observer: self.ranges(observer, self.images.card.int8.observers))

    def model(
        self, ranges: Ranges, keep: Sequence[str], notes: Mapping[str, str] | None = None
    ) -> ModelProto:
        """Return the QDQ network; `keep` has patterns of the layers that stay in float."""
        kept = self._kept(keep, "keep")
        plan = replace(self.images.card.int8, keep=tuple(keep))
        entries = {
            "observer": ranges.observer,
            "keep": " ".join(keep),
            "int8_share": f"{int8_share(self.network, kept):.4f}",
            "float_operators": ", ".join(self.network.floats),
            "widened": ranges.widened_text,
            "widened_for": ", ".join(f"{name}: {w.image}" for name, w in ranges.widened.items()),
            **ranges.provenance,
            **(notes or {}),
        }
        return quantise(
            self.network, ranges.clip, self.calibrated.weights, plan, kept, notes=entries
        )

    def emulated(
        self,
        observer: str,
        profile: Profile,
        plan: DevicePlan,
        notes: Mapping[str, str] | None = None,
    ) -> ModelProto:
        """Return the network in int8 as a device computes it, by one reading of that."""
        self._kept(plan.skip, "vacc.skip")
        thresholds = clip_thresholds(self.network, self.calibrated.histograms, observer, plan)
        entries = {"observer": observer, **self.images.provenance(), **(notes or {})}
        return emulate(self.network, thresholds, profile, plan, notes=entries)

    def _kept(self, patterns: Sequence[str], key: str) -> tuple[Layer, ...]:
        """Return the layers that stay in float; raise a NotRunError if those are all."""
        kept = self.network.matching(patterns, key=key)
        if len(kept) == len(self.network.layers):
            msg = f"no layer is left to quantise: {key} leaves all {len(kept)} in float"
            raise NotRunError(msg)
        return kept

    def write(self, model: ModelProto, target: Path) -> None:
        """Write `model` to `target` with what plain onnxruntime runs of it in integers.

        Raises:
            BackendError: It is not valid, or onnxruntime can't open it; no file is written.
        """
        made = metadata(model)
        shares = {layer.node: layer.share for layer in self.network.layers}
        share = None if PROFILE_KEY in made else run_in_integers(model, shares)
        if share is not None:
            helper.set_model_props(model, made | {"sr_bench.integer_share": f"{share:.4f}"})
        try:
            write_onnx(model, target, is_run=share is not None)
        except BackendError as error:
            raise error.about(_called(self.images.card)) from error

    def predictors(
        self, ways: Sequence[Ranges], images: Iterable[NDArray[np.float32]]
    ) -> tuple[Predictor, ...]:
        """Return the errors that each layer makes at the output on `images`, NCHW, by each of ways.

        Raises:
            BackendError: They can't be carried there.
        """
        carrier = Carrier(self.network, self.calibrated.weights)
        source, plan = points(self.network).scale_of, self.images.card.int8
        scales = [
            lambda name, clip=ranges.clip: Scale.of(clip[source.get(name, name)], plan)
            for ranges in ways
        ]
        errors = [carrier.errors(image, scales, seed) for seed, image in enumerate(images)]
        return tuple(
            Predictor(self.network, by_image, carrier.blocked)
            for by_image in zip(*errors, strict=True)
        )

    def cutter(self, run: Run, memory_bytes: int) -> Cutter:
        """Return what cuts images into parts whose errors fit into the memory.

        `run` runs the fp32 network on an image, NCHW; it raises anything if it can't.
        """
        given = self.images.card.input
        side = largest_side(self.network, given.channels, memory_bytes)
        return Cutter.of(self.network, run, given, largest=side)

    def noise(self, observer: str) -> dict[str, float]:
        """Return the noise that 8 bits add to each tensor, as a part of its power: an estimate."""
        clip = self.ranges(observer).clip
        return {
            name: histogram.noise(clip[name])
            for name, histogram in self.calibrated.histograms.items()
        }


def int8_maker(
    onnx: Path,
    images: CalibrationSet,
    kept: Kept,
    name: str,
    effort: Effort,
    *,
    is_qdq: bool,
) -> Int8Maker:
    """Return what makes int8 networks of the one in the file `onnx`, after a pass over `images`.

    What the pass finds is the file `name` of `kept` if it was made before: a digest of all that
    decides the content. Of a QDQ file the plan may have the channels scaled first, and its ranges
    heed images that stress; a device's compiler gets the network as it is, widens nothing,
    counts all values, and cuts larger images alone.

    Raises:
        BackendError: The network can't run on an image, a value is NaN or infinite, or the
            memory is too small; the message names it.
        NotRunError: No layer can be quantised.
    """
    network = network_in(onnx, told=images.card.onnx)
    if not network.layers:
        msg = (
            "no layer can be quantised: expected a Conv of two spatial axes with constant weights,"
            f" got {', '.join(network.floats) or 'no operator that multiplies'}"
        )
        raise NotRunError(msg)
    if (content := kept.read(name)) is not None:
        result = unpacked(content)
        return Int8Maker(scaled(network, result.scaling), result, images)
    # The moments are dear, and no other rounding reads them.
    learned = images.card.int8.rounding == "learned"
    try:
        found = _scaling(network, images, effort) if is_qdq else UNSCALED
        network = scaled(network, found)
        statistics = collect(
            network,
            _named(images),
            moments=learned,
            given=images.card.input,
            stress=images.stress,
            counting=USUAL if is_qdq else COUNTING,
            largest=LARGEST_TILE if is_qdq else max(LARGEST_TILE, _WHOLE // images.card.scale),
            **vars(effort),
        )
    except BackendError as error:
        raise error.about(_called(images.card)) from error
    weights = integer_weights(network, statistics.moments, workers=effort.workers)
    result = Calibrated(
        statistics.histograms, statistics.live, statistics.tails, weights, found, stress_weight=0.0
    )
    maker = Int8Maker(network, result, images)
    if images.stress and is_qdq:
        low = maker.model(maker.ranges("max", choices={}), keep=())
        known, workers = statistics.outputs, effort.workers
        weight = stress_weight(network, low, images, known, workers=workers)
        maker = replace(maker, calibrated=replace(result, stress_weight=weight))
    kept.write(name, packed(maker.calibrated))
    return maker


def _scaling(network: Network, images: CalibrationSet, effort: Effort) -> Scaling:
    """Return how the plan has the channels of `network` scaled, by images that don't stress."""
    calm, stressed = (
        {name: load for name, load in _named(images).items() if (name in images.stress) == stresses}
        for stresses in (False, True)
    )
    if not calm or images.card.int8.channels == "given":
        return UNSCALED
    given, workers, names = images.card.input, effort.workers, watched(network)
    profiles, far = (
        channel_profiles(network, names, some, workers=workers, given=given, side=side)
        # A drawn image may have another kind of content in each part.
        for some, side in ((calm, MIDDLE), (stressed, LARGEST_TILE))
    )
    few = dict([*calm.items()][:: max(1, len(calm) // _CARRIED)][:_CARRIED])
    with suppress(BackendError):  # what carries no noise back keeps its scale
        carried = reach(network, few, given)
        may_loosen = images.card.int8.skips == "float"
        return scaling(network, profiles, carried, far, may_loosen=may_loosen)
    return UNSCALED


def _named(images: CalibrationSet) -> dict[str, Callable[[], NDArray[np.float32]]]:
    return dict(zip(images.names, images.inputs(), strict=True))


def skipped(onnx: Path, card: ModelCard) -> tuple[int, ...]:
    """Return the positions in the network of `card`, `onnx`, of layers that its device skips.

    Raises:
        CardError: The network has no such layer.
        BackendError: It can't be read.
    """
    if not card.device.skip:
        return ()
    network = network_in(onnx, told=card.onnx)
    matching = network.matching(card.device.skip, key="vacc.skip")
    return tuple(i for i, layer in enumerate(network.layers) if layer in matching)


def _called(card: ModelCard) -> str:
    """Return what errors call the network of `card`: by the user's own file, if there is one."""
    return str(card.onnx or card.name)
