"""Manifests and their digests that nobody wrote with care are read, or each fault is reported."""

import tomllib
from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sr_bench.data.dataset import Dataset
from sr_bench.data.manifest import load_manifest
from sr_bench.errors import DatasetError
from tests.fuzz.bytes_inputs import broken, fresh, fuzzed
from tests.fuzz.inputs import ROOT, changed, odd_text, toml_file

SHIPPED = tuple(path.read_bytes() for path in sorted(ROOT.glob("datasets/*/dataset.toml")))
SUMS = tuple(path.read_bytes() for path in sorted(ROOT.glob("datasets/*/SHA256SUMS")))
assert SHIPPED
assert SUMS

_FILES = tomllib.loads(
    """
title = "Set"
description = "for tests"
licence = "none"
homepage = "https://example.org"
kind = "files"
scales = [2, 4]
count = 3
stems = { first = 1, last = 3, width = 4 }
lr_rule = "cv2_cubic"
layout = [{ hr = "HR/{stem}.png", lr = "LR/x{scale}/{stem}.png" }]
floor = [{ scale = 2, protocol = "paper_y", psnr_db = 30.0, ssim = 0.9, source = "us" }]

[[archive]]
url = "https://example.org/a.zip"
file = "a.zip"
size = 9
checksum = "unknown"
inside = "x"
into = "HR"
"""
)
_CROPS = tomllib.loads(
    """
title = "Photos"
description = "for tests"
licence = "none"
homepage = "https://example.org"
kind = "crops"
scales = [2]
count = 1
lr_rule = "cv2_cubic"

[crops]
package = "skimage"
folder = "data"
training = ["c.png"]
evaluation = [{ name = "a", file = "a.png", top = 0, left = 0, height = 9, width = 9 }]

[[crops.calibration]]
name = "b"
file = "b.png"
top = 0
left = 0
height = 9
width = 9
channels = "gbr"
"""
)
_SUMS = "".join(f"{'0' * 64}  {name}.png\n" for name in "abc")


def _use(dataset: Dataset, folder: Path) -> None:
    """Whatever the manifest says: nothing is outside of the folder that it is for."""
    names = [archive.file for archive in dataset.archives]
    if dataset.crops:
        names += [crop.file for crop in dataset.crops.evaluation]
    for name in names:
        assert (folder / name).parent == folder
        assert name not in {"", ".", ".."}
    inner = [part for archive in dataset.archives for part in (archive.inside, archive.into)]
    for layout in dataset.layouts:
        for stem in dataset.stems[:3]:
            inner += [(text or "").replace("{stem}", stem) for text in (layout.hr, layout.lr)]
    for path in inner:
        assert "\0" not in path
        assert (folder / path).resolve().is_relative_to(folder)


def _load(folder: Path) -> None:
    with suppress(DatasetError):
        _use(load_manifest(folder / "dataset.toml"), folder.resolve())


def test_the_manifests_that_are_changed_here_have_no_fault(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text(_SUMS)
    for table in (_FILES, _CROPS):
        assert load_manifest(fresh(tmp_path, "dataset.toml", toml_file(table))).count


@fuzzed
@given(st.sampled_from((_FILES, _CROPS)).flatmap(changed))
def test_any_value_in_a_manifest_is_taken_or_refused(
    tmp_path: Path, table: dict[str, object]
) -> None:
    (tmp_path / "SHA256SUMS").write_text(_SUMS)
    fresh(tmp_path, "dataset.toml", toml_file(table))
    _load(tmp_path)


@fuzzed
@given(
    broken(*SHIPPED) | st.sampled_from(SHIPPED),
    broken(*SUMS) | odd_text.map(lambda text: text.encode("utf-8", "surrogatepass")),
)
def test_manifests_with_broken_bytes_are_read_or_refused(
    tmp_path: Path, data: bytes, sums: bytes
) -> None:
    fresh(tmp_path, "SHA256SUMS", sums)
    fresh(tmp_path, "dataset.toml", data)
    _load(tmp_path)
