"""LR files of no layout are never passed over where LR would be made from HR."""

import os
from contextlib import nullcontext
from dataclasses import replace

import pytest

from sr_bench.data.locate import load_dataset
from sr_bench.data.pairing import find_pairs
from sr_bench.data.source import open_dataset
from sr_bench.errors import DatasetError, ImageError, NotRunError

SIZES = {"baby": 32, "bird": 30, "butterfly": 28, "head": 26, "woman": 24}


@pytest.fixture
def root(tmp_path, picture):
    """Write HR of Set5 alone."""
    for stem, side in SIZES.items():
        picture(tmp_path / "Set5/HR" / f"{stem}.png", side, side)
    return tmp_path / "Set5"


@pytest.fixture
def put(root, picture):
    """Return a function that writes files called `pattern` in the sizes of LR."""

    def write(pattern, scale=2, more=0, data=None):
        for number, (stem, side) in enumerate(SIZES.items()):
            path = root / pattern.format(stem, n=number)
            path.parent.mkdir(parents=True, exist_ok=True)
            if data is None:
                picture(path, side // scale + more, side // scale + more)
            else:
                path.write_bytes(data)

    return write


def paired(root):
    return [pair.lr for pair in find_pairs(load_dataset("set5"), root, 2)]


@pytest.mark.parametrize(
    "pattern",
    [
        "LR_BD/X2/{}x2.png",
        "LRBD/x2/{}_LRBD_x2.png",
        "half/{}.png",
        "small/tiny-{}.png",
        "a/b/c/d/e/f/g/{}_2.png",
        "LR/x2/{n}.png",
        "lowres/{n}.png",
        "stuff/{n}.png",
        "lq/{}/in.png",
        "../Set5_LR_x2/{}.png",
        "../LR/X2/{}x2.png",
        "../x2/{}.png",
    ],
)
def test_files_that_may_be_lr_are_refused_by_name(root, put, pattern):
    put(pattern)
    folder = pattern.removeprefix("../").split("/")[0]
    with pytest.raises(DatasetError, match=rf"made from HR, but \S*/{folder}/\S+png.* may be LR"):
        paired(root)


def test_lr_beside_the_folder_of_hr_that_is_given_is_refused(root, put):
    put("LR_bicubic/X2/{}x2.png")
    assert all(paired(root))
    with pytest.raises(DatasetError, match=r"LR_bicubic/X2/babyx2\.png, .* and 2 more may be LR"):
        paired(root / "HR")


@pytest.mark.parametrize(("scale", "more"), [(2, -2), (2, 1), (4, 0)])
def test_lr_of_another_size_that_is_called_lr_is_refused(root, put, scale, more):
    put("LR_XY/x2/{}.png", scale, more)
    with pytest.raises(DatasetError, match=r"LR_XY/x2/baby\.png"):
        paired(root)


@pytest.mark.parametrize("pattern", ["LR_XY/X2/{}_x2.png", "LR_XY/X2/{n}.png"])
def test_what_is_called_lr_and_is_no_image_is_refused(root, put, pattern):
    put(pattern, data=b"")
    with pytest.raises(DatasetError, match=r"LR_XY/X2/"):
        paired(root)


@pytest.mark.parametrize(
    "name", ["LR_bicubic_X2.zip", "Set5_LRx2.tar.gz", "LR/x2/all.mat", "../Set5_LR.zip", "LR_BD.7z"]
)
def test_an_archive_that_is_called_lr_is_refused(root, name):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(b"PK")
    with pytest.raises(DatasetError, match=name.rsplit("/", 1)[-1]):
        paired(root)


@pytest.mark.parametrize(
    ("pattern", "scale"),
    [
        ("LR_bicubic/X4/{}x4.png", 4),
        ("results/x2/{}_RCAN_x2.png", 1),
        ("thumbs/{n}.png", 3),
        ("../other/LR/{n}.png", 2),
    ],
)
def test_what_is_no_lr_of_this_scale_is_left_alone(root, put, pattern, scale):
    put(pattern, scale)
    assert not any(paired(root))


def test_an_archive_of_another_set_is_left_alone(root):
    (root / "DIV2K_valid_LR_bicubic_X2.zip").write_bytes(b"PK")
    assert not any(paired(root))


def test_no_number_of_other_files_hides_lr(root, put):
    (root / "aaa").mkdir()
    for number in range(5100):
        (root / "aaa" / f"{number}.png").touch()
    put("zzz/{}.png")
    with pytest.raises(DatasetError, match=r"zzz/baby\.png"):
        paired(root)


def test_where_no_rule_makes_lr_what_may_be_it_is_told(root, put):
    put("LR_BD/X2/{}x2.png")
    dataset = replace(load_dataset("set5"), lr_rule=None)
    with pytest.raises(NotRunError, match=r"of no layout is \S*LR_BD/X2/babyx2\.png"):
        find_pairs(dataset, root, 2)


@pytest.mark.parametrize(("folder", "is_refused"), [("lost+found", False), ("LR_XY", True)])
def test_a_folder_that_nobody_may_read_counts_if_it_is_called_lr(
    root, monkeypatch, folder, is_refused
):
    (root / folder).mkdir()
    real = os.scandir

    def scandir(path):
        if path == root / folder:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)
    outcome = (
        pytest.raises(DatasetError, match="LR_XY: can't list") if is_refused else nullcontext()
    )
    with outcome:
        assert not any(paired(root))


@pytest.mark.parametrize("ending", ["png", "gif", "CR2"])
def test_files_that_are_all_unreadable_are_named(root, ending):
    for path in (root / "HR").iterdir():
        path.rename(path.with_suffix(f".{ending}")).write_bytes(b"x")
    with pytest.raises(ImageError, match=rf"baby\.{ending}.*bird\.{ending}.*woman\.{ending}"):
        open_dataset(load_dataset("set5"), scale=2, given=root)


def test_hr_in_an_archive_is_told(root):
    for path in (root / "HR").iterdir():
        path.unlink()
    (root / "HR" / "all.zip").write_bytes(b"PK")
    with pytest.raises(NotRunError, match=r"not read, unpack them: \S*HR/all\.zip"):
        open_dataset(load_dataset("set5"), scale=2, given=root)
