"""The shape of card.toml: what may be written in it, key by key."""

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from sr_bench.core.case import COST_METRICS, GATE_METRIC
from sr_bench.core.device import DevicePlan, Failure
from sr_bench.core.int8 import Int8Plan
from sr_bench.core.metric import image_metrics
from sr_bench.core.precision import Precision
from sr_bench.files.validation import Table, without_secret

_SHA256 = re.compile(r"[0-9a-f]{64}|")
_SHAPE = re.compile(r"[1-9][0-9]{0,5}(x[1-9][0-9]{0,5}){2}")
_SIZE = re.compile(r"([1-9][0-9]{0,5}x[1-9][0-9]{0,5})?")
_CODE = re.compile(r"SRB[0-9]{3}")
_VERSION = re.compile(r"([0-9]+(\.[0-9]+)*)?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+]*")


def _matching(pattern: re.Pattern[str], expected: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            msg = f"expected {expected}"
            raise ValueError(msg)
        return text

    return AfterValidator(check)


def _one_of(valid: type[StrEnum]) -> AfterValidator:
    def check(text: str) -> str:
        if text not in tuple(valid):
            msg = f"expected one of {', '.join(valid)}"
            raise ValueError(msg)
        return text

    return AfterValidator(check)


def _claimed_metric(text: str) -> str:
    return _known(text, (*COST_METRICS, *image_metrics()))


def _gap_metric(text: str) -> str:
    return _known(text, (*COST_METRICS, *image_metrics(), GATE_METRIC))


def _known(metric: str, valid: tuple[str, ...]) -> str:
    if metric not in valid:
        msg = f"expected one of {', '.join(valid)}"
        raise ValueError(msg)
    return metric


def _precision(text: str) -> str:
    return Precision.parse(text)


def _calibration(text: str) -> str:
    return Precision.parse(f"int8 {text}") if text else text


def _said(text: str) -> str:
    if not text.strip():
        msg = "expected words, found none"
        raise ValueError(msg)
    return text


Name = Annotated[str, _matching(_NAME, "letters, digits, and _ . + (it becomes part of test ids)")]
Sha256 = Annotated[str, _matching(_SHA256, "64 lower-case hex digits, or nothing if unknown")]
Shape = Annotated[str, _matching(_SHAPE, "channels x height x width, such as 3x128x128")]
FailureName = Annotated[str, _one_of(Failure)]
ClaimedMetric = Annotated[str, AfterValidator(_claimed_metric)]
PrecisionName = Annotated[str, AfterValidator(_precision)]
CalibrationName = Annotated[str, AfterValidator(_calibration)]


class CheckpointTable(Table):
    """A weight file."""

    file: str
    url: Annotated[str, AfterValidator(without_secret)] = ""
    sha256: Sha256 = ""
    key: str = ""
    licence: str = ""


class CostTable(Table):
    """How the document counted its Flops."""

    rule: str = "standard"
    shape: Shape = "3x256x256"


class ToleranceTable(Table):
    """How far measured and printed values may lie apart."""

    slack: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    reason: str = ""
    digits: Literal["rounded", "truncated"] = "rounded"

    @model_validator(mode="after")
    def _slack_has_reason(self) -> "ToleranceTable":
        if self.slack and not self.reason.strip():
            msg = f"slack = {self.slack:g} needs a reason"
            raise ValueError(msg)
        return self


class KnownGapTable(Table):
    """A printed number that can't be reproduced, or a gate that a low precision can't pass."""

    metric: Annotated[str, AfterValidator(_gap_metric)]
    precision: PrecisionName
    reason: Annotated[str, Field(min_length=1)]
    dataset: str = ""
    source: str = ""


class EvaluationTable(Table):
    """A dataset and the protocol it is scored by."""

    dataset: str
    protocol: str
    claimed: bool = True
    precisions: list[PrecisionName] = []


_PLAN = Int8Plan()


class Int8Table(Table):
    """How the network is quantised."""

    calibration: str = _PLAN.calibration
    count: Annotated[int, Field(ge=0)] = _PLAN.count
    shared_images: bool = _PLAN.shared_images
    activations: Literal["asymmetric", "symmetric"] = _PLAN.activations
    rounding: Literal["learned", "nearest"] = _PLAN.rounding
    skips: Literal["float", "int8"] = _PLAN.skips
    percentile: Annotated[float, Field(gt=50, le=100)] = _PLAN.percentile
    keep: list[Annotated[str, Field(min_length=1)]] = []
    tolerance: dict[ClaimedMetric, ToleranceTable] = {}
    """For int8 numbers, before those of the model."""


class GateTable(Table):
    """What a low precision may lose."""

    min_fidelity_db: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    max_drop_db: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    max_drop_ssim: Annotated[float, Field(ge=0, allow_inf_nan=False)]


_DEVICE = DevicePlan()


class KnownFailureTable(Table):
    """A failure on the card that is known."""

    failure: FailureName
    reason: Annotated[str, Field(min_length=1)]
    precision: PrecisionName | None = None
    source: str = ""
    before_sdk: Annotated[str, _matching(_VERSION, "a version such as 2.8, or nothing")] = ""


class VaccTable(Table):
    """How the VACC card's compiler gets the network."""

    skip: list[Annotated[str, Field(min_length=1)]] = []
    per_channel: bool = _DEVICE.per_channel
    calibrate_range: Annotated[float, Field(gt=0.5, le=1)] = _DEVICE.calibrate_range
    feed: Literal["image", "tensor"] = _DEVICE.feed
    shape: Annotated[str, _matching(_SIZE, "height x width, such as 720x1280, or nothing")] = ""
    options: dict[str, int | bool | str] = {}
    built_calibration: CalibrationName = ""
    """What the build file behind the table's rows calibrated by, such as ``kl_divergence``."""
    known_failure: list[KnownFailureTable] = []
    gate: GateTable | None = None


class ModelTable(Table):
    """One model, bound to one row of the document's table; or to none, if `row` is empty."""

    name: Name
    row: str
    source: str = ""
    scale: Annotated[int, Field(ge=1, le=16)]
    architecture: str = ""
    hyper: dict[str, int | float | bool | str] = {}
    onnx: str = ""
    checkpoint: CheckpointTable | None = None
    value_range: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    cost: CostTable = CostTable()
    evaluation: list[EvaluationTable] = []
    tolerance: dict[ClaimedMetric, ToleranceTable] = {}
    known_gap: list[KnownGapTable] = []
    int8: Int8Table = Int8Table()
    gate: GateTable | None = None
    vacc: VaccTable = VaccTable()

    @model_validator(mode="after")
    def _one_network(self) -> "ModelTable":
        if bool(self.architecture) == bool(self.onnx):
            msg = f"model {self.name!r}: give either architecture (built-in) or onnx (your file)"
            raise ValueError(msg)
        if self.onnx and (self.checkpoint or self.hyper):
            msg = f"model {self.name!r}: an onnx file needs no checkpoint and no hyper"
            raise ValueError(msg)
        return self


class WaiveTable(Table):
    """Findings of ``sr-bench lint`` that are known and stay."""

    code: Annotated[str, _matching(_CODE, "a rule's code, such as SRB103")]
    row: str = ""
    reason: Annotated[str, AfterValidator(_said)]


class CardTable(Table):
    """A whole card.toml."""

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    document: str = "README.md"
    ignore_rows: list[str] = []
    protocol: dict[str, dict[str, object]] = {}
    waive: list[WaiveTable] = []
    model: Annotated[list[ModelTable], Field(min_length=1)]
