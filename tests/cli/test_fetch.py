"""``sr-bench fetch`` brings a dataset here, from the network or from archives at hand."""

import hashlib
import zipfile
from pathlib import Path

import pytest

MANIFEST = """
title = "One image"
description = "for tests"
licence = "none"
homepage = "https://example.org"
scales = [2]
lr_rule = "pil_bicubic"
count = 1
stems = ["a"]

[[layout]]
hr = "HR/{stem}.png"

[[archive]]
url = "https://example.org/one.zip"
into = "HR"
inside = "one"
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive of the dataset ``one``, whose manifest is in ./datasets."""
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("one/a.png", b"pixels")
    folder = tmp_path / "work" / "datasets" / "one"
    folder.mkdir(parents=True)
    (folder / "dataset.toml").write_text(MANIFEST)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  one.zip\n")
    return path


@pytest.fixture
def fetch(sr_bench, archive: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(archive.parent / "work")
    return lambda *args: sr_bench("fetch", *args)


def test_photos_need_no_fetching(sr_bench) -> None:
    result = sr_bench("fetch", "photos")
    assert (result.code, result.err) == (0, "")
    assert "photos: nothing to fetch, its images come with an installed package" in result.out
    assert sr_bench("fetch", "photos", "--json").json["root"] is None


def test_an_archive_at_hand_is_unpacked_without_network(fetch, archive: Path) -> None:
    root = archive.parent / "cache" / "datasets" / "one"
    result = fetch("one", "--from", archive)
    assert (result.code, result.err) == (0, "")
    assert result.out == f"one.zip: unpacked\none is in {root}\n"
    assert (root / "HR" / "a.png").read_bytes() == b"pixels"
    again = fetch("one", "--from", archive, "--json")
    assert (again.json["present"], again.json["root"]) == (["one.zip"], str(root))


def test_a_dataset_is_fetched_into_the_given_folder(fetch, archive: Path) -> None:
    assert fetch("one", "--from", archive, "--to", archive.parent / "there").code == 0
    assert (archive.parent / "there" / "one" / "HR" / "a.png").is_file()


def test_a_damaged_archive_ends_in_1_and_leaves_nothing(fetch, archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-8])
    result = fetch("one", "--from", archive)
    assert (result.code, result.out) == (1, "")
    assert "one.zip" in result.err
    assert not (archive.parent / "cache" / "datasets" / "one" / "HR").exists()


def test_an_unknown_dataset_is_refused_with_the_nearest(sr_bench) -> None:
    result = sr_bench("fetch", "set51")
    assert result.code == 2
    assert "no dataset 'set51'; did you mean 'set5'?" in result.err
