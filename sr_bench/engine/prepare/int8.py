"""From a calibration set to an int8 network: one pass serves every observer, kept by content."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper

from sr_bench.core.backend import PROFILE_KEY
from sr_bench.core.card import ModelCard
from sr_bench.core.device import DevicePlan, Profile
from sr_bench.core.int8 import RangeChoice
from sr_bench.engine.prepare.calibration import CalibrationSet, Effort
from sr_bench.engine.prepare.read_once import network_in
from sr_bench.errors import BackendError, NotRunError
from sr_bench.files.kept import Kept
from sr_bench.files.onnx_file import metadata
from sr_bench.files.onnx_write import write_onnx
from sr_bench.precision.acceptance import Images, widened
from sr_bench.precision.calibrate import collect
from sr_bench.precision.emulated import clip_thresholds, emulate
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.macs import run_in_integers
from sr_bench.precision.network import Layer, Network
from sr_bench.precision.noise.carried import Carrier
from sr_bench.precision.noise.plans import Predictor
from sr_bench.precision.points import points
from sr_bench.precision.qdq import int8_share, quantise
from sr_bench.precision.ranges import NO_CHOICES, Ranges, clip_ranges
from sr_bench.precision.rounding import IntegerWeights, integer_weights
from sr_bench.precision.scale import Scale
from sr_bench.precision.tails import Tails

_BY_IMAGE = ("totals", "starts")
_TAIL_ARRAYS = tuple(item.name for item in fields(Tails))


@dataclass(frozen=True)
class Calibrated:
    """What one pass over a calibration set yields: all that any observer or plan needs."""

    histograms: Mapping[str, Histogram]
    """Of each tensor that may be rounded."""
    live: Mapping[str, Histogram]
    """Of those of which not all values matter: of the values that do."""
    tails: Mapping[str, Tails]
    """Of each image's largest values that matter, the images in the order of their names."""
    weights: Mapping[str, IntegerWeights]
    """By name of the weight constant."""


@dataclass(frozen=True)
class Int8Maker:
    """Makes int8 networks of one fp32 network from one calibration pass, for any plan."""

    network: Network
    calibrated: Calibrated
    images: CalibrationSet

    def ranges(self, observer: str, choices: Mapping[str, RangeChoice] = NO_CHOICES) -> Ranges:
        """Return the clip range of every tensor by `observer`, widened where it is not accepted.

        `choices` are those of `clip_ranges`.
        """
        plan, made = self.images.card.int8, self.calibrated
        whole = {pattern: replace(choice, observer="max") for pattern, choice in choices.items()}
        clip, widest = (
            clip_ranges(
                self.network,
                {**made.histograms, **made.live},
                name,
                plan,
                input_range=self.images.input_range,
                choices=chosen,
            )
            for name, chosen in ((observer, choices), ("max", whole))
        )
        images = Images(sorted(self.images.names), self.images.stress)
        tails = {name: made.tails[name] for name in clip if name != self.network.input}
        changes = widened(clip, widest, tails, images, plan)
        clip |= {name: change.clip for name, change in changes.items()}
        return Ranges(observer, clip, self.images.provenance(), changes)

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

    def predictor(self, ranges: Ranges, images: Iterable[NDArray[np.float32]]) -> Predictor:
        """Return the errors that each layer makes at the output on `images`, NCHW.

        Raises:
            BackendError: They can't be carried there.
        """
        carrier = Carrier(self.network, self.calibrated.weights)
        source, plan = points(self.network).scale_of, self.images.card.int8

        def scale(name: str) -> Scale:
            return Scale.of(ranges.clip[source.get(name, name)], plan)

        errors = [carrier.errors(image, scale, seed) for seed, image in enumerate(images)]
        return Predictor(self.network, errors, carrier.blocked)

    def noise(self, observer: str) -> dict[str, float]:
        """Return the noise that 8 bits add to each tensor, as a part of its power: an estimate."""
        clip = self.ranges(observer).clip
        return {
            name: histogram.noise(clip[name])
            for name, histogram in self.calibrated.histograms.items()
        }


def int8_maker(
    onnx: Path, images: CalibrationSet, kept: Kept, name: str, effort: Effort
) -> Int8Maker:
    """Return what makes int8 networks of the one in the file `onnx`, after a pass over `images`.

    What the pass finds is the file `name` of `kept` if it was made before: a digest of all that
    decides the content.

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
        return Int8Maker(network, _unpacked(content), images)
    # The moments are dear, and no other rounding reads them.
    learned = images.card.int8.rounding == "learned"
    try:
        statistics = collect(
            network,
            dict(zip(images.names, images.inputs(), strict=True)),
            moments=learned,
            given=images.card.input,
            stress=images.stress,
            **vars(effort),
        )
    except BackendError as error:
        raise error.about(_called(images.card)) from error
    weights = integer_weights(network, statistics.moments)
    result = Calibrated(statistics.histograms, statistics.live, statistics.tails, weights)
    kept.write(name, _packed(result))
    return Int8Maker(network, result, images)


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


def _packed(calibrated: Calibrated) -> bytes:
    arrays: dict[str, np.ndarray] = {}
    index: dict[str, list[object]] = {"weights": list(calibrated.weights)}
    for kind, histograms in (("histograms", calibrated.histograms), ("live", calibrated.live)):
        index[kind] = [[name, h.low, h.high, h.exponent] for name, h in histograms.items()]
        arrays |= {f"{kind}{i}": h.counts for i, h in enumerate(histograms.values())}
    for number, integers in enumerate(calibrated.weights.values()):
        arrays[f"w{number}"], arrays[f"s{number}"] = integers.values, integers.q_scale
    tails = list(calibrated.tails.values())
    index["tails"] = [[name, len(tail.values)] for name, tail in calibrated.tails.items()]
    for key in _TAIL_ARRAYS:  # one member for all tensors, of which there may be hundreds
        arrays[key] = np.concatenate([getattr(tail, key) for tail in tails])
    # Names of tensors may be no names of members.
    arrays["index"] = np.frombuffer(json.dumps(index).encode(), np.uint8)
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)  # a pickle runs code
    return buffer.getvalue()


def _unpacked(content: bytes) -> Calibrated:
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        index = json.loads(arrays["index"].tobytes())
        histograms, live = (
            {
                name: Histogram(low, high, exponent, arrays[f"{kind}{number}"])
                for number, (name, low, high, exponent) in enumerate(index[kind])
            }
            for kind in ("histograms", "live")
        )
        weights = {
            name: IntegerWeights(arrays[f"w{number}"], arrays[f"s{number}"])
            for number, name in enumerate(index["weights"])
        }
        names, sizes = zip(*index["tails"], strict=True)
        # By the number of images, or of values.
        cuts = {
            key: len(names) if key in _BY_IMAGE else np.cumsum(sizes)[:-1] for key in _TAIL_ARRAYS
        }
        parts = [np.split(arrays[key], cuts[key]) for key in _TAIL_ARRAYS]
        tails = {name: Tails(*own) for name, *own in zip(names, *parts, strict=True)}
    return Calibrated(histograms, live, tails, weights)
