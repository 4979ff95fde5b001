"""SRB108: a label that names another calibration than the build file used."""

from collections.abc import Iterator

from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB108",
    Severity.WARNING,
    "the label's calibration is not the build's",
    "A row of the device says by its label how int8 was calibrated; the card says, as"
    " vacc.built_calibration, what the build file behind the row used.",
    "correct the label, or build and measure with the calibration that it names",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each int8 row of the device whose label isn't what the card says."""
    for entry in subject.entries:
        model = subject.model(entry)
        if model is None or entry.backend != model.device.backend:
            continue
        built = model.built_calibration
        if built and entry.precision.dtype == "int8" and entry.precision is not built:
            yield RULE.found(
                entry.source,
                f"{entry.name}: the label says {entry.precision.calibration}, the build file"
                f" {built.calibration}",
                row=entry.row,
            )
