"""Calibration sets: declared by the card, apart from what is judged, part of the fingerprint."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.int8 import Int8Plan
from sr_bench.core.network_io import NetworkInput
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.source import ImageSet
from sr_bench.engine.prepare.calibration import calibration_set
from sr_bench.engine.prepare.code_digest import plan_digest
from sr_bench.errors import CardError, DatasetError
from tests.ends import CARD


@dataclass(frozen=True)
class Image:
    """An image of one colour, or of one for each pixel; its digest is that colour."""

    name: str
    colour: tuple[int, int, int] | np.ndarray

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        lr = np.full((4, 6, 3), self.colour, np.uint8)
        return lr, lr.repeat(2, 0).repeat(2, 1)

    def digest(self) -> str:
        return str(self.colour)


def _set(*colours: int, slug: str = "photos") -> ImageSet:
    items = tuple(Image(f"{slug}{colour}", (colour, 0, 9)) for colour in colours)
    return ImageSet(slug, 2, "calibration", items)


def _planned(**plan: object) -> ModelCard:
    return replace(CARD, int8=Int8Plan(**plan))


def test_the_first_images_of_the_declared_number_are_taken_in_order() -> None:
    chosen = calibration_set(_planned(count=2), _set(5, 3, 8), [])
    assert chosen.names == ("photos5", "photos3")
    assert len(chosen.inputs()) == 2
    assert calibration_set(CARD, _set(5, 3, 8), []).names == ("photos5", "photos3", "photos8")


def test_an_image_is_given_as_the_network_gets_it_when_it_is_judged() -> None:
    protocol = EvalProtocol("p", channel_order="bgr", input_range=1.0)
    card = replace(CARD, evaluations=(Evaluation("set", protocol),))
    (load,) = calibration_set(card, _set(255), []).inputs()
    lr = load()
    assert (lr.shape, lr.dtype) == ((1, 3, 4, 6), np.float32)
    np.testing.assert_allclose(lr[0, :, 0, 0], [9 / 255, 0, 1])
    (plain,) = (load() for load in calibration_set(CARD, _set(255), []).inputs())
    np.testing.assert_allclose(plain[0, :, 0, 0], [255, 0, 9])


def test_a_compiler_gets_images_enlarged_as_the_networks_input_is() -> None:
    given = NetworkInput(enlarged="pil_bicubic", range=(0.0, 255.0))
    enlarged = calibration_set(replace(CARD, input=given), _set(255), [])
    (levels,) = (load() for load in enlarged.levels())
    (planes,) = (load() for load in enlarged.inputs())
    assert levels.shape == (8, 12, 3)
    np.testing.assert_array_equal(planes[0].transpose(1, 2, 0), levels)


def _resizing(height: int, width: int) -> EvalProtocol:
    return EvalProtocol("p", lr_resize="cv2_area", input_shape=(height, width))


def test_an_image_is_shrunk_as_when_it_is_judged_and_never_enlarged() -> None:
    protocol = _resizing(8, 3)
    card = replace(CARD, evaluations=(Evaluation("set", protocol),))
    squashed = calibration_set(card, _set(255), [])
    assert [load().shape for load in squashed.inputs()] == [(1, 3, 4, 3)]
    assert [load().shape for load in squashed.levels()] == [(8, 3, 3)]
    other = replace(card, evaluations=(Evaluation("set", _resizing(8, 8)),))
    digests = {calibration_set(each, _set(255), []).digest for each in (CARD, card, other)}
    assert len(digests) == 3
    luma = replace(card, evaluations=(Evaluation("set", replace(protocol, resized="y_full")),))
    assert calibration_set(luma, _set(255), []).digest not in digests
    native = calibration_set(card, _set(255), [], EvalProtocol("native"))
    assert [load().shape for load in native.inputs()] == [(1, 3, 4, 6)]
    assert native.digest == calibration_set(CARD, _set(255), []).digest


def test_an_image_is_mirrored_where_a_network_may_take_one_size_alone() -> None:
    rows = np.arange(4)[:, None, None]
    images = ImageSet("photos", 2, "calibration", (Image("rows", rows),))
    card = replace(CARD, onnx=Path("fixed.onnx"), architecture="")
    (planes,) = (load() for load in calibration_set(card, images, [], _resizing(9, 6)).inputs())
    assert planes.shape == (1, 3, 9, 6)
    np.testing.assert_array_equal(planes[0, 0, :, 0], [0, 1, 2, 3, 2, 1, 0, 1, 2])
    (free,) = (load() for load in calibration_set(CARD, images, [], _resizing(9, 6)).inputs())
    np.testing.assert_array_equal(free, planes[:, :, :4])


def test_more_images_than_there_are_is_a_fault_of_the_card() -> None:
    with pytest.raises(DatasetError, match=r"zoo/m: int8\.count = 4, but photos has 3 images"):
        calibration_set(_planned(count=4), _set(5, 3, 8), [])


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(DatasetError, match="but photos has 0 images"):
        calibration_set(CARD, _set(), [])


def test_images_that_are_judged_too_are_refused_unless_the_card_says_so() -> None:
    images, judged = _set(5, 3), [_set(9, 3, slug="judged")]
    with pytest.raises(CardError, match=r"are evaluated too: photos3; calibrate with another"):
        calibration_set(CARD, images, judged)
    chosen = calibration_set(_planned(shared_images=True), images, judged)
    assert chosen.provenance()["calibration_shared"] == "photos3"
    # An image behind the declared count is not calibrated with.
    assert calibration_set(_planned(count=1), images, judged).shared == ()


def test_provenance_names_the_set_and_its_digest() -> None:
    chosen = calibration_set(CARD, _set(5, 3), [])
    notes = dict(chosen.provenance())
    assert len(notes.pop("calibration_digest")) == 64
    assert notes == {"calibration_set": "photos_x2", "calibration_images": "2"}


def test_the_digest_follows_the_images_their_number_and_their_preparation() -> None:
    bgr = EvalProtocol("p", channel_order="bgr")
    unit = EvalProtocol("p", input_range=1.0)
    digests = [
        calibration_set(CARD, _set(5, 3), []).digest,
        calibration_set(CARD, _set(5, 4), []).digest,
        calibration_set(_planned(count=1), _set(5, 3), []).digest,
        *(
            calibration_set(
                replace(CARD, evaluations=(Evaluation("set", rule),)), _set(5, 3), []
            ).digest
            for rule in (bgr, unit)
        ),
    ]
    assert len(set(digests)) == len(digests)


def test_the_plan_and_the_observer_are_part_of_the_plan_digest() -> None:
    plans = [CARD, _planned(keep=("a",)), _planned(percentile=99.0), _planned(skips="int8")]
    digests = {plan_digest(card.int8, observer) for card in plans for observer in ("max", "kl")}
    assert len(digests) == 8
