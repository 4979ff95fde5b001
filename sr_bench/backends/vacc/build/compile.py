"""Compile a network for the card, which may take hours, and keep the result.

A build happens in a folder of its own, whose build file names only paths inside it and the ONNX
file. A good one is moved into the cache as a whole; a bad one is kept apart, to be looked at and
repeated by hand.
"""

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from onnx import ModelProto
from pydantic import ValidationError

from sr_bench.backends.vacc.build.vamc_yaml import Build, build_of, build_text
from sr_bench.backends.vacc.rig import Rig, rig_path
from sr_bench.backends.vacc.watchdog import CommandResult, classify, run_command
from sr_bench.core.device import CompilerInput, Failure, Shape
from sr_bench.errors import BackendError, DeviceError, NotRunError, SrBenchError
from sr_bench.files.atomic import write_bytes, write_text
from sr_bench.files.cache import cache_dir
from sr_bench.files.disk import disk_error
from sr_bench.files.hashing import sha256_bytes, sha256_file
from sr_bench.files.lock import held
from sr_bench.files.onnx_file import inputs, load_onnx
from sr_bench.files.temporary import temporary_folder
from sr_bench.files.validation import Table
from sr_bench.imaging.files import write_png

_PARTS = ("mod.json", "mod.so", "mod.params")
_BUILD, _LOG, _NOTE = "build.yaml", "vamc.log", "made.json"
_CALIBRATION, _WORKSPACE = Path("calibration"), Path("deploy_weights")
_NETWORK = Path("network.onnx")

_VERSION = re.compile(r"\d+(\.\d+)+")

# How images get the network's size; a part of the key of a build.
_FITTING = "cut in the middle, mirrored where too small"


@dataclass(frozen=True)
class Compiled:
    """A network that the card can run."""

    prefix: Path
    """Path of its three files without their extensions."""
    digest: str
    """Of all that decides them."""
    seconds: float
    """That the compiler took, now or when it made them."""
    cached: bool
    """Whether they were there already."""


class _BuildNote(Table):
    """What is noted beside a good build, once it is whole."""

    seconds: float
    files: dict[str, str]  # SHA-256 by file name


def compiler_version(rig: Rig) -> str:
    """Return the line of ``vamc --version`` that holds a version number.

    One public guide has this option, and nobody says what it prints: where it fails or prints no
    number, the result stands for the command's file and changes when that is replaced.

    Raises:
        NotRunError: The compiler is not here.
    """
    command = _command(rig)
    with temporary_folder() as folder:
        outcome = run_command(
            [str(command), "--version"],
            limit_s=rig.limits.probe_s,
            grace_s=rig.limits.grace_s,
            log=Path(folder, _LOG),
            cwd=Path(folder),
        )
    lines = [line.strip() for line in outcome.log.splitlines() if _VERSION.search(line)]
    if lines and classify(outcome) is None:
        return lines[-1]
    file = command.stat()
    digest = sha256_bytes(f"{command} {file.st_mtime_ns} {file.st_size}".encode())
    return f"vamc of unknown version ({digest[:12]})"


def compile_network(source: CompilerInput, shape: Shape, rig: Rig, *, version: str) -> Compiled:
    """Return `source` compiled for inputs of `shape`, from the cache if it is there.

    Where another process compiles the same, this waits for it. `version` is the compiler's.

    Raises:
        NotRunError: The compiler is not here.
        DeviceError: It failed; its input and its log are kept.
        BackendError: The network or its plan is not one that can be compiled.
        SrBenchError: The cache can't be written.
    """
    network, build = _planned(source, shape)
    digest = _digest(source, network, build, version)
    # Only now: the digest must not depend on where the file lies.
    build = replace(build, checkpoint=source.onnx.absolute())
    folder = (source.kept_in or cache_dir()) / "vacc" / "compiled" / digest
    limit_s = rig.limits.compile_s
    busy = f"another process has been compiling into {folder} for more than {limit_s:g} s"
    # Beside the folder, which is removed and renamed while the lock is held.
    lock = FileLock(f"{folder}.lock")
    with held(lock, wait_s=limit_s, busy=DeviceError(Failure.TIMEOUT, busy)):
        kept = _kept(folder, build, source.since)
        note = kept or _compiled(source, build, shape[2:], rig, folder)
    return Compiled(_prefix(folder, build), digest, note.seconds, cached=kept is not None)


def plan_build(source: CompilerInput, shape: Shape, folder: Path | None = None) -> Build:
    """Return the build file; write all input of ``vamc compile build.yaml`` to `folder`, if given.

    That is ``build.yaml``, ``network.onnx`` and for int8 the images in ``calibration``.

    Raises:
        BackendError: The network can't be read or has several inputs, or can't be calibrated.
        SrBenchError: A file can't be written.
    """
    network, build = _planned(source, shape)
    if folder is not None:
        write_bytes(folder / _NETWORK, network.SerializeToString())
        _write_input(source, build, shape[2:], folder)
    return build


def _planned(source: CompilerInput, shape: Shape) -> tuple[ModelProto, Build]:
    """Return the network, and the build file, in which all paths are relative."""
    # What lies beside the ONNX file is read into it, so that a digest is of that too.
    network = load_onnx(source.onnx)
    names = [value.name for value in inputs(network)]
    if len(names) != 1:
        msg = f"{source.onnx}: expected a network with one input, got {names}"
        raise BackendError(msg)
    build = build_of(
        source,
        input_name=names[0],
        shape=shape,
        checkpoint=_NETWORK,
        calibration=_CALIBRATION,
        workspace=_WORKSPACE,
    )
    return network, build


def _digest(source: CompilerInput, network: ModelProto, build: Build, version: str) -> str:
    """Return the digest of all that decides the result."""
    facts = [
        sha256_bytes(network.SerializeToString(deterministic=True)),
        build_text(build),
        *((source.calibration_digest, _FITTING) if build.dataset else ()),
        version,
    ]
    return sha256_bytes("\n".join(facts).encode())


def _prefix(folder: Path, build: Build) -> Path:
    return folder / _WORKSPACE / build.name / "mod"


def _kept(folder: Path, build: Build, since: float) -> _BuildNote | None:
    """Return the note of the build in `folder`; None if it is absent, older or damaged."""
    try:
        if (folder / _NOTE).stat().st_mtime < since:
            return None
        note = _BuildNote.model_validate_json((folder / _NOTE).read_bytes())
        return note if note.files == _digests(_prefix(folder, build)) else None
    except (OSError, ValidationError, SrBenchError):
        return None


def _digests(prefix: Path) -> dict[str, str]:
    return {part: sha256_file(prefix.with_name(part)) for part in _PARTS}


def _compiled(
    source: CompilerInput, build: Build, size: tuple[int, int], rig: Rig, folder: Path
) -> _BuildNote:
    """Compile in a folder of our own and move it to `folder`."""
    command = _command(rig)
    work = folder.with_name(f"{folder.name}.partial")
    try:
        # Only who holds the lock comes here: what is there was left by a process that died.
        shutil.rmtree(work, ignore_errors=True)
        _write_input(source, build, size, work)
        outcome = run_command(
            [str(command), "compile", _BUILD],
            limit_s=rig.limits.compile_s,
            grace_s=rig.limits.grace_s,
            log=work / _LOG,
            cwd=work,
        )
        if failure := _failure(outcome, _prefix(work, build), newer_than=work / _BUILD):
            raise _failed(failure, source, work, folder)
        shutil.rmtree(work / _CALIBRATION, ignore_errors=True)
        note = _BuildNote(seconds=outcome.seconds, files=_digests(_prefix(work, build)))
        write_text(work / _NOTE, note.model_dump_json())
        # A damaged build may be there, and no folder is renamed onto a full one.
        shutil.rmtree(folder, ignore_errors=True)
        work.rename(folder)
    except OSError as error:
        raise disk_error(error, folder, "compile into") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return note


def _write_input(source: CompilerInput, build: Build, size: tuple[int, int], work: Path) -> None:
    """Write the calibration images and then, to be older than all results, the build file."""
    if build.dataset:
        for number, load in enumerate(source.calibration):
            write_png(work / _CALIBRATION / f"{number:04}.png", fitted(load(), size))
    write_text(work / _BUILD, build_text(build))


def _failure(
    outcome: CommandResult, prefix: Path, *, newer_than: Path
) -> tuple[Failure, str] | None:
    """Return why a build is not good: how the compiler ended, or what is wrong with its files."""
    if failure := classify(outcome, otherwise=Failure.COMPILE_FAILED):
        return failure, outcome.describe()
    # The compiler may end well and write nothing: what is older is of an earlier build.
    start = newer_than.stat().st_mtime_ns
    for file in (prefix.with_name(part) for part in _PARTS):
        if not file.is_file():
            fault = "absent"
        elif not file.stat().st_size:
            fault = "empty"
        elif file.stat().st_mtime_ns < start:
            fault = "older than the build"
        else:
            continue
        return Failure.COMPILE_FAILED, f"{file.name} is {fault}: the compiler {outcome.describe()}"
    return None


def _failed(
    why: tuple[Failure, str], source: CompilerInput, work: Path, folder: Path
) -> DeviceError:
    """Keep a failed build, and return the error to raise."""
    kept = folder.parent.with_name("failed") / folder.name
    # Of one build the last failure is kept.
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(exist_ok=True)
    work.rename(kept)
    failure, reason = why
    msg = (
        f"{source.name} in {source.precision} was not compiled: {reason}\n"
        f"the log {_LOG} and what the compiler was given are kept in {kept}; "
        f"to repeat it run there: vamc compile {_BUILD}"
    )
    return DeviceError(failure, msg)


def _command(rig: Rig) -> Path:
    command = shutil.which(rig.vamc)
    if command is None:
        msg = (
            f"the card's compiler is not installed here: there is no command {rig.vamc!r}; "
            f"install it, or set vamc in {rig_path()} to its path"
        )
        raise NotRunError(msg)
    # It is run in another folder.
    return Path(command).absolute()


def fitted(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the middle of `image` in `size`, height and width; mirrored at its edges if smaller.

    Nothing is resampled: that would change the statistics that calibration is about.
    """
    missing = [max(0, want - have) for want, have in zip(size, image.shape, strict=False)]
    margins = [(gap // 2, gap - gap // 2) for gap in missing]
    filled = np.pad(image, [*margins, (0, 0)], mode="symmetric")
    top, left = ((have - want) // 2 for want, have in zip(size, filled.shape, strict=False))
    return filled[top : top + size[0], left : left + size[1]]
