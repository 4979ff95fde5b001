"""Pairs that a protocol shrinks outlive the process, are checked when read, and stay in bounds."""

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.dataset import PairFiles
from sr_bench.data.source import ImageSet, _LrMaker, _PairItem
from sr_bench.engine.job import ImageResult, Job, quiet
from sr_bench.engine.measure import kept_pairs as module
from sr_bench.engine.measure.kept_pairs import KeptPairs, kept_pairs
from sr_bench.engine.measure.one_by_one import PairCache
from sr_bench.engine.measure.worker import Worker
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.score.bicubic import Bicubic
from sr_bench.errors import CacheWarning, ImageError
from sr_bench.files.kept import Spare
from sr_bench.imaging.files import write_png
from tests.ends import CARD

SHRUNK = EvalProtocol("shrunk", lr_resize="cv2_area", gt_resize="cv2_area", input_shape=(8, 8))
ENTRY = 32 + 16 + 3 * (8 * 8 + 16 * 16)
PLENTY = 2**20


def write_noise(path: Path, height: int, width: int, seed: int) -> None:
    """Write an image that PNG can't compress."""
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    write_png(path, levels)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Return four pairs of LR 24x20 and HR 48x40, which are shrunk to 8x8 and 16x16."""
    items = []
    for index in range(4):
        hr, lr = tmp_path / f"hr{index}.png", tmp_path / f"lr{index}.png"
        write_noise(hr, 48, 40, index)
        write_noise(lr, 24, 20, 100 + index)
        items.append(_PairItem(hr.stem, PairFiles(hr.stem, hr, lr), _LrMaker(2, None)))
    return Job(CARD, SHRUNK, ImageSet("set", 2, "evaluation", tuple(items)))


class Disk:
    """The folder of the pairs, and how often images were decoded."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.decoded: list[int] = []
        pair = Job.pair
        monkeypatch.setattr(
            Job, "pair", lambda job, index: (self.decoded.append(index), pair(job, index))[1]
        )

    def open(self, limit: int = PLENTY, **how: bool) -> KeptPairs:
        """Return the pairs as a new session sees them."""
        return KeptPairs(self.folder, limit, Spare("s"), **how)

    @property
    def entries(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(tmp_path / "pairs", monkeypatch)


def same(one, other) -> bool:
    return np.array_equal(one.lr, other.lr) and np.array_equal(one.hr, other.hr)


def test_a_later_session_decodes_nothing(job: Job, disk: Disk) -> None:
    first = [disk.open().load(job, index) for index in range(4)]
    again = [disk.open().load(job, index) for index in range(4)]
    assert disk.decoded == [0, 1, 2, 3]
    assert all(map(same, first, again))
    assert all(pair.lr.flags.writeable and pair.hr.flags.c_contiguous for pair in again)
    assert [path.stat().st_size for path in disk.entries] == [ENTRY] * 4


def test_what_one_session_measures_on_the_next_one_need_not_decode(
    job: Job, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SR_BENCH_CACHE", str(tmp_path))
    scores: list[dict[int, ImageResult]] = [{}, {}]
    for each in scores:
        network = Bicubic(job.protocol, 255.0, 2)
        Worker(Selection()).score(job, network, range(4), each.__setitem__, quiet)
    assert scores[0] == scores[1]
    assert sorted(disk.decoded) == [0, 1, 2, 3]


def test_what_is_in_memory_is_not_read_again(job: Job, disk: Disk) -> None:
    cache = PairCache(kept=disk.open())
    pair = cache.of(job, 0)
    disk.entries[0].unlink()
    assert cache.of(job, 0) is pair
    assert disk.decoded == [0]


def test_names_do_not_count_but_all_that_makes_the_pixels_does(
    job: Job, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.open().load(job, 0)
    named = replace(job.images.items[0], name="renamed")
    disk.open().load(replace(job, images=replace(job.images, items=(named,))), 0)
    assert disk.decoded == [0]
    for other in (
        replace(job, protocol=replace(SHRUNK, gt_resize="cv2_cubic")),
        replace(job, protocol=replace(SHRUNK, input_shape=(8, 6))),
        replace(job, card=replace(job.card, scale=3)),
    ):
        disk.open().load(other, 0)
    write_noise(job.images.items[0].pair.lr, 24, 20, 7)
    disk.open().load(job, 0)
    for name in ("measuring", "cpu_model"):
        monkeypatch.setattr(module, name, lambda: "another")
        disk.open().load(job, 0)
    assert disk.decoded == [0] * 7


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "swapped"])
def test_a_damaged_entry_is_made_anew_and_told_once(job: Job, disk: Disk, damage: str) -> None:
    expected = [disk.open().load(job, index) for index in range(4)]
    before = {path: path.read_bytes() for path in disk.entries}
    for path, other in zip(before, reversed(before), strict=True):
        whole = before[path]
        flipped = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
        spoilt = {"flipped": flipped, "cut": whole[:-1], "empty": b"", "swapped": before[other]}
        path.write_bytes(spoilt[damage])
    session = disk.open()
    with pytest.warns(CacheWarning, match="is damaged; it is made again") as told:
        again = [session.load(job, index) for index in range(4)]
    assert len(told) == 1
    assert all(map(same, again, expected))
    assert {path: path.read_bytes() for path in disk.entries} == before


def test_a_pair_that_is_no_smaller_than_its_files_is_not_kept(job: Job, disk: Disk) -> None:
    whole = replace(job, protocol=EvalProtocol("native"))
    for path in (job.images.items[0].pair.hr, job.images.items[0].pair.lr):
        size = (48, 40, 3) if path.name == "hr0.png" else (24, 20, 3)
        write_png(path, np.full(size, 7, np.uint8))  # which PNG makes small
    disk.open().load(whole, 0)
    assert disk.entries == []


def test_the_folder_stays_within_its_limit_and_what_was_used_longest_ago_goes(
    job: Job, disk: Disk
) -> None:
    entries = []
    for index in range(3):
        disk.open().load(job, index)
        (entry,) = set(disk.entries) - set(entries)
        os.utime(entry, (1000 * index, 1000 * index))
        entries.append(entry)
    disk.open().load(job, 0)  # used now, so the others are older
    cubic = replace(job, protocol=replace(SHRUNK, gt_resize="cv2_cubic"))
    disk.open(limit=4 * ENTRY).load(cubic, 0)
    (new,) = set(disk.entries) - {entries[0]}
    assert new not in entries


def test_of_a_set_above_the_limit_the_first_are_kept(job: Job, disk: Disk) -> None:
    for _ in range(2):
        session = disk.open(limit=3 * ENTRY)
        for index in range(4):
            session.load(job, index)
    assert disk.decoded == [0, 1, 2, 3, 2, 3]


def test_refresh_decodes_again_and_replaces(job: Job, disk: Disk) -> None:
    disk.open().load(job, 0)
    disk.entries[0].write_bytes(b"old")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        disk.open(reads=False).load(job, 0)
    assert disk.decoded == [0, 0]
    assert disk.entries[0].stat().st_size == ENTRY


def test_a_disk_that_refuses_is_told_once(job: Job, disk: Disk) -> None:
    disk.folder.write_text("a file where a folder should be")
    session = disk.open()
    with pytest.warns(CacheWarning, match="the cache can't be used") as told:
        pairs = [session.load(job, index) for index in range(4)]
    assert len(told) == 1
    assert all(same(pair, job.pair(index)) for index, pair in enumerate(pairs))


def test_a_fault_of_decoding_is_raised_and_nothing_kept(job: Job, disk: Disk) -> None:
    job.images.items[0].pair.hr.write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"hr0\.png"):
        disk.open().load(job, 0)
    assert disk.entries == []


def test_several_writers_of_one_pair_leave_one_whole_entry(job: Job, disk: Disk) -> None:
    sessions = [disk.open() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        pairs = list(pool.map(lambda session: session.load(job, 0), sessions))
    assert all(same(pair, pairs[0]) for pair in pairs)
    assert [path.stat().st_size for path in disk.entries] == [ENTRY]


def test_options_say_whether_and_how_much_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SR_BENCH_CACHE", str(tmp_path))
    kept = kept_pairs(Selection())
    assert (kept._folder, kept._limit, kept._reads) == (tmp_path / "pairs", 2**30, True)
    assert kept_pairs(Selection(cache="refresh"))._reads is False
    assert kept_pairs(Selection(cache="off")) is None
    assert kept_pairs(Selection(pairs_bytes=0)) is None
