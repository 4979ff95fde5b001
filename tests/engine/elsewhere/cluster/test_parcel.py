"""What travels is cut to the shard, and finds its files wherever they are."""

import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sr_bench.core.backend import Artefact, Form
from sr_bench.core.precision import Precision
from sr_bench.engine.elsewhere.cluster.outcome import fault_of
from sr_bench.engine.elsewhere.cluster.parcel import (
    Content,
    Made,
    content_of,
    must_be_made,
    shard_of,
    work_key,
)
from sr_bench.engine.elsewhere.cluster.relocate import inside, paths_of, relocated
from sr_bench.engine.elsewhere.cluster.store import place
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.prepare.calibration import CalibrationSet
from sr_bench.errors import BackendError, DeviceError, ImageError
from tests.engine.elsewhere.cluster.works import Drawn, drawn


@dataclass(frozen=True)
class Nested:
    path: Path
    more: tuple["Nested", ...] = ()
    table: object = None


def test_paths_are_found_and_replaced_at_any_depth() -> None:
    a, b, c = Path("/a"), Path("/b"), Path("/c")
    value = Nested(a, (Nested(b, table={"x": (c, "text")}),))
    assert list(paths_of(value)) == [a, b, c]
    moved = relocated(value, {b: Path("/here/b"), c: Path("/here/c")})
    assert list(paths_of(moved)) == [a, Path("/here/b"), Path("/here/c")]
    assert relocated(value, {}) == value


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "onnx/../../x"])
def test_a_worker_cannot_name_a_file_outside_of_the_folder(name: str) -> None:
    with pytest.raises(BackendError, match="outside of its folder"):
        inside(Path("/cache"), name)
    assert inside(Path("/cache"), "onnx/a") == Path("/cache/onnx/a")


def test_a_shard_holds_only_its_images_and_those_of_its_windows(zoo) -> None:
    work = drawn(zoo, *(Drawn(i) for i in range(100)))
    shard = shard_of(work, (40, 41), 1, {})
    assert shard.work.job.names == ("040", "041")
    assert (shard.numbers, shard.asked) == ((40, 41), (0, 1))
    whole = shard_of(work, (40, 70), 32, {})
    assert whole.numbers == tuple(range(32, 96))
    assert [whole.numbers[i] for i in whole.asked] == [40, 70]
    assert shard_of(work, (99,), 32, {}).numbers == (96, 97, 98, 99)
    assert len(pickle.dumps(shard)) < 6000


def test_a_shard_of_a_limited_run_stays_within_the_limit(zoo) -> None:
    work = drawn(zoo, *(Drawn(i) for i in range(9)))
    work = replace(work, job=replace(work.job, limit=3))
    assert shard_of(work, (2,), 32, {}).numbers == (0, 1, 2)


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
        replace(work, job=replace(work.job, card=replace(work.job.card, value_range=255.0))),
        replace(work, job=replace(work.job, protocol=replace(work.job.protocol, clip=False))),
    ]
    assert len(set(map(work_key, works))) == len(works)
    assert work_key(drawn(zoo, Drawn(0), Drawn(1))) == work_key(work)


@pytest.mark.parametrize(
    ("form", "precision", "own", "made"),
    [
        (Form.ONNX, Precision.FP32, True, False),
        (Form.ONNX, Precision.FP16, True, True),
        (Form.ONNX, Precision.FP32, False, True),
        (Form.MODULE, Precision.FP32, False, False),
        (Form.MODULE, Precision.FP16, False, False),
        (Form.MODULE, Precision.FP16, True, False),
        (Form.SOURCE, Precision.FP16, False, False),
        (Form.SOURCE, Precision.FP32, False, True),
    ],
)
def test_what_must_be_made_before_a_network_is_opened(zoo, form, precision, own, made) -> None:
    prepared = drawn(zoo, Drawn(0)).prepared
    card = prepared.card if own else replace(prepared.card, onnx=None)
    assert must_be_made(replace(prepared, form=form, precision=precision, card=card)) is made


def test_a_network_that_was_made_travels_as_its_file_alone(zoo, tmp_path) -> None:
    work = drawn(zoo, Drawn(0))
    images = CalibrationSet(work.job.card, work.job.images)
    low = replace(work.prepared, precision=Precision("int8_max"), calibration=images)
    work = replace(work, prepared=low)
    file = tmp_path / "made.onnx"
    file.write_bytes(b"network")
    shard = shard_of(work, (0,), 1, {work.prepared.digest: Made(file, {"int8_share": "1"})})
    sent = shard.work.prepared
    assert sent.artefact() == Artefact(
        file, None, Precision("int8_max"), low.digest, low.card.id, low.network
    )
    assert sent.calibration is None
    assert (sent.digest, sent.plan_notes()) == (work.prepared.digest, {"int8_share": "1"})
    assert shard.contents == (content_of(file),)


def files_of(folder: Path) -> Content:
    (folder / "sub").mkdir(parents=True)
    (folder / "net.onnx").write_bytes(b"net")
    (folder / "sub" / "w.bin").write_bytes(b"weights")
    return content_of(folder / "net.onnx", [folder / "sub" / "w.bin"])


def test_files_that_are_here_stay_where_they_are(tmp_path) -> None:
    assert place([files_of(tmp_path / "a")], {}) == ({}, ())


def test_files_that_are_not_here_are_missing_until_they_come_and_then_stay(tmp_path, cache) -> None:
    content = files_of(tmp_path / "a")
    data = content.read()
    (tmp_path / "a").rename(tmp_path / "b")
    assert place([content], {}) == ({}, (content.key,))
    where, missing = place([content], {content.key: data})
    assert not missing
    assert {one.read_bytes() for one in where.values()} == {b"net", b"weights"}
    assert all(one.is_relative_to(cache / "content") for one in where.values())
    assert place([content], {}) == (where, ())


def test_a_file_of_the_same_name_and_size_with_other_content_is_not_taken(tmp_path) -> None:
    content = files_of(tmp_path / "a")
    (tmp_path / "a" / "net.onnx").write_bytes(b"NET")
    assert place([content], {}) == ({}, (content.key,))


def test_content_that_was_damaged_on_the_way_is_refused(tmp_path) -> None:
    content = files_of(tmp_path / "a")
    (tmp_path / "a" / "net.onnx").unlink()
    with pytest.raises(BackendError, match="arrived with other content"):
        place([content], {content.key: (b"nEt", b"weights")})


@pytest.mark.parametrize("other", ["../w.bin", "/etc/hostname"])
def test_weights_outside_of_the_folder_of_their_network_are_refused(tmp_path, other: str) -> None:
    (tmp_path / "w.bin").touch()
    network = files_of(tmp_path / "a").path
    with pytest.raises(BackendError, match="outside of its folder"):
        content_of(network, [network.parent / other])


def test_an_error_comes_back_as_itself_with_the_paths_of_here() -> None:
    where = {Path("/zoo/a.png"): Path("/content/ab/a.png")}
    fault = fault_of(DeviceError("timeout", "/content/ab/a.png is late").about("m on a"), where)
    found = pickle.loads(pickle.dumps(fault)).error()
    expected = DeviceError("timeout", "m on a: /zoo/a.png is late")
    assert (type(found), str(found), found.failure) == (DeviceError, str(expected), "timeout")
    assert str(found.about("x")) == str(expected.about("x"))


def test_an_error_does_not_tell_the_home_of_the_workers_user(monkeypatch) -> None:
    monkeypatch.setenv("HOME", "/home/nobody")
    error = ImageError("/home/nobody/.cache/a.png is bad")
    assert str(fault_of(error, {}).error()) == "~/.cache/a.png is bad"
