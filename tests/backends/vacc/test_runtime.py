"""A model runs on the (fake) card exactly, and whatever the card does is named and survived."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sr_bench.backends.vacc.rig import Rig
from sr_bench.backends.vacc.run.runtime import CardModel, CardRunner
from sr_bench.backends.vacc.run.state import DeviceState
from sr_bench.core.device import Failure
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, DeviceError, NotRunError
from sr_bench.system import process

Plan = Callable[..., None]
MakeModel = Callable[..., Path]

_SHAPE = (1, 3, 9, 12)  # neither side a multiple of the card's 8


def _card_model(
    prefix: Path, shape: tuple[int, int, int, int] = _SHAPE, **more: object
) -> CardModel:
    n, c, h, w = shape
    settings = {"white": 255.0, "feed": "image", **more}
    return CardModel(
        name=f"zoo/{prefix.parent.name}",
        precision=Precision.FP16,
        prefix=prefix,
        shape=shape,
        output_shape=(n, c, h * 2, w * 2),
        **settings,
    )


@pytest.fixture
def open_tiny(fake_vsx: Plan, fake_model: MakeModel, vacc_rig: Rig) -> Callable[..., CardRunner]:
    """Return a function that opens a model on the fake card, which misbehaves as asked."""

    def open_(behaviour: str = "", rig: Rig = vacc_rig, **more: object) -> CardRunner:
        if behaviour:
            fake_vsx(every=behaviour)
        shape = more.get("shape", _SHAPE)
        return CardRunner.open(_card_model(fake_model(shape), **more), rig, sdk="2.8")

    return open_


def _levels(shape: tuple[int, int, int, int] = _SHAPE, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _enlarged(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return array.repeat(2, 2).repeat(2, 3)


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_images_arrive_and_outputs_return_exactly(
    open_tiny: Callable[..., CardRunner], white: float
) -> None:
    with open_tiny(white=white) as runner:
        for seed in range(3):
            levels = _levels(seed=seed)
            lr = levels.astype(np.float32) / np.float32(255 / white)
            output = runner(lr)
            expected = (levels.astype(np.float64) / (255 / white)).astype(np.float16)
            assert output.dtype == np.float32
            np.testing.assert_array_equal(output, _enlarged(expected.astype(np.float32)))


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_tensors_arrive_and_outputs_return_exactly(
    open_tiny: Callable[..., CardRunner], channels: int
) -> None:
    shape = (1, channels, 9, 12)
    lr = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    with open_tiny(shape=shape, feed="tensor", white=1.0) as runner:
        expected = lr.astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(runner(lr), _enlarged(expected))


def test_several_threads_get_their_own_outputs(open_tiny: Callable[..., CardRunner]) -> None:
    outputs: dict[int, NDArray[np.float32]] = {}
    with open_tiny() as runner:

        def work(seed: int) -> None:
            outputs[seed] = runner(_levels(seed=seed).astype(np.float32))

        threads = [threading.Thread(target=work, args=[seed]) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for seed in range(6):
        np.testing.assert_array_equal(outputs[seed], _enlarged(_levels(seed=seed).astype("f4")))


@pytest.mark.parametrize(
    ("behaviour", "failure", "words"),
    [
        ("hang", Failure.TIMEOUT, "phase run: was ended at its limit"),
        ("stubborn", Failure.TIMEOUT, "phase run: was ended at its limit"),
        ("segfault", Failure.CRASHED, "phase run: ended by signal 11"),
        ("fault", Failure.DEVICE_FAULT, "err code: 803012, vafwER_MCU_ERROR_LMCU0"),
        ("oom", Failure.DEVICE_OOM, "malloc dlc memory faild"),
        ("nan", Failure.WRONG_OUTPUT, "1 of 1296 output values are NaN or infinite"),
        (
            "shape",
            Failure.WRONG_OUTPUT,
            r"expected an output of \[1, 3, 18, 24\], got \[1, 3, 17, ",
        ),
    ],
)
def test_a_failure_in_a_run_gets_its_class_and_stays(
    open_tiny: Callable[..., CardRunner],
    vacc_rig: Rig,
    vacc_cache: Path,
    given_up: list[float],
    behaviour: str,
    failure: Failure,
    words: str,
) -> None:
    hasty = replace(vacc_rig, limits=replace(vacc_rig.limits, grace_s=1.0))
    runner = open_tiny(behaviour, hasty if behaviour == "stubborn" else vacc_rig)
    lr = _levels().astype(np.float32)
    with pytest.raises(DeviceError, match=words) as raised:
        runner(lr)
    assert raised.value.failure is failure
    assert (vacc_rig.limits.run_s in given_up) == (behaviour in ("hang", "stubborn", "oom"))
    assert str(raised.value).startswith(f"{failure}: zoo/tiny fp16 on die 0, phase run: ")
    assert not list((vacc_cache / "journal").iterdir())
    with pytest.raises(DeviceError, match="failed earlier, not run again") as again:
        runner(lr)
    assert again.value.failure == failure
    runner.close()


@pytest.mark.parametrize(
    ("behaviour", "failure", "words"),
    [
        ("broken@import", Failure.ERROR, "phase import: ImportError: libvaccrt.so"),
        ("segfault@import", Failure.CRASHED, "phase import: ended by signal 11"),
        (
            "500020@set_device",
            Failure.ERROR,
            r"phase load: set_device\(0\) failed, err code: 500020",
        ),
        ("500040@Model", Failure.DEVICE_OOM, "vacl_load_model error, ret: 500040"),
        ("none@load_ops", Failure.ERROR, "phase build: no operator in"),
        ("7@add_operators", Failure.ERROR, "Graph.add_operators failed, err code: 7"),
        ("803006@build", Failure.DEVICE_FAULT, "Stream.build failed, err code: 803006"),
    ],
)
def test_a_failure_to_open_gets_its_class_and_leaves_the_die(
    open_tiny: Callable[..., CardRunner],
    vacc_cache: Path,
    behaviour: str,
    failure: Failure,
    words: str,
) -> None:
    with pytest.raises(DeviceError, match=words) as raised:
        open_tiny(behaviour)
    assert raised.value.failure is failure
    assert not list((vacc_cache / "journal").iterdir())
    with DeviceState().die(0, wait_s=0, settle_s=0):
        pass


@pytest.mark.parametrize("phase", ["import", "load", "build"])
def test_a_hang_while_opening_names_its_phase(
    open_tiny: Callable[..., CardRunner], vacc_rig: Rig, given_up: list[float], phase: str
) -> None:
    call = {"import": "import", "load": "Model", "build": "build"}[phase]
    with pytest.raises(DeviceError, match=f"timeout: .* phase {phase}: was ended at its limit"):
        open_tiny(f"hang@{call}")
    assert vacc_rig.limits.open_s in given_up


def test_a_grandchild_does_not_outlive_the_session(open_tiny: Callable[..., CardRunner]) -> None:
    with open_tiny("grandchild+0") as runner:  # the check is in conftest.py
        runner(_levels().astype(np.float32))


def test_a_crash_is_seen_at_once_though_a_grandchild_lives(
    open_tiny: Callable[..., CardRunner], vacc_rig: Rig, given_up: list[float]
) -> None:
    runner = open_tiny("grandchild+segfault")
    with pytest.raises(DeviceError, match="crashed"):
        runner(_levels().astype(np.float32))
    assert vacc_rig.limits.run_s not in given_up


def test_a_crash_is_not_a_time_out_though_a_copy_of_the_process_lives(
    open_tiny: Callable[..., CardRunner], vacc_rig: Rig, given_up: list[float]
) -> None:
    with open_tiny("fork+segfault") as runner, pytest.raises(DeviceError, match="crashed"):
        runner(_levels().astype(np.float32))
    assert vacc_rig.limits.run_s in given_up, "the copy kept the channel open"


def test_nothing_piles_up_on_the_disk(
    open_tiny: Callable[..., CardRunner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_tiny() as runner:
        runner(_levels().astype(np.float32))
        assert list(tmp_path.rglob("worker.log"))
        assert not list(tmp_path.rglob("*.npy"))
    assert not list(tmp_path.rglob("worker.log"))


def test_a_model_compiled_for_another_shape_is_refused(
    fake_vsx: Plan, fake_model: MakeModel, vacc_rig: Rig
) -> None:
    model = _card_model(fake_model((1, 3, 12, 9)))
    with pytest.raises(DeviceError, match=r"input \[1, 3, 9, 12\], got \[1, 3, 12, 9\]; compile"):
        CardRunner.open(model, vacc_rig, sdk="2.8")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda lr: lr[:, :, :-1],
            r"compiled for \(1, 3, 9, 12\), got an image of \(1, 3, 8, 12\)",
        ),
        (lambda lr: lr + np.float32(0.25), 'feed = "tensor"'),
        (lambda lr: lr + 256, 'feed = "tensor"'),
        (lambda lr: lr * np.float32(np.nan), 'feed = "tensor"'),
    ],
    ids=["shape", "between-levels", "beyond", "nan"],
)
def test_an_input_that_cannot_be_fed_is_refused_and_harms_nothing(
    open_tiny: Callable[..., CardRunner],
    change: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    words: str,
) -> None:
    lr = _levels().astype(np.float32)
    with open_tiny() as runner:
        with pytest.raises(BackendError, match=words):
            runner(change(lr))
        np.testing.assert_array_equal(runner(lr), _enlarged(lr))


def test_a_tensor_beyond_fp16_is_refused(open_tiny: Callable[..., CardRunner]) -> None:
    with open_tiny(feed="tensor") as runner, pytest.raises(BackendError, match="fp16"):
        runner(np.full(_SHAPE, 7e4, np.float32))


def test_one_image_at_a_time(fake_model: MakeModel, vacc_rig: Rig) -> None:
    model = replace(_card_model(fake_model(_SHAPE)), shape=(2, 3, 9, 12))
    with pytest.raises(BackendError, match="compiled for one image"):
        CardRunner.open(model, vacc_rig, sdk="2.8")


def test_a_closed_session_says_so(open_tiny: Callable[..., CardRunner]) -> None:
    runner = open_tiny()
    runner.close()
    runner.close()
    with pytest.raises(BackendError, match="zoo/tiny: closed; open it again"):
        runner(_levels().astype(np.float32))


def test_an_absent_interpreter_is_not_run(
    open_tiny: Callable[..., CardRunner], vacc_rig: Rig
) -> None:
    with pytest.raises(NotRunError, match=r"no-such-python.*rig\.toml"):
        open_tiny(rig=replace(vacc_rig, python="no-such-python"))


def test_two_sessions_of_one_process_share_a_die(
    fake_vsx: Plan, fake_model: MakeModel, vacc_rig: Rig
) -> None:
    lr = _levels().astype(np.float32)
    models = [_card_model(fake_model(_SHAPE, name=name)) for name in ("one", "two")]
    impatient = replace(vacc_rig, limits=replace(vacc_rig.limits, wait_s=0.001))
    with (
        CardRunner.open(models[0], vacc_rig, sdk="2.8") as first,
        CardRunner.open(models[1], impatient, sdk="2.8") as second,
    ):
        np.testing.assert_array_equal(first(lr), second(lr))


def test_an_interrupted_call_ends_the_session(
    open_tiny: Callable[..., CardRunner], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = open_tiny()
    with monkeypatch.context() as patch:

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("sr_bench.backends.vacc.run.runtime.json.loads", interrupt)
        with pytest.raises(KeyboardInterrupt):
            runner(_levels().astype(np.float32))
    with pytest.raises(BackendError, match="interrupted; open it again"):
        runner(_levels().astype(np.float32))


def test_a_worker_that_cannot_be_ended_keeps_later_sessions_off_the_die(
    open_tiny: Callable[..., CardRunner],
    vacc_cache: Path,
    vacc_rig: Rig,
    given_up: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hasty = replace(vacc_rig, limits=replace(vacc_rig.limits, grace_s=0.2))
    runner = open_tiny("hang", hasty)
    group = runner._process._group
    with monkeypatch.context() as patch:  # as a process that waits inside the driver
        patch.setattr(process.os, "killpg", lambda *_: None)
        patch.setattr(process.os, "kill", lambda *_: None)
        with pytest.raises(DeviceError, match="still uses the die") as raised:
            runner(_levels().astype(np.float32))
        assert raised.value.failure is Failure.TIMEOUT
    model = replace(runner._model, name="zoo/other")
    with pytest.raises(NotRunError, match=f"process {group.pid}, .* still uses die 0"):
        CardRunner.open(model, hasty, sdk="2.8")
    assert group.end(20.0) is not None
    monkeypatch.delenv("FAKE_VSX")
    with CardRunner.open(model, vacc_rig, sdk="2.8"):
        pass
    assert not list((vacc_cache / "journal").iterdir())


def test_a_model_that_a_restart_cut_short_is_quarantined(
    open_tiny: Callable[..., CardRunner], vacc_cache: Path, vacc_rig: Rig
) -> None:
    runner = open_tiny()
    [entry] = (vacc_cache / "journal").iterdir()
    left = json.loads(entry.read_text()) | {"boot": "another"}
    runner.close()
    entry.write_text(json.dumps(left))
    with pytest.raises(NotRunError, match="this machine was restarted while zoo/tiny fp16 ran"):
        CardRunner.open(runner._model, vacc_rig, sdk="2.8")
