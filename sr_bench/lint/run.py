"""Look at documents by every rule: no model is run."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType

from sr_bench import discovery
from sr_bench.document.printed import NumberCounts, number_counts
from sr_bench.lint import waivers
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.gather import Request, gather
from sr_bench.text.printable import counted

_PACKAGE = "sr_bench.lint.rules"


@dataclass(frozen=True)
class Report:
    """What lint found."""

    documents: tuple[str, ...]
    """All that were looked at, as the user would type them."""
    findings: tuple[Finding, ...]
    """By document, then by place; waived ones too."""
    notices: tuple[str, ...] = ()
    """Which card was used for a document that has none of its own."""
    numbers: NumberCounts = field(default_factory=NumberCounts)
    """What became of the numbers that the documents print."""

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that nobody waives."""
        return tuple(finding for finding in self.findings if not finding.waived)

    def fails(self, limit: Severity) -> bool:
        """Tell whether a finding that nobody waives is at least as grave as `limit`."""
        return any(finding.severity.reaches(limit) for finding in self.open)

    @property
    def summary(self) -> str:
        """One line: ``6 documents: 1 error, 2 warnings, 40 waived``."""
        counts = Counter(finding.severity for finding in self.open)
        parts = [counted(counts[severity], severity.value) for severity in Severity]
        waived = len(self.findings) - len(self.open)
        return (
            f"{counted(len(self.documents), 'document')}: {', '.join(parts)};"
            f" {counted(waived, 'finding')} waived; {self.numbers}"
        )


def rules() -> tuple[Rule, ...]:
    """Return every rule, by code."""
    every = [waivers.RULE, *(module.RULE for module in _modules())]
    return tuple(sorted(every, key=lambda rule: rule.code))


def lint(request: Request) -> Report:
    """Look at every document of `request`.

    Raises:
        OptionError: A folder holds no card, or the card that is named does not fit.
        CardError: The card that is named can't be read.
    """
    gathered = gather(request)
    findings: list[Finding] = []
    for subject in gathered.subjects:
        broken = [finding for module in _modules() for finding in module.check(subject)]
        # Before they are sorted: waivers add findings of their own, about idle waivers.
        judged = waivers.waive(subject, broken, rules())
        findings += sorted(judged, key=lambda finding: (finding.source, finding.code))
    documents = tuple(subject.path for subject in gathered.subjects)
    numbers = number_counts(one for subject in gathered.subjects for one in subject.printed)
    return Report(documents, tuple(findings), gathered.notices, numbers)


@cache
def _modules() -> tuple[ModuleType, ...]:
    return tuple(discovery.load(_PACKAGE, name) for name in discovery.names(_PACKAGE))
