"""Archives that are broken or made to harm: a folder of plain files, or our error and nothing."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr_bench.errors import DatasetError, SrBenchError
from sr_bench.files.unpack import UnpackLimits, unpack
from tests.fuzz.bytes_inputs import broken, fresh, fuzzed

LIMITS = UnpackLimits(total_bytes=1 << 20, members=50)
NAMES = st.sampled_from(
    [
        *(
            "a.png",
            "HR/a.png",
            "HR/A.PNG",
            "../a",
            "a/../../b",
            "/a",
            "//a",
            "C:/a",
            "C:a",
            "..\\a",
        ),
        *(
            "a\0b",
            "\0a",
            "",
            ".",
            "./a",
            "a/",
            "a//b",
            "..",
            "~/a",
            "\u202egnp.a",
            "a" * 300,
            "a/" * 300,
        ),
    ]
) | st.text(max_size=8)
KINDS = st.sampled_from(
    [
        *(tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE),
        *(tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, tarfile.XHDTYPE, b"\xff"),
    ]
)
MEMBERS = st.lists(st.tuples(NAMES, KINDS, st.binary(max_size=600), NAMES), max_size=6)
Member = tuple[str, bytes, bytes, str]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


def tarred(members: list[Member]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind, data, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size, info.mode = kind, link, len(data), 0o6777
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def zipped(members: list[Member]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, kind, data, _ in members:
            info = zipfile.ZipInfo(name)
            mode = stat.S_IFLNK if kind == tarfile.SYMTYPE else stat.S_IFREG
            info.external_attr = (mode | 0o6777) << 16
            archive.writestr(info, data)
    return stream.getvalue()


def check(data: bytes, folder: Path) -> None:
    """Unpack `data`: plain files within one folder and no more, or our error and nothing."""
    with TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        target = place / "within" / "out"
        archive = fresh(place, "a.bin", data)
        try:
            unpack(archive, target, limits=LIMITS)
        except SrBenchError:
            assert not target.exists()
        unpacked = [path for path in place.rglob("*") if path != archive]
        kinds = {stat.S_IFMT(path.lstat().st_mode) for path in unpacked}
        assert kinds <= {stat.S_IFREG, stat.S_IFDIR}
        assert all(path == target.parent or path.is_relative_to(target) for path in unpacked)
        assert not any(path.stat().st_mode & 0o6111 for path in unpacked if path.is_file())
        assert sum(path.stat().st_size for path in unpacked if path.is_file()) <= LIMITS.total_bytes


SOUND: list[Member] = [
    ("HR/a.png", tarfile.REGTYPE, bytes(700), ""),
    ("HR/b.png", tarfile.REGTYPE, b"b" * 60, ""),
]


@fuzzed
@given(data=broken(zipped(SOUND)))
def test_a_broken_zip_unpacks_or_is_our_error(data: bytes, tmp_path: Path) -> None:
    check(data, tmp_path)


@fuzzed
@given(data=broken(tarred(SOUND)[:4096]), packer=st.sampled_from(sorted(PACKERS)))
def test_a_broken_tar_unpacks_or_is_our_error(data: bytes, packer: str, tmp_path: Path) -> None:
    check(PACKERS[packer](data), tmp_path)


@fuzzed
@given(data=broken(*(pack(tarred(SOUND)) for pack in PACKERS.values())))
def test_a_broken_packed_tar_unpacks_or_is_our_error(data: bytes, tmp_path: Path) -> None:
    check(data, tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@fuzzed
@given(members=MEMBERS, pack=st.sampled_from((zipped, tarred)))
def test_members_of_any_name_and_kind_stay_within_the_folder(
    members: list[Member], pack: Callable[[list[Member]], bytes], tmp_path: Path
) -> None:
    try:
        data = pack(members)
    except (ValueError, IndexError):  # Python itself can't write it
        return
    check(data, tmp_path)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_of_gigabytes_is_refused_before_it_is_read(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("long")
    info.type, info.size = kind, 8 << 30
    path = fresh(tmp_path, "a.tar.gz", gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096)))
    with pytest.raises(DatasetError, match="a header in it declares 8589934592 bytes"):
        unpack(path, tmp_path / "out")
