"""Torch files made to harm are refused before any of it runs, is unpacked or allocated."""

import io
import pickle
import struct
import zipfile
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path

import pytest
import torch

from sr_bench.errors import CheckpointError
from sr_bench.zoo.checkpoints import load
from sr_bench.zoo.checkpoints import pickle as reader
from sr_bench.zoo.checkpoints.objects import StandIn, UnsafeError
from sr_bench.zoo.checkpoints.pickle import read_pickle
from tests.zoo.checkpoints.reading import fit_of, load_state

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
        *("torch:load", "torch.hub:load", "torch.jit:load", "torch:Tensor", "users.code:run"),
        *("torch.storage:UntypedStorage", "torch._utils:_rebuild_wrapper_subclass"),
        *("functools:reduce", "types:FunctionType", "torch._utils:_rebuild_sparse_tensor"),
    ],
)
def test_nothing_but_what_tensors_need_is_called(name: str, tmp_path: Path) -> None:
    message = rf"a\.pth: refused as unsafe.*\(GLOBAL {name.replace(':', '.')}\)"
    with pytest.raises(CheckpointError, match=message):
        load_state(zipped(tmp_path / "a.pth", calling(name)))


def test_quantised_weights_are_told_from_unsafe_files(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.pth", calling("torch._utils:_rebuild_qtensor"))
    with pytest.raises(CheckpointError, match=r"quantised tensors: give the float weights"):
        load_state(path)


@pytest.mark.parametrize("at", range(5))
def test_each_pickle_of_an_old_file_is_judged(at: int, tmp_path: Path) -> None:
    stream = io.BytesIO()
    torch.save({"a": torch.ones(2)}, stream, _use_new_zipfile_serialization=False)
    stream.seek(0)
    for _ in range(at):
        read_pickle(stream)
    begin = stream.tell()
    read_pickle(stream)
    data = stream.getvalue()
    bad = data[:begin] + calling("builtins:bytearray") + data[stream.tell() :]
    (tmp_path / "a.pth").write_bytes(bad)
    with pytest.raises(CheckpointError, match=r"GLOBAL builtins\.bytearray"):
        load_state(tmp_path / "a.pth")


def test_of_two_pickles_none_is_taken(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.pth", PLAIN)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("v/data.pkl", PLAIN)
    with pytest.raises(CheckpointError, match=r"v/data\.pkl and w/data\.pkl, of which only one"):
        load_state(path)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(b"\x80\x02" + b"}K\x01" * 200 + b"}" + b"s" * 200 + b".", id="deep"),
        pytest.param(b"\x80\x02}" + b"q\x000}(K\x01h\x00K\x02h\x00u" * 60 + b".", id="doubled"),
        pytest.param(b"\x80\x02}q\x00K\x01h\x00s.", id="within itself"),
    ],
)
def test_content_that_no_walk_would_end_in_is_refused(program: bytes, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nested deeper than 100 levels, or repeats itself"):
        load_state(zipped(tmp_path / "a.pth", program))


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(b"\x80\x02}K\x01K\x02" + b"\x85" * 200_000 + b"s.", id="deep"),
        pytest.param(b"\x80\x02}K\x01" + b"\x85" * 200_000 + b"K\x02s.", id="deep key"),
        pytest.param(b"\x80\x02}K\x01K\x01" + b"q\x00h\x00\x86" * 99 + b"s.", id="doubled"),
        pytest.param(b"\x80\x02}K\x01]q\x00h\x00as.", id="within itself"),
        pytest.param(b"\x80\x02}K\x01\x8b\xff\xff\x0f\x00" + b"\x01" * 0xFFFFF + b"s.", id="long"),
    ],
)
def test_what_is_beside_the_weights_is_not_walked_through(program: bytes, tmp_path: Path) -> None:
    assert load_state(zipped(tmp_path / "a.pth", program)) == {}


def test_a_pickle_that_copies_what_it_has_again_and_again_is_refused(tmp_path: Path) -> None:
    begin = b"\x80\x02}K\x01ccollections\nCounter\nq\x01}(" + b"".join(
        b"M" + struct.pack("<H", at) + b"N" for at in range(10_000)
    )
    again = b"u\x85q\x00R" + b"0h\x01h\x00R" * 120 + b"s."
    with pytest.raises(CheckpointError, match="its content repeats itself"):
        load_state(zipped(tmp_path / "a.pth", begin + again))


def test_a_pickle_of_too_many_steps_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_STEPS", 1000)
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


@pytest.mark.parametrize("code", [b"i", b"o", b"\x82\x01", b"\x97"])
def test_other_ways_to_call_are_refused(code: bytes) -> None:
    prelude = b"(X\x02\x00\x00\x00osX\x06\x00\x00\x00system"
    rest = b"os\nsystem\n" if code == b"i" else b""
    with pytest.raises(UnsafeError, match="opcode"):
        read_pickle(io.BytesIO(b"\x80\x02" + prelude + code + rest + b"."))


def test_only_what_has_a_name_is_called() -> None:
    with pytest.raises(UnsafeError, match="GLOBAL REDUCE"):
        read_pickle(io.BytesIO(b"\x80\x02K\x01)R."))


def test_a_class_is_not_imported_and_its_object_stands_in_for_it() -> None:
    made = read_pickle(io.BytesIO(b"\x80\x02cno_such_module\nThing\n)\x81}K\x01K\x02sb."))
    assert isinstance(made, StandIn)
    assert (made.kind, made.state) == ("no_such_module.Thing", {1: 2})


def test_what_checkpoints_hold_besides_tensors_is_read_as_plain_data() -> None:
    content = OrderedDict(a=torch.Size([1]), b=Counter([3]), c=[{"d": (1.5, None, True)}], e=2**40)
    content["self"] = content["c"]
    content["made by"] = defaultdict(list, f=[1])
    stream = io.BytesIO(pickle.dumps(content, protocol=2) + b"rest")
    assert read_pickle(stream) == content
    assert stream.read() == b"rest"


def test_a_module_of_torch_from_before_the_zip_format_keeps_its_class_elsewhere() -> None:
    module = b"(U\x06modulecusers.net\nNet\nU\x04fileU\x06sourcetQ"
    made = read_pickle(io.BytesIO(b"\x80\x02" + module + b")\x81."))
    assert isinstance(made, StandIn)
    assert made.kind == "users.net.Net"


def test_a_part_of_a_storage_is_a_storage_of_its_own_before_torch_0_4(tmp_path: Path) -> None:
    part = b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x06(U\x04partK\x02K\x03ttQ"
    tensor = b"ctorch._utils\n_rebuild_tensor\n(" + part + b"K\x01K\x02\x85K\x01\x85tR"
    path = zipped(tmp_path / "a.pth", b"\x80\x02}U\x01a" + tensor + b"s.")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("w/data/0", struct.pack("<6f", *range(6)))
    assert load_state(path)["a"].tolist() == [3.0, 4.0]


def test_a_program_of_torchscript_is_named_as_such_even_if_compressed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.pt", PLAIN, name="w/constants.pkl", how=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="it is a TorchScript archive, which is a program"):
        load_state(path)


def test_a_file_of_a_big_endian_machine_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.pth", PLAIN)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("w/byteorder", b"big")
    with pytest.raises(CheckpointError, match="written on a big-endian machine"):
        load_state(path)


def test_a_plain_pickle_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a": [1.0]}, protocol=4))
    with pytest.raises(CheckpointError, match="it is a pickle of something else: save the state"):
        load_state(tmp_path / "a.pkl")


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
    with pytest.raises(CheckpointError, match=r"mis-shaped: a \(68719476736,\) instead of \(2,\)"):
        fit_of(tmp_path / "a.pth")


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.pth").open("wb") as file:
        file.truncate(load.MAX_BYTES + 1)
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
