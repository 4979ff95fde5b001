"""Work as a file: found by what decides its results, and refused where other files are seen."""

from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.backend import Form
from sr_bench.core.precision import Precision
from sr_bench.engine.elsewhere.cluster.shared_work import (
    read_work,
    work_key,
    write_work,
)
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.measure.worker import Work
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.prepare.calibration import CalibrationSet
from sr_bench.errors import BackendError
from sr_bench.imaging.files import read_image, write_png
from tests.ends import ends
from tests.engine.elsewhere.cluster.works import Drawn, drawn
from tests.tiny_zoo import Zoo


def work_of(zoo: Zoo) -> Work:
    selection = Selection(data=zoo.data)
    cases = plan(load_suite(zoo.suite / "card.toml"), selection)
    case = next(case for case in cases if case.metric == "psnr" and case.precision == "fp32")
    return Runs(selection, ()).work(case, print)


def test_a_work_is_read_as_it_was_written_with_absolute_paths(
    zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(zoo.root)
    work = work_of(zoo)
    near = replace(work, prepared=replace(work.prepared, weights=Path("tiny/tiny.onnx")))
    name = write_work(tmp_path, near)
    monkeypatch.chdir(tmp_path)
    read_back = read_work(tmp_path, name)
    assert read_back.work.prepared.weights == zoo.suite / "tiny.onnx"
    assert work_key(read_back.work) == work_key(work) == name
    assert set(read_back.folders) == {zoo.suite, zoo.data / "LR", zoo.data / "HR"}


def test_a_folder_that_is_not_seen_is_named(zoo: Zoo, tmp_path: Path) -> None:
    name = write_work(tmp_path, work_of(zoo))
    (zoo.data / "LR").rename(zoo.data / "gone")
    with pytest.raises(BackendError, match="images/LR is not there: the workers of a cluster need"):
        read_work(tmp_path, name)
    with pytest.raises(BackendError, match="no_such_work is not there"):
        read_work(tmp_path, "no_such_work")


def test_another_network_or_image_at_the_same_path_is_refused(zoo: Zoo, tmp_path: Path) -> None:
    work = work_of(zoo)
    calibrated = replace(
        work.prepared,
        precision=Precision("int8_max"),
        calibration=CalibrationSet(work.job.card, work.job.images),
    )
    name = write_work(tmp_path, work)
    low = write_work(tmp_path, replace(work, prepared=calibrated, reference=work.prepared))
    digests = {index: work.job.images.digests[index] for index in range(2)}
    read_work(tmp_path, name).check_images(digests)
    read_work(tmp_path, low)
    image = zoo.data / "LR" / "b.png"
    write_png(image, read_image(image)[::-1].copy())
    with pytest.raises(BackendError, match=r"^image b of pair is another file than the session's"):
        read_work(tmp_path, name).check_images(digests)
    with pytest.raises(BackendError, match="or an image to calibrate with, is another file"):
        read_work(tmp_path, low)
    with (zoo.suite / "tiny.onnx").open("ab") as file:
        file.write(b"\x72\x00")
    with pytest.raises(BackendError, match=r"tiny\.onnx, or an image"):
        read_work(tmp_path, name)


def test_the_keys_of_works_differ_in_whatever_decides_the_results(zoo, tmp_path) -> None:
    work = drawn(zoo, Drawn(0), Drawn(1))
    other = replace(work.prepared, precision=Precision.FP16)
    keeper = Keeper(tmp_path, "8bit", "s", "p")
    works = [
        work,
        replace(work, prepared=other),
        replace(work, reference=work.prepared),
        replace(work, remembered=True),
        replace(work, keeper=keeper),
        replace(work, job=replace(work.job, limit=1)),
        replace(
            work,
            job=replace(
                work.job,
                card=replace(
                    work.job.card,
                    **ends(255.0),
                ),
            ),
        ),
        replace(work, job=replace(work.job, protocol=replace(work.job.protocol, clip=False))),
    ]
    assert len(set(map(work_key, works))) == len(works)
    assert work_key(drawn(zoo, Drawn(0), Drawn(1))) == work_key(work)


@pytest.mark.parametrize(
    ("form", "precision", "onnx", "needs"),
    [
        (Form.ONNX, Precision.FP32, True, False),
        (Form.ONNX, Precision.FP16, True, True),
        (Form.ONNX, Precision.FP32, False, True),
        (Form.MODULE, Precision.FP32, False, False),
        (Form.MODULE, Precision.FP16, False, False),
        (Form.MODULE, Precision.FP16, True, True),
        (Form.SOURCE, Precision.FP16, False, False),
        (Form.SOURCE, Precision.FP32, False, True),
    ],
)
def test_what_must_be_made_before_a_network_is_opened(zoo, form, precision, onnx, needs) -> None:
    prepared = drawn(zoo, Drawn(0)).prepared
    card = prepared.card if onnx else replace(prepared.card, onnx=None)
    assert replace(prepared, form=form, precision=precision, card=card).is_made is needs
