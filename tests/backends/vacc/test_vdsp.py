"""The file for the card's preparation of images never resizes, swaps or normalises by guess."""

import json

import pytest

from sr_bench.backends.vacc.build.vdsp import vdsp_text
from sr_bench.errors import BackendError


@pytest.mark.parametrize(("white", "kind"), [(1.0, "DIV255"), (255.0, "EQUAL")])
def test_the_sizes_are_those_of_the_network(white: float, kind: str) -> None:
    content = json.loads(vdsp_text((1, 3, 720, 1280), white))
    assert content["OpType"] == "FUSION_OP_RGB_RESIZE_CVTCOLOR_NORM_TENSOR"
    config = content["OpConfig"]
    assert {config[key] for key in config if "Width" in key} == {1280}
    assert {config[key] for key in config if "Height" in key} == {720}
    assert sum("image" in key for key in config) == 7
    assert (config["NormaType"], config["ColorCvtCode"]) == (kind, "NO_CHANGE")
    assert config["IimageFormat"] == "RGB_PLANAR"


@pytest.mark.parametrize(("channels", "white"), [(1, 255.0), (4, 1.0), (3, 2.0)])
def test_what_images_can_not_feed_is_refused(channels: int, white: float) -> None:
    with pytest.raises(BackendError, match='set feed = "tensor" in the card'):
        vdsp_text((1, channels, 8, 8), white)
