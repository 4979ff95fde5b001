"""Datasets come from local archives or a server, verified and whole."""

import hashlib
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sr_bench.data import fetch as module
from sr_bench.data.dataset import Archive
from sr_bench.data.fetch import Fetched, fetch
from sr_bench.data.locate import load_dataset
from sr_bench.data.pairing import find_pairs
from sr_bench.errors import DatasetError, SrBenchError


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args):
        pass


@pytest.fixture
def archives(tmp_path, tiny_root):
    """Pack the files of `tiny` as a publisher would; return the folder of the archives."""
    folder = tmp_path / "published"
    folder.mkdir()
    for part, name in (("HR", "hr.zip"), ("LR/X2", "lr.zip")):
        with zipfile.ZipFile(folder / name, "w") as archive:
            for path in sorted((tiny_root / part).iterdir()):
                archive.write(path, f"Tiny/{part}/{path.name}")
    return folder


@pytest.fixture
def published(tiny, archives):
    """Return `tiny` with its archives at an address where no server answers."""

    def archive(name, part):
        data = (archives / name).read_bytes()
        url = f"http://127.0.0.1:1/{name}"
        return Archive(url, name, hashlib.sha256(data).hexdigest(), len(data), part, part)

    return replace(tiny, archives=(archive("hr.zip", "HR"), archive("lr.zip", "LR/X2")))


@pytest.fixture
def served(published, archives, monkeypatch):
    """Return `published` with a server on this machine behind its addresses."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=archives)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        at = tuple(replace(archive, url=f"{url}/{archive.file}") for archive in published.archives)
        yield replace(published, archives=at)
        server.shutdown()
        thread.join()


@pytest.fixture
def no_network(monkeypatch):
    def refuse(url, *_args, **_options):
        pytest.fail(f"the network was used: {url}")

    monkeypatch.setattr(module, "download", refuse)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "cache" / "datasets"


def _quiet(*_step):
    pass


def _without_digests(dataset):
    return replace(dataset, archives=tuple(replace(file, sha256="") for file in dataset.archives))


def test_local_archives_need_no_network(published, archives, target, no_network):
    local = (archives / "lr.zip", archives / "hr.zip")
    result = fetch(published, to=target, progress=_quiet, local=local)
    assert result == Fetched(target / "tiny", unpacked=("hr.zip", "lr.zip"))
    assert [pair.stem for pair in find_pairs(published, target / "tiny", 2)] == ["a", "b"]


def test_what_was_not_given_is_left_out_and_can_follow(published, archives, target, no_network):
    first = fetch(published, to=target, progress=_quiet, local=(archives / "hr.zip",))
    assert (first.unpacked, first.left_out) == (("hr.zip",), ("lr.zip",))
    second = fetch(published, to=target, progress=_quiet, local=(archives / "lr.zip",))
    assert (second.unpacked, second.present) == (("lr.zip",), ("hr.zip",))


def test_a_server_is_asked_once_and_progress_is_reported(served, target):
    seen = []
    result = fetch(served, to=target, progress=lambda *step: seen.append(step))
    assert result.unpacked == ("hr.zip", "lr.zip")
    assert {step[0] for step in seen} == {"hr.zip", "lr.zip"}
    again = fetch(served, to=target, progress=lambda *_: pytest.fail("downloaded again"))
    assert again == Fetched(target / "tiny", present=("hr.zip", "lr.zip"))


def test_a_kept_archive_serves_again_without_network(served, target, no_network, archives):
    (target / "archives").mkdir(parents=True)
    for name in ("hr.zip", "lr.zip"):
        (archives / name).rename(target / "archives" / name)
    assert fetch(served, to=target, progress=_quiet).unpacked == ("hr.zip", "lr.zip")


def test_an_unknown_digest_is_recorded_and_holds_from_then_on(served, archives, target):
    unknown = _without_digests(served)
    result = fetch(unknown, to=target, progress=_quiet)
    assert result.recorded == ("hr.zip", "lr.zip")
    sums = (target / "archives" / "SHA256SUMS").read_text()
    assert f"{served.archives[0].sha256}  hr.zip\n" in sums
    data = (archives / "hr.zip").read_bytes()
    (archives / "hr.zip").write_bytes(data[:-1] + b"!")
    (target / "tiny").rename(target / "elsewhere")
    with pytest.raises(DatasetError, match=f"expected sha256 {served.archives[0].sha256}, got"):
        fetch(unknown, to=target, progress=_quiet, local=(archives / "hr.zip",))


def test_nothing_is_recorded_for_an_archive_that_can_t_be_unpacked(published, archives, target):
    (archives / "hr.zip").write_bytes(b"x" * published.archives[0].size)
    with pytest.raises(DatasetError, match="damaged"):
        fetch(_without_digests(published), to=target, progress=_quiet, local=(archives / "hr.zip",))
    assert not (target / "archives" / "SHA256SUMS").exists()
    assert not (target / "tiny" / "HR").exists()


@pytest.mark.parametrize(
    ("data", "match"),
    [(b"short", "expected [0-9]+ bytes, got 5"), (None, "expected sha256 .*, got")],
)
def test_another_local_archive_is_refused(published, archives, target, data, match):
    path = archives / "hr.zip"
    path.write_bytes(path.read_bytes()[:-1] + b"!" if data is None else data)
    with pytest.raises(DatasetError, match=match):
        fetch(published, to=target, progress=_quiet, local=(path,))
    assert not target.exists()


def test_a_local_archive_that_leaves_its_folder_is_refused(published, archives, target):
    with zipfile.ZipFile(archives / "hr.zip", "w") as archive:
        archive.writestr("Tiny/HR/../../../evil.png", b"")
    dataset = replace(_without_digests(published), archives=(
        replace(published.archives[0], sha256="", size=None),
    ))  # fmt: skip
    with pytest.raises(DatasetError, match="would leave the folder"):
        fetch(dataset, to=target, progress=_quiet, local=(archives / "hr.zip",))
    assert not list(target.rglob("*.png"))


def test_an_archive_of_another_name_or_none_is_refused(published, archives, target):
    (archives / "hr.zip").rename(archives / "other.zip")
    with pytest.raises(DatasetError, match=r"no such archive; expected hr\.zip, lr\.zip"):
        fetch(published, to=target, progress=_quiet, local=(archives / "other.zip",))
    with pytest.raises(DatasetError, match="got no file"):
        fetch(published, to=target, progress=_quiet, local=(archives / "hr.zip",))


def test_the_only_archive_may_have_any_name(published, archives, target, no_network):
    dataset = replace(published, archives=published.archives[:1])
    (archives / "hr.zip").rename(archives / "hr (1).zip")
    result = fetch(dataset, to=target, progress=_quiet, local=(archives / "hr (1).zip",))
    assert result.unpacked == ("hr.zip",)


def test_a_changed_file_on_the_server_leaves_no_dataset(served, archives, target):
    path = archives / "hr.zip"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(SrBenchError, match="another content than declared"):
        fetch(served, to=target, progress=_quiet)
    assert not (target / "tiny").exists()


def test_an_unwritable_cache_is_explained(published, archives, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SrBenchError, match="choose another folder"):
        fetch(published, to=tmp_path / "file", progress=_quiet, local=(archives / "hr.zip",))


def test_photos_need_no_fetching(target, no_network):
    assert fetch(load_dataset("photos"), to=target, progress=_quiet) == Fetched(None)


def test_a_dataset_without_archives_says_where_to_look(tiny, target):
    with pytest.raises(DatasetError, match=r"get it from https://example\.org.*--sr-data"):
        fetch(tiny, to=target, progress=_quiet)
