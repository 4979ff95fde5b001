"""Prepare: from a card to an artefact that a backend can open, cached by content."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sr_bench import __version__
from sr_bench.core.backend import Artefact, Form
from sr_bench.core.card import ModelCard
from sr_bench.core.device import CompilerInput, Profile
from sr_bench.core.precision import Precision
from sr_bench.engine.job import Progress
from sr_bench.engine.prepare.calibration import LEAST_EFFORT, CalibrationSet, Effort
from sr_bench.engine.prepare.card_network import CardNetwork
from sr_bench.engine.prepare.code_digest import plan_digest
from sr_bench.engine.prepare.compiler_input import compiler_input
from sr_bench.engine.prepare.sizes import sizes_digest
from sr_bench.engine.prepare.weights import network_digest, weights_path
from sr_bench.errors import NotRunError
from sr_bench.files.hashing import sha256_bytes, sha256_json
from sr_bench.files.kept import Kept
from sr_bench.system.cpu import cpu_model

if TYPE_CHECKING:  # onnx loads only when a network is made
    from onnx import ModelProto

    from sr_bench.engine.prepare.int8 import Int8Maker


@dataclass(frozen=True)
class Prepared(CardNetwork):
    """What the network of a card needs to run in one precision."""

    precision: Precision
    calibration: CalibrationSet | None = None
    """For int8: what the clip ranges come from."""
    form: Form = Form.ONNX
    """What the backend computes from."""
    profile: Profile = Profile.TVM
    """For int8 that is emulated: by which reading of the device."""
    effort: Effort = LEAST_EFFORT

    def with_progress(self, progress: Progress) -> Self:
        """Return the same network, whose calibration reports to `progress`."""
        return replace(self, effort=replace(self.effort, progress=progress))

    @cached_property
    def digest(self) -> str:
        """Digest of the network, the precision, and where they count the plan and its images."""
        return sha256_bytes("|".join(self.inputs.values()).encode())

    @cached_property
    def inputs(self) -> Mapping[str, str]:
        """What decides the outputs, by name."""
        observer = self.precision.calibration
        inputs = {
            "weights": self.weights_digest or self.card.id,  # a replay may have none
            "architecture": self.architecture,
            "precision": str(self.precision),
        }
        if self.form is Form.ONNX and self.calibration:
            inputs["plan"] = plan_digest(self.card.int8, observer)
        elif self.calibration or self._is_compiled:
            # These judge, and compile nothing.
            plan = replace(self.card.device, known_failures=(), gate=None)
            # Records of earlier versions hold this digest with the old word for it.
            form = "imitated" if self.form is Form.EMULATED else self.form
            inputs["plan"] = plan_digest(plan, f"{form} {self.profile} {observer}")
        if self.calibration:
            inputs["calibration"] = self.calibration.digest
        if self.card.input.is_fitted:
            inputs["sizes"] = sizes_digest(self.card.input)
        return inputs

    @property
    def _is_compiled(self) -> bool:
        """Whether a device's own compiler makes what runs; the device doesn't know fp32."""
        return self.form is Form.SOURCE and not self.precision.is_full

    @property
    def is_further_reading(self) -> bool:
        """Whether it is emulated by another reading of the device than the one that counts."""
        return self.profile is not Profile.TVM

    @property
    def is_made(self) -> bool:
        """Whether a file is exported, rounded or calibrated before the network can be opened.

        If not, the file is the user's own, or each worker builds the module or lets the device's
        compiler work.
        """
        if self._is_compiled or self.card.is_given(self.precision):
            return False
        if self.form is Form.MODULE and not self.card.onnx:
            return self.calibration is not None
        return not (self.precision.is_full and self.card.onnx)

    @property
    def provenance(self) -> Mapping[str, str]:
        """What a record says about the card's own file, and where clip ranges come from."""
        notes: dict[str, str] = {}
        if self.form is not Form.RECORDED:
            if note := self.card.note_of_given(self.precision):
                notes["given_file"] = note
            elif not self.card.onnx:
                notes |= self.weights_notes()
        if self.calibration:
            notes |= {"observer": self.precision.calibration, **self.calibration.provenance()}
        return notes

    def artefact(self) -> Artefact:
        """Return the artefact in the form that the backend takes."""
        artefact = Artefact(None, None, self.precision, self.digest, self.card.id, self.network)
        if self.form is Form.RECORDED:  # before anything is exported
            return artefact
        if self._is_compiled:
            return replace(artefact, source=self.source())
        module = None if self.card.onnx else self.load_module  # the file is run as it is
        file = None if self.form is Form.MODULE else self.onnx()
        return replace(artefact, onnx=file, load_module=module, origin=self.card.onnx)

    def source(self) -> CompilerInput:
        """Return what a device's own compiler is given for a low precision.

        Raises:
            BackendError: The network can't be exported or read.
            CardError: The card skips a layer that the network doesn't have.
        """
        onnx, images = self.fp32_onnx(), self.calibration
        return compiler_input(self.card, self.precision, onnx, images, self.kept)

    def onnx(self) -> Path:
        """Return the network in its precision as an ONNX file, kept by content.

        Raises:
            BackendError: It can't be exported, calibrated or rounded.
        """
        if self.precision.is_full or self.card.is_given(self.precision):
            return self.fp32_onnx()
        if self.calibration:
            key = f"{self._calibrated()}-{self.digest[:32]}"
            return self.kept.file(f"onnx/{key}.onnx", self._write_int8)
        from sr_bench.precision.fp16 import to_fp16

        name = f"onnx/{self.recipe()}-fp16.onnx"
        told = self.card.onnx
        return self.kept.file(name, lambda target: to_fp16(self.fp32_onnx(), target, told=told))

    def fp32_onnx(self) -> Path:
        """Return the network as an ONNX file, float32 but for a file given for a low precision."""
        name = f"onnx/{self.recipe()}.onnx"
        if self.card.onnx is None:
            return self.kept.file(name, self.export)
        from sr_bench.engine.prepare.own_file import own_file

        return own_file(self.card, self.precision, self.kept, name)

    def _write_int8(self, target: Path) -> None:
        maker = self.int8_maker()
        maker.write(self.int8_model(maker, self.precision.calibration, self.keep), target)

    @property
    def notes(self) -> Mapping[str, str]:
        """What a file says about the network that it was made from."""
        return {
            "model": self.card.id,
            "network": self.network,
            "made_by": f"sr-bench {__version__}",
        }

    @property
    def keep(self) -> tuple[str, ...]:
        """Patterns of the layers that the card leaves in float."""
        by_device = self.form in (Form.EMULATED, Form.SOURCE)
        return self.card.device.skip if by_device else self.card.int8.keep

    def int8_model(self, maker: "Int8Maker", observer: str, keep: tuple[str, ...]) -> "ModelProto":
        """Return the int8 network in the form that the backend takes.

        Raises:
            CardError: A pattern of `keep`, the layers that stay in float, matches no layer.
        """
        if self.form is Form.EMULATED:
            plan = replace(self.card.device, skip=keep)
            return maker.emulated(observer, self.profile, plan, self.notes)
        return maker.model(maker.ranges(observer), keep, self.notes)

    def plan_notes(self) -> Mapping[str, str]:
        """Return what the int8 file says of itself, and what of it is wrong; see `file_notes`."""
        from sr_bench.engine.prepare.file_notes import fault_notes, integer_notes, notes_of

        if self.card.is_given(self.precision):
            return integer_notes(self.onnx()) if self.precision.dtype == "int8" else {}
        if self.calibration is None or self.form is Form.SOURCE:
            return {}
        made = self.form is Form.ONNX
        faults = fault_notes(self.onnx(), self.int8_maker().network) if made else {}
        return {**notes_of(self.onnx()), **faults}

    def int8_maker(self) -> "Int8Maker":
        """Return what makes int8 networks of this one, after a pass over the calibration set.

        What the pass finds is kept by content.

        Raises:
            BackendError: The network can't be calibrated; the message names what.
        """
        from sr_bench.engine.prepare.int8 import int8_maker

        if self.calibration is None:
            msg = f"{self.card.id} is prepared for {self.precision}, which needs no calibration"
            raise TypeError(msg)
        plan, is_qdq = self.card.int8, self.form is Form.ONNX
        decides = is_qdq and (plan.channels, plan.skips, plan.activations)
        key = sha256_json([self._calibrated(), self.calibration.digest, plan.rounding, decides])
        name = f"calibration/{key}.npz"
        how = (self.calibration, self.kept, name, self.effort)
        return int8_maker(self.fp32_onnx(), *how, is_qdq=is_qdq)

    def _calibrated(self) -> str:
        """Return the cache key of what images went through: the processor moves last digits."""
        return sha256_json([self.recipe(), cpu_model()])


def prepare(
    card: ModelCard,
    precision: Precision,
    weights_folder: Path | None,
    calibration: CalibrationSet | None = None,
    *,
    effort: Effort = LEAST_EFFORT,
    form: Form = Form.ONNX,
    profile: Profile = Profile.TVM,
    kept: Kept | None = None,
) -> Prepared:
    """Return `card` ready to be opened in `precision`; int8 needs a calibration set.

    Raises:
        NotRunError: The weights are absent, and `form` needs them.
    """
    try:
        weights = weights_path(card, weights_folder)
        digest = network_digest(card, weights)
    except NotRunError:
        if form is not Form.RECORDED:  # a replay answers without them
            raise
        weights, digest = Path(), ""
    given = calibration if precision.dtype == "int8" else None
    how = (precision, given, form, profile, effort)
    return Prepared(card, weights, digest, kept or Kept.usual(), *how)
