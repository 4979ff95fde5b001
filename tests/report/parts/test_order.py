"""Views keep the document's order, whatever order the items ran in."""

from dataclasses import replace
from itertools import permutations

from sr_bench.core.claim import Claim, Source
from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status, Verdict
from sr_bench.report.parts.order import FAILURES, failures, in_document_order


def record(family: str, model: str, place: tuple[int, int] | None) -> Record:
    name = f"{family}/{model}/{place}"
    verdict = Verdict(Status.MATCH, "")
    claim = None
    if place:
        source = Source("README.md", *place)
        claim = Claim("psnr", "1", model, "", Precision.FP32, "", "", "", source)
    empty = ("", family, model, "psnr", "fp32", "", "torch", "cpu", "", "")
    return replace(Record(name, *empty, verdict), claim=claim)


def test_records_follow_family_line_column_and_then_those_without_a_claim() -> None:
    right = (
        record("edsr", "b", (7, 10)),
        record("edsr", "b", (7, 20)),
        record("edsr", "b", (8, 10)),
        record("edsr", "b", None),
        record("edsr", "a", (9, 10)),
        record("rcan", "c", (2, 10)),
    )
    assert all(in_document_order(some) == right for some in permutations(right))


def test_values_without_a_place_are_ordered_by_case() -> None:
    none = record("edsr", "b", None)
    right = (
        none,
        replace(none, precision="fp16", dataset="a", metric="ssim"),
        replace(none, precision="fp16", dataset="b", metric="psnr"),
        replace(none, precision="fp16", dataset="b", metric="ssim"),
        replace(none, precision="int8_kl"),
        replace(none, precision="a_later_one"),
        record("edsr", "c", None),
    )
    assert all(in_document_order(some) == right for some in permutations(right))


def test_a_new_value_stands_where_its_blank_cell_does() -> None:
    claimed, new = record("edsr", "b", (7, 10)), record("edsr", "b", None)
    blank = replace(new, place=Source("README.md", 7, 5))
    assert in_document_order([claimed, blank, new]) == (blank, claimed, new)
    assert blank.source == Source("README.md", 7, 5)
    assert claimed.source == claimed.claim.source
    assert new.source is None


def test_failures_are_ordered_by_severity_and_then_as_in_the_document() -> None:
    def ended(status: Status, line: int) -> Record:
        return replace(record("edsr", "a", (line, 1)), verdict=Verdict(status, ""))

    given = [ended(status, line) for line in (8, 7) for status in Status]
    fails = failures(given)
    assert [case.verdict.status for case in fails] == [status for status in FAILURES for _ in "ab"]
    assert [case.claim.source.line for case in fails] == [7, 8] * len(FAILURES)
    passing = set(Status) - set(FAILURES)
    assert passing == {
        *(Status.MATCH, Status.KNOWN_GAP, Status.NEW, Status.NOT_RUN, Status.WITHIN),
        Status.UNDECIDED,
    }
