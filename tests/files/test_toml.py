"""TOML of anyone is read, or refused in words: deep, huge, endless, or hostile."""

import os
from pathlib import Path

import pytest

from sr_bench.errors import CardError
from sr_bench.files.toml import read_toml


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 5000, "nested too deeply"),
        ("a = " + "9" * 5000, "not valid TOML: .*digits"),
        (r'onnx = "C:\zoo\a.onnx"', r"not valid TOML: Unescaped .*; in paths write / for it"),
        ("a = '\xff'", "not valid TOML: .*utf-8"),
    ],
)
def test_toml_that_breaks_its_parser_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "card.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CardError, match=message):
        read_toml(path, CardError)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_pipe_or_device_is_not_waited_for(tmp_path: Path, make) -> None:
    make(tmp_path / "card.toml")
    with pytest.raises(CardError, match="a pipe or a device"):
        read_toml(tmp_path / "card.toml", CardError)


def test_a_folder_is_refused_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="directory"):
        read_toml(tmp_path, CardError)


def test_a_key_of_thousands_of_parts_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text("b = 1\n" + "a." * 1000 + "a = 1\n")
    assert read_toml(path, CardError)["b"] == 1
    path.write_text("b = 1\n" + "a." * 1001 + "a = 1\n")
    with pytest.raises(CardError, match=r"more than 1000 dots \(at line 2\)"):
        read_toml(path, CardError)
