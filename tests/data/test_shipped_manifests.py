"""The manifests of this project say what is known, in every layout they list."""

from dataclasses import replace

import pytest

from sr_bench.data.locate import known_datasets, load_dataset
from sr_bench.data.pairing import find_pairs
from sr_bench.data.source import open_dataset

FILES = tuple(slug for slug in known_datasets() if load_dataset(slug).kind == "files")
LAYOUTS = [
    pytest.param(slug, index, id=f"{slug}-{index}")
    for slug in FILES
    for index in range(len(load_dataset(slug).layouts))
]


@pytest.mark.parametrize("slug", known_datasets())
def test_every_archive_has_a_published_digest(slug):
    for archive in load_dataset(slug).archives:
        assert len(archive.sha256) == 64, f"{archive.file}: say so in the test once it is unknown"


@pytest.mark.parametrize(("slug", "index"), LAYOUTS)
def test_every_layout_is_understood_at_every_scale(tmp_path, picture, slug, index):
    dataset = load_dataset(slug)
    layout = dataset.layouts[index]
    stems = dataset.stems or tuple(f"img{number:03}" for number in range(dataset.count or 4))
    if index or len(stems) > 100:  # the first one is told by all names, others by some
        stems = stems[:2] + stems[-2:]
        dataset = replace(dataset, count=4, stems=dataset.stems and stems)
    picture(tmp_path / "hr", 24, 24)
    for scale in dataset.scales:
        picture(tmp_path / "lr", 24 // scale, 24 // scale)
        for pattern, size in ((layout.hr, "hr"), (layout.lr, "lr")):
            for stem in stems if pattern else ():
                name = pattern.replace("{stem}", stem).replace("{scale}", str(scale))
                path = tmp_path / "root" / name.replace("*", "GOPR1")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                path.hardlink_to(tmp_path / size)
        pairs = find_pairs(dataset, tmp_path / "root", scale)
        assert len(pairs) == len(stems)
        assert all((pair.lr is None) == (layout.lr is None) for pair in pairs)


def test_the_deblurring_set_doesn_t_scale():
    assert load_dataset("gopro_test").scales == (1,)


@pytest.mark.official
def test_set5_as_the_rcan_authors_keep_it_is_found(official_data):
    pairs = find_pairs(load_dataset("set5"), official_data / "set5", 2)
    assert pairs[0].lr == official_data / "set5" / "LR" / "x2" / "baby_LRBI_x2.png"


@pytest.mark.official
def test_a_folder_of_several_datasets_can_be_given(official_data):
    assert len(open_dataset(load_dataset("set5"), scale=4, given=official_data)) == 5
