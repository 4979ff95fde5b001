"""The results that a model card lists above its text."""

import pytest

from sr_bench.document.claims import read
from sr_bench.document.mirror import replace_numbers
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
_CARD = f"---\nlicense: mit\nversion: 1.5\n{_INDEX}{_TWO}---\n\n# FastSR\n"
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


@pytest.mark.parametrize(
    "text", [_CARD.replace("mit", "{"), _CARD.replace("---", ""), "text\n\n" + _CARD]
)
def test_what_is_no_front_matter_in_yaml_holds_no_results(text: str) -> None:
    assert not read_claims(parse_document(text, "README.md"))
