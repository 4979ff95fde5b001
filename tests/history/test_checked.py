"""A record from a file has each value of its declared type, or is refused with its place."""

import math
from dataclasses import replace

import pytest

from sr_bench.core.codec import encode
from sr_bench.core.detail import Detail
from sr_bench.core.record import Record
from sr_bench.history.checked import read_record_of
from tests.report.records import CLAIM, record, without_value
from tests.report.terminal.test_dossier import DOSSIER
from tests.report.terminal.test_forensics import FITS, MATCH, NONE
from tests.report.terminal.test_gate import COMPARED, VERDICT


def test_a_record_is_read_as_it_was_written() -> None:
    for original in (record(), record(value=math.inf), record(value=1e9)):
        assert read_record_of(encode(original)) == original


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model", ["x"], r"Record\.model: expected str"),
        ("metric", "beauty", "unknown metric 'beauty'"),
        ("detail", [], r"Record\.detail"),
        (
            "measurement",
            {"metric": "psnr", "unit": "", "value": 1, "notes": []},
            r"Measurement\.notes: expected a table",
        ),
        (
            "measurement",
            {"metric": "psnr", "unit": "", "value": 1, "images": [{"image": "a", "value": -1e10}]},
            r"scores of images of at most 1e\+09, got -1e\+10",
        ),
        ("inputs", {"network": 5}, r"Record\.inputs: expected str, got 5"),
        ("seconds", "nan", r"Record\.seconds: expected a number, got 'nan'"),
        ("kept", {"sr": 1, "pairs": "x"}, r"Record\.kept: Kept\.sr: expected str"),
        (
            "place",
            {"path": "x", "line": True, "column": 1},
            r"Record\.place: Source\.line: expected an integer",
        ),
        ("claim", encode(replace(CLAIM, text="abc")), "abc"),
        ("claim", encode(replace(CLAIM, text="9" * 400)), "expected a claim that is a number"),
        ("claim", encode(replace(CLAIM, exponent=-(10**9))), "expected a claim that is a number"),
    ],
)
def test_a_value_of_another_type_is_named(key: str, value: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        read_record_of({**encode(record()), key: value})


def test_a_number_of_an_unknown_metric_is_read_if_nothing_claims_to_have_measured_it() -> None:
    absent = without_value(record(replace(CLAIM, metric="map_50", exponent=-2, unit="%")))
    assert read_record_of(encode(absent)) == absent


def read(**detail: object) -> Record:
    return read_record_of({**encode(record()), "detail": encode(detail)})


def test_a_detail_is_written_flat_and_read_as_it_was() -> None:
    for forensics in (FITS, NONE):
        parts = {"forensics": forensics, "gate": VERDICT, "compared": [COMPARED]}
        flat = {**parts, "dossier": DOSSIER, "observer": "kl", "sdk": "2.8"}
        detail = read(**flat).detail
        assert encode(detail) == encode(flat)
        assert detail == Detail(
            gate=VERDICT,
            compared=(COMPARED,),
            dossier=DOSSIER,
            forensics=forensics,
            observer="kl",
            notes={"sdk": "2.8"},
        )


@pytest.mark.parametrize("note", [[1], 2**63, {"a": "b"}, None])
def test_a_note_that_is_not_text_is_named(note: object) -> None:
    with pytest.raises(TypeError, match=r"Record\.detail: Detail\.notes: expected str"):
        read(mine=note)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("gate", 1, "expected GateVerdict, got 1"),
        ("gate", replace(VERDICT, findings=VERDICT.findings[:2]), "a finding for each question"),
        ("gate", replace(VERDICT, images=()), "a drop for each image"),
        ("gate", replace(VERDICT, images=VERDICT.images[:2]), "a drop for each image"),
        ("gate", replace(VERDICT, psnr=replace(VERDICT.psnr, values=())), "a drop for each image"),
        (
            "gate",
            replace(
                VERDICT,
                images=(),
                **{name: replace(getattr(VERDICT, name), values=()) for name in ("psnr", "ssim")},
            ),
            "a drop for each image",
        ),
        ("compared", {}, "expected a list"),
        ("compared", [1], "expected Comparison, got 1"),
        ("compared", [replace(COMPARED, metric="beauty")], "a known metric"),
        ("compared", [replace(COMPARED, images=("a",))], "a drop for each image"),
        (
            "compared",
            [replace(COMPARED, images=(), drop=replace(COMPARED.drop, values=()))],
            "a drop for each image",
        ),
        ("dossier", {"image": 1}, r"Dossier\.image: expected str"),
        ("forensics", [], "expected Forensics"),
        ("forensics", replace(FITS, text="many"), "could not convert"),
        (
            "forensics",
            replace(FITS, matches=(replace(MATCH, changes=("mood",)),)),
            "changes of a scoring",
        ),
        (
            "forensics",
            replace(NONE, nearest=(replace(MATCH, changes=("image",)),)),
            "changes of a scoring",
        ),
    ],
)
def test_a_damaged_part_is_named(name: str, value: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"{name}( is damaged)?: .*{message}"):
        read(**{name: value})


def test_an_empty_comparison_is_valid() -> None:
    assert read(compared=[replace(COMPARED, drop=None, images=())])
