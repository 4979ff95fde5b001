"""Archives unpack whole and inside their folder, or not at all."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile

import pytest

from sr_bench.errors import DatasetError
from sr_bench.files.unpack import UnpackLimits, unpack

FILES = {"Set/HR/a.png": b"aaa", "Set/LR/X2/ax2.png": b"a", "Set/readme.txt": b"hello"}


def _zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def _tar(path, files, kind=tarfile.REGTYPE, link=""):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(data))
    return path


def _content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _refused(archive, folder, match, **options):
    """Assert that `archive` is refused and that nothing but it is left."""
    before = sorted(folder.parent.iterdir())
    with pytest.raises(DatasetError, match=match):
        unpack(archive, folder, **options)
    assert sorted(folder.parent.iterdir()) == before


@pytest.mark.parametrize(("name", "make"), [("a.zip", _zip), ("a.tar", _tar), ("a.tar.gz", _tar)])
def test_an_archive_unpacks_to_its_files(tmp_path, name, make):
    unpack(make(tmp_path / name, FILES), tmp_path / "out")
    assert _content(tmp_path / "out") == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "out"]


@pytest.mark.parametrize("inside", ["Set/LR", "LR"])
def test_a_folder_inside_can_be_taken_alone(tmp_path, inside):
    unpack(_zip(tmp_path / "a.zip", FILES), tmp_path / "deep" / "out", inside=inside)
    assert _content(tmp_path / "deep" / "out") == {"X2/ax2.png": b"a"}


def test_what_macos_adds_is_left_out(tmp_path):
    files = FILES | {"__MACOSX/Set/HR/._a.png": b"fork"}
    unpack(_zip(tmp_path / "a.zip", files), tmp_path / "out")
    assert _content(tmp_path / "out") == FILES


@pytest.mark.parametrize(
    "name", ["../a.png", "HR/../../a.png", "/tmp/a.png", "C:/a.png", "..\\a.png", "HR\\..\\a"]
)
@pytest.mark.parametrize("make", [_zip, _tar])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, make, name):
    archive = make(tmp_path / "a.archive", {"HR/good.png": b"g", name: b"evil"})
    _refused(archive, tmp_path / "out", "would leave the folder")


def test_a_bad_name_is_refused_even_outside_of_what_is_taken(tmp_path):
    archive = _zip(tmp_path / "a.zip", FILES | {"../x": b""})
    _refused(archive, tmp_path / "out", "would leave the folder", inside="Set")


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    archive = _tar(tmp_path / "a.tar", {"HR/a.png": b""}, kind, "/etc/passwd")
    _refused(archive, tmp_path / "out", "'HR/a.png' is a link or device")


def test_a_symlink_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("HR")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc")
    _refused(tmp_path / "a.zip", tmp_path / "out", "'HR' is a link or device")


@pytest.mark.parametrize(("name", "make"), [("a.zip", _zip), ("a.tar.gz", _tar)])
def test_a_bomb_is_refused(tmp_path, name, make):
    archive = make(tmp_path / name, {"a.png": bytes(5_000_000)})
    _refused(archive, tmp_path / "out", "unpacks to more than is plausible")


def test_the_total_and_the_members_are_limited(tmp_path):
    archive = _zip(tmp_path / "a.zip", FILES)
    _refused(
        archive, tmp_path / "out", "more than is plausible", limits=UnpackLimits(total_bytes=8)
    )
    _refused(archive, tmp_path / "out", "more than 2 members", limits=UnpackLimits(members=2))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("HR/a.png", b"one")
        archive.writestr("HR/a.png", b"two")
    _refused(tmp_path / "a.zip", tmp_path / "out", "two members are named HR/a.png")


@pytest.mark.parametrize("inside", ["", "HR"])
def test_an_archive_without_files_is_refused(tmp_path, inside):
    archive = _zip(tmp_path / "a.zip", {"Set/": b""} if not inside else {"LR/a": b""})
    _refused(archive, tmp_path / "out", "holds no files under", inside=inside)


@pytest.mark.parametrize(("name", "make"), [("a.zip", _zip), ("a.tar.gz", _tar)])
def test_a_truncated_archive_is_refused(tmp_path, name, make):
    archive = make(tmp_path / name, {f"{i}.png": bytes([i]) * 999 for i in range(50)})
    archive.write_bytes(archive.read_bytes()[:-600])
    _refused(archive, tmp_path / "out", "damaged or of an unknown kind")


def test_a_flipped_bit_is_noticed(tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.png", b"stored, not deflated")
    archive.write_bytes(archive.read_bytes().replace(b"stored", b"staged"))
    _refused(archive, tmp_path / "out", "damaged.*CRC")


def test_what_is_not_an_archive_is_refused(tmp_path):
    (tmp_path / "a.zip").write_text("<html>Sign in to download</html>")
    _refused(tmp_path / "a.zip", tmp_path / "out", "damaged or of an unknown kind")
    _refused(tmp_path / "b.zip", tmp_path / "out", "got no file")


def test_a_folder_that_exists_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    _refused(_zip(tmp_path / "a.zip", FILES), tmp_path / "out", "exists already")


def _tar_of(data):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo("a.png")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_unpacks_whatever_packed_it(tmp_path, pack):
    (tmp_path / "a.tar.any").write_bytes(pack(_tar_of(b"pixels")))
    unpack(tmp_path / "a.tar.any", tmp_path / "out")
    assert _content(tmp_path / "out") == {"a.png": b"pixels"}


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_of_gigabytes_is_refused_before_it_is_read(tmp_path, kind):
    info = tarfile.TarInfo("long")
    info.type, info.size = kind, 8 << 30
    header = info.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(header + bytes(4096)))
    _refused(tmp_path / "a.tar.gz", tmp_path / "out", "a header in it declares 8589934592 bytes")


def test_what_is_left_out_of_a_tar_is_limited_too(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(_tar_of(bytes(8 << 20))))
    _refused(tmp_path / "a.tar.gz", tmp_path / "out", "more than is plausible", inside="none")


def test_folders_within_folders_are_limited(tmp_path):
    archive = _zip(tmp_path / "a.zip", {"a/" * 2000 + "x": b""})
    _refused(archive, tmp_path / "out", r"'a/a/.*' lies more than 32 folders deep")


def test_a_sparse_file_is_refused(tmp_path):
    archive = _tar(tmp_path / "a.tar", {"a.png": b""}, tarfile.GNUTYPE_SPARSE)
    _refused(archive, tmp_path / "out", "'a.png' is a link or device")


@pytest.mark.parametrize("name", [b"\0b.png", b"\xff\xfe.png"])
def test_a_zip_with_a_name_that_cannot_be_read_is_damage(tmp_path, name):
    archive = _zip(tmp_path / "a.zip", {"\u00e4.png": b""})
    archive.write_bytes(archive.read_bytes().replace("\u00e4.png".encode(), name))
    _refused(archive, tmp_path / "out", "damaged or of an unknown kind")
