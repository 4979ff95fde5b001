"""What a card says of its network's input and output is read, and contradictions are named."""

from pathlib import Path

import pytest

from sr_bench.cards.load import load_card
from sr_bench.cards.network_io import InputTable, OutputTable, read_ends
from sr_bench.cards.schema import ModelTable
from sr_bench.core.network_io import NetworkInput, NetworkOutput
from sr_bench.errors import CardError
from sr_bench.files.validation import validate

CARD = """
schema = 1
[protocol.mine]
{protocol}
[[model]]
name = "m"
row = "M"
scale = 2
onnx = "m.onnx"
evaluation = [{{ dataset = "set5", protocol = "mine" }}]
[model.input]
{network}
"""
LEAST = {"name": "m", "row": "M", "scale": 2, "onnx": "m.onnx"}


def read(**keys: object) -> ModelTable:
    return validate(ModelTable, {**LEAST, **keys}, where="card", error=CardError)


def test_without_a_word_a_network_takes_and_gives_rgb_from_0_to_1() -> None:
    assert read().ends == (NetworkInput(), NetworkOutput())


def test_the_output_is_as_the_input_where_it_does_not_say() -> None:
    reads, gives = read(input={"colour": "y_full", "range": [-1, 1]}).ends
    assert (reads.colour, reads.range) == (gives.colour, gives.range) == ("y_full", (-1, 1))
    _, gives = read(input={"colour": "y_full"}, output={"colour": "rgb", "range": [0, 255]}).ends
    assert (gives.colour, gives.range, gives.channels) == ("rgb", (0, 255), 3)


def test_value_range_is_white_at_both_ends() -> None:
    reads, gives = read_ends(InputTable(), OutputTable(), 255.0)
    assert reads.range == gives.range == (0, 255)


def test_bytes_hold_whole_levels() -> None:
    assert read(input={"dtype": "uint8"}).ends[0].range == (0, 255)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"input": {"colour": "y"}}, "say which luma the network takes: 'y_float'"),
        ({"input": {"channels": 1}}, "input.channels = 1 needs input.colour, 'y_float', "),
        ({"output": {"channels": 3, "colour": "y_full"}}, "needs output.colour, 'rgb' or 'bgr'"),
        ({"input": {"range": [1, 0]}}, "the values of black and of white"),
        ({"input": {"range": [0, 1]}, "value_range": 1}, "either value_range or input.range"),
        ({"input": {"std": [0.5, 0.5]}}, "input.std: expected 1 or 3 numbers, got 2"),
        ({"input": {"std": [0]}}, "greater than 0"),
        ({"input": {"overlap": 8}}, r"overlap goes with size = \[height, width\]"),
        ({"input": {"overlap": 8, "size": [16, 64]}}, "below half of the tiles' size, 16"),
        ({"input": {"size": [16, 16], "multiple_of": 8}}, "either size, .* or multiple_of"),
        ({"input": {"enlarged": "cv2_cubic"}, "scale": 1}, "which it has at scale = 1"),
        (
            {"input": {"colour": "y_full"}, "cost": {"shape": "3x8x8"}},
            "3 channels, .*: say 1x8x8",
        ),
        (
            {"input": {"layout": "nhwc"}, "onnx": "", "architecture": "edsr"},
            "layout, dtype and name of input and output are for ONNX files",
        ),
    ],
)
def test_a_contradiction_is_one_line(keys: dict[str, object], message: str) -> None:
    with pytest.raises(CardError, match=message) as caught:
        read(**keys)
    assert "(got {" not in str(caught.value)


@pytest.mark.parametrize(
    ("protocol", "network", "message"),
    [
        (
            "input_range = 255",
            "range = [-1, 1]",
            r"input_range = 255 .* input.range = \[-1.0, 1.0\]",
        ),
        ("input_range = 1", "mean = [0.5]", r".* input.range = \[0.0, 1.0\] with mean or std"),
        (
            'channel_order = "bgr"',
            'colour = "y_full"',
            ".* of RGB networks, and input.colour = 'y_full'",
        ),
        (
            'input_shape = [32, 32]\nlr_resize = "cv2_area"',
            'size = [32, 32]\nenlarged = "cv2_cubic"',
            r".*inputs of \[64, 64\], and the network takes input.size = \[32, 32\] alone",
        ),
    ],
)
def test_a_protocol_that_wants_what_the_network_can_not_is_named(
    tmp_path: Path, protocol: str, network: str, message: str
) -> None:
    path = tmp_path / "card.toml"
    path.write_text(CARD.format(protocol=protocol, network=network))
    with pytest.raises(
        CardError, match=rf"model\[0\] 'm': protocol 'mine': its {message}"
    ) as raised:
        load_card(path)
    assert len(str(raised.value).splitlines()) <= 3
    path.write_text(CARD.format(protocol=protocol, network=""))
    load_card(path)


def test_operations_are_counted_on_the_only_size_that_a_network_takes(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(CARD.format(protocol="", network='size = [48, 64]\ncolour = "y_full"'))
    (model,) = load_card(path).models
    assert model.counted_shape == (1, 48, 64)
