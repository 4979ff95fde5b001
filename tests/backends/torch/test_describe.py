"""The torch backend names its GPU, CUDA and driver without importing torch."""

import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import torch

from sr_bench.backends import _gpu
from sr_bench.backends import torch as torch_backend
from sr_bench.core.backend import BackendInfo

DRIVER = """NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024
GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
"""
OPEN_DRIVER = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.10  Release Build\n"


@dataclass(frozen=True)
class Package:
    """Torch as it is installed in a folder."""

    folder: Path
    version: str = "2.6.0"

    def locate_file(self, path: str) -> Path:
        return self.folder / path


@dataclass(frozen=True)
class Machine:
    """What a machine shows of its GPUs."""

    root: Path

    def describe(self, *gpus: str, built: str = "2.6.0+cu124", driver: str = DRIVER) -> BackendInfo:
        (self.root / "torch").mkdir(exist_ok=True)
        text = f"from typing import Optional\n__version__ = '{built}'\ncuda = '12.4'\n"
        (self.root / "torch" / "version.py").write_text(text)
        (self.root / "nvidiactl").touch()
        (self.root / "version").write_text(driver)
        for index, name in enumerate(gpus):
            folder = self.root / "gpus" / f"0000:0{index}:00.0"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "information").write_text(f"Model: \t\t {name}\nIRQ:   \t\t 11\n")
        return torch_backend.describe()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(_gpu, "_CONTROL_NODE", tmp_path / "nvidiactl")
    monkeypatch.setattr(_gpu, "_DRIVER", tmp_path)
    monkeypatch.setattr(torch_backend, "distribution", lambda _name: Package(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return Machine(tmp_path)


def test_the_version_names_torch_its_cuda_and_the_gpu(machine: Machine) -> None:
    info = machine.describe("NVIDIA H200")
    assert (info.device, info.version) == ("cuda", "2.6.0+cu124 on NVIDIA H200")
    assert (info.hardware, info.called("a cpu")) == ("NVIDIA H200", "NVIDIA H200")
    assert info.note.endswith("; batches by size, driver 550.54.15")


def test_another_driver_is_the_same_version(machine: Machine) -> None:
    old, new = machine.describe("NVIDIA T4"), machine.describe("NVIDIA T4", driver=OPEN_DRIVER)
    assert old.version == new.version
    assert new.note.endswith("driver 570.86.10")


def test_gpus_of_one_model_are_named_once_and_others_with_what_chooses(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine.describe("NVIDIA T4", "NVIDIA T4").version.endswith(" on NVIDIA T4")
    both = machine.describe("NVIDIA T4", "NVIDIA A100").version
    assert both.endswith(" on one of NVIDIA T4 or NVIDIA A100 (CUDA_VISIBLE_DEVICES not set)")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert torch_backend.describe().version.endswith("A100 (CUDA_VISIBLE_DEVICES 1)")


def test_what_cannot_be_read_is_unknown(machine: Machine) -> None:
    info = machine.describe(driver="something else")
    assert info.version == "2.6.0+cu124 on an unknown GPU"
    assert info.note.endswith("driver unknown")
    (machine.root / "torch" / "version.py").unlink()
    assert torch_backend.describe().version == "2.6.0 on an unknown GPU"


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_a_hidden_gpu_is_not_described(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    info = machine.describe("NVIDIA H200")
    assert (info.device, info.version, info.called("a cpu")) == ("cpu", "2.6.0+cu124", "a cpu")
    assert "driver" not in info.note


def test_torch_without_cuda_and_a_machine_without_a_gpu_compute_on_the_cpu(
    machine: Machine,
) -> None:
    assert machine.describe("NVIDIA H200", built="2.6.0+cpu").device == "cpu"
    machine.describe()
    (machine.root / "nvidiactl").unlink()
    assert torch_backend.describe().device == "cpu"


def test_torch_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(torch_backend, "distribution", absent)
    assert torch_backend.describe().version == "not installed"


def test_the_version_is_torchs_own() -> None:
    assert torch_backend.describe().version.split(" on ")[0] == torch.__version__


def test_torch_is_not_imported() -> None:
    code = (
        "import sys; from sr_bench.backends import torch; torch.describe(); "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
