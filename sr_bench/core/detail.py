"""What a record holds beside its verdict: how the network was made, and why a number is lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from sr_bench.core.baseline import Held
from sr_bench.core.dossier import Dossier
from sr_bench.core.forensics import Forensics
from sr_bench.core.gate import Comparison, GateVerdict
from sr_bench.core.missing import Lacking


@dataclass(frozen=True)
class Detail:
    """Each part that a record may have; in JSON, notes stand beside the fields that are set."""

    gate: GateVerdict | None = None
    baseline: Held | None = None
    """Of a gate: against what was approved."""
    compared: tuple[Comparison, ...] = ()
    """Of a gate: each metric against the earlier run."""
    dossier: Dossier | None = None
    """Of a gate that found a loss."""
    explanation_failed: str = ""
    """Why there is no `dossier`."""
    forensics: Forensics | None = None
    """Of a number that differs."""
    forensics_by_hand: str = ""
    """How to search for `forensics`, or why that failed."""
    missing: Lacking = ()
    """Of a number that was not run: what would make it measurable; empty: no step does."""
    failure: str = ""
    """The `Failure` of a device."""
    warning: str = ""
    """A failure that this version of the device's SDK may have."""
    adapter: str = ""
    """What must be known about the code that drives the device."""
    lr_made_by: str = ""
    """The rule by which LR was made from HR; empty if LR has files."""
    input_fit: str = ""
    """How images were brought to the size that the network takes; empty if it takes any."""
    measured_on: str = ""
    """The processor, where it is not the session's own."""
    weights: str = ""
    """How they differ from what their authors publish: rounded by who packed them."""
    given_file: str = ""
    """Of a card's own file of a low precision: its name, and whether it was measured."""
    printed_as: str = ""
    """Of a row that prints int8 without a calibration: what it prints, and who names one."""
    observer: str = ""
    """Of an int8 network: what chose its clip ranges; the next nine are of it too."""
    calibration_set: str = ""
    calibration_images: str = ""
    """Their number."""
    calibration_shared: str = ""
    """Those that are also evaluated."""
    int8_share: str = ""
    """Part of the MACs that is in int8, 0 to 1."""
    integer_share: str = ""
    """Part of the MACs that plain onnxruntime runs in integers where it opens the file, 0 to 1."""
    float_operators: str = ""
    """Those that can't be quantised."""
    int8_rules: str = ""
    int8_layers: str = ""
    int8_kernel: str = ""
    shape: str = ""
    """Of a timed image, such as ``3x128x128``; the next two are of it too."""
    threads: int = 0
    image: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What else backends and calibration say."""

    @classmethod
    def split(cls, flat: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values in `flat` by field; those of no field's name are notes."""
        names = {field.name for field in fields(cls)} - {"notes"}
        notes = {name: value for name, value in flat.items() if name not in names}
        return {name: flat[name] for name in names & flat.keys()} | {"notes": notes}

    def flat(self) -> dict[str, object]:
        """Return what is set, by name; the other way round than `split`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        notes = values.pop("notes")
        return {name: value for name, value in values.items() if value} | dict(notes)

    def noted(self, texts: Mapping[str, str]) -> "Detail":
        """Return it with `texts` in the fields that they name, and in the notes."""
        more = self.split(texts)
        return replace(self, **{**more, "notes": {**self.notes, **more["notes"]}})
