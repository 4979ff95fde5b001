"""Exported networks: they compute what torch computes, at any size, and appear whole."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from sr_bench.core.network_io import NetworkInput
from sr_bench.cost.module import count_module
from sr_bench.cost.onnx_graph import count_onnx
from sr_bench.errors import BackendError
from sr_bench.export import to_onnx
from sr_bench.export.to_onnx import export_onnx
from tests.cost.zoo_models import MODELS, SMALL, small

_256 = (3, 256, 256)


def _run(path: Path, lr: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(["sr"], {"lr": lr})[0]


def _check_exported(net: nn.Module, lr: np.ndarray, folder: Path, *, atol: float) -> None:
    export_onnx(net, folder / "net.onnx")
    with torch.inference_mode():
        expected = net(torch.from_numpy(lr)).numpy()
    np.testing.assert_allclose(_run(folder / "net.onnx", lr), expected, atol=atol)


@pytest.mark.parametrize("name", SMALL)
def test_an_exported_network_agrees_with_torch_at_two_sizes_and_hides_no_constant(
    name: str, tmp_path: Path
) -> None:
    module = small(name)
    export_onnx(module, tmp_path / "net.onnx")
    graph = onnx.load(tmp_path / "net.onnx").graph
    assert "Identity" not in {node.op_type for node in graph.node}
    for shape in ((1, 3, 24, 20), (2, 3, 34, 52)):
        lr = np.random.default_rng(0).random(shape, dtype=np.float32)
        with torch.inference_mode():
            expected = module(torch.from_numpy(lr)).numpy()
        difference = np.abs(_run(tmp_path / "net.onnx", lr) - expected).max()
        assert difference <= 1e-5 * np.ptp(expected)


def test_a_network_of_published_size_agrees_with_torch_and_is_counted_alike(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = MODELS["edsr_baseline_x4"].module("cpu")
    export_onnx(module, tmp_path / "net.onnx")
    lr = np.random.default_rng(0).random((1, 3, 16, 12), dtype=np.float32)
    with torch.inference_mode():
        expected = module(torch.from_numpy(lr)).numpy()
    assert np.abs(_run(tmp_path / "net.onnx", lr) - expected).max() <= 1e-5 * np.ptp(expected)
    of_file, of_module = count_onnx(tmp_path / "net.onnx", _256), count_module(module, _256)
    assert (of_file.macs, of_file.params) == (of_module.macs, of_module.params)


def test_equal_parameters_stay_two_parameters(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.Conv2d(1, 1, 1, bias=False))
    nn.init.constant_(net[0].weight, 3.0)
    nn.init.constant_(net[1].weight, 3.0)
    export_onnx(net, tmp_path / "net.onnx", NetworkInput("y_full"))
    assert len(onnx.load(tmp_path / "net.onnx").graph.initializer) == 2
    assert _run(tmp_path / "net.onnx", np.ones((1, 1, 2, 2), np.float32)).max() == 9.0


class _InPlaceSkip(nn.Module):
    """The pattern of LESRCNN: the skip is rectified, because the ReLU works in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip: torch.Tensor = self.conv(x)
        return self.conv(self.relu(skip)) + skip


def test_a_relu_in_place_rectifies_the_skip_in_the_file_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    lr = np.random.default_rng(0).standard_normal((1, 3, 9, 7), dtype=np.float32)
    _check_exported(_InPlaceSkip(), lr, tmp_path, atol=1e-5)


def test_the_module_keeps_its_mode_and_the_file_the_evaluation_mode(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Dropout(0.9)).train()
    export_onnx(net, tmp_path / "net.onnx")
    assert net.training
    lr = np.ones((1, 3, 4, 4), np.float32)
    np.testing.assert_array_equal(_run(tmp_path / "net.onnx", lr), _run(tmp_path / "net.onnx", lr))
    with torch.inference_mode():
        expected = net.eval()(torch.from_numpy(lr)).numpy()
    np.testing.assert_allclose(_run(tmp_path / "net.onnx", lr), expected, atol=1e-6)


def test_the_file_says_what_was_promised(tmp_path: Path) -> None:
    export_onnx(small("sr4k_basicsr_x2"), tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dims] == ["n", 3, "h", "w"]
    assert model.opset_import[0].version == 17
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]


def test_a_network_that_cannot_be_exported_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_onnx, "find_spec", lambda _name: None)

    class Fft(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.fft.fft2(x).real

    with pytest.raises(BackendError, match="can't export Fft to ONNX"):
        export_onnx(Fft(), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_a_network_that_cannot_be_exported_is_told_of_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_onnx, "find_spec", lambda _name: None)

    class Halved(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.adaptive_max_pool2d(x, (x.shape[2] // 2, x.shape[3] // 2))

    with pytest.raises(BackendError, match=r"by TorchScript: .*not constant.*; by ") as fault:
        export_onnx(Halved(), tmp_path / "net.onnx")
    assert "feel free" not in str(fault.value)
    assert capfd.readouterr() == ("", "")


class _Windows(nn.Module):
    """Cuts the image into windows by Python numbers, which a trace takes for constants."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = int(x.shape[2]), int(x.shape[3])
        windows = self.conv(x).reshape(-1, 3, height // 8, 8, width // 8, 8)
        return windows.amax((3, 5), keepdim=True).expand_as(windows).reshape(x.shape)


class _Padded(nn.Module):
    """Pads to even sides by Python numbers, which a trace of even sides takes for none."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = int(x.shape[2]), int(x.shape[3])
        padded = nn.functional.pad(x, (0, width % 2, 0, height % 2), mode="replicate")
        return nn.functional.avg_pool2d(padded, 2)


def test_padding_that_a_trace_misses_is_to_be_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_onnx, "find_spec", lambda _name: None)
    with pytest.raises(BackendError, match=r"at 43x29, .*: say multiple_of and padding under"):
        export_onnx(_Padded(), tmp_path / "net.onnx")
    export_onnx(_Padded(), tmp_path / "net.onnx", NetworkInput(multiple_of=2))


class _Sized(nn.Module):
    """Computes with the height, which a trace takes for a constant; the file runs at any size."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * int(x.shape[2])


@pytest.mark.parametrize("kind", [_Windows, _Sized])
def test_a_trace_for_one_size_is_no_export(
    kind: type[nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_onnx, "find_spec", lambda _name: None)
    message = (
        rf"can't export {kind.__name__} to ONNX: by TorchScript: .*at 40x24.*"
        r"; by torch.export: it needs onnxscript.*: pip install onnxscript; --backend=torch runs .*"
    )
    with pytest.raises(BackendError, match=message):
        export_onnx(kind(), tmp_path / "net.onnx")


def test_torch_export_takes_over_where_the_trace_is_wrong(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    lr = np.random.default_rng(0).random((3, 3, 16, 56), dtype=np.float32)
    _check_exported(_Windows(), lr, tmp_path, atol=1e-6)


def test_a_network_of_large_sizes_alone_is_exported_at_such(tmp_path: Path) -> None:
    class Deep(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + nn.functional.interpolate(nn.functional.avg_pool2d(x, 32), scale_factor=32)

    export_onnx(Deep(), tmp_path / "net.onnx")
    assert _run(tmp_path / "net.onnx", np.ones((1, 3, 64, 256), np.float32)).max() == 2.0


def test_the_size_of_a_fixed_network_is_that_of_its_file(tmp_path: Path) -> None:
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.position = nn.Parameter(torch.ones(1, 3, 12, 20))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.position

    export_onnx(Fixed(), tmp_path / "net.onnx", NetworkInput(size=(12, 20)))
    dims = onnx.load(tmp_path / "net.onnx").graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dims] == ["n", 3, 12, 20]
    with pytest.raises(BackendError, match=r"Fixed fails on .* 3 channels: .*size of tensor"):
        export_onnx(Fixed(), tmp_path / "net.onnx")


def test_what_fails_itself_is_named_by_its_line_and_not_by_exporters(tmp_path: Path) -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.view(7)

    with pytest.raises(BackendError, match=rf"^Net fails on .* 3 channels: {__file__}:\d+: Runt"):
        export_onnx(Net(), tmp_path / "net.onnx")
