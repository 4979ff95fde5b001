"""``sr-bench audit-tolerance`` makes known mistakes on the outputs of a run."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sr_bench.core.history import Environment, SessionInfo
from sr_bench.core.record import ImageScore, Kept, Measurement
from sr_bench.history.store import SessionStore
from sr_bench.imaging.files import read_image, write_png
from sr_bench.metrics import psnr
from tests.report.records import CLAIM, record
from tests.tiny_zoo import Zoo

KEPT = Kept("outputs/sr", "outputs/pairs")


@pytest.fixture
def latest(zoo: Zoo, tmp_path: Path) -> Path:
    """Return a run of the tiny zoo with kept outputs."""
    results, scores = tmp_path / "results", []
    for index, name in enumerate("ab"):
        hr = read_image(zoo.data / "HR" / f"{name}.png")
        sr = read_image(zoo.data / "LR" / f"{name}.png").repeat(2, axis=0).repeat(2, axis=1)
        write_png(results / KEPT.sr / f"{index:04d}.png", sr)
        write_png(results / KEPT.pairs / f"{index:04d}-hr.png", hr)
        scores.append(ImageScore(name, psnr.score(sr, hr)))
    value = float(np.mean([score.value for score in scores]))
    image_record = replace(
        record(replace(CLAIM, text=f"{value:.3f}"), value),
        case_id="tiny",
        family="tiny",
        model="tiny_x2",
        dataset="pair_x2",
        protocol="native_rgb",
        kept=KEPT,
        measurement=Measurement("psnr", "dB", value, tuple(scores), 2),
    )
    info = SessionInfo("20261121T000000-abcdef", "", Environment({}, "", "", "", 1, ""))
    store = SessionStore(results, info)
    store.start()
    store.add(image_record)
    return store.finish([image_record])


def test_each_mistake_is_caught_or_reported(sr_bench, zoo: Zoo, latest: Path) -> None:
    result = sr_bench("audit-tolerance", latest, "--suites", zoo.root, "--fail")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[2].split()[:2] == ["tiny", "caught"]
    assert "not tried: lr_kernel in 1 claim: needs another run; ask for it with" in result.out


def test_the_file_of_a_run_in_the_history_is_accepted(sr_bench, zoo: Zoo, latest: Path) -> None:
    (path,) = (path for path in (latest.parent / "history").iterdir() if path.stem != "index")
    assert sr_bench("audit-tolerance", path, "--suites", zoo.root).code == 0


def test_a_tolerance_that_catches_nothing_fails_where_that_is_asked(
    sr_bench, zoo: Zoo, latest: Path
) -> None:
    zoo.write_card('[model.tolerance.psnr]\nslack = 90.0\nreason = "for the test"\n')
    try:
        args = ("audit-tolerance", latest, "--suites", zoo.root)
        assert [sr_bench(*args).code, sr_bench(*args, "--fail").code] == [0, 1]
        audit = sr_bench(*args, "--json").json
    finally:
        zoo.write_card()
    assert [trial["caught"] for trial in audit["claims"][0]["trials"]] == [False] * 6


def test_the_network_runs_again_with_another_kernel(sr_bench, zoo: Zoo, latest: Path) -> None:
    args = (
        "audit-tolerance",
        latest,
        "--suites",
        zoo.root,
        "--data",
        zoo.data,
        "--rerun",
        "--json",
    )
    (*_, last) = sr_bench(*args).json["claims"][0]["trials"]
    assert (last["mistake"], last["why"], last["caught"]) == ("lr_kernel", "", True)
    assert last["value"] > 10


def test_a_rerun_without_data_says_so(sr_bench, zoo: Zoo, latest: Path) -> None:
    result = sr_bench("audit-tolerance", latest, "--suites", zoo.root, "--rerun")
    assert result.code == 0
    assert "not tried: lr_kernel in 1 claim: no files of pair" in result.out


def test_deleted_images_are_merely_absent(sr_bench, zoo: Zoo, latest: Path) -> None:
    (latest.parent / KEPT.sr / "0000.png").unlink()
    result = sr_bench("audit-tolerance", latest, "--suites", zoo.root)
    assert (result.code, result.out) == (3, "")
    assert "of 1 claims with kept outputs, 1 have images that can't be read" in result.err


def test_an_absent_or_damaged_run_is_named(
    sr_bench, zoo: Zoo, latest: Path, tmp_path: Path
) -> None:
    result = sr_bench("audit-tolerance", tmp_path / "no.json", "--suites", zoo.root)
    assert result.code == 3
    assert "no.json" in result.err
    latest.write_text(json.dumps({"schema_version": 2, "records": [{}]}))
    assert "not a run of sr-bench" in sr_bench("audit-tolerance", latest, "--suites", zoo.root).err
    assert "there is no run in reports" in sr_bench("audit-tolerance", "--suites", zoo.root).err
