"""A build keeps what did not change, stays within its bytes, and leaves nothing half-written."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sr_bench.core.detail import Detail
from sr_bench.errors import SrBenchError
from sr_bench.report.html import build as build_module
from sr_bench.report.html import crops as crops_module
from sr_bench.report.html import survey as survey_module
from sr_bench.report.html.build import MAX_BYTES, ReportResult, build_report
from sr_bench.report.html.state import FILE
from tests.report.html.zoo import (
    COUNT,
    SPOT,
    deepen,
    history_of,
    keep_images,
    past_session,
    records_of,
    spoil,
    squeezed,
)

RECORDS = records_of("m", "n")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    keep_images(tmp_path, RECORDS)
    return tmp_path


def build(results: Path, max_bytes: int = MAX_BYTES, **changes: object) -> ReportResult:
    records = changes.get("records", RECORDS)
    history = changes.get("history", ())
    target = changes.get("target", results / "html")
    return build_report(past_session(results, records), history, target, max_bytes=max_bytes)


def page_data(results: Path, model: str = "m") -> dict[str, object]:
    page = next((results / "html").glob(f"model-zoo-{model}-*.html")).read_text()
    return json.loads(page.split('id="page-data">')[1].split("</script>")[0])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_small_run_is_embedded_as_a_whole(results: Path) -> None:
    result = build(results)
    assert (result.outside, result.missing, result.unreadable) == (0, (), ())
    shutil.rmtree(results / "outputs")
    data = page_data(results)
    links = [image[part] for image in data["images"] for part in ("lr", "hr", "thumbnail")]
    links += [link for row in data["measured"] for link in row["sr"]]
    assert len(links) == COUNT * 6
    assert all((results / "html" / link).is_file() for link in links)


def test_embedded_images_have_the_values_of_the_kept_ones(results: Path) -> None:
    build(results)
    inside = cv2.imread(str(results / "html" / page_data(results)["measured"][2]["sr"][1]))
    assert_array_equal(inside, cv2.imread(str(results / "outputs/m-int8_max/0001.png")))


def test_16_bit_images_are_embedded_as_8_bit(results: Path) -> None:
    path = results / "outputs/m-int8_max/0001.png"
    before = cv2.imread(str(path))
    deepen(path)
    build(results)
    inside = cv2.imread(str(results / "html" / page_data(results)["measured"][2]["sr"][1]), -1)
    assert inside.dtype == np.uint8
    assert_array_equal(inside, before)


def test_equal_images_are_stored_once(results: Path) -> None:
    build(results)
    hr = {image["hr"] for model in "mn" for image in page_data(results, model)["images"]}
    assert len(hr) == COUNT


def test_the_worst_crop_is_the_window_that_was_spoiled(results: Path) -> None:
    spoil(results / "outputs/m-int8_max/0003.png")
    build(results)
    page = next((results / "html").glob("model-zoo-m-*.html")).read_text()
    crops = page.split('class="crops"')[1]
    assert crops.index("int8_max</b> against") < crops.index("fp16</b> against")  # worst first
    first = crops.split("int8_max</b> against fp32")[1]
    assert f"64x64 at ({SPOT[1]}, {SPOT[0]})" in first.split("</figure>")[0]
    assert "#explore:3:int8_max:" in first.split("</figure>")[0]


def links_of(data: dict[str, object], number: int) -> list[str]:
    """Return where the page has image `number` from, in LR, HR and each precision."""
    image = data["images"][number]
    return [image["lr"], image["hr"], *(row["sr"][number] for row in data["measured"])]


def test_with_less_room_all_images_are_inside_but_only_the_worst_exactly(results: Path) -> None:
    spoil(results / "outputs/m-int8_max/0003.png")
    result = squeezed(past_session(results, RECORDS), "inexact")
    assert (result.inexact < 2 * COUNT, result.outside) == (True, 0)
    for model in "mn":
        data = page_data(results, model)
        for number in range(COUNT):
            kept = [link for link in links_of(data, number) if not link.startswith("img/")]
            # All precisions are exact or none is; LR and HR may be so for another model.
            assert len(kept) in {0, 3, 4, 5}
            assert all((results / "html" / link).is_file() for link in kept)
            assert all((results / "html" / data["copies"][link]).is_file() for link in kept)
    assert page_data(results)["measured"][0]["sr"][3].startswith("img/")  # the worst of all
    copy = page_data(results, "n")["copies"].popitem()
    exact, look = (cv2.imread(str(results / "html" / name)) for name in copy)
    assert 30 < cv2.PSNR(exact, look) < 60
    # What was made and not used is not left behind, nor made again.
    pages = "".join(page.read_text() for page in (results / "html").glob("*.html"))
    assert all(file.name in pages for file in (results / "html" / "img").iterdir())


def test_what_has_no_room_at_all_is_linked_where_it_is_kept(results: Path) -> None:
    result = squeezed(past_session(results, RECORDS), "outside")
    assert result.outside < 2 * COUNT
    assert result.inexact + result.outside >= 2 * COUNT  # none was taken in exactly instead
    for model in "mn":
        data = page_data(results, model)
        links = [link for number in range(COUNT) for link in links_of(data, number)]
        assert all((results / "html" / link).is_file() for link in links)
    pages = "".join(page.read_text() for page in (results / "html").glob("*.html"))
    assert all(file.name in pages for file in (results / "html" / "img").iterdir())


@pytest.mark.parametrize("where", ["html", "deep/er/html"])
def test_links_hold_wherever_the_report_lies(results: Path, where: str) -> None:
    target = results / where
    base = sum(len(data) for name, data in contents_of_static(results).items() if name)
    build(results, base, target=target)
    page = next(target.glob("model-zoo-m-*.html")).read_text()
    link = json.loads(page.split('id="page-data">')[1].split("</script>")[0])["images"][0]["hr"]
    assert link.startswith("../")
    assert (target / link).is_file()


def contents_of_static(results: Path) -> dict[str, bytes]:
    build(results, target=results / "other")
    return contents(results / "other" / "assets")


def test_an_unchanged_report_is_kept_to_the_byte(results: Path) -> None:
    first = build(results)
    before = contents(results / "html")
    times = {p: p.stat().st_mtime_ns for p in (results / "html").rglob("*.[hw]*")}
    second = build(results)
    assert (first.built, first.kept, second.built, second.kept) == (3, 0, 0, 3)
    assert contents(results / "html") == before
    assert {p: p.stat().st_mtime_ns for p in (results / "html").rglob("*.[hw]*")} == times


def test_only_pages_that_change_are_rebuilt(results: Path) -> None:
    build(results)
    records = [replace(RECORDS[0], detail=Detail(notes={"note": "another"})), *RECORDS[1:]]
    result = build(results, records=records)
    assert (result.built, result.kept) == (1, 2)
    assert "another" in next((results / "html").glob("model-zoo-m-*.html")).read_text()


def test_a_changed_image_is_looked_at_again(results: Path) -> None:
    build(results)
    before = page_data(results)["measured"][2]["sr"]
    spoil(results / "outputs/m-int8_max/0002.png")
    build(results)
    after = page_data(results)["measured"][2]["sr"]
    page = next((results / "html").glob("model-zoo-m-*.html")).read_text()
    assert f"64x64 at ({SPOT[1]}, {SPOT[0]})" in page
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, False, True]


def test_an_image_that_was_looked_at_is_not_decoded_again(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(results)

    def refuse(path: Path) -> None:
        pytest.fail(f"decoded {path} again")

    monkeypatch.setattr(survey_module, "read_levels", refuse)
    monkeypatch.setattr(crops_module, "read_levels", refuse)
    assert build(results).kept == 3


def test_a_damaged_or_deleted_page_is_made_again(results: Path) -> None:
    build(results)
    pages = sorted((results / "html").glob("model-*.html"))
    before = [page.read_bytes() for page in pages]
    pages[0].unlink()
    pages[1].write_text("scribble")
    assert build(results).built == 2
    assert [page.read_bytes() for page in pages] == before


def test_a_deleted_image_of_the_report_is_made_again(results: Path) -> None:
    build(results)
    before = contents(results / "html")
    next((results / "html" / "img").iterdir()).unlink()
    build(results)
    assert contents(results / "html") == before


def test_what_no_longer_belongs_is_removed_and_other_files_are_not(results: Path) -> None:
    build(results)
    (results / "html" / "notes.html").write_text("mine")
    few = [record for record in RECORDS if record.model == "n"]
    build(results, records=few)
    again = results / "again"
    build(results, records=few, target=again)
    left = set(contents(results / "html"))
    assert left == {*contents(again), "notes.html"}


def test_a_state_that_somebody_wrote_removes_nothing_of_others(results: Path) -> None:
    build(results)
    mine = results / "mine.html"
    mine.write_text("mine")
    path = results / "html" / FILE
    state = json.loads(path.read_text())
    state["pages"]["../mine.html"] = {"digest": "", "content": ""}
    state["assets"]["x"] = {"name": "../mine.html", "size": 4}
    path.write_text(json.dumps(state))
    build(results)
    assert mine.exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 99}', '{"version": 1, "pages": 3}'])
def test_a_broken_state_costs_only_time(results: Path, text: str) -> None:
    build(results)
    (results / "html" / FILE).write_text(text)
    assert build(results).built == 3


def test_images_that_are_gone_are_named_and_the_rest_is_shown(results: Path) -> None:
    (results / "outputs/m-int8_max/0001.png").unlink()
    result = build(results)
    assert result.missing == ("outputs/m-int8_max/0001.png",)
    links = page_data(results)["measured"][2]["sr"]
    assert [bool(link) for link in links] == [True, False, True, True]
    page = next((results / "html").glob("model-zoo-m-*.html")).read_text()
    assert "1 kept images are not there any more" in page


@pytest.mark.parametrize("name", ["m-int8_max/0001.png", "pairs/0001-hr.png", "pairs/0001-lr.png"])
def test_an_image_that_is_damaged_is_named_and_not_embedded(results: Path, name: str) -> None:
    (results / "outputs" / name).write_bytes(b"no image")
    result = build(results)
    assert len(result.unreadable) == 1
    assert name in result.unreadable[0]
    assert result.outside == (2 if "pairs" in name else 1)


def test_images_of_another_size_are_named_and_not_compared(results: Path) -> None:
    path = results / "outputs/m-int8_max/0001.png"
    cv2.imwrite(str(path), cv2.imread(str(path))[1:])
    assert "expected two images of one size" in build(results).unreadable[0]


def test_a_folder_that_is_not_a_report_is_left_alone(results: Path) -> None:
    (results / "html").mkdir()
    (results / "html" / "index.html").write_text("my site")
    with pytest.raises(SrBenchError, match=r"holds an index\.html that is not a report"):
        build(results)
    assert contents(results / "html") == {"index.html": b"my site"}


def test_a_file_in_place_of_the_folder_is_refused(results: Path) -> None:
    (results / "html").write_text("a file")
    with pytest.raises(SrBenchError, match="expected a folder for the report"):
        build(results)


def test_a_place_that_can_not_be_written_is_one_message(results: Path) -> None:
    (results / "wall").write_text("a file where a folder would be")
    with pytest.raises(SrBenchError, match="wall"):
        build(results, target=results / "wall" / "html")


def test_the_first_page_is_replaced_last(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = history_of(RECORDS)
    build(results, history=history)
    index = (results / "html" / "index.html").read_bytes()
    written = []
    write = build_module.write_text

    def fail(path: Path, text: str) -> None:
        if written:
            msg = "the disk is full"
            raise SrBenchError(msg)
        written.append(path)
        write(path, text)

    monkeypatch.setattr(build_module, "write_text", fail)
    changed = [replace(r, node_id="other", family="zoo") for r in RECORDS]
    changed = [replace(r, verdict=replace(r.verdict, sentence="other")) for r in changed]
    with pytest.raises(SrBenchError, match="full"):
        build(results, records=changed, history=history[:2])
    assert (results / "html" / "index.html").read_bytes() == index
    assert written[0].name != "index.html"
    monkeypatch.undo()
    build(results, history=history)
    again = results / "again"
    build(results, target=again, history=history)
    assert (results / "html" / written[0].name).read_bytes() == (
        again / written[0].name
    ).read_bytes()


def test_progress_counts_up_to_what_was_planned(results: Path) -> None:
    steps = []
    build_report(
        past_session(results, RECORDS),
        history_of(RECORDS),
        results / "html",
        progress=lambda *step: steps.append(step),
    )
    assert [step[0] for step in steps] == [*range(1, len(steps) + 1)]
    assert {step[1] for step in steps} == {len(steps)}
    assert len(steps) == COUNT + 2 + 2 + 1


def test_a_first_build_that_is_cut_off_after_its_first_page_is_taken_up_again(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build_module, "remove_stale", cut_off)
        with pytest.raises(KeyboardInterrupt):
            build(results)
    assert (results / "html" / "index.html").exists()
    assert build(results).built > 0
