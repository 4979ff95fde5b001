"""A manifest is read whole, or every fault of it is reported."""

import pytest

from sr_bench.data.dataset import Archive, Crop, Floor, Layout
from sr_bench.data.manifest import load_manifest
from sr_bench.errors import DatasetError

DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
HEAD = """
title = "Tiny"
description = "two images"
licence = "CC0"
homepage = "https://example.org"
scales = [2, 4]
count = 2
"""
LAYOUT = """
[[layout]]
hr = "HR/{stem}.png"
lr = "LR/X{scale}/{stem}x{scale}.png"
"""
ARCHIVE = """
[[archive]]
url = "https://example.org/files/tiny.zip?download=1"
size = 12
inside = "Tiny/HR"
into = "HR"
"""
CROPS = """
kind = "crops"
lr_rule = "matlab_bicubic"
[crops]
package = "skimage"
folder = "data"
training = ["c.png"]
evaluation = [
  { name = "a1", file = "a.png", top = 0, left = 8, height = 24, width = 48 },
  { name = "a2", file = "a.png", top = 24, left = 0, height = 24, width = 24 },
]
calibration = [{ name = "b1", file = "b.png", top = 0, left = 0, height = 24, width = 24 }]
"""


@pytest.fixture
def load(tmp_path):
    def write_and_load(text, sums=""):
        folder = tmp_path / "tiny"
        folder.mkdir()
        (folder / "dataset.toml").write_text(text)
        (folder / "SHA256SUMS").write_text(sums)
        return load_manifest(folder / "dataset.toml")

    return write_and_load


def _sums(*files):
    return "".join(f"{DIGEST}  {file}\n" for file in files)


def test_a_manifest_becomes_a_dataset(load):
    dataset = load(HEAD + 'stems = ["a", "b"]' + LAYOUT + ARCHIVE, _sums("tiny.zip"))
    assert (dataset.slug, dataset.scales, dataset.stems) == ("tiny", (2, 4), ("a", "b"))
    assert dataset.layouts == (Layout("HR/{stem}.png", "LR/X{scale}/{stem}x{scale}.png"),)
    url = "https://example.org/files/tiny.zip?download=1"
    assert dataset.archives == (Archive(url, "tiny.zip", DIGEST, 12, "Tiny/HR", "HR"),)


def test_a_range_of_stems_has_leading_zeros(load):
    text = HEAD + "stems = { first = 9, last = 10, width = 3 }" + LAYOUT
    assert load(text).stems == ("009", "010")


def test_an_archive_may_say_that_its_checksum_is_unknown(load):
    dataset = load(HEAD + LAYOUT + ARCHIVE + 'checksum = "unknown"')
    assert dataset.archives[0].sha256 == ""


def test_crops_know_the_digests_of_their_photographs(load):
    crops = load(HEAD + CROPS, _sums("a.png", "b.png", "c.png")).crops
    assert crops.evaluation[0] == Crop("a1", "a.png", 0, 8, 24, 48)
    assert crops.sha256 == dict.fromkeys(("a.png", "b.png", "c.png"), DIGEST)


def test_all_faults_are_reported_at_once_with_the_nearest_key(load):
    text = HEAD.replace("licence", "license") + "counts = 3" + LAYOUT.replace("hr =", "hrs =")
    with pytest.raises(DatasetError) as caught:
        load(text)
    message = str(caught.value)
    assert "tiny/dataset.toml" in message
    for part in (
        "license: unknown key; did you mean 'licence'?",
        "counts: unknown key; did you mean 'count'?",
        "layout[0].hrs: unknown key; did you mean 'hr'?",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("title = ", r"dataset\.toml: not valid TOML"),
        (HEAD + "[[layout]]\nlr = '{stem}.png'", r"layout\[0\]: expected hr and lr, or target and"),
        (
            HEAD + "[[layout]]\ntarget = '{stem}.png'\ninput = '{stem}.png'",
            r"layout\[0\]: expected two patterns, got '{stem}.png' twice",
        ),
        (HEAD + "[[layout]]\ntarget = '{stem}.png'", r"layout\[0\]\.input: required, as"),
        (
            HEAD + LAYOUT + "target = '{stem}.png'",
            r"layout\[0\]: expected hr and lr, or target and input",
        ),
        (
            HEAD + LAYOUT.replace("HR/", "*/HR/"),
            r"layout\[0\]: expected as many folders \* in the one as in the other",
        ),
        (HEAD + LAYOUT.replace("HR/", "H*/"), r"layout\[0\]\.hr: expected \* for a whole folder"),
        (
            HEAD + "[[layout]]\ntarget = '{stem}.png'\ninput = 'x{scale}{stem}.png'",
            r"layout\[0\]: target and input are of scales = \[1\]",
        ),
        (
            HEAD + 'stems = ["a", "b"]\nother_stems = [["c"]]' + LAYOUT,
            r"other_stems\[0\]: 1 names, but stems has 2",
        ),
        (HEAD + 'stems = ["a"]' + LAYOUT, "stems: 1 names, but count is 2"),
        (HEAD + 'stems = ["a", "a"]' + LAYOUT, "stems: 'a' stands there 2 times"),
        (HEAD + '[[layout]]\nhr = "{stem}.png"', r"layout\[0\]\.lr: required, as there is no"),
        (HEAD + LAYOUT.replace("{scale}", "2"), r"layout\[0\]\.lr: expected {scale} in it"),
        (HEAD + LAYOUT.replace("HR/{stem}", "HR/{name}"), "expected {stem} once"),
        (HEAD + LAYOUT.replace("HR/{stem}", "{stem}/HR"), "expected {stem} once"),
        (HEAD + LAYOUT.replace("HR/", "../HR/"), r"layout\[0\]\.hr: expected a path below"),
        (HEAD + LAYOUT + ARCHIVE, "tiny.zip is not in SHA256SUMS; add it there, or say"),
        (
            HEAD + LAYOUT + ARCHIVE.replace("/files/tiny.zip", ""),
            "the last part of url names no file",
        ),
        (HEAD + LAYOUT + ARCHIVE.replace("https", "ftp"), "starts with http://"),
        (HEAD + LAYOUT + ARCHIVE.replace('"HR"', '"/etc"'), r"archive\[0\]\.into: expected a path"),
        (HEAD.replace("[2, 4]", "[]") + LAYOUT, "scales: "),
        (HEAD.replace("[2, 4]", "[0]") + LAYOUT, r"scales\[0\]: "),
        (HEAD + 'lr_rule = "bicubic"' + LAYOUT, "lr_rule: .*matlab_bicubic"),
        (HEAD + CROPS, r"crops: a\.png is not in SHA256SUMS"),
        (HEAD + CROPS.replace("lr_rule", "#"), "lr_rule: required for kind 'crops'"),
        (HEAD.replace("count = 2", "count = 3") + CROPS, "crops.evaluation: 2 crops"),
        (HEAD + CROPS.replace('"a2"', '"b1"'), "crops: 'b1' stands there 2 times"),
        (HEAD + CROPS.replace("c.png", "a.png"), "a.png is used for evaluation and for training"),
        (HEAD + CROPS.replace("b.png", "a.png"), "used for evaluation and for calibration"),
        (HEAD + CROPS.replace('"b.png"', '""'), r"file: expected the name of a file"),
        (HEAD + CROPS.replace('"b.png"', '"b.png", channels = "rgg"'), "channels: "),
    ],
)
def test_a_fault_is_reported_with_its_key(load, text, match):
    with pytest.raises(DatasetError, match=match):
        load(text)


def test_unknown_and_known_at_once_is_a_fault(load):
    with pytest.raises(DatasetError, match=r"'unknown', but SHA256SUMS has tiny\.zip"):
        load(HEAD + LAYOUT + ARCHIVE + 'checksum = "unknown"', _sums("tiny.zip"))


def test_a_broken_line_of_sums_is_reported_with_its_file(load):
    with pytest.raises(DatasetError, match="SHA256SUMS: line 1: expected"):
        load(HEAD + LAYOUT, "nonsense\n")


def test_an_absent_manifest_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"dataset\.toml: can't be read"):
        load_manifest(tmp_path / "dataset.toml")


FLOOR = """
[[floor]]
scale = 2
protocol = "paper_y"
psnr_db = 33.67
ssim = 0.93
source = "measured"
"""


def test_a_floor_is_found_by_its_scale_and_protocol(load):
    dataset = load(HEAD + LAYOUT + FLOOR + FLOOR.replace("scale = 2", "scale = 4"))
    assert dataset.floor(4, "paper_y") == Floor(4, "paper_y", 33.67, 0.93, "measured")
    assert dataset.floor(2, "paper_y").scale == 2
    assert dataset.floor(3, "paper_y") is None
    assert dataset.floor(2, "native_rgb") is None


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (FLOOR + FLOOR, "floor: 'x2 by paper_y' stands there 2 times"),
        (FLOOR.replace("scale = 2", "scale = 3"), r"floor\[0\]\.scale: 3 is none of scales"),
        (FLOOR.replace("scale = 2", "scale = 1"), r"floor\[0\]\.scale: .*greater than or equal"),
        (FLOOR.replace("33.67", "inf"), r"floor\[0\]\.psnr_db: "),
        (FLOOR.replace("0.93", "1.0"), r"floor\[0\]\.ssim: "),
        (FLOOR.replace('"measured"', '""'), r"floor\[0\]\.source: "),
    ],
)
def test_a_wrong_floor_is_refused(load, text, match):
    with pytest.raises(DatasetError, match=match):
        load(HEAD + LAYOUT + text)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (
            'url = "https://example.org/',
            'file = "../x.zip"\nurl = "https://example.org/',
            "archive",
        ),
        ('url = "https://example.org/', 'file = "x/y.zip"\nurl = "https://example.org/', "archive"),
        ("https://example.org/a.zip", "https://example.org/a/..", "archive"),
        ("https://example.org/a.zip", "https://example.org/", "archive"),
        ("https://example.org/set", "https://ann:secret@example.org/set", "without a user"),
    ],
)
def test_names_that_leave_the_folder_and_passwords_are_refused(tmp_path, old, new, match):
    manifest = (
        'title = "a"\ndescription = "b"\nlicence = "c"\nhomepage = "https://example.org/set"\n'
        'scales = [2]\ncount = 1\n[[layout]]\nhr = "{stem}.png"\nlr = "lr/{stem}.png"\n'
        '[[archive]]\nurl = "https://example.org/a.zip"\nchecksum = "unknown"\ninto = "x"\n'
    )
    path = tmp_path / "dataset.toml"
    path.write_text(manifest)
    assert load_manifest(path).archives[0].file == "a.zip"
    path.write_text(manifest.replace(old, new, 1))
    with pytest.raises(DatasetError, match=match) as error:
        load_manifest(path)
    assert "secret" not in str(error.value)


def test_a_range_of_a_billion_names_is_refused_before_they_are_made(load):
    with pytest.raises(DatasetError, match="at most 1000000 names"):
        load("stems = { first = 0, last = 999999999999, width = 4 }")
