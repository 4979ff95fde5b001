"""A network is read once for all its precisions, and again once its file is another one."""

from pathlib import Path

import onnx
import pytest

from sr_bench.engine.prepare import read_once
from sr_bench.engine.prepare.read_once import network_in
from tests.precision.nets import residual_net


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the files that are read, once they are."""
    paths: list[Path] = []
    read = read_once.read_network

    def counted(path: Path, **how: object):
        paths.append(path)
        return read(path, **how)

    monkeypatch.setattr(read_once, "read_network", counted)
    return paths


def test_a_file_that_stays_is_read_once(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "net.onnx"
    residual_net(path)
    assert network_in(path) is network_in(path)
    assert reads == [path]


def test_a_file_that_changes_is_read_again(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "net.onnx"
    residual_net(path)
    before = network_in(path)
    residual_net(path, seed=1)
    weights = [network.constants["head.weight"] for network in (before, network_in(path))]
    assert (weights[0] != weights[1]).any()
    assert reads == [path, path]


def test_a_file_with_data_beside_it_is_read_each_time(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "net.onnx"
    residual_net(path)
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="data", size_threshold=0)
    network_in(path), network_in(path)
    assert reads == [path, path]
