"""Borders follow the scale, and only what moves a number counts as a choice."""

from dataclasses import fields, replace

import pytest

from sr_bench.core.protocol import EvalProtocol


@pytest.mark.parametrize(
    ("border", "scale", "pixels"), [("none", 4, 0), ("scale", 4, 4), ("scale+6", 2, 8), (3, 4, 3)]
)
def test_a_border_is_a_number_of_pixels(border: str, scale: int, pixels: int) -> None:
    assert EvalProtocol("p", border=border).border_px(scale) == pixels


def test_name_and_source_are_not_choices() -> None:
    choices = EvalProtocol("p").choices()
    assert choices.keys() == {field.name for field in fields(EvalProtocol)} - {"name", "source"}
    assert replace(EvalProtocol("p"), name="q", source="s").choices() == choices
    assert replace(EvalProtocol("p"), clip=False).choices() != choices


def test_only_a_protocol_that_resizes_lr_files_takes_any_size() -> None:
    plain = EvalProtocol("a")
    resizes = replace(plain, lr_resize="cv2_area", input_shape=(8, 8))
    made = replace(resizes, lr_from="hr")
    assert [rule.lr_source for rule in (plain, resizes, made)] == ["files", "resized", "hr"]


def test_digests_of_protocols_from_before_a_choice_came_stay_as_they_were() -> None:
    later = {"centre_crop": (8, 8), "ssim_window": "uniform7", "resized": "y_full"}
    later |= {"psnr_channels": "mean", "psnr_aggregation": "pooled"}
    plain = EvalProtocol("p")
    assert plain.digested().keys() == plain.choices().keys() - later.keys()
    for choice, value in later.items():
        made = replace(plain, **{choice: value}).digested()
        assert made == plain.digested() | {choice: value}
