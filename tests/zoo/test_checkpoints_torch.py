"""Torch files made to harm are refused before any of it runs, is unpacked or allocated."""

import io
import pickle
import struct
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import pytest
import torch

from sr_bench.errors import CheckpointError
from sr_bench.zoo import checkpoints, checkpoints_pickle
from sr_bench.zoo.checkpoints import load_state
from sr_bench.zoo.checkpoints_pickle import danger

PLAIN = b"\x80\x02}X\x01\x00\x00\x00aK\x01s."


def zipped(path: Path, program: bytes, *, name: str = "w/data.pkl", how: int = 0) -> Path:
    """Write a torch file whose pickle is `program`."""
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr(name, program)
        archive.writestr("w/version", "3\n")
    return path


def calling(name: str, argument: bytes = b"X\x05\x00\x00\x00touch") -> bytes:
    """Return a pickle that calls `name`, as the value of a dict."""
    return b"\x80\x02}K\x01c" + name.replace(":", "\n").encode() + b"\n" + argument + b"\x85Rs."


@pytest.mark.parametrize(
    "name",
    [
        *("os:system", "posix:system", "subprocess:Popen", "builtins:eval", "builtins:exec"),
        *("builtins:getattr", "builtins:__import__", "builtins:bytearray", "pickle:loads"),
        *("torch:load", "torch.hub:load", "torch.jit:load", "torch:Tensor", "_codecs:encode"),
        *("torch.storage:UntypedStorage", "torch._utils:_rebuild_wrapper_subclass"),
        *("torch._tensor:_rebuild_from_type_v2", "torch._utils:_rebuild_parameter_with_state"),
    ],
)
def test_nothing_but_what_tensors_need_is_called(name: str, tmp_path: Path) -> None:
    message = rf"a\.pth: refused as unsafe.*\(GLOBAL {name.replace(':', '.')}\)"
    with pytest.raises(CheckpointError, match=message):
        load_state(zipped(tmp_path / "a.pth", calling(name)))


@pytest.mark.parametrize("at", range(5))
def test_each_pickle_of_an_old_file_is_judged(at: int, tmp_path: Path) -> None:
    stream = io.BytesIO()
    torch.save({"a": torch.ones(2)}, stream, _use_new_zipfile_serialization=False)
    stream.seek(0)
    for _ in range(at):
        danger(stream)
    begin = stream.tell()
    danger(stream)
    data = stream.getvalue()
    bad = data[:begin] + calling("builtins:bytearray") + data[stream.tell() :]
    (tmp_path / "a.pth").write_bytes(bad)
    with pytest.raises(CheckpointError, match=r"GLOBAL builtins\.bytearray"):
        load_state(tmp_path / "a.pth")


def test_a_pickle_under_a_name_in_capitals_is_judged_as_well(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.pth", calling("builtins:bytearray"), name="w/DATA.PKL")
    with pytest.raises(CheckpointError, match=r"GLOBAL builtins\.bytearray"):
        load_state(path)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(b"\x80\x02}K\x01" + b"\x85" * 200 + b"K\x01s.", id="deep"),
        pytest.param(b"\x80\x02K\x01" + b"q\x00h\x00h\x00\x86" * 99 + b".", id="doubled"),
        pytest.param(b"\x80\x02]q\x00" + b"h\x00a" * 99 + b".", id="within itself"),
    ],
)
def test_content_that_no_walk_would_end_in_is_refused(program: bytes, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nested deeper than 100 levels, or repeats itself"):
        load_state(zipped(tmp_path / "a.pth", program))


def test_a_pickle_of_too_many_steps_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints_pickle, "MAX_STEPS", 1000)
    with pytest.raises(CheckpointError, match="more than 1,000 steps"):
        load_state(zipped(tmp_path / "a.pth", b"\x80\x02" + b"N" * 1001 + b"."))


@pytest.mark.parametrize(
    "program", [b"\x80\x02.", b"\x80\x02(\x85.", b"\x80\x02h\x07.", b"\x80\x02N"]
)
def test_a_pickle_that_takes_what_is_not_there_is_one_clear_error(
    program: bytes, tmp_path: Path
) -> None:
    with pytest.raises(
        CheckpointError, match=r"the torch file can't be read \(.*download it again"
    ):
        load_state(zipped(tmp_path / "a.pth", program))


@pytest.mark.parametrize("code", [b"\x93", b"b", b"i", b"o", b"\x92"])
def test_other_ways_to_call_are_refused(code: bytes) -> None:
    prelude = b"cos\nsystem\n" if code in b"b" else b"(X\x02\x00\x00\x00osX\x06\x00\x00\x00system"
    rest = b"os\nsystem\n" if code == b"i" else b""
    assert danger(io.BytesIO(b"\x80\x02" + prelude + b"N" * (code == b"b") + code + rest + b"."))


def test_only_what_has_a_name_is_called() -> None:
    assert danger(io.BytesIO(b"\x80\x02K\x01)R.")) == "GLOBAL REDUCE"


def test_what_checkpoints_hold_besides_tensors_is_no_danger() -> None:
    content = OrderedDict(a=torch.Size([1]), b=Counter([3]), c=[{"d": (1.5, None, True)}], e=2**40)
    content["self"] = content["c"]
    stream = io.BytesIO(pickle.dumps(content, protocol=2) + b"rest")
    assert danger(stream) == ""
    assert stream.read() == b"rest"


def test_compressed_records_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.pth", PLAIN + bytes(1 << 20), how=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="its records are compressed"):
        load_state(path)


def test_a_record_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.pth", PLAIN)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("w/data.pkl", calling("os:system"))
    with pytest.raises(CheckpointError, match="two of its records have one name"):
        load_state(path)


def test_records_that_share_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w/data.pkl", bytes(1000))
        for number in range(9):
            again = zipfile.ZipInfo(f"w/data/{number}")
            again.file_size = again.compress_size = 1000
            again.header_offset = again.CRC = 0
            archive.filelist.append(again)
            archive.NameToInfo[again.filename] = again
    with pytest.raises(CheckpointError, match="its records are larger than the file"):
        load_state(path)


def test_a_flipped_bit_in_the_weights_is_noticed(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(50)}, tmp_path / "a.pth")
    data = bytearray((tmp_path / "a.pth").read_bytes())
    data[data.index(struct.pack("<f", 1) * 9) + 41] ^= 1
    (tmp_path / "a.pth").write_bytes(data)
    with pytest.raises(CheckpointError, match="can't be read"):
        load_state(tmp_path / "a.pth")


def test_a_tensor_larger_than_its_storage_is_not_spread_out(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1).expand(1 << 36)}, tmp_path / "a.pth")
    with pytest.raises(
        CheckpointError, match="declares 68,719,476,736 values; at most 268,435,456"
    ):
        load_state(tmp_path / "a.pth")


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.pth").open("wb") as file:
        file.truncate(checkpoints.MAX_BYTES + 1)
    with pytest.raises(CheckpointError, match="has 2,147,483,649 bytes; at most 2,147,483,648 are"):
        load_state(tmp_path / "a.pth")


@pytest.mark.parametrize("name", ["a\x1b[2J", "a\nb", "a" * 301, (1,) * 200])
def test_a_name_that_no_parameter_has_is_refused(name: object, tmp_path: Path) -> None:
    torch.save({name: torch.ones(1)}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="expected names of parameters, got"):
        load_state(tmp_path / "a.pth")


def test_attributes_of_a_dict_do_not_stand_in_for_its_methods(tmp_path: Path) -> None:
    program = b"\x80\x02ccollections\nOrderedDict\n)R}"
    for name in (b"items", b"get", b"keys"):
        program += b"X" + struct.pack("<I", len(name)) + name + b"K\x01s"
    assert load_state(zipped(tmp_path / "a.pth", program + b"b.")) == {}
