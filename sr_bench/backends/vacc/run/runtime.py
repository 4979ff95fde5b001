"""Run a compiled model on the card, image by image, and survive whatever the card does."""

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends.vacc.build.vdsp import vdsp_text
from sr_bench.backends.vacc.rig import Rig
from sr_bench.backends.vacc.run import worker
from sr_bench.backends.vacc.run.state import DeviceState
from sr_bench.backends.vacc.watchdog import CommandResult, classify, start
from sr_bench.core.device import Failure, Shape
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, DeviceError, NotRunError
from sr_bench.files.disk import disk_error
from sr_bench.files.temporary import temporary_folder
from sr_bench.system.output import with_tail

_LEVEL_SLACK = 1e-3  # float32 keeps 255 levels to 3e-5; an image that was resized is off by more


@dataclass(frozen=True)
class CardModel:
    """A model compiled for the card."""

    name: str
    """``family/model``."""
    precision: Precision
    prefix: Path
    """Path of its three files, without the extension."""
    shape: Shape
    """NCHW of the input that it is compiled for, with N = 1."""
    output_shape: Shape
    white: float
    """White level of the network's input."""
    feed: Literal["image", "tensor"]


class CardRunner:
    """An open model on a die: call it from any thread, close it once; also a context manager.

    After a failure the process that used the die has gone, and each further call fails alike.
    """

    def __init__(self, model: CardModel, process: "_Worker", held: ExitStack) -> None:
        self._model = model
        self._process = process
        self._held = held
        self._lock = Lock()
        self._over: BackendError | None = None

    @classmethod
    def open(
        cls, model: CardModel, rig: Rig, *, sdk: str, state: DeviceState | None = None
    ) -> Self:
        """Load `model` onto the rig's die, unless it is quarantined with this version of the SDK.

        `state` has the notes of processes about the dies; None: those in the cache folder.

        Raises:
            NotRunError: The model is quarantined, or the die or the interpreter can't be had.
            DeviceError: The card or its runtime failed.
            BackendError: The model can't be fed as asked.
        """
        notes = state or DeviceState()
        if model.shape[0] != 1 or model.output_shape[0] != 1:
            msg = f"{model.name}: expected a model compiled for one image, got shape {model.shape}"
            raise BackendError(msg)
        operators = vdsp_text(model.shape, model.white) if model.feed == "image" else ""
        if reason := notes.quarantined(model.name, model.precision, sdk):
            raise NotRunError(reason)
        with ExitStack() as held:
            limits = rig.limits
            held.enter_context(notes.die(rig.device, wait_s=limits.wait_s, settle_s=limits.grace_s))
            folder = Path(held.enter_context(temporary_folder()))
            _write_job(folder, model, rig.device, operators)
            process = _Worker(f"{model.name} {model.precision}", rig, folder)
            held.callback(process.end)
            # On disk before the die is touched: of a machine that freezes only this remains.
            entry = notes.begin(model.name, model.precision, sdk, rig.device, process.pid)
            process.entry = notes, entry
            process.ask("open", "ready", limits.open_s)
            return cls(model, process, held.pop_all())  # up to here a failure closes them

    def __call__(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output for `lr`, both float32 NCHW in the model's own shapes.

        Raises:
            DeviceError: The card or its runtime failed, now or in an earlier call.
            BackendError: `lr` has another shape, or for an image feed isn't of 8-bit levels; or
                this is closed.
        """
        with self._lock:
            if isinstance(self._over, DeviceError):
                text = str(self._over).removeprefix(f"{self._over.failure}: ")
                raise DeviceError(self._over.failure, f"failed earlier, not run again: {text}")
            if self._over:
                raise BackendError(str(self._over))
            given = _to_device(lr, self._model)
            try:
                return self._process.run(given)
            except DeviceError as error:
                self._end(error)
                raise
            except BaseException:  # the worker's answer would be taken for the next image's
                self._end(BackendError(f"{self._model.name}: interrupted; open it again"))
                raise

    def close(self) -> None:
        """End the worker and leave the die; a second call does nothing."""
        with self._lock:
            self._end(BackendError(f"{self._model.name}: closed; open it again"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _end(self, reason: BackendError) -> None:
        self._over = self._over or reason  # the first counts
        self._held.close()


class _Worker:
    """The process that uses the die."""

    def __init__(self, what: str, rig: Rig, folder: Path) -> None:
        self._what = f"{what} on die {rig.device}"
        self._limits = rig.limits
        self._folder = folder
        self._start = time.monotonic()
        self._count = 0
        self._ended = False
        self._channel, theirs = Pipe()
        self.entry: tuple[DeviceState, Path] | None = None
        argv = [rig.python, worker.__file__, "serve", str(folder), str(theirs.fileno())]
        try:
            self._group = start(argv, log=folder / "worker.log", pass_fds=[theirs.fileno()])
        except BaseException:
            self._channel.close()
            raise
        finally:
            # While a copy of its end is open here, we would not hear that it died.
            theirs.close()

    @property
    def pid(self) -> int:
        return self._group.pid

    def run(self, given: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        name = f"image-{self._count}"
        self._count += 1
        source, result = self._folder / f"{name}.in.npy", self._folder / f"{name}.out.npy"
        try:
            np.save(source, given)
        except OSError as error:
            raise disk_error(error, source, "write") from error
        self.ask(name, "done", self._limits.run_s)
        output: NDArray[np.float32] = np.load(result)
        source.unlink()
        result.unlink()
        return output

    def ask(self, command: str, last: str, limit_s: float) -> None:
        """Send `command` and wait for the phase `last`, `limit_s` at most for each until then.

        Raises:
            DeviceError: The worker failed, crashed or took too long; it has gone.
        """
        phase = command
        try:
            self._channel.send_bytes(command.encode())
            while phase != last:
                if not self._channel.poll(limit_s):
                    raise self._failed(phase, timed_out=True)
                answer = json.loads(self._channel.recv_bytes())
                if answer["phase"] == "error":
                    raise self._failed(phase, answer=answer)
                phase = answer["phase"]
        except (EOFError, OSError) as cause:
            raise self._failed(phase) from cause

    def end(self, *, wait: bool = True) -> int | None:
        """End the process, the first time, and return its status, None if it can't be ended."""
        if self._ended:
            return 0
        self._ended = True
        self._channel.close()  # which tells it to end by itself
        grace_s = self._limits.grace_s
        self._group.wait(grace_s if wait else 0)
        returncode = self._group.end(grace_s)
        if self.entry:
            state, path = self.entry
            if returncode is None:
                state.give_up(path)
            else:
                state.finish(path)
        return returncode

    def _failed(
        self, phase: str, *, timed_out: bool = False, answer: dict[str, Any] | None = None
    ) -> DeviceError:
        # A crash is found late if a process that it left behind keeps the channel open.
        timed_out = timed_out and not self._group.wait(0)
        returncode = self.end(wait=not timed_out)
        log = self._group.output.tail()
        message = str(answer["message"]) if answer else ""
        # Once it has said why, how it ended then says nothing.
        status = 1 if answer else returncode
        seconds = time.monotonic() - self._start
        outcome = CommandResult(status, timed_out, f"{message}\n{log}", seconds)
        failure = classify(outcome) or Failure.ERROR
        if answer and answer["wrong_output"]:
            failure = Failure.WRONG_OUTPUT
        text = with_tail(f"{self._what}, phase {phase}: {message or outcome.ending}", log)
        if returncode is None:
            text += (
                f"\n  process {self.pid} still uses the die, which no later run will; "
                "if it does not end, restart the machine"
            )
        return DeviceError(failure, text)


def _write_job(folder: Path, model: CardModel, device: int, operators: str) -> None:
    path = folder / "vdsp.json"
    if operators:
        path.write_text(operators)
    job = {
        "prefix": str(model.prefix),
        "device": device,
        "shape": model.shape,
        "output_shape": model.output_shape,
        "operators": str(path) if operators else "",
    }
    (folder / "job.json").write_text(json.dumps(job))


def _to_device(
    lr: NDArray[np.float32], model: CardModel
) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return what the worker is given: 8-bit levels (C, H, W), or `lr` itself."""
    if lr.shape != model.shape:
        msg = (
            f"{model.name}: compiled for {model.shape}, got an image of {lr.shape}; "
            "set the shape to compile for in the card, or one input shape in the protocol"
        )
        raise BackendError(msg)
    if model.feed == "tensor":
        # Asked this way round, as no comparison holds for NaN.
        if not np.abs(lr).max() <= np.finfo(np.float16).max:
            msg = f"{model.name}: the card takes fp16, and some input values are beyond its range"
            raise BackendError(msg)
        return lr
    levels = lr[0].astype(np.float64) * (255 / model.white)
    nearest: NDArray[np.float64] = np.rint(levels)
    off = np.abs(levels - nearest) > _LEVEL_SLACK
    if (off | (nearest < 0) | (nearest > 255)).any() or not np.isfinite(levels).all():
        msg = (
            f"{model.name}: the card is fed 8-bit images, and these input values are between the "
            'levels or beyond them, as of a resize in float; set feed = "tensor" in the card'
        )
        raise BackendError(msg)
    return nearest.astype(np.uint8)
