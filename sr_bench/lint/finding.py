"""What lint says of a document: a finding, the rule that it breaks, and how grave that is."""

from dataclasses import dataclass
from enum import StrEnum

from sr_bench.core.claim import Source


class Severity(StrEnum):
    """How grave a finding is, the gravest first."""

    ERROR = "error"
    """A number, or a document, that can't be right."""
    WARNING = "warning"
    """A number that readers will misunderstand, or that is very likely wrong."""
    NOTE = "note"
    """Worth knowing; may well be right."""

    def reaches(self, limit: "Severity") -> bool:
        """Tell whether this is at least as grave as `limit`."""
        order = list(Severity)  # declared the gravest first
        return order.index(self) <= order.index(limit)


@dataclass(frozen=True)
class Rule:
    """One thing that lint looks for."""

    code: str
    """Such as ``SRB101``; never changes its meaning."""
    severity: Severity
    """Of its findings, where they don't say otherwise."""
    title: str
    """One line: what is wrong."""
    meaning: str
    """Why that matters, and when it is no fault."""
    advice: str
    """What to do about it."""
    across: bool = False
    """Whether it compares documents, so that findings depend on which are looked at together."""

    def found(
        self, source: Source, message: str, *, row: str = "", severity: Severity | None = None
    ) -> "Finding":
        """Return a finding of this rule at `source`, about the model row `row` if it is of one."""
        return Finding(self, severity or self.severity, message, source, row)


@dataclass(frozen=True)
class Finding:
    """One breach of a rule."""

    rule: Rule
    severity: Severity
    message: str
    """What was found, with the numbers."""
    source: Source
    row: str = ""
    """Label of the model row; empty: of the document as a whole."""
    waived: str = ""
    """Why it stays, if the card waives it."""

    @property
    def code(self) -> str:
        """Of the rule."""
        return self.rule.code
