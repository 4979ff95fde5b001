"""Torch files of unknown origin: judged before torch reads them, and read within limits."""

import pickle
import re
import warnings
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import torch

from sr_bench.errors import CheckpointError
from sr_bench.zoo.checkpoints_pickle import danger

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"  # how torch files start, since torch 1.6 and before
_PICKLES = 5  # a file from before the zip format starts with so many; the weights follow
# What torch's weights-only reader names when it refuses anything but plain tensors.
_UNSAFE = re.compile(r"GLOBAL \S+|operand \d+|function \S+|TorchScript archive")


class _DangerError(Exception):
    """The file asks for more than tensors; the message names what."""


class _OtherKindError(Exception):
    """The file is whole, but no file of torch.save; the message says what it is."""


def read_torch(path: Path) -> object:
    """Return the content of the torch file at `path`, its tensors on the CPU.

    No code of the file runs, no more is unpacked than the file has bytes, and a flipped bit in a
    zip file is noticed.

    Raises:
        CheckpointError: It is no torch file, corrupt, compressed, or holds more than tensors.
    """
    data = path.read_bytes()
    if not data.startswith((_ZIP, _PICKLE)):
        msg = f"{path}: not a torch file: it starts with {data[:4]!r}. Was a web page downloaded?"
        raise CheckpointError(msg)
    try:
        judged = BytesIO(data)
        if data.startswith(_ZIP):
            judged = _judged_zip(data)
        else:
            for _ in range(_PICKLES):
                _judge(judged)
            judged.seek(0)
        # The warnings that torch gives here are about files that it then refuses.
        with warnings.catch_warnings(action="ignore"):
            return torch.load(judged, map_location="cpu", weights_only=True)
    # A corrupt file makes a reader fail in any way: KeyError, EOFError, struct.error, ...
    except Exception as error:
        msg = f"{path}: {_fault(error)}"
        raise CheckpointError(msg) from error


def _fault(error: Exception) -> str:
    if isinstance(error, _OtherKindError):
        return f"expected a file of torch.save, but {error}"
    if "opcode FRAME" in str(error):
        return (
            "written with pickle protocol 4 or later, which torch's safe reader does not read: "
            "save it by torch.save without pickle_protocol"
        )
    culprit = _UNSAFE.search(str(error))
    named = str(error) if isinstance(error, _DangerError) else ""
    if culprit and isinstance(error, pickle.UnpicklingError | RuntimeError):
        named = culprit[0]
    if named:
        return (
            "refused as unsafe: the file holds more than tensors, and loading it could run code"
            f" ({named:.200}). Ask for a plain state dict or safetensors"
        )
    why = f" ({error})" if isinstance(error, ValueError) else ""
    return f"the torch file can't be read{why:.300}, truncated perhaps; download it again"


def _judged_zip(data: bytes) -> BytesIO:
    """Return the records of the zip file `data` as a new one, which torch may read.

    Torch's reader and ours could take one file for two archives; of the new one there is only
    one reading.
    """
    copy = BytesIO()
    with ZipFile(BytesIO(data)) as given, ZipFile(copy, "w", ZIP_STORED) as rewritten:
        _check_kind(given.namelist())
        _check_records(given.infolist(), len(data))
        for record in given.infolist():
            content = given.read(record)
            if record.filename.lower().endswith("data.pkl"):  # torch looks in any case
                _judge(BytesIO(content))
            rewritten.writestr(ZipInfo(record.filename), content)  # nothing else of it is kept
    copy.seek(0)
    return copy


def _check_kind(names: list[str]) -> None:
    if any(name.endswith("/constants.pkl") for name in names):
        msg = (
            "it is a TorchScript archive, which is a program: where you trust it, save "
            "torch.jit.load(FILE).state_dict() by torch.save"
        )
        raise _OtherKindError(msg)
    if not any(name.lower().endswith("data.pkl") for name in names):
        msg = "it is a zip file without data.pkl, as numpy's are: save the state dict by torch.save"
        raise _OtherKindError(msg)


def _check_records(records: list[ZipInfo], size: int) -> None:
    """Refuse what unpacks to more than the file has bytes.

    Raises:
        ValueError: A record is compressed, occurs twice or overlaps with another one.
    """
    if any(record.compress_type != ZIP_STORED for record in records):
        msg = "its records are compressed, which torch.save does not do: unzip it and save it again"
        raise ValueError(msg)
    if len({record.filename for record in records}) != len(records):
        msg = "two of its records have one name"
        raise ValueError(msg)
    if sum(record.file_size for record in records) > size:
        msg = "its records are larger than the file"
        raise ValueError(msg)


def _judge(stream: BinaryIO) -> None:
    if refused := danger(stream):
        raise _DangerError(refused)
