"""Files of torch.save, of any version and origin: read within limits, and none of it is run."""

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from math import prod
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import torch
from torch import Tensor

from sr_bench.errors import CheckpointError
from sr_bench.zoo.checkpoints.objects import Storage, StoredTensor, UnsafeError, referred
from sr_bench.zoo.checkpoints.pickle import read_pickle

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"  # how torch files start, since torch 1.6 and before
_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a file from before the zip format

_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
}

Records = Callable[[Storage], bytearray]
"""The bytes of a storage, all that the file has of it."""


def kind_of(tensor: Tensor | StoredTensor) -> torch.dtype | None:
    """Return the type of the values of `tensor`; None if it is none that torch has."""
    if isinstance(tensor, Tensor):
        return tensor.dtype
    name = tensor.storage.kind
    kind = _STORAGES.get(name) or getattr(torch, name, None)
    return kind if isinstance(kind, torch.dtype) else None


class _OtherKindError(Exception):
    """The file is whole, but no file of torch.save; the message says what it is."""


class TorchFile:
    """A file of torch.save: its content, and the values of the tensors in it.

    No code of the file runs, no more is unpacked than the file has bytes, and a flipped bit in a
    zip file is noticed when a tensor is read.

    Attributes:
        content: Plain data, `StoredTensor` and `StandIn`, as of `read_pickle`.

    Raises:
        CheckpointError: It is no torch file, corrupt, compressed, or asks for foreign code.
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        if not data.startswith((_ZIP, _PICKLE)):
            msg = (
                f"{path}: not a torch file: it starts with {data[:4]!r}. Was a web page downloaded?"
            )
            raise CheckpointError(msg)
        read = _read_zip if data.startswith(_ZIP) else _read_old
        try:
            self.content, self._records = read(data)
        # A corrupt file makes a reader fail in any way: KeyError, EOFError, struct.error, ...
        except Exception as error:
            msg = f"{path}: {_fault(error)}"
            raise CheckpointError(msg) from error

    def values(self, stored: Tensor | StoredTensor) -> Tensor:
        """Return `stored` with its values, on the CPU, in the type that the file has.

        Raises:
            CheckpointError: The values aren't there, or not of a type that weights have; without
                the file's name.
        """
        if isinstance(stored, Tensor):
            return stored
        if (kind := kind_of(stored)) is None:
            got = stored.storage.kind
            msg = f"expected plain numbers, got values of the type {got}"
            raise CheckpointError(msg)
        try:
            return _view(self._records(stored.storage), kind, stored)
        except Exception as error:
            msg = _fault(error)
            raise CheckpointError(msg) from error


def _view(data: bytearray, kind: torch.dtype, stored: StoredTensor) -> Tensor:
    """Return what `stored` shows of the storage whose bytes are `data`."""
    if not prod(stored.shape):
        return torch.empty(stored.shape, dtype=kind)
    begin, count = stored.storage.begin, stored.storage.count
    count = len(data) // kind.itemsize - begin if count is None else count
    if (begin + count) * kind.itemsize > len(data):
        msg = f"a storage has {len(data)} bytes instead of {count * kind.itemsize}"
        raise ValueError(msg)
    flat = torch.frombuffer(data, dtype=kind, count=count, offset=begin * kind.itemsize)
    return flat.as_strided(stored.shape, stored.stride, stored.offset)


def _fault(error: Exception) -> str:
    if isinstance(error, _OtherKindError):
        return f"expected a file of torch.save, but {error}"
    if isinstance(error, UnsafeError) and "_rebuild_qtensor" in str(error):
        return (
            "it holds quantised tensors: give the float weights that they were made from, or the "
            "quantised network as an ONNX file under [model.onnx_by_precision]"
        )
    if isinstance(error, UnsafeError):
        return (
            "refused as unsafe: the file holds more than tensors, and loading it could run code"
            f" ({error!s:.200}). Ask for a plain state dict or safetensors"
        )
    why = f" ({error})" if isinstance(error, ValueError) else ""
    return f"the torch file can't be read{why:.300}, truncated perhaps; download it again"


def _read_zip(data: bytes) -> tuple[object, Records]:
    archive = ZipFile(BytesIO(data))
    names = archive.namelist()
    _check_kind(names)
    _check_records(archive.infolist(), len(data))
    root = next(name for name in names if _is_pickle(name)).removesuffix("data.pkl")
    with suppress(KeyError):  # files of older versions don't say it
        _check_order(archive.read(f"{root}byteorder") != b"big")

    @lru_cache(maxsize=1)  # tensors that share a storage follow each other
    def record(key: str) -> bytearray:
        return bytearray(archive.read(f"{root}data/{key}"))

    content = read_pickle(BytesIO(archive.read(f"{root}data.pkl")))
    return content, lambda storage: record(storage.key)


def _read_old(data: bytes) -> tuple[object, Records]:
    """Read a file from before the zip format: five pickles, then the storages."""
    stream = BytesIO(data)
    if read_pickle(stream) != _MAGIC:
        msg = "it is a pickle of something else: save the state dict by torch.save"
        raise _OtherKindError(msg)
    read_pickle(stream)  # the version of the format
    system = read_pickle(stream)
    _check_order(not isinstance(system, dict) or system.get("little_endian") is not False)
    kinds: dict[str, str] = {}

    def refer(identity: object) -> object:
        if isinstance(found := referred(identity), Storage):
            kinds[found.key] = found.kind
        return found

    content, keys = read_pickle(stream, refer), read_pickle(stream)
    if not isinstance(keys, list):
        msg = "it does not list its storages"
        raise TypeError(msg)
    places = _places(data, stream.tell(), [(key, kinds[key]) for key in keys])
    return content, lambda storage: bytearray(data[places[storage.key]])


def _places(data: bytes, begin: int, storages: list[tuple[str, str]]) -> dict[str, slice]:
    """Return where each storage is; before each stands the number of its values."""
    places = {}
    for key, kind in storages:
        count = int.from_bytes(data[begin : begin + 8], "little")
        end = begin + 8 + count * _STORAGES[kind].itemsize
        if end > len(data):
            msg = f"storage {key} ends behind the file"
            raise ValueError(msg)
        places[key], begin = slice(begin + 8, end), end
    return places


def _check_kind(names: list[str]) -> None:
    if any(name.endswith("/constants.pkl") for name in names):
        msg = (
            "it is a TorchScript archive, which is a program: where you trust it, save "
            "torch.jit.load(FILE).state_dict() by torch.save"
        )
        raise _OtherKindError(msg)
    pickles = sorted({name for name in names if _is_pickle(name)})
    if not pickles:
        msg = "it is a zip file without data.pkl, as numpy's are: save the state dict by torch.save"
        raise _OtherKindError(msg)
    if len(pickles) > 1:
        msg = f"it holds {' and '.join(pickles)}, of which only one can be meant"
        raise ValueError(msg)


def _is_pickle(name: str) -> bool:
    return name.rpartition("/")[2] == "data.pkl"


def _check_order(little: bool) -> None:
    if not little:
        msg = "it was written on a big-endian machine: save it again on a little-endian one"
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
