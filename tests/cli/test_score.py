"""``sr-bench score`` pairs two folders by name and scores them by a named protocol."""

import json
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from sr_bench.imaging.files import write_png

IMAGES = ("baby", "bird")


def image(seed: int, *, height: int = 24, width: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def save(folder: Path, name: str, pixels: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_png(folder / name, pixels)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for seed, name in enumerate(IMAGES):
        save(tmp_path / "hr", f"{name}.png", image(seed))
        save(tmp_path / "sr", f"{name}.png", image(seed) ^ 3)
    return tmp_path / "sr", tmp_path / "hr"


def psnr(seed: int, border: int = 0) -> float:
    crop = slice(border, -border or None)
    hr = image(seed)[crop, crop]
    return float(peak_signal_noise_ratio(hr, hr ^ 3))


def test_it_prints_each_image_and_the_mean(sr_bench, folders) -> None:
    result = sr_bench("score", *folders, "--protocol", "native_rgb")
    assert (result.code, result.err) == (0, "")
    rows = {cells[0]: cells[1:] for line in result.out.splitlines() if (cells := line.split())}
    assert rows["baby"][0] == f"{psnr(0):.4f}"
    assert rows["mean"][0] == f"{(psnr(0) + psnr(1)) / 2:.4f}"
    assert "protocol native_rgb, border 0 px, 2 images" in result.out


def test_one_image_is_counted_in_the_singular(sr_bench, folders) -> None:
    for folder in folders:
        sorted(folder.iterdir())[0].unlink()
    result = sr_bench("score", *folders, "--protocol", "native_rgb")
    assert "native_rgb, border 0 px, 1 image\n" in result.out


def test_json_goes_to_standard_output_or_a_file(sr_bench, folders, tmp_path: Path) -> None:
    result = sr_bench("score", *folders, "--protocol", "native_rgb", "--json", "-")
    assert result.json["mean"]["psnr"] == pytest.approx((psnr(0) + psnr(1)) / 2, abs=1e-9)
    assert list(result.json["images"]) == list(IMAGES)
    assert result.json["protocol"]["name"] == "native_rgb"
    target = tmp_path / "new" / "scores.json"
    again = sr_bench("score", *folders, "--protocol", "native_rgb", "--json", target)
    assert json.loads(target.read_text()) == result.json
    assert "mean" in again.out


def test_a_border_takes_the_place_of_the_protocols(sr_bench, folders) -> None:
    result = sr_bench("score", *folders, "--protocol", "native_rgb", "--border", 5, "--json", "-")
    assert result.json["images"]["bird"]["psnr"] == pytest.approx(psnr(1, border=5), abs=1e-9)


def test_a_border_that_follows_the_scale_needs_it(sr_bench, folders) -> None:
    result = sr_bench("score", *folders, "--protocol", "paper_y")
    assert result.code == 2
    assert "say --scale N, or the number of pixels with --border N" in result.err
    assert "border 4 px" in sr_bench("score", *folders, "--protocol=paper_y", "--scale=4").out
    assert "border 6 px" in sr_bench("score", *folders, "--protocol=paper_y", "--border=6").out


def test_files_of_other_names_are_paired_by_patterns(sr_bench, tmp_path: Path) -> None:
    save(tmp_path / "sr", "baby_RCAN_x2.png", image(0) ^ 3)
    save(tmp_path / "hr", "img_baby.png", image(0))
    save(tmp_path / "hr", "other.png", image(1))
    names = ("--sr-name", "{stem}_RCAN_x2.png", "--hr-name", "img_{stem}", "--json", "-")
    result = sr_bench("score", tmp_path / "sr", tmp_path / "hr", "--protocol", "native_rgb", *names)
    assert list(result.json["images"]) == ["baby"]


def test_identical_images_are_infinite(sr_bench, folders) -> None:
    result = sr_bench("score", folders[1], folders[1], "--protocol", "native_rgb", "--json", "-")
    assert result.json["mean"] == {"psnr": "inf", "ssim": 1.0}
    assert " inf " in sr_bench("score", folders[1], folders[1], "--protocol", "native_rgb").out


@pytest.mark.parametrize("side", [0, 1])
def test_a_file_without_a_partner_is_named(sr_bench, folders, side: int) -> None:
    save(folders[side], "extra.png", image(3))
    result = sr_bench("score", *folders, "--protocol", "native_rgb")
    assert (result.code, result.out) == (1, "")
    assert "1 files have no partner" in result.err
    assert "extra.png" in result.err


def test_two_files_of_one_name_are_refused(sr_bench, folders) -> None:
    (folders[0] / "baby.jpg").write_bytes((folders[0] / "baby.png").read_bytes())
    result = sr_bench("score", *folders, "--protocol", "native_rgb")
    assert result.code == 1
    assert "both baby.jpg and baby.png are 'baby'" in result.err


def test_subfolders_are_walked_and_paired_by_folder_and_name(sr_bench, tmp_path: Path) -> None:
    for seed, name in enumerate(("x/a", "y/a")):
        save(tmp_path / "hr" / name[0], "a.png", image(seed))
        save(tmp_path / "sr" / name[0], "a.png", image(seed) ^ 3)
    result = sr_bench(
        "score", tmp_path / "sr", tmp_path / "hr", "--protocol=native_rgb", "--json=-"
    )
    assert list(result.json["images"]) == ["x/a", "y/a"]
    assert result.json["images"]["y/a"]["psnr"] == pytest.approx(psnr(1), abs=1e-9)


def test_other_folders_do_not_part_files_of_one_name(sr_bench, folders, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    folders[0].rename(tmp_path / "out" / "set5")
    result = sr_bench("score", tmp_path / "out", folders[1], "--protocol=native_rgb", "--json=-")
    assert list(result.json["images"]) == list(IMAGES)


def test_accents_may_be_put_together_in_two_ways(sr_bench, tmp_path: Path) -> None:
    names = [normalize(form, "\u00e9t\u00e9.png") for form in ("NFC", "NFD")]
    save(tmp_path / "hr", names[0], image(0))
    save(tmp_path / "sr", names[1], image(0) ^ 3)
    run = ("score", tmp_path / "sr", tmp_path / "hr", "--protocol=native_rgb")
    assert list(sr_bench(*run, "--json=-").json["images"]) == ["\u00e9t\u00e9"]
    save(tmp_path / "sr", names[0], image(0))
    result = sr_bench(*run)
    assert (result.code, result.out) == (1, "")
    assert r"both 'e\u0301te\u0301.png' and '\xe9t\xe9.png' are" in result.err


def test_what_file_managers_leave_is_not_an_image(sr_bench, folders) -> None:
    (folders[0] / "._baby.png").write_bytes(b"")
    (folders[0] / "Thumbs.db").write_bytes(b"")
    assert sr_bench("score", *folders, "--protocol", "native_rgb").code == 0


def test_images_of_different_sizes_are_named(sr_bench, folders) -> None:
    save(folders[0], "bird.png", image(1, height=22))
    result = sr_bench("score", *folders, "--protocol", "native_rgb")
    assert result.code == 1
    assert "bird.png" in result.err
    assert "22x32 and 24x32" in result.err


def test_a_corrupt_image_is_named(sr_bench, folders) -> None:
    (folders[0] / "bird.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    result = sr_bench("score", *folders, "--protocol", "native_rgb")
    assert result.code == 1
    assert "bird.png" in result.err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("--protocol", "native_rbg"), 2, "--protocol: unknown protocol 'native_rbg'; did you"),
        (("--protocol=native_rgb", "--sr-name=x"), 2, "pattern 'x': expected {stem} once"),
        (
            ("--protocol=native_rgb", "--sr-name={stem}_x2"),
            1,
            "expected images named '{stem}_x2', got 2 of other names",
        ),
        (("--protocol=native_rgb", "--border=-1"), 2, "--border -1: expected a number of pixels"),
        (("--protocol=native_rgb", "--border=12"), 1, "can't crop a border of 12 px"),
        (("--protocol=paper_y", "--scale=0"), 2, "--scale 0: expected an upscaling factor"),
        (("--protocol=native_rgb", "--scale=two"), 2, "invalid int value: 'two'"),
    ],
)
def test_a_wrong_option_says_what_was_expected(sr_bench, folders, args, code, message) -> None:
    result = sr_bench("score", *folders, *args)
    assert (result.code, result.out) == (code, "")
    assert message in result.err


def test_an_absent_or_empty_folder_is_named(sr_bench, folders, tmp_path: Path) -> None:
    result = sr_bench("score", tmp_path / "no", folders[1], "--protocol", "native_rgb")
    assert result.code == 2
    assert "no: expected a folder of images" in result.err
    (tmp_path / "empty").mkdir()
    result = sr_bench("score", tmp_path / "empty", folders[1], "--protocol", "native_rgb")
    assert result.code == 1
    assert "got no image" in result.err


def test_a_file_that_cannot_be_written_is_one_clear_error(sr_bench, folders) -> None:
    result = sr_bench("score", *folders, "--protocol", "native_rgb", "--json", folders[0])
    assert result.code == 1
    assert result.err.startswith("sr-bench: cannot write")
