"""Images by number, and the digest of their files and rules."""

from dataclasses import replace

import numpy as np
import pytest

from sr_bench.data.locate import load_dataset
from sr_bench.data.source import open_dataset
from sr_bench.errors import DatasetError, NotRunError
from sr_bench.imaging.files import read_image
from sr_bench.imaging.resize import resize


def test_hr_is_cut_to_a_multiple_of_lr(tiny, tiny_root):
    images = open_dataset(tiny, scale=2, given=tiny_root)
    lr, hr = images.load(0)
    assert images.names == ("a", "b")
    assert len(images) == 2
    np.testing.assert_array_equal(lr, read_image(tiny_root / "LR/X2/ax2.png"))
    np.testing.assert_array_equal(hr, read_image(tiny_root / "HR/a.png")[:12, :16])


def test_lr_is_made_by_the_rule_where_there_are_no_files(tiny, tiny_root):
    lr, hr = open_dataset(tiny, scale=4, given=tiny_root).load(0)
    assert hr.shape == (12, 16, 3)
    np.testing.assert_array_equal(lr, resize(hr, (3, 4), "matlab_bicubic"))


def test_a_protocol_that_makes_lr_gets_hr_as_stored(tiny, tiny_root):
    lr, hr = open_dataset(tiny, scale=2, given=tiny_root, lr_from="hr").load(0)
    assert lr is None
    assert hr.shape == (13, 16, 3)


def test_a_protocol_that_resizes_takes_lr_of_any_size(tiny, tiny_root, picture):
    pixels = picture(tiny_root / "LR/X2/ax2.png", 5, 5)
    with pytest.raises(DatasetError, match="HR and LR don't fit"):
        open_dataset(tiny, scale=2, given=tiny_root)
    images = open_dataset(tiny, scale=2, given=tiny_root, lr_from="resized")
    lr, hr = images.load(0)
    np.testing.assert_array_equal(lr, pixels)
    assert hr.shape == (13, 16, 3)  # as stored: the protocol resizes it too
    assert images.load(1)[1].shape == (12, 16, 3)


def test_the_digest_follows_content_not_place(tiny, tiny_root):
    before = open_dataset(tiny, scale=2, given=tiny_root).digest()
    moved = tiny_root.rename(tiny_root.with_name("elsewhere"))
    assert open_dataset(tiny, scale=2, given=moved).digest() == before


@pytest.mark.parametrize("file", ["HR/a.png", "LR/X2/ax2.png"])
def test_the_digest_changes_with_a_file_that_is_used(tiny, tiny_root, picture, file):
    images = open_dataset(tiny, scale=2, given=tiny_root)
    before, of_b = images.digest(), images.digest(["b"])
    size = (13, 16) if file.startswith("HR") else (6, 8)
    picture(tiny_root / file, *size, seed=99)
    changed = open_dataset(tiny, scale=2, given=tiny_root)
    assert changed.digest() != before
    assert changed.digest(["b"]) == of_b


def test_the_digest_distinguishes_scales_and_ways_of_lr(tiny, tiny_root):
    digests = {
        open_dataset(tiny, scale=scale, given=tiny_root, lr_from=lr_from).digest()
        for scale, lr_from in ((2, "files"), (4, "files"), (2, "hr"))
    }
    assert len(digests) == 3


def test_a_digest_of_an_unknown_image_is_refused(tiny, tiny_root):
    with pytest.raises(DatasetError, match="tiny has no image z"):
        open_dataset(tiny, scale=2, given=tiny_root).digest(["a", "z"])


def test_files_have_no_calibration_split(tiny, tiny_root):
    with pytest.raises(DatasetError, match="tiny has no calibration split"):
        open_dataset(tiny, scale=2, given=tiny_root, split="calibration")


@pytest.mark.parametrize(("split", "count"), [("evaluation", 12), ("calibration", 24)])
def test_photos_open_without_any_folder(split, count):
    images = open_dataset(load_dataset("photos"), scale=4, split=split)
    assert len(images) == count
    lr, hr = images.load(0)
    assert (lr.shape[0] * 4, lr.shape[1] * 4, 3) == hr.shape
    np.testing.assert_array_equal(
        lr, resize(hr, (hr.shape[0] // 4, hr.shape[1] // 4), "matlab_bicubic")
    )


def test_photos_have_a_digest_of_their_own_per_scale_split_and_choice():
    photos = load_dataset("photos")
    sets = [open_dataset(photos, scale=2), open_dataset(photos, scale=4)]
    sets += [open_dataset(photos, scale=2, split="calibration")]
    digests = [images.digest() for images in sets] + [sets[0].digest(sets[0].names[:2])]
    assert len(set(digests)) == 4
    assert open_dataset(load_dataset("photos"), scale=2).digest() == digests[0]


def test_an_image_set_can_be_a_key():
    photos = load_dataset("photos")
    assert len({open_dataset(photos, scale=2), open_dataset(photos, scale=2)}) == 1


def test_absent_photographs_are_not_run():
    photos = load_dataset("photos")
    absent = replace(photos, crops=replace(photos.crops, package="no_such_package"))
    with pytest.raises(NotRunError, match="install it"):
        open_dataset(absent, scale=2).load(0)


@pytest.mark.official
@pytest.mark.parametrize("scale", [2, 4])
def test_the_published_set5_lr_files_are_what_our_rule_makes(official_data, scale):
    set5 = load_dataset("set5")
    images = open_dataset(set5, scale=scale, given=official_data)
    assert images.names == ("baby", "bird", "butterfly", "head", "woman")
    for index in range(len(images)):
        lr, hr = images.load(index)
        np.testing.assert_array_equal(lr, resize(hr, lr.shape[:2], "matlab_bicubic"))
