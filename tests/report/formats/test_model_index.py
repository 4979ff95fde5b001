"""The results of a model card: as Hugging Face's specification has them, read back as claims."""

from dataclasses import replace
from math import inf

import pytest
import yaml

from sr_bench.core.claim import Source
from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status
from sr_bench.document.tables import parse_document
from sr_bench.errors import NotRunError
from sr_bench.report.formats.model_index import render
from tests.reading import read_claims
from tests.report.records import CLAIM, record, with_interval
from tests.report.sessions import HOSTILE, ended, latency, past_session

URL = "https://example.org/report"
SSIM = record(replace(CLAIM, metric="ssim", text="0.9100"), 0.91)
EMULATED = replace(
    with_interval(record(replace(CLAIM, precision=Precision("int8_max"), text="30.0"), 30), 30.2),
    backend="vacc",
)


def index(*records: Record, source: str = "") -> list[dict]:
    return yaml.safe_load(render(past_session(records), source))["model-index"]


def test_a_result_has_all_that_the_specification_requires_and_who_measured_it() -> None:
    (model,) = index(record(), latency(), source=URL)
    assert model["name"] == "m_x2"
    (result,) = model["results"]
    assert result["task"] == {"type": "image-to-image", "name": "Super-resolution x2"}
    assert result["dataset"] == {"type": "set5", "name": "set5", "args": {"scale": 2}}
    assert result["source"] == {"name": "sr-bench", "url": URL}
    assert result["metrics"] == [
        {
            "type": "psnr",
            "value": 30.1,
            "name": "PSNR (dB), fp32",
            "args": {
                "protocol": "paper_y",
                "images": "2",
                "precision": "fp32",
                "backend": "onnxruntime",
                "device": "cpu",
                "status": "match",
                "verified_by": "sr-bench, run 20261121T091430-b65233, commit 0123abcd",
            },
        }
    ]


def test_only_hugging_face_says_what_it_verified() -> None:
    text = render(past_session([record(), EMULATED]), URL)
    assert "verified:" not in text
    assert "verifyToken" not in text


@pytest.mark.parametrize("status", [Status.DIFFERS, Status.NOT_RUN, Status.NEW])
def test_a_value_that_was_not_verified_was_measured(status: Status) -> None:
    (metric,) = index(ended(status))[0]["results"][0]["metrics"]
    assert "verified_by" not in metric["args"]
    assert metric["args"]["measured_by"].startswith("sr-bench, run ")
    assert metric["args"]["status"] == status


def test_models_and_datasets_have_entries_of_their_own() -> None:
    other = replace(record(), dataset="b100_x2", claim=replace(CLAIM, dataset="B100"))
    restored = replace(record(), dataset="sidd_x1")
    first, second = index(record(), SSIM, other, restored, replace(record(), model="n"))
    assert (first["name"], second["name"]) == ("m_x2", "n")
    assert [result["dataset"]["name"] for result in first["results"]] == ["set5", "B100", "sidd"]
    assert [len(result["metrics"]) for result in first["results"]] == [2, 1, 1]
    assert first["results"][2]["task"]["name"] == "Image restoration"


def test_what_is_exported_is_read_back_as_the_claims_that_were_measured() -> None:
    front = f"---\n{render(past_session([record(), SSIM, EMULATED]), URL)}---\n\n# M\n"
    read = read_claims(parse_document(front, "README.md"))
    assert [
        (claim.row, claim.metric, claim.text, claim.precision, claim.backend, claim.dataset)
        for claim in read
    ] == [
        ("m_x2", "psnr", "30.10", "fp32", "", "set5"),
        ("m_x2", "ssim", "0.9100", "fp32", "", "set5"),
        ("m_x2", "psnr", "30.0", "int8_max", "vacc-emulated", "set5"),
    ]


def test_a_part_of_the_images_and_both_readings_are_said() -> None:
    part = replace(EMULATED, measurement=replace(EMULATED.measurement, planned=9))
    (metric,) = index(part)[0]["results"][0]["metrics"]
    assert metric["name"] == "PSNR (dB), vacc-emulated int8_max, 2 of 9 images"
    assert (metric["args"]["images"], metric["args"]["readings"]) == (
        "2 of 9 images",
        "30.0 .. 30.2",
    )


def test_no_name_is_yaml_and_infinity_is_a_word() -> None:
    hostile = f"{HOSTILE}\n- name: !!python/object: {{}}"
    (model,) = index(replace(record(value=inf), model=hostile))
    assert "\x1b" not in model["name"]
    assert model["results"][0]["metrics"][0]["value"] == "inf"


def test_without_a_score_there_is_no_index() -> None:
    with pytest.raises(NotRunError, match="scored none of this on images"):
        index(latency())


def test_models_side_by_side_in_one_row_are_an_entry_each() -> None:
    records = [
        replace(record(replace(CLAIM, metric=metric, source=Source("a.md", line, column))), model=m)
        for line, metric in enumerate(("psnr", "ssim"), 5)
        for column, m in enumerate("ab")
    ]
    found = index(*records)
    assert [model["name"] for model in found] == ["a", "b"]
    assert [len(model["results"][0]["metrics"]) for model in found] == [2, 2]
