"""A session checks what it kept, remakes it when asked, and needs no cache at all."""

import re
from pathlib import Path

import pytest

from tests.tiny_zoo import Zoo

LOW = "--sr-precision=fp16"


@pytest.fixture
def cache(pytester: pytest.Pytester) -> Path:
    return pytester.path / "cache"


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in contents(folder)}


def measured(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if re.search(r"psnr on|params|flops", line)]


def test_without_the_cache_nothing_is_read_or_written(run, cache: Path) -> None:
    first = run(LOW)
    before = contents(cache)
    assert {path.parent.name for path in before} >= {"onnx"}
    for path in before:
        path.write_bytes(b"damaged, and never looked at")
    damaged = contents(cache)
    off = run(LOW, "--sr-cache=off")
    assert measured(off) == measured(first)
    off.assert_outcomes(**{k: v for k, v in first.parseoutcomes().items() if k != "warnings"})
    assert contents(cache) == damaged


def test_refresh_makes_all_again(run, cache: Path) -> None:
    first = run(LOW, "--sr-cache=refresh")
    before = times(cache)
    again = run(LOW, "--sr-cache=refresh")
    assert measured(again) == measured(first)
    assert len(before) >= 2
    assert {path for path, time in times(cache).items() if time == before.get(path)} == set()


@pytest.mark.parametrize("damage", [lambda _: b"", lambda old: old[:-3], lambda old: old[::-1]])
def test_damage_is_told_once_and_changes_no_number(run, cache: Path, damage) -> None:
    first = run(LOW)
    for path, content in contents(cache).items():
        path.write_bytes(damage(content))
    again = run(LOW)
    assert measured(again) == measured(first)
    assert str(again.stdout).count("is made again, as all of the cache that is damaged") == 1
    assert again.parseoutcomes()["warnings"] == 1
    assert "warnings" not in run(LOW).parseoutcomes()


@pytest.mark.parametrize("where", ["--sr-isolate=off", "--sr-isolate=model"])
def test_a_cache_that_can_not_be_written_is_one_warning(run, cache: Path, where: str) -> None:
    cache.write_text("a file where a folder should be")
    result = run(LOW, where)
    assert result.parseoutcomes()["warnings"] == 1
    result.stdout.fnmatch_lines(["*CacheWarning: the cache can't be used: cannot *"])
    assert len(measured(result)) > 0
    assert result.ret == pytest.ExitCode.OK


def test_without_a_home_there_is_no_cache(run, zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SR_BENCH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless(path: Path) -> Path:
        if path.parts[:1] == ("~",):
            msg = "Could not determine home directory."
            raise RuntimeError(msg)
        return path

    monkeypatch.setattr(Path, "expanduser", homeless)
    result = run(LOW)
    assert result.parseoutcomes()["warnings"] == 1
    result.stdout.fnmatch_lines(["*SR_BENCH_CACHE names another folder*"])
    assert result.ret == pytest.ExitCode.OK
