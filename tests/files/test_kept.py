"""What is kept is checked whenever it is used; trouble is told once and stops nothing."""

import os
import pickle
import random
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from sr_bench.errors import CacheWarning
from sr_bench.files.kept import Kept, Spare, spare_of

NAMES = ("costs/ab12.json", "onnx/ab12.onnx", "onnx/ab12-fp16.onnx", "calibration/ab12.npz")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "cache", Spare("a session"))


@pytest.fixture
def told() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def test_a_file_is_made_once_and_found_by_the_next_session(kept: Kept) -> None:
    made = [kept.file(name, lambda path: path.write_bytes(b"one")) for name in NAMES]
    assert len(set(made)) == len(NAMES)
    later = Kept(kept.base, Spare("the next"))
    assert [later.file(name, pytest.fail) for name in NAMES] == made
    assert [later.read(name) for name in NAMES] == [b"one"] * len(NAMES)


def damages(contents: dict[Path, bytes], seed: int) -> Iterator[tuple[Path, bytes]]:
    pick = random.Random(seed)
    for path, content in contents.items():
        at = pick.randrange(len(content))
        flipped = bytes([content[at] ^ (1 << pick.randrange(8))])
        yield path, content[:at] + flipped + content[at + 1 :]
        yield path, content[:at]
        yield path, content[:at] + bytes(len(content) - at)
        yield path, content + b"\0"
        yield path, b""
        yield path, pick.choice([c for other, c in contents.items() if other != path])


def test_no_damage_is_served(kept: Kept, told: list[warnings.WarningMessage]) -> None:
    contents = {kept.write(name, os.urandom(99)): name for name in NAMES}
    whole = {path: path.read_bytes() for path in contents}
    count = 0
    for seed in range(6):
        for path, damaged in damages(whole, seed):
            path.write_bytes(damaged)
            assert kept.read(contents[path]) is None
            assert not path.exists()
            path.write_bytes(whole[path])
            count += 1
    assert count == 6 * 6 * len(NAMES)
    (warning,) = [each for each in told if each.category is CacheWarning]
    assert "is damaged; it is made again" in str(warning.message)


def test_a_file_in_the_place_of_another_is_damage(kept: Kept) -> None:
    one, other = (kept.write(f"costs/{key}.json", key.encode()) for key in ("aa", "bb"))
    seal = one.name.split(".")[1]
    one.rename(other.with_name(f"bb.{seal}.json"))
    other.unlink()
    with pytest.warns(CacheWarning, match="is damaged"):
        assert kept.read("costs/bb.json") is None


def test_a_file_without_a_digest_is_not_there(kept: Kept) -> None:
    (kept.base / "costs").mkdir(parents=True)
    (kept.base / "costs" / "aa.json").write_text("{}")
    assert kept.read("costs/aa.json") is None


def test_older_files_are_replaced_where_only_newer_ones_count(kept: Kept) -> None:
    old = kept.write("costs/aa.json", b"old")
    os.utime(old, (1, 1))
    fresh = Kept(kept.base, kept.spare, since=2.0)
    assert fresh.read("costs/aa.json") is None
    fresh.write("costs/aa.json", b"new")
    assert fresh.read("costs/aa.json") == kept.read("costs/aa.json") == b"new"
    assert not old.exists()


def test_without_a_folder_nothing_is_read_or_left(kept: Kept) -> None:
    kept.write("costs/aa.json", b"before")
    off = Kept(None, kept.spare)
    assert off.read("costs/aa.json") is None
    off.write("costs/aa.json", b"now")
    assert off.read("costs/aa.json") == b"now"
    assert kept.read("costs/aa.json") == b"before"


def test_trouble_is_told_once_a_session_also_where_warnings_are_errors(
    told: list[warnings.WarningMessage],
) -> None:
    warnings.simplefilter("error")
    for session in ("one", "one", "other"):
        kept = Kept(Path(os.devnull), pickle.loads(pickle.dumps(spare_of(session))))
        assert kept.write("costs/aa.json", b"x").read_bytes() == b"x"
        assert kept.read("costs/aa.json") == b"x"
    texts = [str(each.message) for each in told]
    assert ["The session goes on without it" in text for text in texts] == [True, True]
