"""Weight files that are broken or made to harm: our error, and no other effect."""

import io
import json
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from sr_bench.core.card import ModelCard
from sr_bench.errors import CheckpointError
from sr_bench.zoo.checkpoints.ncnn import read_ncnn
from tests.fuzz.bytes_inputs import broken, fresh, fuzzed
from tests.zoo.checkpoints.ncnn_files import layer_of, write
from tests.zoo.checkpoints.reading import load_state

STATE = {"params": {"a.weight": torch.arange(24.0).reshape(2, 3, 2, 2), "a.bias": torch.ones(2)}}
HUGE = st.sampled_from((0, 1, 2, 24, 25, -1, 255, 2**31 - 1, 2**40, 2**62, 2**63, -(2**63), 2**900))


HEADER_KEYS = ("a", "dtype", "shape", "data_offsets", "__metadata__", "\ud800")


def saved(content: object, *, legacy: bool = False) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue()


def zipped(program: bytes, storage: bytes = bytes(96)) -> bytes:
    """Return a torch file whose pickle is `program`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in (("data.pkl", program), ("data/0", storage), ("version", b"3\n")):
            archive.writestr(f"w/{name}", data)
    return stream.getvalue()


def number(value: int) -> bytes:
    """Return an object whose pickle holds `value`."""
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def stored_tensor(
    count: int, offset: int, size: list[int], stride: list[int], kind: str, key: str
) -> bytes:
    """Return an object whose pickle holds a tensor of `size` over a storage of `count` elements."""
    storage = b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu")
    views = b"".join(b"(" + b"".join(map(number, part)) + b"t" for part in (size, stride))
    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(count) + b"tQ"
    return rebuilt + number(offset) + views + b"\x89}tR"


def dict_of(name: bytes, value: bytes) -> bytes:
    return b"\x80\x02}" + name + value + b"s."


@fuzzed
@given(data=broken(saved(STATE)))
def test_a_broken_zip_checkpoint_loads_or_is_our_error(data: bytes, tmp_path: Path) -> None:
    with suppress(CheckpointError):
        load_state(fresh(tmp_path, "w.pth", data))


@fuzzed
@given(data=broken(saved(STATE, legacy=True)))
def test_a_broken_old_checkpoint_loads_or_is_our_error(data: bytes, tmp_path: Path) -> None:
    with suppress(CheckpointError):
        load_state(fresh(tmp_path, "w.pth", data))


@fuzzed
@given(data=broken(save(STATE["params"]), save({}, {"a": "b"})))
def test_a_broken_safetensors_file_loads_or_is_our_error(data: bytes, tmp_path: Path) -> None:
    with suppress(CheckpointError):
        load_state(fresh(tmp_path, "w.safetensors", data))


@fuzzed
@given(
    count=HUGE,
    offset=HUGE,
    size=st.lists(HUGE, max_size=5),
    stride=st.lists(HUGE, max_size=5),
    kind=st.sampled_from(("FloatStorage", "HalfStorage", "ByteStorage", "Size", "Tensor")),
    key=st.sampled_from(("0", "1", "../data.pkl", "", "\ud800")),
)
def test_a_tensor_of_odd_size_loads_or_is_our_error(
    count: int, offset: int, size: list[int], stride: list[int], kind: str, key: str, tmp_path: Path
) -> None:
    program = dict_of(text("a"), stored_tensor(count, offset, size, stride, kind, key))
    with suppress(CheckpointError):
        load_state(fresh(tmp_path, "w.pth", zipped(program)))


MODULE = b"".join(text(name) + b"}q\x03" for name in ("_parameters", "_buffers", "_modules"))

_PIECES = (
    *(bytes([code]) for code in b"(tlds}]).RQbeau0120N\x81\x85\x86\x87\x88\x89\x8f\x93\x94"),
    *(b"\x90", b"\x91", b"\x92", b"2", b"o", b"\x95" + bytes(8)),
    *(b"cusers\nNet\n", b")\x81}(" + MODULE + b"ub"),
    *(text(name) for name in ("_parameters", "_modules", "module", "storage", "cpu")),
    *(f"c{name}\n".encode() for name in ("numpy\ndtype", "numpy._core.multiarray\n_reconstruct")),
    *(f"c{name}\n".encode() for name in ("_codecs\nencode", "collections\nCounter")),
    b"C\x04abcd",
    *(b"q" + bytes([at]) for at in range(4)),
    *(b"h" + bytes([at]) for at in range(4)),
    *(f"c{name}\n".encode() for name in ("os\nsystem", "builtins\neval", "builtins\nbytearray")),
    *(f"c{name}\n".encode() for name in ("collections\nOrderedDict", "torch\nTensor")),
    *(f"c{name}\n".encode() for name in ("torch._utils\n_rebuild_parameter", "torch\nSize")),
    *map(number, (0, 1, -1, 2**40)),
    *map(text, ("params", "a", "keys", "items", "__class__", "touch ran", "")),
    stored_tensor(24, 0, [2, 3], [3, 1], "FloatStorage", "0"),
)


@fuzzed
@given(program=st.lists(st.sampled_from(_PIECES), max_size=40).map(b"".join))
def test_any_pickle_loads_or_is_our_error(
    program: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with suppress(CheckpointError):
        load_state(fresh(tmp_path, "w.pth", zipped(b"\x80\x02}" + program + b".")))
    assert [path.name for path in tmp_path.iterdir()] == ["w.pth"]


LAYERS = [
    layer_of(layer)
    for layer in (torch.nn.Conv2d(3, 2, 3), torch.nn.PReLU(2), torch.nn.Linear(2, 2))
]


def ncnn_files(folder: Path) -> tuple[bytes, bytes]:
    path = write(folder / "w.param", LAYERS)
    return path.read_bytes(), path.with_suffix(".bin").read_bytes()


@fuzzed
@given(at=st.sampled_from((0, 1)), data=st.data())
def test_broken_files_of_ncnn_load_or_are_our_error(
    at: int, data: st.DataObject, tmp_path: Path
) -> None:
    given = list(ncnn_files(tmp_path))
    given[at] = data.draw(broken(given[at]))
    path = fresh(tmp_path, "w.param", given[0])
    fresh(tmp_path, "w.bin", given[1])
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.PReLU(2))
    card = ModelCard(*("m", "zoo", tmp_path, "", "", 2, "none"), counted_shape=(3, 4, 4))
    with suppress(CheckpointError):
        read_ncnn(card, net, path)


@fuzzed
@given(
    header=st.recursive(
        st.none() | HUGE | st.text(max_size=4) | st.sampled_from((True, "F32", "F16", "F8_E4M3")),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(HEADER_KEYS), inner)
        ),
        max_leaves=12,
    ),
    length=st.none() | HUGE,
)
def test_any_safetensors_header_loads_or_is_our_error(
    header: object, length: int | None, tmp_path: Path
) -> None:
    body = json.dumps(header).encode()
    announced = len(body) if length is None else length % 2**64
    data = struct.pack("<Q", announced) + body + bytes(96)
    with suppress(CheckpointError):
        load_state(fresh(tmp_path, "w.safetensors", data))
