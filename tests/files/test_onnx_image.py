"""What a network reads and gives, where that is no image, in one line."""

from collections.abc import Callable

import pytest
from onnx import TensorProto, helper

from sr_bench.files.onnx_image import (
    ends,
    misfit,
    needed_multiple,
    no_image_network,
    said,
    sizes_taken,
)


def _fault(*kinds: tuple[str, int, list[int | str] | None]) -> str:
    """Return the fault of a network; names of its outputs start with y."""
    values = [helper.make_tensor_value_info(name, kind, dims) for name, kind, dims in kinds]
    reads = [value for value in values if not value.name.startswith("y")]
    gives = [value for value in values if value.name.startswith("y")]
    return no_image_network(*ends(helper.make_model(helper.make_graph([], "net", reads, gives))))


IMAGE = ("x", TensorProto.FLOAT, [1, 3, "h", "w"])
RESULT = ("y", TensorProto.FLOAT, [1, 3, "H", "W"])


def test_an_image_network_has_no_fault() -> None:
    assert _fault(IMAGE, RESULT) == ""
    assert _fault(IMAGE, ("y", TensorProto.FLOAT, None)) == "", "sizes need not be declared"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (
            [("x", TensorProto.UINT8, [1, "h", "w", 3]), RESULT],
            "expected a float32 input N x C x H x W; it reads 'x' (uint8 1 x h x w x 3) and gives"
            " 'y' (float32 1 x 3 x H x W): export the network so",
        ),
        ([("x", TensorProto.FLOAT16, [1, 3, 8, 8]), RESULT], "reads 'x' (float16 1 x 3 x 8 x 8)"),
        ([("x", TensorProto.FLOAT, [3, "h", "w"]), RESULT], "expected a float32 input N x C x H x"),
        (
            [IMAGE, ("y", TensorProto.UINT8, [1, 3, 2, 2])],
            "expected a float32 output N x C x H x W",
        ),
        ([IMAGE, RESULT, ("y2", TensorProto.FLOAT, [1])], "one output, got 1 and 2; it reads 'x'"),
        ([IMAGE, ("noise", TensorProto.FLOAT, [1]), RESULT], "got 2 and 1; it reads 'x' (float32"),
    ],
)
def test_another_end_is_named_with_its_type_and_sizes(values: list, fault: str) -> None:
    assert fault in _fault(*values)


@pytest.mark.parametrize(
    ("dims", "fault"),
    [
        ((1, 3, "h", "w"), ""),
        (("n", "c", None, 0), ""),
        ((1, 3, 64, 80), "reads 1 x 3 x 64 x 80, got 1 x 3 x 96 x 96; say size = [64, 80] under"),
        ((1, 3, 64, "w"), "input_shape = [64, 96], or export it with free sizes"),
        ((4, 3, "h", "w"), "give it one image of its own number of channels"),
        ((1, 1, "h", "w"), "give it one image of its own number of channels"),
    ],
)
def test_an_input_that_takes_other_images_says_which_and_what_to_do(
    dims: tuple[int | str | None, ...], fault: str
) -> None:
    got = misfit(dims, (1, 3, 96, 96))
    assert fault in got
    assert bool(fault) == bool(got)


def only(takes: Callable[[int, int], bool]) -> Callable[[int, int], None]:
    """Return a network that runs only on what it `takes`."""

    def run(height: int, width: int) -> None:
        if not takes(height, width):
            raise ValueError

    return run


@pytest.mark.parametrize("number", [2, 7, 12, 32, 96])
def test_the_multiple_that_a_network_needs_is_found(number: int) -> None:
    assert needed_multiple(only(lambda h, w: h % number == 0 and w % number == 0)) == number


def test_a_least_size_is_no_multiple() -> None:
    assert needed_multiple(only(lambda h, w: min(h, w) >= 20)) == 1
    assert needed_multiple(only(lambda _h, _w: True)) == 1


def test_where_no_small_number_will_do_none_is_returned() -> None:
    assert needed_multiple(only(lambda h, w: (h, w) == (64, 64))) == 0


def test_the_sizes_that_a_network_takes_are_told() -> None:
    assert "takes multiples of 8 pixels only: say multiple_of = 8 under [model.input]" in (
        sizes_taken(only(lambda h, w: not (h | w) % 8))
    )
    assert "takes 64 x 64 pixels only: say size = [64, 64] under [model.input]" in (
        sizes_taken(only(lambda h, w: (h, w) == (64, 64)))
    )
    assert sizes_taken(only(lambda _h, _w: False)) == "export the network with free sizes"


def test_of_what_the_runtime_says_the_node_is_told() -> None:
    error = RuntimeError("FAIL : running Add node.\n Name:'a' Status Message: /src/a.h:5 void f")
    assert said(error) == "FAIL : running Add node. Name:'a'"
