"""Datasets are found as they are distributed, without a layout in their manifest."""

from dataclasses import replace

import pytest

from sr_bench.data.locate import load_dataset
from sr_bench.data.manifest import load_manifest
from sr_bench.data.pairing import find_pairs, has_files
from sr_bench.errors import DatasetError, NotRunError
from sr_bench.imaging.files import read_image, write_png

SET5 = ("baby", "bird", "butterfly", "head", "woman")
NUMBERED = tuple(f"img_{number:03}" for number in range(1, 6))
CLASSIC = [
    (2, "HR/{}.png", "LR_bicubic/X2/{}x2.png"),
    (2, "Set5/HR/{}.png", "Set5/LR_bicubic/x2/{}x2.png"),
    (3, "benchmark/Set5/HR/{}.png", "benchmark/Set5/LR_bicubic/X3/{}x3.png"),
    (4, "Set5/GTmod12/{}.png", "Set5/LRbicx4/{}.png"),
    (4, "Set5/original/{}.png", "Set5/LRbicx4/{}.png"),
    (4, "Set5/HR_mod12/{}.png", "Set5/LR_x4/{}x4.png"),
    (4, "Set5/{}.png", "Set5_LRbicx4/{}_bicLRx4.png"),
    (8, "HR/Set5/x8/{}_HR_x8.png", "LR/LRBI/Set5/x8/{}_LRBI_x8.png"),
    (2, "HR/x2/{}_HR_x2.png", "LR/x2/{}_LRBI_x2.png"),
    (2, "TestDataSR/HR/Set5/x2/{}_HR_x2.png", "TestDataSR/LR/LRBI/Set5/x2/{}_LRBI_x2.png"),
    (2, "Set5/{}.bmp", "Set5_LR/x2/{}x2.bmp"),
    (4, "Set5_HR/{}.png", "Set5_LR_x4/{}.png"),
    (4, "HR/{}.JPG", "LR/4x/{}.Jpeg"),
    (2, "{}.png", "{}x2.png"),
    (2, "sr/rgb/benchmark/Set5/HR/{}.png", "sr/rgb/benchmark/Set5/LR_bicubic/X2/{}x2.png"),
    (4, "test/Set5/4/HR/{}.tif", "test/Set5/4/LR/{}.tif"),
    (4, "HR /{}.png", "LR/{}.png"),
]
RESTORED = [
    ("target/{}.png", "input/{}.png"),
    ("high/{}.png", "low/{}.png"),
    ("reference-890/{}.png", "raw-890/{}.png"),
    ("gt/{}.png", "lq/{}.png"),
    ("sharp/{}.jpg", "blur/{}.jpg"),
    ("norain-{}.png", "rain-{}.png"),
    ("Test/Normal/normal{}.png", "Test/Low/low{}.png"),
    ("GT_SRGB_{}.PNG", "NOISY_SRGB_{}.PNG"),
    ("val/SIDD/target_crops/{}.png", "val/SIDD/input_crops/{}.png"),
]


@pytest.fixture
def keep(tmp_path, picture):
    """Return a function that writes HR and LR of `stems` by two patterns."""

    root = tmp_path / "mine"

    def write(stems, scale, hr, lr="", side=24):
        for stem in stems:
            picture(root / hr.format(stem), side, side)
            if lr:
                picture(root / lr.format(stem), side // scale, side // scale)
        return root  # all are PNG, whatever their suffix

    return write


@pytest.fixture
def mine(tmp_path):
    """Return a function that makes a dataset of the folder, whose manifest has no layout."""

    def load(text):
        (tmp_path / "mine" / "dataset.toml").write_text(text)
        return load_manifest(tmp_path / "mine" / "dataset.toml")

    return load


@pytest.mark.parametrize(("scale", "hr", "lr"), CLASSIC)
def test_a_classic_set_is_found_as_its_distributors_keep_it(keep, scale, hr, lr):
    root = keep(SET5, scale, hr, lr)
    pairs = find_pairs(load_dataset("set5"), root, scale)
    assert [(pair.stem, pair.hr, pair.lr) for pair in pairs] == [
        (stem, root / hr.format(stem), root / lr.format(stem)) for stem in SET5
    ]


@pytest.mark.parametrize(("hr", "lr"), RESTORED)
def test_pairs_of_equal_size_are_told_by_their_words(keep, mine, hr, lr):
    root = keep(("010", "011"), 1, hr, lr)
    pairs = find_pairs(mine("scales = [1]\nnames = ['SIDD']"), root, 1)
    assert [(pair.hr, pair.lr) for pair in pairs] == [
        (root / hr.format(stem), root / lr.format(stem)) for stem in ("010", "011")
    ]


def test_numbered_names_of_a_classic_set_are_those_of_its_images(keep):
    folder = "Set5/image_SRF_2/"
    root = keep(NUMBERED, 2, folder + "{}_SRF_2_HR.png", folder + "{}_SRF_2_LR.png")
    keep(NUMBERED, 2, folder + "{}_SRF_2_bicubic.png")
    keep(NUMBERED, 2, folder + "{}_SRF_2_ScSR.png")
    pairs = find_pairs(load_dataset("set5"), root, 2)
    assert [pair.stem for pair in pairs] == list(SET5)
    assert pairs[0].lr == root / "Set5/image_SRF_2/img_001_SRF_2_LR.png"


def test_div2k_is_found_beside_its_other_tracks(keep):
    stems = ("0801", "0900")
    root = keep(stems, 4, "DIV2K/DIV2K_valid_HR/{}.png", "DIV2K/DIV2K_valid_LR_mild/{}x4m.png", 4)
    keep(stems, 4, "DIV2K/DIV2K_valid_HR/{}.png", "DIV2K/DIV2K_valid_LR_bicubic/X4/{}x4.png", 4)
    keep(stems[:2], 4, "DIV2K/DIV2K_train_HR/{}.png", "", 4)
    for slug, name in (("div2k_valid", "0801x4.png"), ("div2k_valid_mild", "0801x4m.png")):
        dataset = replace(load_dataset(slug), stems=stems, count=2)
        assert find_pairs(dataset, root, 4)[0].lr.name == name


def test_the_folder_of_another_set_is_not_taken(keep):
    root = keep([f"p{number}" for number in range(14)], 2, "Set14/HR/{}.png")
    assert has_files(load_dataset("set14"), root)
    assert not has_files(load_dataset("bsd100"), root)
    assert not has_files(load_dataset("set5"), root)


def test_lr_without_its_scale_in_a_name_is_taken_by_its_size(keep):
    root = keep(SET5, 4, "HR/{}.png", "LR/{}.png")
    assert all(pair.lr for pair in find_pairs(load_dataset("set5"), root, 4))
    assert not any(pair.lr for pair in find_pairs(load_dataset("set5"), root, 2))


def test_of_two_ground_truths_the_one_that_fits_is_taken(keep, picture):
    root = keep(SET5, 2, "Set5/GTmod12/{}.png", "Set5/LRbicx2/{}.png")
    keep(SET5, 2, "Set5/original/{}.png", side=29)
    pairs = find_pairs(load_dataset("set5"), root, 2)
    assert {pair.hr.parent.name for pair in pairs} == {"GTmod12"}
    with pytest.raises(DatasetError, match=r"GTmod12/\{stem\}.* and .*original/\{stem\}.* differ"):
        find_pairs(load_dataset("set5"), root, 2, lr_from="hr")


def test_two_lr_folders_are_refused_unless_their_images_are_the_same(keep, picture):
    root = keep(SET5, 2, "HR/{}.png", "LR_bicubic/X2/{}x2.png")
    keep(SET5, 2, "HR/{}.png", "LR/x2/{}.png")
    assert len(find_pairs(load_dataset("set5"), root, 2)) == 5
    picture(root / "LR/x2/bird.png", 12, 12, seed=1)
    with pytest.raises(DatasetError, match=r"LR/x2/\{stem\}.* and .*LR_bicubic/X2.* different"):
        find_pairs(load_dataset("set5"), root, 2)


def test_copies_that_differ_only_in_what_lr_cuts_off_are_the_same(keep):
    root = keep(SET5, 2, "benchmark/Set5/HR/{}.png", "benchmark/Set5/LR_bicubic/X2/{}x2.png", 25)
    for path in (root / "benchmark/Set5/HR").iterdir():
        cut = root / "HR/Set5/x2" / f"{path.stem}_HR_x2.png"
        cut.parent.mkdir(parents=True, exist_ok=True)
        write_png(cut, read_image(path)[:24, :24])
        small = root / "LR/LRBI/Set5/x2" / f"{path.stem}_LRBI_x2.png"
        small.parent.mkdir(parents=True, exist_ok=True)
        small.hardlink_to(root / "benchmark/Set5/LR_bicubic/X2" / f"{path.stem}x2.png")
    assert len(find_pairs(load_dataset("set5"), root, 2)) == 5
    with pytest.raises(DatasetError, match="have different images"):
        find_pairs(load_dataset("set5"), root, 2, lr_from="hr")


def test_two_splits_are_two_readings(keep, mine):
    root = keep("abc", 1, "train/target/{}.png", "train/input/{}.png")
    keep("xy", 1, "test/target/{}.png", "test/input/{}.png")
    with pytest.raises(DatasetError, match=r"(?s)test/target.*train/target.*different images"):
        find_pairs(mine("scales = [1]"), root, 1)
    assert len(find_pairs(mine("scales = [1]\ncount = 2"), root, 1)) == 2


def test_two_inputs_of_one_target_are_two_readings(keep, mine, picture):
    root = keep("ab", 1, "sharp/{}.png", "blur/{}.png")
    keep("ab", 1, "sharp/{}.png", "input/{}.png")
    picture(root / "input/a.png", 24, 24, seed=1)
    with pytest.raises(DatasetError, match=r"(?s)sharp/\S+ with blur/.*sharp/\S+ with input/"):
        find_pairs(mine("scales = [1]"), root, 1)


def test_a_further_lr_file_of_a_folder_is_named(keep):
    root = keep(SET5, 2, "HR/{}.png", "LR_bicubic/X2/{}x2.png")
    keep(("cat",), 2, "LR_bicubic/X2/{}x2.png", side=12)
    with pytest.raises(DatasetError, match=r"1 LR extra: \S*catx2\.png"):
        find_pairs(load_dataset("set5"), root, 2)


def test_without_files_the_usual_layouts_are_told(tmp_path):
    with pytest.raises(NotRunError, match=r"(?s)HR/\{stem\}\.\* with LR_bicubic/X2.*set5/"):
        find_pairs(load_dataset("set5"), tmp_path, 2)
