"""ncnn's files: layers in the order of the network's calls, each of the right kind and shape."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from sr_bench.core.card import Hyper, ModelCard
from sr_bench.core.checkpoint import Checkpoint
from sr_bench.errors import CheckpointError
from sr_bench.zoo.build import build
from sr_bench.zoo.checkpoints import load_network
from sr_bench.zoo.checkpoints_ncnn import read_ncnn
from tests.zoo.ncnn_files import FP16, FP32, INT8, Layer, equal, layer_of, random_, write

RRDBNET: Hyper = {"n_feats": 4, "n_blocks": 1, "growth": 2, "res_scale": 0.2}
CARD = ModelCard(
    *("tiny", "zoo", Path(), "", "", 4, "rrdbnet", RRDBNET), checkpoint=Checkpoint("net.param")
)


class Net(nn.Module):
    """A network whose layers are named in another order than they are called in."""

    def __init__(self, *, bare: bool = False) -> None:
        super().__init__()
        self.last = nn.Linear(5, 3)
        self.wide = nn.ConvTranspose2d(4, 5, (4, 3), stride=2, padding=1, bias=False)
        self.slopes = nn.PReLU(4)
        self.norm = nn.BatchNorm2d(4)
        self.deep = nn.Conv2d(4, 4, 3, groups=4)
        self.first = nn.Conv2d(3, 4, (1, 3))
        self.bare = bare

    def ordered(self) -> list[nn.Module]:
        return [self.first, self.norm, self.slopes, self.deep, self.wide, self.last]

    def forward(self, x: Tensor) -> Tensor:
        bias = self.first.bias
        y = conv2d(x, weight=self.first.weight, bias=bias) if self.bare else self.first(x)
        y = self.wide(self.deep(self.slopes(self.norm(y))))
        out: Tensor = self.last(y.flatten(2).transpose(1, 2))
        return out


def layers(net: Net, tag: int = FP16) -> list[Layer]:
    return [layer_of(module, tag) for module in net.ordered()]


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("tag", [FP16, FP32])
def test_layers_of_every_kind_are_found_in_the_order_of_the_calls(
    tag: int, bare: bool, tmp_path: Path
) -> None:
    given, net = random_(Net()), Net(bare=bare).eval()
    assert isinstance(given, Net)
    state, notes = read_ncnn(CARD, net, write(tmp_path / "n.param", layers(given, tag)))
    net.load_state_dict(state, strict=False)
    assert equal(given, net)
    assert ("weights" in notes) == (tag == FP16)


def rrdb_layers(module: nn.Module) -> list[Layer]:
    return [layer_of(m) for m in module.modules() if isinstance(m, nn.Conv2d)]


def test_a_network_of_the_zoo_loads_and_the_record_says_that_it_was_rounded(
    tmp_path: Path,
) -> None:
    module = random_(build("rrdbnet", RRDBNET, 4))
    loaded, notes = load_network(CARD, write(tmp_path / "net.param", rrdb_layers(module)))
    assert equal(module, loaded)
    assert notes["weights"] == "weights rounded to fp16 by their packager"


def test_the_digest_is_that_of_both_files_one_after_the_other(tmp_path: Path) -> None:
    path = write(tmp_path / "net.param", rrdb_layers(random_(build("rrdbnet", RRDBNET, 4))))
    both = sha256(path.read_bytes() + path.with_suffix(".bin").read_bytes()).hexdigest()
    load_network(replace(CARD, checkpoint=Checkpoint("net.param", sha256=both)), path)
    with path.with_suffix(".bin").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(CheckpointError, match=f"expected sha256 {both}"):
        load_network(replace(CARD, checkpoint=Checkpoint("net.param", sha256=both)), path)


def test_numbers_of_the_networks_code_are_left_out_and_told(tmp_path: Path) -> None:
    constants = [Layer("MemoryData", "0=1 2=3", bytes(12)), Layer("Scale", "0=-233")]
    path = write(tmp_path / "n.param", [*constants, *layers(Net())])
    _, notes = read_ncnn(CARD, Net(), path)
    assert notes["weights_file"].endswith("calls its own; left out constant n0 (0, 0, 0)")


def test_a_layer_that_is_called_twice_has_the_same_numbers_twice(tmp_path: Path) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.conv(self.conv(x))
            return out

    net = Twice()
    same = [layer_of(net.conv)] * 2
    assert read_ncnn(CARD, net, write(tmp_path / "n.param", same))[0].keys() == {
        "conv.weight",
        "conv.bias",
    }
    other = [same[0], layer_of(nn.Conv2d(3, 3, 1))]
    with pytest.raises(CheckpointError, match=r"layer 2, .* differs from an earlier one"):
        read_ncnn(CARD, net, write(tmp_path / "n.param", other))


WRONG = {
    "one is missing": (lambda given: given[:-1], "it has 5 layers with weights, the network 6"),
    "one is over": (lambda given: [*given, given[1]], r"the network 6: BatchNorm n6 \(4 and 4"),
    "others are there": (
        lambda given: [given[1], given[0], *given[2:]],
        r"layer 1 of 6, BatchNorm n0 .*, is not conv2d first\.weight and first\.bias \(4x3x1x3",
    ),
    "another size": (
        lambda given: [layer_of(nn.Conv2d(3, 4, 3)), *given[1:]],
        r"Convolution n0 \(4x3x3x3 and 4\), is not conv2d first\.weight",
    ),
    "no bias": (
        lambda given: [layer_of(nn.Conv2d(3, 4, (1, 3), bias=False)), *given[1:]],
        r"Convolution n0 \(4x3x1x3\), is not conv2d first\.weight and first\.bias",
    ),
    "numbers are left": (
        lambda given: [*given, Layer("ReLU", "", bytes(12))],
        r"n\.bin: 12 bytes are left behind the last layer",
    ),
    "numbers are missing": (
        lambda given: [*given[:-1], Layer(given[-1].kind, given[-1].options, given[-1].data[:-4])],
        r"layer InnerProduct n5 can't be read \(it takes 12 bytes",
    ),
    "int8": (
        lambda given: [Layer(given[0].kind, f"{given[0].options} 8=1", given[0].data), *given[1:]],
        r"layer Convolution n0 .* quantised",
    ),
    "int8 tag": (
        lambda given: [layer_of(nn.Conv2d(3, 4, (1, 3)), INT8), *given[1:]],
        r"are quantised, tag 0x000d4b38: give those in fp32 or fp16",
    ),
    "a negative size": (
        lambda given: [Layer("Convolution", "0=4 1=3 6=-9"), *given],
        r"layer Convolution n0 can't be read",
    ),
    "another layer": (
        lambda given: [*given, Layer("Scale", "0=4", bytes(16))],
        r"layer n6 is a Scale, whose numbers are not read: give the authors' own",
    ),
    "no layer": (lambda given: [Layer("Convolution", "0")], r"n\.param:4: expected a layer"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_does_not_fit_is_one_line_that_names_the_layer(
    case: str, tmp_path: Path
) -> None:
    change, fault = WRONG[case]
    path = write(tmp_path / "n.param", change(layers(Net())))
    with pytest.raises(CheckpointError, match=fault) as caught:
        read_ncnn(CARD, Net(), path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "<html>", "7767518\n1 1\n", "\x00\xff"])
def test_a_file_that_is_no_text_of_ncnn_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "n.param").write_text(text, encoding="latin1")
    with pytest.raises(CheckpointError, match=r"n\.param: (not a text of ncnn|expected ncnn's)"):
        read_ncnn(CARD, Net(), tmp_path / "n.param")


def test_absent_numbers_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "n.param", layers(Net()))
    path.with_suffix(".bin").unlink()
    with pytest.raises(
        CheckpointError, match=r"n\.param: expected its weights beside it in n\.bin"
    ):
        read_ncnn(CARD, Net(), path)


def test_a_parameter_that_no_layer_uses_is_missing(tmp_path: Path) -> None:
    net = Net()
    net.register_parameter("scale", nn.Parameter(torch.ones(1)))
    with pytest.raises(CheckpointError, match="the network uses scale in no layer that ncnn has"):
        read_ncnn(CARD, net, write(tmp_path / "n.param", layers(Net())))


def test_a_network_that_fails_on_the_way_is_named(tmp_path: Path) -> None:
    class Broken(Net):
        def forward(self, x: Tensor) -> Tensor:
            msg = "not today"
            raise NotImplementedError(msg)

    with pytest.raises(CheckpointError, match=r"Broken can't be followed .*: not today"):
        read_ncnn(CARD, Broken(), write(tmp_path / "n.param", layers(Net())))
