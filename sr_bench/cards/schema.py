"""The shape of card.toml: a class for each table that is not written as `core` has it."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator
from pydantic.dataclasses import dataclass

from sr_bench.cards.network_io import InputTable, OutputTable, read_ends
from sr_bench.core.agreement import AgreeLimit
from sr_bench.core.card import KnownGap, Tolerance, Waiver
from sr_bench.core.case import TIMED_METRICS
from sr_bench.core.checkpoint import Checkpoint, Code
from sr_bench.core.device import DevicePlan, KnownFailure
from sr_bench.core.fields import SLASHES, Bounds, Spelled, Words, matching, sides
from sr_bench.core.ignored import Reasons
from sr_bench.core.int8 import Gate, Int8Plan
from sr_bench.core.latency import LatencyPlan
from sr_bench.core.metric import printed_metric
from sr_bench.core.network_io import NetworkInput, NetworkOutput
from sr_bench.core.precision import Precision
from sr_bench.core.told import ToldTable
from sr_bench.files.validation import STRICT, Table
from sr_bench.text.printable import counted

_NAME = matching(
    "[A-Za-z0-9][A-Za-z0-9_.+]*", "letters, digits, and _ . + (it becomes part of test ids)"
)
_PRINTED = matching(
    r"(?s).*\S.*", "a device as printed; of what names none it is device under [model.latency]"
)
_SHAPE = sides(3, "channels x height x width, such as 3x128x128")


def _with_reason(tolerance: Tolerance) -> Tolerance:
    if tolerance.slack and not tolerance.reason.strip():
        msg = f"slack = {tolerance.slack:g} needs a reason"
        raise ValueError(msg)
    return tolerance


def _not_of_times(tolerances: "Tolerances") -> "Tolerances":
    if timed := [metric for metric in TIMED_METRICS if metric in tolerances]:
        msg = (
            f"{timed[0]} is judged by repeated rounds: say tolerance_percent under [model.latency]"
        )
        raise ValueError(msg)
    return tolerances


def _with_a_source(checkpoint: Checkpoint) -> Checkpoint:
    if not (checkpoint.file or checkpoint.package):
        msg = "give file (yours) or package with path (one that is installed)"
        raise ValueError(msg)
    if bool(checkpoint.package) != bool(checkpoint.path):
        msg = "package and path go together: the package, and the file in it"
        raise ValueError(msg)
    if checkpoint.package_sha256 and not checkpoint.package:
        msg = "package_sha256 is of a file in a package: name it with package and path"
        raise ValueError(msg)
    if checkpoint.file and checkpoint.file in (path := PurePosixPath(checkpoint.path)).parts[-1:]:
        msg = f"file and path have one name, {path.name}, so their digests can't be told apart"
        raise ValueError(msg)
    return checkpoint


def _calibration(text: str) -> Precision | None:
    return Precision.parse(f"int8 {text}") if text else None


def _with_reasons(names: object) -> object:
    if not isinstance(names, dict):
        msg = 'expected a reason for each name, such as { "RCAN" = "of another repository" }'
        raise ValueError(msg)
    return names


NamesWithReasons = Annotated[Reasons, BeforeValidator(_with_reasons)]
Tolerances = Mapping[
    Annotated[str, Spelled(printed_metric)], Annotated[Tolerance, AfterValidator(_with_reason)]
]
_Checked = Annotated[Tolerances, AfterValidator(_not_of_times)]


class CostTable(Table):
    """How the document counted its Flops."""

    rule: str = "standard"
    """Name of a counting rule."""
    shape: Annotated[tuple[int, int, int] | None, _SHAPE] = None
    """Channels x height x width of the input that is counted on, such as ``3x128x128``; None: the
    only one that the network takes, or 256x256."""


class EvaluationTable(Table):
    """A dataset and the name of the protocol it is scored by."""

    dataset: str
    """Slug of a dataset: the name of the folder of its dataset.toml."""
    protocol: str
    """Name of a protocol that comes along, or of one of this card."""
    claimed: bool = True
    precisions: tuple[Precision, ...] = ()
    printed: str = ""
    variant: str = ""


@dataclass(config=STRICT, frozen=True)
class Int8Table(Int8Plan):
    """How the network is quantised."""

    tolerance: _Checked = field(default_factory=dict)
    """For int8 numbers, before those of the model."""
    observer: Annotated[Precision | None, Spelled(_calibration)] = None
    """By which rows that print int8 alone were calibrated, such as ``kl``."""


@dataclass(config=STRICT, frozen=True)
class VaccTable(DevicePlan):
    """How the VACC card's compiler gets the network."""

    known_failures: Annotated[tuple[KnownFailure, ...], Field(alias="known_failure")] = ()
    built_calibration: Annotated[Precision | None, Spelled(_calibration)] = None
    """What the build file behind the table's rows calibrated by, such as ``kl_divergence``."""


class ModelTable(Table):
    """One model, bound to one row of the document's table; or to none, if `row` is empty."""

    name: Annotated[str, _NAME]
    row: str
    row_source: Annotated[str, Field(alias="source")] = ""
    scale: Annotated[int, Bounds(ge=1, le=16)]
    """Upscaling factor; 1 of a network that restores at equal size."""
    architecture: str = ""
    """A built-in architecture, or a class of yours, ``nets.pan:PAN``; empty: `onnx` is given."""
    hyper: Mapping[str, JsonValue] = {}
    code: Code = Field(default_factory=Code)
    onnx: Annotated[str, SLASHES] = ""
    """An fp32 ONNX file of yours; its path starts at the card."""
    onnx_by_precision: Mapping[Precision, Words] = {}
    """ONNX files of low precisions, such as ``int8_percentile``: measured as they are."""
    devices: Mapping[Annotated[str, _PRINTED], Words] = {}
    latency: LatencyPlan | None = None
    checkpoint: Annotated[Checkpoint, AfterValidator(_with_a_source)] | None = None
    value_range: Annotated[float, Bounds(gt=0)] | None = None
    """White level of input and output: short for ``range = [0, value_range]`` of both."""
    input: InputTable = Field(default_factory=InputTable)
    output: OutputTable = Field(default_factory=OutputTable)
    cost: CostTable = Field(default_factory=CostTable)
    evaluation: tuple[EvaluationTable, ...] = ()
    tolerances: Annotated[_Checked, Field(alias="tolerance")] = {}
    known_gaps: Annotated[tuple[KnownGap, ...], Field(alias="known_gap")] = ()
    int8: Int8Table = Field(default_factory=Int8Table)
    gate: Gate | None = None
    agree: AgreeLimit | None = None
    vacc: VaccTable = Field(default_factory=VaccTable)

    @model_validator(mode="after")
    def _one_network(self) -> "ModelTable":
        if self.architecture and self.onnx:
            msg = f"model {self.name!r}: give either architecture or onnx (your file)"
            raise ValueError(msg)
        if not self.architecture and (self.checkpoint or self.hyper):
            msg = (
                f"model {self.name!r}: checkpoint and hyper go with an architecture;"
                " an onnx file needs no checkpoint and no hyper"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _ends_agree(self) -> "ModelTable":
        reads, gives = self.ends
        of_files = any(end.layout or end.dtype or end.name for end in (reads, gives))
        if self.architecture and of_files:
            msg = (
                f"model {self.name!r}: layout, dtype and name of input and output are for ONNX"
                " files: a module reads and gives float32 NCHW"
            )
            raise ValueError(msg)
        if self.input.enlarged and self.scale == 1:
            msg = (
                f"model {self.name!r}: input.enlarged brings LR to the size of HR, which it has at"
                " scale = 1: give the scale, or leave it out"
            )
            raise ValueError(msg)
        if self.cost.shape and self.cost.shape[0] != reads.channels:
            channels, *sides = self.cost.shape
            read = "x".join(map(str, (reads.channels, *sides)))
            msg = (
                f"model {self.name!r}: cost.shape has {counted(channels, 'channel')}, and the"
                f" network reads {reads.channels} by input.colour = {reads.colour!r}: say {read}"
            )
            raise ValueError(msg)
        return self

    @property
    def ends(self) -> tuple[NetworkInput, NetworkOutput]:
        """What the network reads and gives."""
        return read_ends(self.input, self.output, self.value_range)

    @model_validator(mode="after")
    def _timed_on_a_device(self) -> "ModelTable":
        plan = self.latency
        if plan and not (plan.device or self.devices):
            msg = (
                f"model {self.name!r}: latency is of no device: say it, such as device ="
                ' "AMD EPYC*", or under [model.devices] what each printed one is called'
            )
            raise ValueError(msg)
        if plan and plan.shape and plan.shape[0] != (channels := self.ends[0].channels):
            msg = (
                f"model {self.name!r}: latency.shape has {counted(plan.shape[0], 'channel')}, and"
                f" the network reads {channels}"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _own_files(self) -> "ModelTable":
        if Precision.FP32 in self.onnx_by_precision:
            msg = f"model {self.name!r}: onnx_by_precision.fp32: the key onnx names the fp32 file"
            raise ValueError(msg)
        files = [self.onnx, *self.onnx_by_precision.values()]
        if len(set(files)) < len(files):
            msg = f"model {self.name!r}: onnx and onnx_by_precision name one file twice"
            raise ValueError(msg)
        if not (self.architecture or self.onnx) and (self.gate or self.vacc.gate):
            msg = (
                f"model {self.name!r}: a gate compares with fp32, and the card gives no such"
                " network: give architecture or onnx too, or take the gate off"
            )
            raise ValueError(msg)
        return self


class _PlanOfModel(Table):
    int8: Int8Table


class PlanTable(Table):
    """The int8 plan of a network that has no card."""

    model: _PlanOfModel


class CardTable(Table):
    """A whole card.toml."""

    schema_version: Annotated[Literal[1], Field(alias="schema")]  # pydantic has a method schema
    """Version of this format."""
    document: Annotated[str, SLASHES] = "README.md"
    """What prints the numbers, beside the card; its suffix says how it is read."""
    ignore_columns: NamesWithReasons = {}
    """Columns that are not read, by header, in every table, each with the reason."""
    ignore_rows: NamesWithReasons = {}
    """Rows that are not read: a model's with its precision rows, a whole label, or ``line 40``."""
    ignore_tables: NamesWithReasons = {}
    """Tables that are not read: by header row, by the heading above, or ``line 40``."""
    told: Annotated[tuple[ToldTable, ...], Field(alias="table")] = ()
    protocol: dict[str, dict[str, object]] = {}
    """Protocols of this card by name: ``base``, the one to start from, and what differs from it."""
    waivers: Annotated[tuple[Waiver, ...], Field(alias="waive")] = ()
    model: Annotated[list[ModelTable], Field(min_length=1)]
