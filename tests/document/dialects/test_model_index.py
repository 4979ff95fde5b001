"""The results that a model card lists above its text."""

import pytest

from sr_bench.document.claims import read
from sr_bench.document.mirror import replace_numbers
from sr_bench.document.printed import unread_numbers
from sr_bench.document.tables import parse_document
from tests.reading import read_claims

_RESULT = """\
  - task: {{type: image-to-image}}
    dataset:
      name: {dataset}
      type: images
    metrics:
    - type: psnr
      value: {psnr}
"""
_INDEX = "model-index:\n- name: FastSR\n  results:\n"
_TWO = _RESULT.format(dataset="Set5", psnr="38.02") + _RESULT.format(dataset="B100", psnr="32.1")
_CARD = f"---\nlicense: mit\nco2: {{emissions: 1.5}}\n{_INDEX}{_TWO}---\n\n# FastSR\n"
_TABLE = "\n| Model | PSNR |\n|-|-|\n| Small | 30.1 |\n"


def test_results_above_a_model_card_are_claims_of_their_datasets() -> None:
    claims = read_claims(parse_document(_CARD + _TABLE, "README.md"))
    read_as = [(claim.row, claim.metric, claim.text, claim.dataset) for claim in claims]
    assert read_as == [
        ("FastSR", "psnr", "38.02", "Set5"),
        ("FastSR", "psnr", "32.1", "B100"),
        ("Small", "psnr", "30.1", ""),
    ]


@pytest.mark.parametrize("text", [_CARD, "\ufeff" + _CARD, _CARD.replace("\n", "\r\n")])
def test_an_update_of_a_result_above_a_card_changes_no_other_byte(text: str) -> None:
    document = parse_document(text, "README.md")
    old = read_claims(document)[0]
    assert replace_numbers(read(document), {old.source: "37.95"}) == text.replace("38.02", "37.95")


_FLOW = "[{name: A, results: [{dataset: {name: Set5}, metrics: [{type: psnr, value: 38.02}]}]}]"


@pytest.mark.parametrize(
    "front",
    [
        f"model-index: {_FLOW}\n---\n",
        f"model-index : {_FLOW}\n...\n",
        f'{{licence: mit, "model-index": {_FLOW}}}\n---',
    ],
)
def test_the_index_may_be_written_in_any_style_of_yaml(front: str) -> None:
    document = parse_document(f"---\n{front}", "README.md")
    (claim,) = read_claims(document)
    assert (claim.row, claim.dataset, claim.text) == ("A", "Set5", "38.02")
    new = replace_numbers(read(document), {claim.source: "37.95"})
    assert new == document.text.replace("38.02", "37.95")


def test_an_index_that_is_no_yaml_is_named_with_the_reason() -> None:
    reading = read(parse_document(_CARD.replace("mit", "{") + _TABLE, "README.md"))
    unread = [number for number in reading.printed if number.unread]
    assert [(one.source.line, one.source.column, one.text) for one in unread] == [
        (3, 18, "1.5}"),
        (13, 14, "38.02"),
        (20, 14, "32.1"),
    ]
    (message,) = [one.message for one in unread_numbers(reading.printed)]
    assert "expected YAML" in message
    assert "[[table]]" not in message  # which would not help


@pytest.mark.parametrize(
    "text", [_CARD.replace("mit", "{"), _CARD.replace("---", ""), "text\n\n" + _CARD]
)
def test_what_is_no_front_matter_in_yaml_holds_no_results(text: str) -> None:
    assert not read_claims(parse_document(text, "README.md"))
