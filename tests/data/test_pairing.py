"""Files pair up by rule; what is missing or extra is named."""

import re
from dataclasses import replace
from unicodedata import normalize

import pytest

from sr_bench.data.dataset import Layout, PairFiles
from sr_bench.data.pairing import find_pairs, has_files
from sr_bench.errors import DatasetError, ImageError, NotRunError


def test_each_hr_gets_its_lr(tiny, tiny_root):
    assert find_pairs(tiny, tiny_root, 2) == (
        PairFiles("a", tiny_root / "HR/a.png", tiny_root / "LR/X2/ax2.png"),
        PairFiles("b", tiny_root / "HR/b.png", tiny_root / "LR/X2/bx2.png"),
    )


def test_without_lr_files_the_layout_without_lr_is_taken(tiny, tiny_root):
    assert [pair.lr for pair in find_pairs(tiny, tiny_root, 4)] == [None, None]


def test_lr_files_are_not_looked_at_when_lr_comes_from_hr(tiny, tiny_root):
    (tiny_root / "LR/X2/ax2.png").unlink()
    assert [pair.lr for pair in find_pairs(tiny, tiny_root, 2, lr_from="hr")] == [None, None]


def test_a_flat_folder_is_enough(tiny, tmp_path, picture):
    for stem in "ab":
        picture(tmp_path / f"{stem}.png", 8, 8)
    assert [pair.hr.name for pair in find_pairs(tiny, tmp_path, 2)] == ["a.png", "b.png"]


def test_a_scale_in_the_hr_pattern_is_filled_in(tiny, tmp_path, picture):
    dataset = replace(
        tiny, layouts=(Layout("HR/x{scale}/{stem}_HR_x{scale}.png", "LR/{stem}_x{scale}.png"),)
    )
    for stem in "ab":
        picture(tmp_path / f"HR/x4/{stem}_HR_x4.png", 8, 8)
        picture(tmp_path / f"LR/{stem}_x4.png", 2, 2)
    assert [pair.stem for pair in find_pairs(dataset, tmp_path, 4)] == ["a", "b"]


@pytest.mark.parametrize("missing", ["HR/b.png", "LR/X2/ax2.png"])
def test_a_missing_file_is_named(tiny, tiny_root, missing):
    (tiny_root / missing).unlink()
    with pytest.raises(DatasetError, match=f"1 .R missing: {missing}"):
        find_pairs(tiny, tiny_root, 2)


@pytest.mark.parametrize("extra", ["HR/c.png", "LR/X2/cx2.png"])
def test_an_extra_file_is_named(tiny, tiny_root, picture, extra):
    picture(tiny_root / extra, 8, 8)
    with pytest.raises(DatasetError, match=f"1 .R extra: .*{extra}"):
        find_pairs(tiny, tiny_root, 2)


def test_several_faults_are_reported_at_once(tiny, tiny_root, picture):
    (tiny_root / "HR/b.png").unlink()
    picture(tiny_root / "LR/X2/cx2.png", 8, 8)
    with pytest.raises(DatasetError, match=r"(?s)HR missing.*LR extra.*expected 2 HR.*got 1"):
        find_pairs(tiny, tiny_root, 2)


def test_files_that_file_managers_leave_don_t_count(tiny, tiny_root):
    (tiny_root / "HR/._a.png").write_bytes(b"fork")
    (tiny_root / "HR/Thumbs.db").write_bytes(b"")
    assert len(find_pairs(tiny, tiny_root, 2)) == 2


def test_a_count_alone_is_checked_too(tiny, tiny_root, picture):
    dataset = replace(tiny, stems=())
    assert len(find_pairs(dataset, tiny_root, 2)) == 2
    picture(tiny_root / "HR/c.png", 12, 16)
    with pytest.raises(DatasetError, match=r"(?s)LR missing: LR/X2/cx2\.png.*expected 2 HR"):
        find_pairs(dataset, tiny_root, 2)


@pytest.mark.parametrize("size", [(11, 16), (14, 16), (12, 15), (12, 18)])
def test_sizes_that_don_t_fit_are_named(tiny, tiny_root, picture, size):
    picture(tiny_root / "HR/b.png", *size)
    with pytest.raises(DatasetError, match=rf"b\.png is {size[1]}x{size[0]}, expected 16x12"):
        find_pairs(tiny, tiny_root, 2)


def test_a_file_that_is_not_an_image_is_named(tiny, tiny_root):
    (tiny_root / "LR/X2/ax2.png").write_bytes(b"<html>")
    with pytest.raises(ImageError, match=r"ax2\.png"):
        find_pairs(tiny, tiny_root, 2)


def test_a_folder_of_other_files_is_refused_with_what_to_do(tiny, tmp_path, picture):
    picture(tmp_path / "holiday.jpg.png", 8, 8)
    with pytest.raises(NotRunError, match=r"(?s)beside .*--sr-data.*HR/{stem}\.png"):
        find_pairs(tiny, tmp_path, 2)


def test_an_absent_folder_is_not_run(tiny, tmp_path):
    with pytest.raises(NotRunError, match="put them beside tiny"):
        find_pairs(tiny, tmp_path / "absent", 2)


def test_hr_without_lr_of_this_scale_is_not_run_if_no_rule_makes_it(tiny, tiny_root):
    dataset = replace(tiny, layouts=tiny.layouts[:1], lr_rule=None)
    with pytest.raises(NotRunError, match=r"LR/X4/{stem}x4\.png") as caught:
        find_pairs(dataset, tiny_root, 4)
    first, *_, last = str(caught.value).splitlines()
    assert first.startswith("no LR files of tiny x4; put them beside ")
    assert first.endswith(f"; searched {tiny_root}")
    assert last == f"HR is there: {tiny_root / 'HR' / 'a.png'} and 1 more"


def test_an_undeclared_scale_is_refused(tiny, tiny_root):
    with pytest.raises(DatasetError, match=r"tiny has no x3, only x2, x4 \(.*\)"):
        find_pairs(tiny, tiny_root, 3)


def test_has_files_says_whether_there_is_any(tiny, tiny_root, tmp_path):
    assert has_files(tiny, tiny_root)
    assert not has_files(tiny, tmp_path / "absent")


def test_the_folder_of_another_dataset_is_not_taken_for_this_one(tiny, tmp_path, picture):
    picture(tmp_path / "HR" / "0801.png", 8, 8)
    assert not has_files(tiny, tmp_path)
    with pytest.raises(NotRunError):
        find_pairs(tiny, tmp_path, 2)


def test_the_layout_with_the_most_files_is_the_one_that_is_checked(tiny, tiny_root, picture):
    picture(tiny_root / "a.png", 12, 16)
    dataset = replace(tiny, layouts=tiny.layouts[::-1])
    assert all(pair.lr for pair in find_pairs(dataset, tiny_root, 2))


def test_a_folder_is_not_taken_for_an_image(tiny, tiny_root):
    (tiny_root / "HR" / "thumbnails.png").mkdir()
    assert len(find_pairs(tiny, tiny_root, 2)) == 2


def test_folders_and_endings_may_be_spelled_in_any_case(tiny, tiny_root):
    (tiny_root / "LR" / "X2").rename(tiny_root / "LR" / "x2")
    (tiny_root / "HR" / "a.png").rename(tiny_root / "HR" / "a.PNG")
    assert all(pair.lr for pair in find_pairs(tiny, tiny_root, 2))


@pytest.mark.parametrize("name", ["LR_bicubic/X2/ax2.png", "LR/X2/a_LRx2.png", "LR/X2/ax2.bmp"])
def test_lr_files_of_no_known_layout_are_named_and_not_passed_over(
    name, tiny, tmp_path, picture, tiny_root
):
    root = tmp_path / "other"
    root.mkdir()
    (tiny_root / "HR").rename(root / "HR")
    picture(tmp_path / "a.png", 6, 8)
    (root / name).parent.mkdir(parents=True)
    (tmp_path / "a.png").rename(root / name)
    with pytest.raises(DatasetError, match=rf"made from HR, but \S*{re.escape(name)} may be LR"):
        find_pairs(tiny, root, 2)
    assert find_pairs(tiny, root, 2, lr_from="hr")[0].lr is None


def test_files_of_another_size_or_name_are_not_taken_for_lr(tiny, tiny_root, picture):
    (tiny_root / "LR" / "X2").rename(tiny_root / "more")
    (tiny_root / "more" / "ax2.png").unlink()
    picture(tiny_root / "more" / "a_small.png", 4, 5)
    picture(tiny_root / "more" / "bx2.png", 12, 17)
    picture(tiny_root / "more" / "c.png", 6, 8)
    (tiny_root / "more" / "a.png").write_bytes(b"no image")
    assert [pair.lr for pair in find_pairs(tiny, tiny_root, 2)] == [None, None]


def test_a_folder_that_is_any_becomes_a_part_of_the_name(tiny, tmp_path, picture):
    layout = Layout("test/*/sharp/{stem}.png", "test/*/blur/{stem}.*")
    dataset = replace(tiny, scales=(1,), stems=(), count=None, layouts=(layout,))
    for folder, stem in (("G1", "000001"), ("G1", "000002"), ("G2", "000001")):
        picture(tmp_path / f"test/{folder}/sharp/{stem}.png", 8, 8)
        picture(tmp_path / f"test/{folder}/blur/{stem}.bmp", 8, 8)
        picture(tmp_path / f"test/{folder}/blur_gamma/{stem}.png", 8, 8)
    pairs = find_pairs(dataset, tmp_path, 1)
    assert [pair.stem for pair in pairs] == ["G1-000001", "G1-000002", "G2-000001"]
    assert pairs[2].lr == tmp_path / "test/G2/blur/000001.bmp"


def test_two_files_of_one_image_are_refused_by_name(tiny, tiny_root, picture):
    dataset = replace(tiny, layouts=(Layout("HR/{stem}.*", "LR/X{scale}/{stem}x{scale}.*"),))
    picture(tiny_root / "LR/X2/ax2.bmp", 6, 8)
    with pytest.raises(DatasetError, match=r"both \S*ax2\.bmp and ax2\.png are of image 'a'"):
        find_pairs(dataset, tiny_root, 2)


def test_accents_may_be_put_together_in_two_ways(tiny, tmp_path, picture):
    composed, parted = (normalize(form, "\u00e9") for form in ("NFC", "NFD"))
    dataset = replace(tiny, stems=(composed,), count=1)
    picture(tmp_path / f"HR/{parted}.png", 8, 8)
    picture(tmp_path / f"LR/X2/{composed}x2.png", 4, 4)
    (pair,) = find_pairs(dataset, tmp_path, 2)
    assert (pair.stem, pair.lr.name) == (composed, f"{composed}x2.png")
    picture(tmp_path / f"HR/{composed}.png", 8, 8)
    with pytest.raises(DatasetError, match=r"both 'e\\u0301\.png' and '\\xe9\.png' are of image"):
        find_pairs(dataset, tmp_path, 2)
