"""What was not measured in full, not judged, or only emulated is never written."""

from dataclasses import replace
from math import inf

import pytest

from sr_bench.core.modes import UpdateMode
from sr_bench.core.record import Record, Status
from sr_bench.document.claims import read
from sr_bench.document.tables import parse_document
from sr_bench.update.cells import work_out
from sr_bench.update.choose import Asked, asked_for
from tests.reading import read_claims
from tests.report.records import CLAIM, record
from tests.update_zoo import (
    A8,
    README,
    A,
    Zoo,
    changed,
    only,
    partial,
    update,
    why,
    with_more,
)


def unjudged(record: Record) -> Record:
    verdict = replace(record.verdict, status=Status.NOT_RUN, tolerance=None)
    return replace(record, verdict=verdict, backend="vacc", device="emulated")


LEFT_OUT = {
    "a part of the images": partial,
    "emulated, and the row is about the device": unjudged,
    "emulated, and the row is about the vacc device": lambda old: replace(old, device="emulated"),
    "not measured": lambda old: replace(old, measurement=None),
    "failed": lambda old: replace(old, verdict=replace(old.verdict, status=Status.ERROR)),
    "not judged": lambda old: replace(old, verdict=replace(old.verdict, tolerance=None)),
}


@pytest.mark.parametrize("reason", LEFT_OUT)
@pytest.mark.parametrize("mode", ["failed", "all"])
def test_what_was_not_judged_is_never_written(zoo: Zoo, reason: str, mode: UpdateMode) -> None:
    session = zoo.session({A8: 28.0})
    (record,) = (record for record in session.records if record.measurement)
    result = update(replace(session, records=(LEFT_OUT[reason](record),)), mode)
    assert reason in why(result)["zoo/README.md:6:37"]
    assert zoo.text == README
    assert not zoo.ledger.exists()


def test_a_partial_value_is_left_out_even_if_it_was_judged(zoo: Zoo) -> None:
    session = zoo.session({A: 28.0})
    (record,) = (record for record in session.records if record.measurement)
    limited = replace(partial(record), verdict=record.verdict)
    assert "--sr-limit" in why(update(replace(session, records=(limited,))))["zoo/README.md:5:28"]
    assert zoo.text == README


@pytest.mark.parametrize(("value", "reason"), [(inf, "no table can print"), (-inf, "infinity")])
def test_infinity_is_not_written(zoo: Zoo, value: float, reason: str) -> None:
    assert reason in why(update(zoo.session({A: value})))["zoo/README.md:5:28"]
    assert zoo.text == README


def test_an_emulated_low_precision_needs_a_row_that_says_so(zoo: Zoo) -> None:
    zoo.edit("**vacc int8 max**", "**int8 max**")
    session = changed(zoo.session({A8: 28.0}), "int8_max-psnr", device="emulated", backend="vacc")
    assert "vacc-emulated" in why(update(session))["zoo/README.md:6:32"]
    zoo.edit("**int8 max**", "**vacc-emulated int8 max**")
    update(changed(zoo.session({A8: 28.0}), "int8_max-psnr", device="emulated"))
    assert "| 28.00 |" in zoo.text


def test_in_fp32_nothing_is_emulated_so_a_plain_row_takes_the_value(zoo: Zoo) -> None:
    update(changed(zoo.session({A: 31.0}), "a_x2--fp32-psnr", device="emulated", backend="vacc"))
    assert "**31.00**" in zoo.text


def test_of_a_cell_that_was_measured_twice_the_newest_value_counts(zoo: Zoo) -> None:
    good, bad = only(zoo.session({A: 31.0})), only(zoo.session({A: 32.0}))
    bad = replace(bad, verdict=replace(bad.verdict, status=Status.ERROR))
    result = update(with_more(replace(zoo.session({}), records=(good,)), bad))
    assert (result.edits, list(why(result).values())) == ((), ["its measurement failed"])
    result = update(with_more(replace(zoo.session({}), records=(bad,)), good))
    assert (len(result.edits), result.left_out) == (1, ())


def test_nan_is_named_as_the_defect_that_it_is(zoo: Zoo) -> None:
    session = zoo.session({A: 31.0})
    measurement = replace(only(session).measurement, value=float("nan"))
    result = update(changed(session, "a_x2--fp32-psnr", measurement=measurement))
    assert "NaN, which is a defect" in why(result)["zoo/README.md:5:28"]


_SPANS = """<table><tr><th>Model</th><th>PSNR</th></tr>
<tr><td>A</td><td rowspan=2>30.10</td></tr><tr><td>B</td></tr></table>"""


@pytest.mark.parametrize(
    ("values", "mode", "edits"),
    [
        ((29.0, 28.0), "all", 0),
        ((29.0, 29.0), "all", 2),
        ((29.0, 29.0), "failed", 2),
        ((29.0, 30.1), "failed", 0),  # B is as printed, so that nothing is asked for it
        ((29.0, 30.1), "all", 0),
        ((29.0,), "failed", 0),  # B was not run
    ],
)
def test_a_cell_that_spans_rows_takes_only_what_was_measured_of_each(
    values: tuple[float, ...], mode: UpdateMode, edits: int
) -> None:
    document = parse_document(_SPANS, "page.html")
    pairs = zip(read_claims(document), values, strict=False)
    status = {29.0: Status.DIFFERS, 28.0: Status.DIFFERS}
    run = [record(claim, value, status=status.get(value, Status.MATCH)) for claim, value in pairs]
    asked = asked_for(run, mode).records
    result = work_out(read(document), asked, mode, lambda _: pytest.fail("no blank cell"), run)
    assert len(result.edits) == edits
    assert [why for why, _ in result.left_out] == [
        "its cell spans rows that were not all measured with this value: give each its own"
    ] * (not edits)


def test_a_suite_whose_rows_share_a_cell_keeps_it_where_one_of_them_matches(zoo: Zoo) -> None:
    zoo.readme.write_text(f"# Zoo\n\n{_SPANS}\n")
    shared = zoo.text
    session = zoo.session({A: 29.0, "b_x2 fp32 psnr": 30.1})
    assert "spans rows" in why(update(session))["zoo/README.md:4:29"]
    assert zoo.text == shared
    session = zoo.session({A: 29.0, "b_x2 fp32 psnr": 29.0})
    (b,) = (one for one in session.records if one.model == "b_x2" and one.measurement)
    within = replace(b.verdict, status=Status.MATCH)  # of another tolerance, so that nothing failed
    update(changed(session, "b_x2--fp32-psnr", verdict=within))
    assert zoo.text == shared.replace("30.10", "29.00")


@pytest.mark.parametrize("mode", ["failed", "all"])
def test_a_time_is_written_only_where_it_disagrees_on_a_calm_machine(mode: UpdateMode) -> None:
    claim = replace(CLAIM, metric="fps", text="30.1")
    agrees, differs = record(claim, 30.4), record(claim, 20.0, status=Status.DIFFERS)
    assert asked_for([agrees], mode) == Asked((), ())
    assert asked_for([differs], mode).records == (differs,)
    busy = record(claim, 20.0, status=Status.UNDECIDED, tolerance=None)
    assert asked_for([busy], mode).left_out == (
        ("undecided: timed while the machine was busy", "README.md:7:22"),
    )
    blank = replace(busy, claim=None, place=CLAIM.source)
    assert asked_for([blank], "all").records == ()
