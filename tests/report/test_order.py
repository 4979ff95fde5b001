"""Views keep the document's order, whatever order the items ran in."""

from dataclasses import replace
from itertools import permutations

from sr_bench.core.claim import Claim, Source
from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status, Verdict
from sr_bench.report.order import in_document_order


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
