"""One line for each suite of a session: how many values ended how, and why some were not run."""

from collections import Counter
from collections.abc import Sequence

from tabulate import tabulate

from sr_bench.core.record import Record
from sr_bench.document.numbers import counts
from sr_bench.report.parts.order import first_words, not_run_reasons, worst_failure
from sr_bench.report.terminal.line import Line, fit
from sr_bench.text.printable import counted, printable_line


def suite_lines(records: Sequence[Record], width: int) -> list[Line]:
    """Return the lines of at most `width` characters, in the order of `records`."""
    suites: dict[str, list[Record]] = {}
    for record in records:
        suites.setdefault(record.family, []).append(record)
    cells = [[printable_line(name), counts(r), _reason(r)] for name, r in suites.items()]
    lines = tabulate(cells, tablefmt="plain", disable_numparse=True).splitlines()
    return [
        Line(fit(line.rstrip(), width), worst_failure(rows))
        for line, rows in zip(lines, suites.values(), strict=True)
    ]


def _reason(records: Sequence[Record]) -> str:
    """Return the most frequent reason why `records` were not run, without what to do about it."""
    reasons = Counter[str]()
    for sentence, count in not_run_reasons(records):
        reasons[printable_line(first_words(sentence))] += count
    if not reasons:
        return ""
    (first, count), *others = reasons.most_common()
    return f"{count} {first}, and {counted(len(others), 'other reason')}" if others else first
