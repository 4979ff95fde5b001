"""Tell numbers apart that say the same: by shape, by a remark, by the heading; or name them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Final

from sr_bench.core.claim import dataset_key
from sr_bench.document.around import MOST_WORDS
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.rows import Finding
from sr_bench.document.spelling import folded

_SIGNS: Final = re.compile(r"[^\w.+]+")


def tell_apart(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str, str]]:
    """Yield each of `findings` with its variant, empty if it alone asks its question, and a fault.

    The fault is why one that says nothing else than one before it can't be read. A cell without a
    number is left out if another one answers its question.
    """
    groups: dict[tuple[str, Dimensions], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_key(finding), []).append(finding)
    for group in groups.values():
        if len(group) == 1:
            yield group[0], "", ""
            continue
        told = [finding for finding in group if finding.text] or group[:1]
        variants = _variants(told)
        firsts: dict[str, Finding] = {}
        for finding, variant in zip(told, variants, strict=True):
            first = firsts.setdefault(variant, finding)
            yield finding, variant, "" if first is finding else _doubled(finding, first)


def _doubled(finding: Finding, first: Finding) -> str:
    says = finding.says
    who = (says.model, says.row_source, says.backend, says.precision, says.dataset)
    return (
        f"expected one row for {', '.join(filter(None, who))}, got a second one beside line"
        f" {first.line.number}; tell them apart by Source, Dataset, Shape or a remark"
    )


def _key(finding: Finding) -> tuple[str, Dimensions]:
    says = finding.says
    return finding.measure.metric, says._replace(dataset=dataset_key(says.dataset), shape="")


def _variants(group: Sequence[Finding]) -> list[str]:
    if len(group) == 1:
        return [""]
    chosen: list[tuple[str, ...]] = [()] * len(group)
    for texts in zip_longest(*map(_apart, group), fillvalue=""):  # one way after the other
        finer = [(*before, text) for before, text in zip(chosen, texts, strict=True)]
        # What tells none apart is no part of the variant.
        if len(set(finer)) > len(set(chosen)):
            chosen = finer
        if len(set(chosen)) == len(group):
            break
    return ["-".join(filter(None, texts)) for texts in chosen]


def _apart(finding: Finding) -> tuple[str, ...]:
    """Return what may tell a number from others that say the same, the best first."""
    line, grid = finding.line, finding.line.layout.grid
    said = finding.column.says
    units = "/".join(measure.unit for measure in said.measures)
    named = (grid.caption, grid.heading)
    if len(grid.caption.split()) > MOST_WORDS:  # a sentence
        named = (grid.heading, grid.caption)
    texts = (finding.says.shape, *line.remarks, said.rest, units, *named, *grid.sections)
    return tuple(map(_spelled, texts))


def _spelled(text: str) -> str:
    return _SIGNS.sub("_", folded(text).replace("×", "x")).strip("_")  # noqa: RUF001
