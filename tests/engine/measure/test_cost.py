"""Cost metrics come from the network alone, by the card's rule, and a user's ONNX file has them."""

from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from sr_bench.core.card import ModelCard
from sr_bench.engine.measure import cost
from sr_bench.engine.measure.cost import Counts, cost_inputs, cost_measurement, count
from sr_bench.engine.plan.suite import load_suite
from sr_bench.errors import BackendError, CardError, NotRunError
from sr_bench.files.hashing import sha256_json
from sr_bench.files.kept import Kept
from tests.tiny_zoo import nearest_x2

EDSR = {"form": "official", "n_feats": 4, "n_resblocks": 1, "res_scale": 1.0, "rgb_range": 255.0}
CARD = ModelCard("m", "zoo", Path("/z/zoo"), "M", "", 2, "edsr", hyper=EDSR)

# Head 3->4, two in the block, one after the body, up to 16 channels; at twice the size 4->3.
CONV_PARAMS = (3 * 36 + 4) + 3 * (4 * 36 + 4) + (4 * 144 + 16) + (4 * 27 + 3)
SHIFT_PARAMS = 2 * (9 + 3)
MACS_PER_PIXEL = (3 * 36 + 3 * 4 * 36 + 4 * 144) + 4 * (4 * 27)
SHIFT_MACS = 9 + 4 * 9


@pytest.fixture
def tiny(shared_zoo) -> ModelCard:
    return load_suite(shared_zoo.suite / "card.toml").card.models[0]


def test_a_built_in_network_costs_what_one_computes_by_hand() -> None:
    counted = count(CARD, (3, 10, 20))
    assert counted.params == CONV_PARAMS + SHIFT_PARAMS
    assert counted.macs == 200 * (MACS_PER_PIXEL + SHIFT_MACS)


def test_a_users_onnx_file_is_counted(tiny: ModelCard) -> None:
    counted = count(tiny, (3, 10, 20))
    assert (counted.params, counted.macs) == (9, 9 * 200)


def test_params_are_in_millions_and_exact() -> None:
    measurement = cost_measurement(CARD, "params", count(CARD, (3, 8, 8)))
    assert measurement.exact == CONV_PARAMS + SHIFT_PARAMS
    assert measurement.value == measurement.exact / 1e6
    assert (measurement.unit, measurement.partial) == ("M", False)


def test_flops_follow_the_cards_rule_beside_the_standard_count() -> None:
    counted = count(CARD, (3, 8, 8))
    standard = cost_measurement(CARD, "flops", counted)
    printed = cost_measurement(replace(CARD, flops_rule="thop_0_1_1"), "flops", counted)
    assert standard.value == pytest.approx(2 * counted.macs / 1e9, rel=1e-12)
    assert printed.value == pytest.approx(printed.exact * 2 / 0.9e9, rel=1e-12)
    assert printed.notes["standard_g"] == standard.value
    assert printed.notes["macs"] == counted.macs


def test_macs_are_all_multiply_accumulates_or_what_the_tool_of_the_rule_calls_so() -> None:
    counted = count(CARD, (3, 8, 8))
    macs = cost_measurement(CARD, "macs", counted)
    assert (macs.exact, macs.unit) == (64 * (MACS_PER_PIXEL + SHIFT_MACS), "G")
    assert macs.value == pytest.approx(cost_measurement(CARD, "flops", counted).value / 2)
    # thop overlooks the mean shifts, and this version counts no biases.
    thop = cost_measurement(replace(CARD, flops_rule="thop_0_1_1"), "macs", counted)
    assert thop.exact == 64 * MACS_PER_PIXEL
    ops = cost_measurement(replace(CARD, flops_rule="thop_0_1_1"), "ops", counted)
    assert ops.exact == 2 * macs.exact


def test_the_size_of_an_onnx_file_is_that_of_all_its_files(tmp_path: Path) -> None:
    model = nearest_x2()
    onnx.save(
        model, tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=0
    )
    card = replace(CARD, architecture="", hyper={}, onnx=tmp_path / "m.onnx")
    size = Counts(Kept(None)).measured(card, "model_size")
    assert size.exact == sum(file.stat().st_size for file in tmp_path.iterdir())
    assert (size.value, size.unit) == (size.exact / 1e6, "MB")
    (tmp_path / "m.onnx").unlink()
    with pytest.raises(NotRunError, match=r"m\.onnx is not in"):
        Counts(Kept(None)).measured(card, "model_size")


def test_one_network_is_counted_once_however_many_rows_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sr_bench.zoo.build

    cost._count_network.cache_clear()
    first = count(CARD, (3, 6, 6))
    monkeypatch.setattr(sr_bench.zoo.build, "build", None)
    assert count(replace(CARD, name="n", row="N", hyper=dict(EDSR)), (3, 6, 6)) == first


def test_a_wrong_hyper_parameter_is_not_taken_for_an_equal_one_that_was_counted() -> None:
    count(CARD, (3, 8, 8))
    with pytest.raises(CardError, match="n_resblocks: expected a valid integer"):
        count(replace(CARD, hyper=EDSR | {"n_resblocks": True}), (3, 8, 8))


def test_an_absent_onnx_file_is_not_run(tiny: ModelCard) -> None:
    with pytest.raises(NotRunError, match=r"absent\.onnx is not in tiny/: put the ONNX file"):
        count(replace(tiny, onnx=tiny.folder / "absent.onnx"), (3, 8, 8))


def test_a_broken_onnx_file_is_named(tiny: ModelCard, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"not an onnx file")
    with pytest.raises(BackendError, match=r"broken\.onnx"):
        count(replace(tiny, onnx=tmp_path / "broken.onnx"), (3, 8, 8))


def test_a_shape_that_the_network_does_not_accept_is_named() -> None:
    with pytest.raises(BackendError, match="input shape 1x8x8"):
        count(CARD, (1, 8, 8))


def test_the_fingerprint_changes_with_all_that_can_change_the_number(tiny: ModelCard) -> None:
    cards = [
        CARD,
        replace(CARD, scale=4),
        replace(CARD, architecture="rcan"),
        replace(CARD, hyper=EDSR | {"n_feats": 8}),
        replace(CARD, flops_rule="thop_0_1_1"),
        replace(CARD, counted_shape=(3, 8, 8)),
        tiny,
    ]
    prints = {sha256_json(cost_inputs(card, "flops")) for card in cards}
    assert len(prints | {sha256_json(cost_inputs(CARD, "params"))}) == len(cards) + 1


def test_the_fingerprint_of_params_knows_no_rule_and_no_shape() -> None:
    other = replace(CARD, name="n", flops_rule="thop_0_1_1", counted_shape=(3, 8, 8))
    assert cost_inputs(other, "params") == cost_inputs(CARD, "params")
