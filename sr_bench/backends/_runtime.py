"""A runtime of others that reads our ONNX files: an optional package, checked when it opens one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends import onnxruntime
from sr_bench.backends._self_check import agreement, expected_of, int8_kernel
from sr_bench.backends._session import CheckedSession, Infer
from sr_bench.core.backend import DEFAULT_OPTIONS, Artefact, BackendInfo, BackendOptions, Session
from sr_bench.core.precision import Precision
from sr_bench.errors import NotRunError, SrBenchError

_ABSENT = "not installed"
_LONGEST = 300  # of what a runtime says


@dataclass(frozen=True)
class Opened:
    """A file that a runtime has opened."""

    infer: Infer
    integer_layers: Callable[[], int] | None = None
    """Returns, after a run, how many layers are computed in integers; None if none can tell."""


Load = Callable[[Path, int], Opened]
"""Opens a file, each of whose runs uses so many threads; raises whatever the runtime raises."""


def for_threads(make: Callable[[], Infer]) -> Infer:
    """Return a function that several threads may call, of ones that take one image at a time.

    `make` is called for the first, and again whenever all that were made are at work.
    """
    idle = [make()]

    def infer(lr: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            free = idle.pop()  # in one step: threads may not share one
        except IndexError:
            free = make()
        output = free(lr)
        idle.append(free)
        return output

    return infer


@dataclass(frozen=True)
class Runtime:
    """A runtime whose package and extra have its name."""

    name: str
    load: Load
    dtypes: tuple[str, ...]
    """Those in which it truly computes."""
    note: str
    """How, in one sentence."""

    @property
    def version(self) -> str:
        """The installed version."""
        try:
            return version(self.name)
        except PackageNotFoundError:
            return _ABSENT

    def describe(self, options: BackendOptions = DEFAULT_OPTIONS) -> BackendInfo:
        """Say what this backend is, or what to install."""
        absent = self.version == _ABSENT
        note = f"pip install 'sr-bench[{self.name}]'" if absent else self.note
        return BackendInfo(self.name, self.version, "cpu", emulated=False, note=note)

    def precisions(self, options: BackendOptions = DEFAULT_OPTIONS) -> tuple[Precision, ...]:
        """Return what can run here now; nothing if the package is absent."""
        if self.version == _ABSENT:
            return ()
        return tuple(each for each in Precision.all() if each.dtype in self.dtypes)

    def open_session(
        self, artefact: Artefact, *, threads: int = 1, options: BackendOptions = DEFAULT_OPTIONS
    ) -> Session:
        """Open `artefact`, whose ONNX file is already in its precision, and check what it gives.

        Raises:
            BackendError: The file can't be read or is not in its precision, or this version of the
                runtime reads it wrongly.
            NotRunError: The runtime is absent, there is no ONNX file, or the runtime can't take it.
        """
        dtype = artefact.precision.dtype
        if artefact.precision not in self.precisions():
            what = "" if self.version == _ABSENT else f" does not offer {artefact.precision}"
            msg = f"{self._called}{what}: {self.describe().note}"
            raise NotRunError(msg)
        if artefact.onnx is None:
            msg = f"{self.name} needs an ONNX file, and this network has none; use --backend=torch"
            raise NotRunError(msg)
        reference = onnxruntime.open_onnx(artefact, threads=1).fitted
        expected = expected_of(reference)
        with self._telling(reference.told):
            opened = self.load(artefact.onnx, threads)
            outputs = [opened.infer(each.image) for each in expected]
            kernel = _kernel(self) if dtype == "int8" else ""
            notes = {"agreement": agreement(outputs, expected, dtype)}
        if kernel:
            notes |= {"int8_kernel": f"by {self.name} {kernel}", **_layers(opened, artefact.onnx)}
        mine = replace(reference, backend=self.name, infer=opened.infer)
        return CheckedSession(mine, backend=self.name, device="cpu", notes=notes)

    @property
    def _called(self) -> str:
        return f"{self.name} {self.version}"

    @contextmanager
    def _telling(self, told: Path) -> Iterator[None]:
        """Say in errors what of this runtime; it can't take the file `told` if it raises one."""
        try:
            yield
        except SrBenchError as error:
            where = f"{self._called}, {told}"
            raise error.about(where) from error
        # Runtimes' exceptions have no common base but Exception.
        except Exception as error:
            text = str(error).partition("Stack backtrace")[0] or type(error).__name__
            said = " ".join(text.split())[:_LONGEST]
            msg = (
                f"{self._called} can't run {told}, which onnxruntime can: {said}; rerun with"
                " --backend=onnxruntime"
            )
            raise NotRunError(msg) from error


@cache  # a process keeps its processor and its packages
def _kernel(runtime: Runtime) -> str:
    return int8_kernel(lambda path: runtime.load(path, 1).infer)


def _layers(opened: Opened, path: Path) -> Mapping[str, str]:
    import onnx

    from sr_bench.backends.onnxruntime.int8 import told_layers  # loads onnx

    if opened.integer_layers is None:
        return {}
    model = onnx.load(path, load_external_data=False)
    return {"int8_layers": told_layers(opened.integer_layers(), model)}
