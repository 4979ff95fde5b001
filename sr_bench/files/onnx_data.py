"""Read the tensors that an ONNX file keeps in files beside it, from nowhere else."""

import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np
import onnx
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]
from onnx import ModelProto, SparseTensorProto, TensorProto, numpy_helper
from onnx.external_data_helper import load_external_data_for_tensor

from sr_bench.files.hashing import sha256_unchanged

MAX_DENSE = 1 << 28
"""Elements of a sparse tensor: a file of some bytes can ask for terabytes."""


def read_external_data(model: ModelProto, path: Path, *, largest: float = math.inf) -> None:
    """Read into `model`, which is in the file at `path`, all tensors that lie beside that.

    Not those of more elements than `largest`.

    Both may be symbolic links, as in the cache of Hugging Face, where ``snapshots/1/net.onnx`` and
    its data lead to files of other names in one folder, ``blobs``.

    Raises:
        ValueError: A file is not in the network's folder, or is none.
    """
    for tensor in _tensors(model):
        if tensor.data_location != TensorProto.EXTERNAL or math.prod(tensor.dims) > largest:
            continue
        (entry,) = (entry for entry in tensor.external_data if entry.key == "location")
        file = data_file(path, entry.value)
        entry.value = file.name  # where no link is left: onnx follows none
        load_external_data_for_tensor(tensor, str(file.parent))
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def external_locations(path: Path) -> tuple[str, ...]:
    """Return what the ONNX file at `path` calls the files that hold some of its tensors, sorted.

    A tensor may be anywhere: a weight, a sparse one, an attribute, in a subgraph, a function, what
    a trained network keeps. None of a broken file, as opening that says what is wrong.
    """
    return _external_locations(path, sha256_unchanged(path))


@lru_cache(maxsize=256)
def _external_locations(path: Path, _digest: str) -> tuple[str, ...]:
    try:
        tensors = list(_tensors(onnx.load(path, load_external_data=False)))
    except DecodeError:
        return ()
    external = [each for each in tensors if each.data_location == TensorProto.EXTERNAL]
    entries = [entry for tensor in external for entry in tensor.external_data]
    return tuple(sorted({entry.value for entry in entries if entry.key == "location"}))


def data_file(path: Path, location: str) -> Path:
    """Return the file that the ONNX file at `path` calls `location`, links followed.

    Links may lead below the folder of `path`, or to the folder in which that itself really lies:
    a file that others made must not have any file of this computer read.

    Raises:
        ValueError: It leads elsewhere, or is no file.
    """
    name = PurePosixPath(location)
    file = path.parent.joinpath(name).resolve()
    beside = file.is_relative_to(path.parent.resolve()) or file.parent == path.resolve().parent
    if name.is_absolute() or ".." in name.parts or not beside:
        msg = (
            f"expected its data in a file beside it, got {location!r}, which leads to {file}; copy"
            " that file there"
        )
        raise ValueError(msg)
    if not file.is_file():
        msg = f"its data are in {location!r}, which is not beside it; put the file there"
        raise ValueError(msg)
    return file


def dense(sparse: SparseTensorProto) -> TensorProto:
    """Return `sparse`, a constant of which a file lists the values that are not 0, with all values.

    Raises:
        ValueError: It would have more than `MAX_DENSE` elements.
    """
    if (size := math.prod(sparse.dims)) > MAX_DENSE:
        msg = (
            f"the sparse tensor {sparse.values.name!r} has {size:,} elements; at most {MAX_DENSE:,}"
        )
        raise ValueError(msg)
    values, places = (numpy_helper.to_array(part) for part in (sparse.values, sparse.indices))
    whole = np.zeros(tuple(sparse.dims), values.dtype)
    whole[np.unravel_index(places, whole.shape) if places.ndim == 1 else tuple(places.T)] = values
    return numpy_helper.from_array(whole, sparse.values.name)


def _tensors(message: Message) -> Iterator[TensorProto]:
    """Yield the tensors in `message`, whatever holds them: weights, attributes, functions."""
    if isinstance(message, TensorProto):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type:
            for part in (value,) if isinstance(value, Message) else value:
                yield from _tensors(part)
