"""The images of a run are kept whole, once, and are what was scored."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from sr_bench.core.card import ModelCard
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import Kept, Record
from sr_bench.engine.bench import Bench
from sr_bench.engine.job import Job
from sr_bench.engine.measure.kept_images import Keeper, read_kept_sr
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.score.fidelity import fidelity
from sr_bench.engine.score.protocol import Pair
from sr_bench.errors import CacheWarning, ImageError, OptionError
from sr_bench.imaging.files import read_image, read_levels, write_levels
from sr_bench.imaging.layout import to_nchw
from tests.ends import ends
from tests.int8_zoo import make_int8_zoo

PAIR = Pair(np.full((2, 2, 3), 9, np.uint8), np.full((4, 4, 3), 7, np.uint8))
NATIVE = EvalProtocol("native")


def job(rule: EvalProtocol, white: float = 1.0) -> Job:
    card = ModelCard(
        "m",
        "f",
        Path(),
        "M",
        "",
        2,
        "edsr",
        **ends(white),
    )
    return Job(card, rule, None)


def measured(zoo, results: Path, **options: object) -> Record:
    """Return the record of the zoo's fp32 PSNR, its images kept under `results`."""
    settings = {"keep": "8bit"} | options
    chosen = Selection(data=zoo.data, results=results, **settings)
    suite = load_suite(zoo.suite / "card.toml")
    case = next(case for case in plan(suite, chosen) if case.metric == "psnr")
    return Bench(chosen, suite.card.manifest_folders).evaluate(case, "x", lambda *_: None)


def kept(record: Record) -> Kept:
    assert record.kept is not None, record.verdict
    return record.kept


def test_what_is_kept_scores_what_was_measured(zoo, tmp_path: Path) -> None:
    record = measured(zoo, tmp_path)
    folders = kept(record)
    for index, score in enumerate(record.measurement.images):
        sr = read_image(tmp_path / folders.sr / f"{index:04d}.png")
        hr = read_image(tmp_path / folders.pairs / f"{index:04d}-hr.png")
        assert peak_signal_noise_ratio(hr, sr) == pytest.approx(score.value, abs=1e-9)
        lr = read_image(tmp_path / folders.pairs / f"{index:04d}-lr.png")
        assert (lr == read_image(zoo.data / "LR" / f"{score.image}.png")).all()


def test_nothing_is_kept_unless_asked(zoo, tmp_path: Path) -> None:
    assert measured(zoo, tmp_path / "out", keep="off").kept is None
    assert not (tmp_path / "out").exists()


def test_a_run_from_the_cache_is_made_again_for_its_images_and_only_once(
    zoo, tmp_path: Path
) -> None:
    measured(zoo, tmp_path, keep="off")
    record = measured(zoo, tmp_path)
    image = tmp_path / kept(record).sr / "0001.png"
    written_at = image.stat().st_mtime_ns
    assert kept(measured(zoo, tmp_path)) == record.kept
    assert image.stat().st_mtime_ns == written_at


def test_a_folder_that_was_not_finished_is_made_again(zoo, tmp_path: Path) -> None:
    folder = tmp_path / kept(measured(zoo, tmp_path)).sr
    (folder / "images.json").unlink()
    (folder / "0000.png").unlink()
    measured(zoo, tmp_path)
    assert json.loads((folder / "images.json").read_text())["images"] == ["a", "b"]
    assert (folder / "0000.png").is_file()


def test_other_images_and_other_bits_have_other_folders(zoo, tmp_path: Path) -> None:
    unlimited, limited = measured(zoo, tmp_path), measured(zoo, tmp_path, limit=1)
    deep = measured(zoo, tmp_path, keep="16bit")
    assert len({kept(record).sr for record in (unlimited, limited, deep)}) == 3
    assert len({kept(record).pairs for record in (unlimited, limited)}) == 2


def test_names_of_images_are_not_used_as_names_of_files(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, "8bit", "a" * 64, "b" * 64)
    keeper.keep(job(NATIVE), 0, PAIR, np.zeros((1, 3, 4, 4), np.float32))
    keeper.finish(["../../x"])
    assert keeper.is_whole(["../../x"])
    files = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["0000-hr.png", "0000-lr.png", "0000.png", "images.json", "images.json"]


@pytest.mark.parametrize(
    ("mode", "rounding", "expected"),
    [("8bit", "none", 101), ("8bit", "truncate", 100), ("16bit", "truncate", 100.6)],
)
def test_outputs_are_kept_as_the_protocol_cuts_them_or_uncut(
    tmp_path: Path, mode: str, rounding: str, expected: float
) -> None:
    keeper = Keeper(tmp_path, mode, "a" * 64, "b" * 64)
    output = np.full((1, 3, 4, 4), 100.6, np.float32)
    output[0, :, 0, 0] = -3
    rule = replace(NATIVE, rounding=rounding, clip=False)
    keeper.keep(job(rule, 255.0), 0, PAIR, output)
    levels = read_levels(tmp_path / keeper.kept.sr / "0000.png")
    assert levels[1, 1, 1] == pytest.approx(expected, abs=0.002)
    assert levels[0, 0, 0] == 0


def test_what_lies_beyond_black_and_white_is_kept_with_16_bits(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, "16bit", "a" * 64, "b" * 64)
    output = np.random.default_rng(1).uniform(-40, 300, (1, 3, 4, 4)).astype(np.float32)
    keeper.keep(job(NATIVE, 255.0), 0, PAIR, output)
    raw = read_kept_sr(tmp_path / keeper.kept.sr, 0)
    np.testing.assert_allclose(raw, output[0].transpose(1, 2, 0), atol=0.01)
    assert keeper.has(0)
    (tmp_path / keeper.kept.sr / "0000-beyond.png").unlink()
    assert not keeper.has(0)  # of an earlier version: made again
    assert read_kept_sr(tmp_path / keeper.kept.sr, 0).max() <= 255


def test_a_file_of_another_image_is_refused(tmp_path: Path) -> None:
    write_levels(tmp_path / "0000.png", np.zeros((4, 4, 3), np.float32))
    write_levels(tmp_path / "0000-beyond.png", np.zeros((4, 5, 3), np.float32))
    with pytest.raises(ImageError, match=r"the image it belongs to, \(4, 4, 3\), got \(4, 5, 3\)"):
        read_kept_sr(tmp_path, 0)


def test_the_fidelity_of_a_record_follows_from_the_files_that_are_kept(tmp_path: Path) -> None:
    zoo = make_int8_zoo(tmp_path / "my_zoo")
    chosen = Selection(
        data=zoo.data,
        results=tmp_path,
        keep="16bit",
        explain_s=0.0,
        precisions=(Precision.FP32, Precision("int8_max")),
    )
    bench, cases = Bench(chosen, ()), plan(load_suite(zoo.suite / "card.toml"), chosen)
    records = [bench.evaluate(case, "x", lambda *_: None) for case in cases]
    fp32 = next(r for r in records if r.metric == "psnr" and r.precision == "fp32")
    gate = next(r for r in records if r.detail.gate)
    outputs = [
        [read_kept_sr(tmp_path / kept(record).sr, index) for record in (gate, fp32)]
        for index in range(len(gate.detail.gate.images))
    ]
    assert min(image.min() for pair in outputs for image in pair) < 0  # where clipping would tell
    for image, pair in zip(gate.detail.gate.images, outputs, strict=True):
        low, full = (to_nchw(levels, white=255.0) for levels in pair)
        again = fidelity(low, full, white=255.0)
        assert (again.all_db, again.inside_db, again.ring_db) == pytest.approx(
            (image.all_db, image.inside_db, image.ring_db), abs=0.005
        )


def test_another_mode_is_refused() -> None:
    with pytest.raises(OptionError, match=r"--sr-keep=png: expected one of off, 8bit, 16bit"):
        Selection(keep="png")


@pytest.mark.parametrize("name", ["sr", "pairs"])
def test_an_image_that_is_damaged_or_swapped_is_told_and_made_again(
    zoo, tmp_path: Path, cache: Path, name: str
) -> None:
    folder = tmp_path / getattr(kept(measured(zoo, tmp_path)), name)
    first, *_, last = sorted(folder.glob("*.png"))
    whole = first.read_bytes()
    assert first != last
    for damaged in (last.read_bytes(), whole[:-9], b""):
        first.write_bytes(damaged)
        with pytest.warns(CacheWarning, match=f"{first.name} is damaged"):
            measured(zoo, tmp_path, session=f"{name} {len(damaged)}")
        assert first.read_bytes() == whole
        measured(
            zoo, tmp_path, session=f"after {name} {len(damaged)}"
        )  # a warning would be an error
