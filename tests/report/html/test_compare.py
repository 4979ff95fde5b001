"""The page of a comparison: the worst first, what vanished or is new, images where kept."""

import re
from dataclasses import replace
from pathlib import Path

from sr_bench.core.compare import ComparedRuns, LossLimits
from sr_bench.core.record import Record
from sr_bench.engine.judge.two_runs import compare_runs
from sr_bench.report.html.build import build_report
from sr_bench.report.html.compare import write_page
from tests.report.html.zoo import emulated, keep_images, lower, past_session, scored, spoil

BASE = scored("m", "int8_max", "psnr")


def pair(results: Path, before: list[Record], now: list[Record]) -> ComparedRuns:
    runs = [past_session(results, r, day) for day, r in enumerate((before, now), start=8)]
    return ComparedRuns(*runs, compare_runs(*reversed(runs), LossLimits()))


def written(results: Path, before: list[Record], now: list[Record]) -> str:
    write_page([pair(results, before, now)], results / "compare.html")
    return (results / "compare.html").read_text()


def test_what_is_worse_comes_first_and_what_is_as_it_was_is_folded(tmp_path: Path) -> None:
    one, two, three, gone = (replace(BASE, model=name) for name in ("a", "b", "c", "gone"))
    page = written(
        tmp_path,
        [one, two, three, gone],
        [one, lower(two, 1.0), lower(three, 3.0), replace(BASE, model="fresh")],
    )
    names = re.findall(r"<bdi>zoo/(.*?)</bdi>", page)
    assert names == ["c", "b", "gone", "fresh", "a"]
    titles = re.findall(r"<h3>(.*?) <|<summary>(The same.*?)</summary>", page)
    assert ["".join(t) for t in titles] == ["Worse", "Vanished", "New", "The same: 1"]
    assert "no value any more: the case is not in this run" in page
    assert 'data-label="changed" class="full">network</td>' in page


def test_each_image_has_both_values_the_worst_first(tmp_path: Path) -> None:
    page = written(tmp_path, [BASE], [lower(BASE, 1.0)])
    rows = re.findall(r"<bdi>(image_\d)</bdi></th>(.*?)</tr>", page)
    assert [name for name, _ in rows] == ["image_3", "image_1", "image_2", "image_0"]
    assert re.findall(r">([^<]+)</td>", rows[0][1]) == ["29.974 dB", "27.974 dB", "2.000 dB"]


def test_the_worst_image_is_shown_where_the_two_runs_kept_it(tmp_path: Path) -> None:
    worse = lower(BASE, 1.0, "outputs/later-int8_max")
    keep_images(tmp_path, [BASE, worse])
    spoil(tmp_path / "outputs/later-int8_max/0003.png")
    page = written(tmp_path, [BASE], [worse])
    assert re.findall(r'alt="(.*?) of image_3"', page) == ["A", "B", "B - A, times 3.12"]
    assert "image_3</bdi>: 64x64 at (24, 16), 32 levels apart at most" in page
    assert page.count("data:image/webp;base64,") == 3
    (tmp_path / "outputs/later-int8_max/0003.png").unlink()
    assert "data:image/webp" not in written(tmp_path, [BASE], [worse])


def test_the_page_stands_alone_and_follows_the_system_without_a_script(tmp_path: Path) -> None:
    page = written(tmp_path, [BASE], [lower(BASE, 1.0)])
    assert "<script" not in page
    assert "assets/" not in page
    assert "light-dark(" in page


def test_an_emulated_pair_says_so_once(tmp_path: Path) -> None:
    page = written(tmp_path, [emulated(BASE)], [lower(emulated(BASE), 1.0)])
    assert page.count('class="tag">emulated') == 1


def test_the_report_of_a_compared_run_links_the_page_and_a_later_one_drops_it(tmp_path) -> None:
    given = pair(tmp_path, [BASE], [lower(BASE, 1.0)])
    target = tmp_path / "html"
    build_report(given.now, (), target, compared=[given])
    index = (target / "index.html").read_text()
    assert '<a href="compare.html">Against earlier runs</a>: 1 loss' in index
    assert 'href="index.html"' in (target / "compare.html").read_text()
    build_report(given.now, (), target)
    assert not (target / "compare.html").exists()
    assert "compare.html" not in (target / "index.html").read_text()
