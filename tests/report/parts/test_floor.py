"""Bicubic enlargement is the floor; a model below it is listed with what to check."""

from dataclasses import replace

from sr_bench.core.record import ImageScore, Record
from sr_bench.report.parts.floor import MeanFloor, below_floor, floor_lines, floor_of, floors, why
from tests.report.records import CLAIM, record, without_value
from tests.report.sessions import with_floor

SSIM = replace(CLAIM, metric="ssim", text="0.915")


def model(name: str, value: float = 29.0, claim=CLAIM, floor: float = 31.365) -> Record:
    return replace(with_floor(record(claim, value), floor), model=name)


def test_a_value_below_the_floor_says_what_to_check() -> None:
    sentence = "below bicubic 31.365 dB: check channel order, value range, half-pixel shift"
    assert below_floor(model("m", 31.364)) == sentence
    assert why(model("m", 31.364)) == f"a reason; {sentence}"


def test_a_network_that_keeps_the_size_has_its_input_for_a_floor() -> None:
    same_size = replace(model("m", 31.364), dataset="set5_enlarged_x1")
    assert below_floor(same_size).startswith("below input 31.365 dB: check channel order")


def test_a_value_at_the_floor_or_above_is_fine() -> None:
    for value in (31.365, 31.4, float("inf")):
        assert below_floor(model("m", value)) == ""
        assert why(model("m", value)) == "a reason"


def test_without_a_floor_or_a_value_nothing_is_said() -> None:
    assert below_floor(record(None, 1.0)) == ""
    assert below_floor(without_value(record())) == ""
    assert floor_of(record()) is None


def test_a_value_above_the_floor_is_worse_where_lower_is_better() -> None:
    mae = replace(CLAIM, metric="mae", text="2.5")
    assert below_floor(model("m", 2.4, mae, floor=2.5)) == ""
    assert below_floor(model("m", 2.6, mae, floor=2.5)).startswith("above bicubic 2.5000 levels: ")


def test_a_low_precision_below_the_floor_is_not_blamed_on_the_images() -> None:
    low = replace(with_floor(record(), 40.0), precision="int8_kl")
    assert below_floor(low).endswith("the low precision costs more than the network gains")


def test_an_infinite_floor_says_nothing() -> None:
    endless = with_floor(record(), float("inf"))
    assert (below_floor(endless), floor_of(endless), floors([endless])) == ("", None, ())


def test_a_flat_image_is_left_out_of_both_and_named_with_the_reason() -> None:
    base = model("m", 40.0, floor=31.365)
    scores = (ImageScore("white", 51.0), ImageScore("a", 30.0), ImageScore("b", 32.0))
    measurement = replace(base.measurement, images=scores, beyond_floor=("white",))
    flat = replace(base, measurement=measurement)
    without = "without white, where one of the two has PSNR of 48.131 dB or more"
    assert below_floor(flat).startswith(f"below bicubic 31.365 dB ({without}): check")
    assert floor_of(flat).images == 2
    assert floor_lines([flat])[0].startswith("m fp32: psnr on set5_x2 is 31.000 dB, below")
    high = replace(measurement, images=(scores[0], ImageScore("a", 33.0)))
    assert below_floor(replace(base, measurement=high)) == ""


def test_each_floor_is_listed_once() -> None:
    ssim = model("a", 0.9, SSIM, 0.8985)
    floors_listed = floors([model("a"), model("b"), ssim, without_value(record()), record()])
    assert floors_listed == (
        MeanFloor("psnr", "set5_x2", "paper_y", 2, 31.365),
        MeanFloor("ssim", "set5_x2", "paper_y", 2, 0.8985),
    )
    assert [floor.text for floor in floors_listed] == ["31.365 dB", "0.89850"]


def test_another_dataset_protocol_or_selection_of_images_has_its_own_floor() -> None:
    first = model("a")
    scores = first.measurement.images[:1]
    others = [
        replace(first, dataset="set14_x2"),
        replace(first, protocol="native_rgb"),
        replace(first, measurement=replace(first.measurement, images=scores)),
    ]
    assert len(floors([first, *others])) == 4


def test_each_model_below_its_floor_has_one_line() -> None:
    low = [model("a"), model("a", 0.5, SSIM, 0.8985), model("b"), model("c", 33.0)]
    other = replace(model("a"), family="other")
    tail = "check channel order, value range, half-pixel shift"
    warning = f"psnr on set5_x2 is 29.000 dB, below bicubic 31.365 dB: {tail}"
    assert floor_lines([*low, other]) == [
        f"a fp32: {warning} (and 1 more of its values)",
        f"b fp32: {warning}",
        f"a fp32: {warning}",
    ]
