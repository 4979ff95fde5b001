"""Manifests and files are found where people keep them."""

from pathlib import Path

import pytest

from sr_bench.data.locate import cached_root, data_root, known_datasets, load_dataset
from sr_bench.errors import DatasetError, NotRunError, OptionError

MANIFEST = """
title = "Mine"
description = "mine"
licence = "mine"
homepage = "https://example.org"
scales = [2]
count = 1
[[layout]]
hr = "{stem}.png"
lr = "x{scale}/{stem}.png"
"""


pytestmark = pytest.mark.usefixtures("cache")


def test_the_project_knows_its_datasets():
    expected = {"div2k_valid", "gopro_test", "set5", "set14", "bsd100", "urban100", "photos"}
    assert expected <= set(known_datasets())


def test_a_user_s_folder_comes_before_ours(tmp_path):
    for slug in ("mine", "set5"):
        (tmp_path / "own" / slug).mkdir(parents=True)
        (tmp_path / "own" / slug / "dataset.toml").write_text(MANIFEST)
    assert load_dataset("mine", (tmp_path / "own",)).count == 1
    assert load_dataset("set5", (tmp_path / "own",)).title == "Mine"
    assert load_dataset("set5").title == "Set5"


@pytest.mark.parametrize(
    ("slug", "named"), [("div2k_vaild", "div2k_valid"), ("../set5", "set5"), ("", "div2k_valid")]
)
def test_an_unknown_slug_names_the_nearest_or_all_known_ones_once(slug, named):
    with pytest.raises(DatasetError, match=r"unknown dataset ") as caught:
        load_dataset(slug)
    first = str(caught.value).splitlines()[0]
    assert first.replace(repr(slug), "").count(f"{named}'" if slug else f" {named},") == 1


def test_files_are_found_in_the_given_folder_by_slug_or_in_the_cache(tiny, tiny_root, cache):
    assert data_root(tiny, tiny_root) == tiny_root
    assert data_root(tiny, tiny_root.parent) == tiny_root
    with pytest.raises(NotRunError):
        data_root(tiny, None)
    cache.joinpath("datasets").mkdir(parents=True)
    tiny_root.rename(cache / "datasets" / "tiny")
    assert data_root(tiny, None) == cached_root(tiny) == cache / "datasets" / "tiny"


def test_absent_files_are_reported_with_places_and_patterns(tiny, tmp_path):
    (tmp_path / "other.txt").write_text("")
    with pytest.raises(
        NotRunError,
        match=r"(?s); put them beside tiny/dataset.toml.*searched .*cache/datasets/tiny\n.*HR/",
    ):
        data_root(tiny, tmp_path)


def test_an_empty_folder_is_an_error_that_names_all_that_were_searched(tiny, tmp_path, cache):
    (tmp_path / "tiny").mkdir()
    with pytest.raises(DatasetError, match="tiny is empty; put the images there") as caught:
        data_root(tiny, tmp_path)
    *_, searched = str(caught.value).splitlines()
    places = (tmp_path / "tiny", tmp_path, "tiny", cache / "datasets" / "tiny")
    assert searched == f"searched: {', '.join(map(str, places))}"


def test_a_folder_that_was_searched_is_named_once(tiny, tmp_path, monkeypatch):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "other.txt").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotRunError) as caught:  # its manifest says tiny/dataset.toml
        data_root(tiny, Path())
    assert str(caught.value).splitlines()[0].count("tiny,") == 1
    with pytest.raises(DatasetError) as unknown:
        load_dataset("rome", (Path(), tmp_path))
    assert str(unknown.value).count("rome/dataset.toml") == 2


def test_a_given_folder_that_does_not_exist_is_a_wrong_option(tiny):
    with pytest.raises(OptionError, match="--sr-data /absent: expected a folder"):
        data_root(tiny, Path("/absent"))
