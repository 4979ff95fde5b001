"""The examples of own-zoo.md and own-images.md, copied as they stand: they collect together."""

import re
import shutil
from pathlib import Path

import onnx
import pytest

from sr_bench.data.manifest import load_manifest
from tests.tiny_zoo import make_images, nearest_x2

pytest_plugins = ["pytester"]

_FILE = re.compile(r"^`(my_zoo/[\w./]+)`\n\n```\w+\n(.*?)```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def zoo(project_root: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write every file that the page shows with its path."""
    monkeypatch.setenv("SR_BENCH_CACHE", str(pytester.path / "cache"))
    pages = (project_root / "docs" / "how-to").glob("own-*.md")
    for name, text in _FILE.findall("".join(page.read_text(encoding="utf-8") for page in pages)):
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return pytester.path / "my_zoo"


def test_the_smallest_card_measures_images_that_lie_beside_their_manifest(zoo, pytester):
    onnx.save(nearest_x2(), zoo / "fastsr" / "fastsr.onnx")
    make_images(zoo / "images")
    shutil.move(zoo / "images" / "HR", zoo / "street" / "hr")
    result = pytester.runpytest("my_zoo", "-q", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=3)  # the page's numbers are of no real network
    text = result.stdout.str()
    assert "LR of street_x2 made from HR by matlab_bicubic" in text
    assert text.count("differs") >= 3


def test_the_whole_manifest_of_the_page_is_valid(zoo):
    fields = load_manifest(zoo / "datasets" / "fields" / "dataset.toml")
    assert (fields.title, fields.count, fields.scales) == ("Fields", 12, (2, 4))


@pytest.mark.parametrize(
    "place", ["fastsr/datasets", "fastsr", "datasets", ".", "elsewhere", "elsewhere/street"]
)
def test_a_manifest_is_found_in_each_place_that_the_page_names(zoo, pytester, place):
    onnx.save(nearest_x2(), zoo / "fastsr" / "fastsr.onnx")
    make_images(zoo / "images")
    shutil.move(zoo / "images" / "HR", zoo / "street" / "hr")
    folder = zoo / place / "street" if place != "elsewhere/street" else zoo / place
    folder.parent.mkdir(exist_ok=True, parents=True)
    shutil.move(zoo / "street", zoo / "moved")
    shutil.move(zoo / "moved", folder)
    data = ["--sr-data", str(zoo / place)] if place.startswith("elsewhere") else []
    result = pytester.runpytest("my_zoo/fastsr", "-q", "-k", "psnr", *data)
    result.assert_outcomes(failed=1)
    assert "differs" in result.stdout.str()


def test_an_unknown_dataset_names_the_folders_that_were_searched(zoo, pytester):
    onnx.save(nearest_x2(), zoo / "fastsr" / "fastsr.onnx")
    shutil.rmtree(zoo / "street")
    result = pytester.runpytest("my_zoo/fastsr", "-q", "-k", "psnr")
    result.assert_outcomes(failed=1)
    for place in ("fastsr/datasets", "fastsr", "my_zoo/datasets", "my_zoo"):
        result.stdout.fnmatch_lines([f"*{place}/street/dataset.toml*"])
