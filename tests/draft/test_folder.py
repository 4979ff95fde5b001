from pathlib import Path

import pytest

from sr_bench.draft.folder import Beside, read_beside
from sr_bench.draft.found import Found, Origin
from tests.draft.port import AREA, FLOAT, README, make_port, score


def read(folder: Path, **more: str) -> Beside:
    document = make_port(folder, **more)
    return read_beside(document, document.read_text())


def places(beside: Beside, choice: str) -> dict[Origin, object]:
    return {f.origin: f.value for f in beside.found if f.choice == choice}


def test_the_documents_code_and_all_files_of_the_layout_are_read(tmp_path: Path):
    beside = read(tmp_path)

    assert set(places(beside, "value_range")) == set(Origin) - {Origin.TABLE}
    assert places(beside, "gt_resize") == {
        Origin.EVALUATION: "cv2_area",
        Origin.INFERENCE: "cv2_linear",
    }
    assert beside.code_bases == ()


def test_code_of_a_document_is_placed_by_its_own_lines(tmp_path: Path):
    beside = read(tmp_path)
    lines = README.split("\n")
    at = {f.choice: int(f.where.split(":")[1]) for f in beside.found if f.where.startswith("READ")}

    assert "INTER_AREA" in lines[at["lr_resize"] - 1]
    assert "round()" in lines[at["rounding"] - 1]


def test_code_below_another_heading_is_not_about_images(tmp_path: Path):
    readme = README.replace("### pre-processing", "### Install")

    assert Origin.DOCUMENT not in places(read(tmp_path, readme=readme), "lr_resize")


def test_a_row_is_told_what_files_of_its_code_base_say(tmp_path: Path):
    make_port(tmp_path)
    build = tmp_path / "build_in/build"
    (build / "basicsr_tinysr.yaml").write_text((build / "official_tinysr.yaml").read_text())
    other = tmp_path / "build_in/vdsp_params/basicsr-vamp_eval.py"
    other.write_text(score(FLOAT, AREA).replace("AREA", "CUBIC"))
    beside = read_beside(tmp_path / "README.md", README)

    assert beside.code_bases == ("basicsr", "official")
    rules = {
        source: {
            f.value for f in beside.about(source, "Tiny", frozenset()) if f.choice == "gt_resize"
        }
        for source in ("BasicSR", "Official")
    }
    assert rules == {
        "BasicSR": {"cv2_cubic", "cv2_area", "cv2_linear"},
        "Official": {"cv2_area", "cv2_linear"},
    }


def test_a_file_that_names_another_row_is_not_about_this_one():
    found = tuple(
        Found("input_shape", size, f"vdsp_params/official-net_{name}-params.json:1", Origin.DEVICE)
        for name, size in (("day", (1, 1)), ("night", (2, 2)))
    )
    beside = Beside(found, ())

    assert beside.about("", "night", frozenset({"day", "night"})) == found[1:]
    assert (
        beside.about("", "dusk", frozenset({"day", "night", "dusk"})) == found
    )  # better than none


def test_a_documents_code_for_luma_is_left_aside_for_a_network_of_rgb(tmp_path: Path):
    luma = README.replace("return picture[", "picture = rgb2ycbcr(picture)\n    return picture[")
    beside = read(tmp_path, readme=luma)

    origins = {found.origin for found in beside.about("", "TinySR_x2", frozenset())}
    assert Origin.DOCUMENT in {found.origin for found in beside.found}
    assert Origin.DOCUMENT not in origins


def test_pages_tell_the_folders_of_their_commands_and_the_weights(tmp_path: Path):
    make_port(tmp_path)
    page = tmp_path / "source_code" / "official.md"
    page.parent.mkdir()
    page.write_text('python eval.py --hr_image_dir /x/Set5/HR\nload("tiny_x2-3ba7.pth")\n')
    beside = read_beside(tmp_path / "README.md", README)

    assert places(beside, "checkpoint") == {Origin.DOCUMENT: "tiny_x2-3ba7.pth"}
    assert places(beside, "hr_folder")[Origin.DOCUMENT] == "/x/Set5/HR"


def test_no_link_leads_out_of_the_folder(tmp_path: Path):
    outside = tmp_path / "outside_eval.py"
    outside.write_text(score(FLOAT, AREA))
    zoo = tmp_path / "zoo"
    (zoo / "build_in").mkdir(parents=True)
    (zoo / "build_in" / "my_eval.py").symlink_to(outside)

    assert read_beside(zoo / "README.md", "").found == ()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"\x00" * 100])
def test_a_file_of_other_bytes_says_nothing(tmp_path: Path, content: bytes):
    for name in ("build/a.yaml", "vdsp_params/a.json", "vsx/a_eval.py"):
        path = tmp_path / "build_in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    assert read_beside(tmp_path / "README.md", "").found == ()
