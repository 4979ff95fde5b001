"""Where and how an ONNX file holds images is found out; what it leaves open, its card must say."""

import pytest
from onnx import ModelProto, TensorProto, helper

from sr_bench.core.network_io import NetworkInput, NetworkOutput
from sr_bench.errors import BackendError
from sr_bench.files.onnx_card import Declared, check_card
from sr_bench.files.onnx_ends import image_network
from tests.files.image_nets import image_net

RGB, GIVES = NetworkInput(), NetworkOutput()
LUMA = NetworkInput("y_full"), NetworkOutput("y_full")
LEVELS = NetworkInput(range=(0.0, 255.0)), NetworkOutput(range=(0.0, 255.0))
FREE = {"dims": ["a", "b", "c", "d"], "gives_dims": ["e", "f", "g", "h"]}


def _found(model: ModelProto, given: NetworkInput = RGB, gives: NetworkOutput = GIVES) -> str:
    network = image_network(model, given, gives)
    check_card(network, Declared(given, gives))
    return f"{network.reads.order}{network.reads.channels} {network.gives.order}"


@pytest.mark.parametrize("order", ["nchw", "nhwc", "chw", "hwc"])
@pytest.mark.parametrize("gives", ["nchw", "nhwc", "chw", "hwc"])
def test_the_order_of_axes_is_found_from_the_sizes_or_else_from_the_layers(
    order: str, gives: str
) -> None:
    assert _found(image_net(order, gives=gives)) == f"{order}3 {gives}"
    free = image_net(
        order, gives=gives, dims=[*"abcd"[: len(order)]], gives_dims=[*"efgh"[: len(gives)]]
    )
    assert _found(free) == f"{order}3 {gives}"


def test_one_channel_is_found_in_any_order() -> None:
    for order in ("nchw", "nhwc", "chw", "hwc", "hw"):
        assert _found(image_net(order, channels=1), *LUMA) == f"{order}1 {order}"
    assert _found(image_net("nhwc", channels=1, **FREE), *LUMA) == "nhwc1 nhwc"


def test_a_file_without_sizes_is_read_as_its_layers_take_it() -> None:
    model = image_net("nhwc")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.ClearField("shape")
    assert _found(model) == "nhwc3 nhwc"


def _elementwise(*dims: int | str) -> ModelProto:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name in "xy"]
    node = helper.make_node("Sigmoid", ["x"], ["y"])
    return helper.make_model(helper.make_graph([node], "net", ends[:1], ends[1:]))


def test_what_both_layouts_fit_is_refused_with_the_key_and_taken_with_it() -> None:
    with pytest.raises(
        BackendError,
        match=r"'x' \(float32 n x a x b x c\), and nothing tells .*"
        r"say layout = 'nchw' or 'nhwc' under \[model.input\]",
    ):
        _found(_elementwise("n", "a", "b", "c"))
    assert _found(_elementwise("n", "a", "b", "c"), NetworkInput(layout="nhwc")) == "nhwc3 nhwc"


@pytest.mark.parametrize(
    ("model", "given", "gives", "fault"),
    [
        (image_net(), NetworkInput(layout="nhwc"), GIVES,
         "the card says layout = 'nhwc' under [model.input], but the network reads 'x' (float32"),
        (image_net(), RGB, NetworkOutput(layout="nhwc"),
         "the card says layout = 'nhwc' under [model.output], but the network gives 'y' (float32"),
        (image_net(), NetworkInput(dtype="uint8", range=(0.0, 255.0)), GIVES,
         "the card says dtype = 'uint8' under [model.input], but the network reads 'x' (float32"),
        (image_net(channels=1), RGB, GIVES,
         "one channel: say which luma that is, colour = 'y_float', 'y_rounded' or 'y_full' under"),
        (image_net(), *LUMA, "the card says colour = 'y_full' under [model.input], but the network"
         " reads 'x' (float32 1 x 3 x h x w), three channels"),
        (image_net(dtype="uint8"), RGB, GIVES,
         "whole levels: say range = [0, 255] without mean and std under [model.input]"),
        (image_net(gives_dtype="uint8"), RGB, GIVES,
         "whole levels: say range = [0, 255] without mean and std under [model.output]"),
        (image_net(dims=[1, 3, 32, 48]), NetworkInput(size=(48, 32)), GIVES,
         "the card says size = [48, 32] under [model.input], but the network reads 'x' (float32 1"),
        (image_net(), NetworkInput(name="z"), GIVES,
         "name = 'z' under [model.input]: the network has no such input; the valid ones are: x"),
        (image_net(dims=[1, 4, 32, 48]), RGB, GIVES, "expected an image of 2 to 4 axes, as float32,"
         " float16 or uint8 of 1 or 3 channels; the network reads 'x' (float32 1 x 4 x 32 x 48)"),
        (image_net(dtype="float64"), RGB, GIVES, "the network gives 'y' (float64 1 x 3 x H x W)"),
    ],
)  # fmt: skip
def test_what_contradicts_the_card_or_is_missing_in_it_is_refused_in_one_line(
    model: ModelProto, given: NetworkInput, gives: NetworkOutput, fault: str
) -> None:
    with pytest.raises(BackendError) as caught:
        _found(model, given, gives)
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def _with_second_output(source: str, *dims: int | str) -> ModelProto:
    model = image_net()
    model.graph.node.append(helper.make_node("Neg", [source], ["z"]))
    model.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, dims))
    return model


def test_of_several_outputs_the_image_is_found_or_named_by_the_card() -> None:
    network = image_network(_with_second_output("features", 1, 12, "h", "w"), RGB, GIVES)
    assert network.gives.end.name == "y"
    assert not network.is_plain
    with pytest.raises(BackendError, match=r"say which is the image, name = 'y' or 'z' under"):
        _found(_with_second_output("large", 1, 3, "h", "w"))
    named = image_network(
        _with_second_output("large", 1, 3, "h", "w"), RGB, NetworkOutput(name="z")
    )
    assert [node.op_type for node in named.model.graph.node] == [
        *("Transpose", "Conv", "DepthToSpace", "Neg")
    ]


def test_an_input_that_only_other_outputs_read_is_dropped() -> None:
    model = _with_second_output("features", 1, 12, "h", "w")
    model.graph.node[-1].CopyFrom(helper.make_node("Add", ["features", "noise"], ["z"]))
    model.graph.input.append(helper.make_tensor_value_info("noise", TensorProto.FLOAT, [1]))
    assert [value.name for value in image_network(model, RGB, GIVES).model.graph.input] == ["x"]


def test_an_input_that_the_image_needs_is_refused_by_name() -> None:
    model = image_net()
    model.graph.node[0].output[0] = "clean"
    model.graph.node.insert(1, helper.make_node("Add", ["clean", "noise"], ["planes"]))
    model.graph.input.append(helper.make_tensor_value_info("noise", TensorProto.FLOAT, [1]))
    with pytest.raises(BackendError, match=r"reads 'noise' \(float32 1\) beside the image 'x'"):
        _found(model)


def test_a_fixed_size_is_told_in_any_order() -> None:
    assert image_network(image_net(dims=[1, 3, 32, 48]), RGB, GIVES).size == (32, 48)
    assert image_network(image_net("hwc", dims=[32, 48, 3]), RGB, GIVES).size == (32, 48)
    assert image_network(image_net(dims=[1, 3, 32, "w"]), RGB, GIVES).size is None


def test_names_that_others_chose_and_thousands_of_outputs_make_one_short_line() -> None:
    model = image_net(dims=[1, "c\nd", "h" * 500, "w"])
    for i in range(3000):
        name = f"out\n{i}"
        model.graph.node.append(helper.make_node("Neg", ["large"], [name]))
        sizes = [1, 3, "H", "W"]
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes))
    faults = []
    for gives in (GIVES, NetworkOutput(name="none of them"), NetworkOutput(layout="nhwc")):
        with pytest.raises(BackendError) as caught:
            _found(model, NetworkInput(layout="nhwc"), gives)
        faults.append(str(caught.value))
    assert all("\n" not in fault and len(fault) < 1000 for fault in faults), faults
    assert "2993 more" in faults[0]
