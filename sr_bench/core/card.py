"""A model card: what binds a table row to a network, its weights and the way it is judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from sr_bench.core.agreement import AgreeLimit
from sr_bench.core.checkpoint import Checkpoint, Code
from sr_bench.core.claim import dataset_key
from sr_bench.core.device import DevicePlan
from sr_bench.core.fields import Bounds, Spelled, Words, matching
from sr_bench.core.ignored import Ignored
from sr_bench.core.int8 import Gate, Int8Plan
from sr_bench.core.latency import LatencyPlan
from sr_bench.core.metric import printed_metric
from sr_bench.core.network_io import NetworkInput, NetworkOutput
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.told import ToldTable

Hyper = Mapping[str, object]
"""By name: what TOML spells, lists and tables among it; dates aside."""


@dataclass(frozen=True)
class Tolerance:
    """How far a measured value may lie from the printed one."""

    slack: Annotated[float, Bounds(ge=0)] = 0.0
    """Added to half a printed step, in the metric's unit."""
    reason: str = ""
    """Why `slack` is needed; required when it is not 0."""
    digits: Literal["rounded", "truncated"] = "rounded"  # SR4K prints 297,723 as 0.297
    """How the document cut the number; a truncated one may be a whole step too low."""


@dataclass(frozen=True)
class KnownGap:
    """A printed number that is known not to be reproducible, or a gate not to pass, and why."""

    metric: Annotated[str, Spelled(partial(printed_metric, also=("fidelity",)))]
    precision: Precision
    reason: Words
    dataset: str = ""
    """Only for this dataset, such as ``div2k_valid``; empty: for any."""
    variant: str = ""
    """Only for the row of this shape, as printed, where several share a label; empty: for any."""
    source: str = ""
    """Where the cause was found."""


@dataclass(frozen=True)
class Waiver:
    """Findings of ``sr-bench lint`` that are known and stay, and why."""

    code: Annotated[str, matching("[A-Z]+[0-9]{3}", "a rule's code, such as SRB103")]
    """Of the rule, such as ``SRB103``."""
    reason: Words
    row: str = ""
    """Label of the model row that they are about; empty: any."""

    def covers(self, code: str, row: str) -> bool:
        """Tell whether this is about a finding of the rule `code` on the model row `row`."""
        return self.code == code and self.row in ("", row)


@dataclass(frozen=True)
class Evaluation:
    """One dataset on which a model is scored, and how."""

    dataset: str
    """Slug of a folder under ``datasets/``; the model's scale picks the LR."""
    protocol: EvalProtocol
    claimed: bool = True
    """Whether the table's numbers are about this dataset; if not, results are ``new``."""
    precisions: tuple[Precision, ...] = ()
    """Only for these; empty: for all. Rows of one model may follow different protocols."""
    printed: str = ""
    """The dataset as the document prints it, where that is another name: ``DIV2K100``."""
    variant: str = ""
    """Only for rows that this tells from others of their label and precision, such as their shape,
    as printed: ``multi-size``; empty: for all that no other evaluation is only for."""

    def covers(self, precision: Precision) -> bool:
        """Tell whether this evaluation is meant for `precision`."""
        return not self.precisions or precision in self.precisions


@dataclass(frozen=True)
class ModelCard:
    """One model of a zoo."""

    name: str
    """Unique in the suite; starts every test id."""
    family: str
    """The suite's folder name."""
    folder: Path
    """Where card.toml lies; relative paths in it start here."""
    row: str
    """Label of the model's row in the document, without markup; empty: the document has none."""
    row_source: str
    """Text of that row's Source column where the label alone is not unique; else empty."""
    scale: int
    architecture: str
    """Name of a module of `sr_bench.zoo.families`, or of a user's class: ``nets.pan:PAN``; empty
    for a user's ONNX file."""
    hyper: Hyper = field(default_factory=dict)
    """Every hyper-parameter of the architecture: declared, never guessed."""
    code: Code = field(default_factory=Code)
    trusted: bool = field(default=False, compare=False)
    """Whether the session agreed to run the code that cards name; no card can say so."""
    onnx: Path | None = None
    """A user's ONNX file, absolute; None for a built-in architecture, or where none is fp32."""
    onnx_by_precision: Mapping[Precision, Path] = field(default_factory=dict)
    """A user's own files of low precisions, absolute: measured as they are by what runs ONNX."""
    checkpoint: Checkpoint | None = None
    input: NetworkInput = field(default_factory=NetworkInput)
    output: NetworkOutput = field(default_factory=NetworkOutput)
    evaluations: tuple[Evaluation, ...] = ()
    flops_rule: str = "standard"
    """Name of a counting rule under ``sr_bench/cost/rules``."""
    counted_shape: tuple[int, int, int] = (3, 256, 256)
    """(channels, height, width) on which Flops are counted."""
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    """By metric; a metric that is absent has no slack."""
    int8_tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    """By metric, for int8 numbers; a metric that is absent has that of `tolerances`."""
    known_gaps: tuple[KnownGap, ...] = ()
    int8: Int8Plan = field(default_factory=Int8Plan)
    gate: Gate | None = None
    """What a low precision may lose; None: no gate."""
    agree: AgreeLimit | None = None
    """How far the pictures of two runtimes may be apart; None: no limit."""
    device: DevicePlan = field(default_factory=DevicePlan)
    """How a device with a compiler of its own gets the network."""
    printed_int8: Precision | None = None
    """What rows that print int8 and no calibration are measured in; None: not declared."""
    devices: Mapping[str, str] = field(default_factory=dict)
    """By the device as the document prints it, that as a session calls it: a pattern; numbers of
    the one are judged only on the other."""
    latency: LatencyPlan = field(default_factory=LatencyPlan)
    """How printed times were measured."""
    built_calibration: Precision | None = None
    """What the build file behind the document's device rows calibrated by; None: not known. It
    decides no number here."""

    @property
    def manifest_folders(self) -> tuple[Path, ...]:
        """Where the zoo may keep dataset manifests of its own, in the order of search."""
        return suite_manifest_folders(self.folder)

    @property
    def id(self) -> str:
        """``family/name``: unique across suites."""
        return f"{self.family}/{self.name}"

    @property
    def network_io(self) -> Mapping[str, object]:
        """What of `input` and `output` decides scores, for digests; of RGB the white level alone.

        Whoever reads records of earlier versions has digests of that alone.
        """
        gives = self.output.choices()
        if self.output.range != self.input.range:
            gives["range"] = self.output.range
        others = {"input": self.input.choices(), "output": gives}
        declared = {name: choices for name, choices in others.items() if choices}
        return {"white": self.input.range[1], **declared}

    @property
    def network_scale(self) -> int:
        """Factor by which the network itself enlarges: 1 where its input is enlarged before."""
        return self.scale // self.input_scale

    @property
    def input_scale(self) -> int:
        """Factor by which LR is enlarged before the network."""
        return self.scale if self.input.enlarged else 1

    @property
    def own_class(self) -> str:
        """The user's class that builds the network, such as ``nets.pan:PAN``; empty if none."""
        return self.architecture if ":" in self.architecture else ""

    @property
    def has_network(self) -> bool:
        """Whether it gives any network; without one, nothing of it is measured."""
        return bool(self.architecture or self.onnx or self.onnx_by_precision)

    def measured_in(self, printed: Precision) -> Precision:
        """Return the precision in which numbers that a document prints as `printed` are measured.

        It is another than `printed` only of an int8 without a calibration.
        """
        return (self.printed_int8 if printed.is_bare_int8 else None) or printed

    def claimed_evaluation(
        self, printed: Precision, dataset: str = "", variant: str = ""
    ) -> Evaluation | None:
        """Return the evaluation that the table's numbers of the precision `printed` are about.

        `dataset` is what the document prints, may be empty, and is in any spelling: a slug, with
        or without ``_x<scale>``, or what an evaluation says is printed. `variant` is the claim's.
        """
        precision = self.measured_in(printed)
        wanted, told = dataset_key(dataset), dataset_key(variant)
        found: dict[str, Evaluation] = {}
        for evaluation in self.evaluations:
            slug = evaluation.dataset
            if evaluation.claimed and evaluation.covers(precision):
                names = (slug, f"{slug}_x{self.scale}", evaluation.printed)
                if not wanted or wanted in map(dataset_key, names):
                    found.setdefault(dataset_key(evaluation.variant), evaluation)
        return found.get(told) or found.get("")

    def covering(self, precision: Precision) -> tuple[Evaluation, ...]:
        """Return the evaluations that are meant for `precision`; the first one where none is."""
        covering = tuple(item for item in self.evaluations if item.covers(precision))
        return covering or self.evaluations[:1]

    def with_given(self, precision: Precision) -> "ModelCard":
        """Return a card whose network is the file that this one gives for `precision`, if any."""
        given = self.onnx_by_precision.get(precision)
        return replace(self, onnx=given, architecture="", hyper={}) if given else self

    def is_given(self, precision: Precision) -> bool:
        """Tell whether the network is a file that the card gives for a low `precision`."""
        return self.onnx is not None and self.onnx == self.onnx_by_precision.get(precision)

    def note_of_given(self, precision: Precision) -> str:
        """Say what became of the file that the card gives for `precision`; empty if none."""
        given = self.onnx_by_precision.get(precision)
        if given is None:
            return ""
        if self.is_given(precision):
            return f"the file {given.name} of the card, measured as it is"
        return f"made from the fp32 network; the file {given.name} of the card is left aside"

    @property
    def usual_protocol(self) -> EvalProtocol:
        """Of its first evaluation; without any, images are taken as they are."""
        return self.evaluations[0].protocol if self.evaluations else EvalProtocol("native_rgb")

    def tolerance_for(self, metric: str, precision: Precision) -> Tolerance:
        """Return how far measured and printed values of a number may lie apart."""
        of_int8 = self.int8_tolerances if precision.dtype == "int8" else {}
        return of_int8.get(metric) or self.tolerances.get(metric) or Tolerance()

    def gate_on(self, backend: str) -> Gate | None:
        """Return what a low precision may lose on `backend`."""
        of_device = self.device.gate if backend == self.device.backend else None
        return of_device or self.gate

    def gap_for(
        self, metric: str, precision: str, dataset: str, variant: str = ""
    ) -> KnownGap | None:
        """Return the declared gap of a number.

        `dataset` is a slug, empty for cost metrics; `variant` is the claim's.
        """
        told = {"", dataset_key(variant)}
        for gap in self.known_gaps:
            if (gap.metric, gap.precision) == (metric, precision) and gap.dataset in ("", dataset):
                if dataset_key(gap.variant) in told:
                    return gap
        return None


@dataclass(frozen=True)
class SuiteCard:
    """What one card.toml declares."""

    path: Path
    family: str
    """The folder's name."""
    document: Path
    """The README whose table holds the claims."""
    models: tuple[ModelCard, ...]
    ignored: Ignored = field(default_factory=Ignored)
    """Numbers of the document that are not read, on purpose."""
    told: tuple[ToldTable, ...] = ()
    """What the tables of the document mean, where they don't say it."""
    waivers: tuple[Waiver, ...] = ()

    @property
    def manifest_folders(self) -> tuple[Path, ...]:
        """Where the zoo may keep dataset manifests of its own, in the order of search."""
        return suite_manifest_folders(self.path.resolve().parent)


def suite_manifest_folders(suite: Path) -> tuple[Path, ...]:
    """Return the folders, inside the suite and beside it, that may hold folders of datasets."""
    return tuple(
        place for folder in (suite, suite.parent) for place in (folder / "datasets", folder)
    )
