"""A rig's file: every key is optional, and every fault of it is named."""

import sys
from pathlib import Path

import pytest

from sr_bench.backends.vacc.rig import read_rig, rig_path
from sr_bench.errors import OptionError


@pytest.fixture
def write_rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def write(text: str) -> None:
        (tmp_path / "rig.toml").write_text(text)
        monkeypatch.setenv("SR_BENCH_RIG", str(tmp_path / "rig.toml"))

    return write


def test_without_a_file_the_rig_is_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SR_BENCH_RIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    rig = read_rig()
    assert (rig.python, rig.vamc, rig.vamp, rig.device) == (sys.executable, "vamc", "vamp", 0)
    assert rig.limits.compile_s == 6 * 3600


def test_the_file_of_the_config_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SR_BENCH_RIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert rig_path() == tmp_path / "sr-bench" / "rig.toml"
    rig_path().parent.mkdir()
    rig_path().write_text("device = 3\n")
    assert read_rig().device == 3


def test_what_the_file_says_is_read(write_rig) -> None:
    write_rig('python = "/p"\nvamc = "/c"\nvamp = "/v"\ndevice = 1\n[limits]\nrun_s = 1.5\n')
    rig = read_rig()
    assert (rig.python, rig.vamc, rig.vamp, rig.device) == ("/p", "/c", "/v", 1)
    assert (rig.limits.run_s, rig.limits.open_s) == (1.5, 180)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('pyhton = "/p"', "pyhton: unknown key; did you mean 'python'?"),
        ("device = -1", "device: expected a number greater than or equal to 0"),
        ("[limits]\nrun_s = 0", "limits.run_s: expected a number greater than 0"),
        ("[limits\n", "not valid TOML"),
    ],
)
def test_a_fault_is_named(write_rig, text: str, message: str) -> None:
    write_rig(text)
    with pytest.raises(OptionError) as caught:
        read_rig()
    assert message in str(caught.value)


def test_a_file_that_is_named_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SR_BENCH_RIG", str(tmp_path / "none.toml"))
    with pytest.raises(OptionError, match=r"none\.toml: can't be read"):
        read_rig()
