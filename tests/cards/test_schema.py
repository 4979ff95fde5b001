"""What may be written in a card.toml, key by key, and the JSON schema that says so to editors."""

import json
import math
import tomllib
from pathlib import Path

import pytest

from sr_bench.cards.schema import CardTable
from sr_bench.errors import CardError
from sr_bench.files.validation import validate

FAMILIES = ("lesrcnn", "edsr", "esrgan", "rcan", "realsr")
CARD = {
    "schema": 1,
    "model": [{"name": "m", "row": "M", "scale": 2, "architecture": "edsr"}],
}


def read(table: dict[str, object]) -> CardTable:
    return validate(CardTable, table, where="card.toml", error=CardError)


def model(**keys: object) -> dict[str, object]:
    return CARD | {"model": [CARD["model"][0] | keys]}


def test_the_least_card_is_understood_with_its_defaults() -> None:
    card = read(CARD)
    assert (card.document, card.ignore_rows, card.protocol) == ("README.md", {}, {})
    assert card.model[0].cost.rule == "standard"
    assert [end.range for end in card.model[0].ends] == [(0.0, 1.0)] * 2


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"onnx": "m.onnx"}, "either architecture or onnx"),
        ({"onnx": "nets\\m.onnx"}, "onnx: expected / between folders, as any system takes it"),
        ({"checkpoint": {"file": "C:\\m.pth"}}, "checkpoint.file: expected / between folders"),
        (
            {"architecture": "", "onnx": "m.onnx", "checkpoint": {"file": "m.pth"}},
            "an onnx file needs no checkpoint and no hyper",
        ),
        (
            {"architecture": "", "onnx": "m.onnx", "hyper": {"n_feats": 64}},
            "an onnx file needs no checkpoint and no hyper",
        ),
        ({"tolerance": {"psnr": {"slack": 0.01}}}, "slack = 0.01 needs a reason"),
        ({"tolerance": {"psnr": {"slack": 0.01, "reason": " "}}}, "needs a reason"),
        ({"tolerance": {"psnr": {"slack": -1, "reason": "x"}}}, "greater than or equal to 0"),
        ({"tolerance": {"psnr": {"slack": math.inf, "reason": "x"}}}, "finite"),
        ({"tolerance": {"fps": {"slack": 1, "reason": "x"}}}, "tolerance_percent under .model.lat"),
        ({"latency": {"device": "X", "tolerance_percent": 0}}, r"greater than 0 \(got 0\)"),
        ({"latency": {"device": "X", "tolerance_percent": 101}}, r"equal to 100 \(got 101\)"),
        ({"latency": {"device": "cuda"}}, "expected the name of one device, such as"),
        ({"latency": {"shape": "3x64x64"}}, "latency is of no device: say it, such as device ="),
        ({"latency": {"device": "X", "shape": "64x64"}}, "such as 3x270x480"),
        (
            {"latency": {"device": "X", "shape": "1x64x64"}},
            "has 1 channel, and the network reads 3",
        ),
        ({"latency": {"device": "X", "batch": 0}}, "batch: expected .* equal to 1"),
        ({"latency": {"device": "X", "rounds": 4}}, "rounds: expected .* equal to 5"),
        ({"devices": {"": "X"}}, "of what names none it is device under .model.latency."),
        ({"tolerance": {"beauty": {}}}, "expected one of flops, params, .*psnr_y, ssim"),
        ({"name": "a b"}, "letters, digits"),
        ({"name": ""}, "letters, digits"),
        ({"scale": "2"}, "valid integer"),
        ({"scale": 0}, "greater than or equal to 1"),
        ({"value_range": 0}, "greater than 0"),
        ({"cost": {"shape": "128x128"}}, "such as 3x128x128"),
        ({"value_range": math.inf}, "finite"),
        ({"cost": {"shape": "3x0x128"}}, "such as 3x128x128"),
        ({"checkpoint": {"file": "m.pth", "sha256": "ABC"}}, "64 lower-case hex digits"),
        ({"checkpoint": {"key": "net"}}, r"give file \(yours\) or package with path"),
        ({"checkpoint": {"package": "my-sr"}}, "package and path go together"),
        ({"checkpoint": {"file": "m.pth", "path": "m"}}, "package and path go together"),
        ({"checkpoint": {"package": "a b", "path": "m"}}, "expected the name of a Python package"),
        ({"checkpoint": {"package": "--index-url", "path": "m"}}, "the name of a Python package"),
        (
            {"checkpoint": {"file": "m.pth", "package_sha256": "0" * 64}},
            "package_sha256 is of a file in a package",
        ),
        (
            {"checkpoint": {"file": "m.pth", "package": "my-sr", "path": "models/m.pth"}},
            r"file and path have one name, m\.pth",
        ),
        ({"known_gap": [{"metric": "psnr", "precision": "int9", "reason": "r"}]}, "int8_max"),
        ({"known_gap": [{"metric": "psnr", "precision": "fp32", "reason": ""}]}, "expected words"),
    ],
)
def test_a_value_that_means_nothing_is_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(CardError, match=message):
        read(model(**keys))


@pytest.mark.parametrize("top", [{"schema": 2}, {"model": []}, {"modle": []}])
def test_another_schema_no_model_or_an_unknown_table_is_refused(top: dict[str, object]) -> None:
    with pytest.raises(CardError):
        read(CARD | top)


def test_precisions_are_read_in_any_spelling() -> None:
    gap = {"metric": "psnr", "precision": "percentile int8", "reason": "r"}
    card = read(model(known_gap=[gap]))
    assert card.model[0].known_gaps[0].precision == "int8_percentile"


def test_a_truncated_number_needs_no_slack() -> None:
    tolerance = {"params": {"digits": "truncated"}}
    assert read(model(tolerance=tolerance)).model[0].tolerances["params"]


def test_the_json_schema_has_the_keys_of_a_card() -> None:
    schema = CardTable.model_json_schema()
    assert schema["type"] == "object"
    assert set(schema["required"]) == {"schema", "model"}
    assert schema["additionalProperties"] is False
    ignores = {"ignore_columns", "ignore_rows", "ignore_tables"}
    top = {"schema", "document", *ignores, "table", "protocol", "waive", "model"}
    assert set(schema["properties"]) == top
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("family", FAMILIES)
def test_every_key_of_the_shipped_cards_is_in_the_json_schema(
    family: str, project_root: Path
) -> None:
    schema = CardTable.model_json_schema()
    card = tomllib.loads((project_root / "suites" / family / "card.toml").read_text("utf-8"))
    unknown = list(_unknown(card, schema, schema["$defs"]))
    assert unknown == []


def _unknown(value: object, schema: dict[str, object], defs: dict[str, object]):
    """Yield the keys of `value` that `schema` does not have: an editor's check, made small."""
    options = [schema, *schema.get("anyOf", [])]
    options = [defs[o["$ref"].rpartition("/")[2]] if "$ref" in o else o for o in options]
    if isinstance(value, list):
        items = next(option["items"] for option in options if "items" in option)
        for item in value:
            yield from _unknown(item, items, defs)
    if isinstance(value, dict):
        known = {k: v for option in options for k, v in option.get("properties", {}).items()}
        open_ended = [o["additionalProperties"] for o in options if o.get("additionalProperties")]
        for key, item in value.items():
            if key in known:
                yield from _unknown(item, known[key], defs)
            elif not open_ended:
                yield key
