"""Downloads against a server on this machine."""

import errno
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sr_bench.errors import SrBenchError
from sr_bench.files import fetch
from sr_bench.files.fetch import download

BODY = bytes(range(256)) * 40
SIZE = len(BODY)
DIGEST = hashlib.sha256(BODY).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    """Serves BODY; the path says with which fault."""

    def do_GET(self):
        self.server.ranges.append(self.headers.get("Range"))
        first = len(self.server.ranges) == 1
        if self.path == "/missing":
            self.send_error(404)
        elif self.path == "/busy" and first:
            self.send_error(503)
        elif self.path == "/moved-to-file":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
        else:
            self._send_body(cut=5000 if self.path.endswith("cut") and first else None)

    def _send_body(self, cut):
        start = 0
        asked = self.headers.get("Range")
        if asked and not self.path.startswith("/norange"):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(BODY):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        else:
            self.send_response(200)
        if self.path == "/wordy":
            self.send_header("Content-Length", "many")
        elif self.path != "/unsized":
            self.send_header("Content-Length", str(len(BODY) - start))
        self.end_headers()
        self.wfile.write(BODY[start:cut])

    def log_message(self, *_args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        running.ranges = []
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def _get(url, target, *, sha256=DIGEST, size=SIZE, seen=None):
    seen = [] if seen is None else seen
    return download(
        url,
        target,
        sha256=sha256,
        size=size,
        progress=lambda *step: seen.append(step),
        pause_s=0.0,
    )


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_verified_and_progress_is_reported(server, tmp_path):
    seen = []
    assert _get(f"{server.url}/a", tmp_path / "new" / "a.zip", seen=seen) == DIGEST
    assert (tmp_path / "new" / "a.zip").read_bytes() == BODY
    assert _names(tmp_path / "new") == ["a.zip"]
    assert seen[-1] == (len(BODY), len(BODY))


def test_the_digest_of_an_undeclared_file_is_returned(server, tmp_path):
    assert _get(f"{server.url}/unsized", tmp_path / "a", sha256="", size=None) == DIGEST


def test_a_cut_connection_is_continued_where_it_ended(server, tmp_path):
    _get(f"{server.url}/cut", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY
    assert server.ranges == [None, "bytes=5000-"]


def test_a_server_without_ranges_is_asked_for_everything_again(server, tmp_path):
    _get(f"{server.url}/norange-cut", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY


def test_the_part_of_an_earlier_run_is_continued(server, tmp_path):
    (tmp_path / "a.part").write_bytes(BODY[:300])
    _get(f"{server.url}/a", tmp_path / "a")
    assert server.ranges == ["bytes=300-"]
    assert _names(tmp_path) == ["a"]


def test_a_part_of_another_file_is_replaced_by_a_clean_download(server, tmp_path):
    (tmp_path / "a.part").write_bytes(b"x" * 300)
    assert _get(f"{server.url}/a", tmp_path / "a") == DIGEST
    assert server.ranges == ["bytes=300-", None]


def test_a_part_is_not_trusted_without_a_digest(server, tmp_path):
    (tmp_path / "a.part").write_bytes(b"x" * 300)
    assert _get(f"{server.url}/a", tmp_path / "a", sha256="") == DIGEST
    assert server.ranges == [None]


def test_a_part_longer_than_the_file_is_thrown_away(server, tmp_path):
    (tmp_path / "a.part").write_bytes(BODY + b"more")
    assert _get(f"{server.url}/a", tmp_path / "a", size=None) == DIGEST


def test_a_wrong_digest_says_both_and_leaves_nothing(server, tmp_path):
    with pytest.raises(SrBenchError, match=f"expected sha256 {'0' * 64}, got {DIGEST}"):
        _get(f"{server.url}/a", tmp_path / "a", sha256="0" * 64)
    assert _names(tmp_path) == []


@pytest.mark.parametrize("size", [len(BODY) - 1, len(BODY) + 1])
def test_a_wrong_announced_size_says_both(server, tmp_path, size):
    with pytest.raises(SrBenchError, match=f"expected {size} bytes, .*announces {len(BODY)}"):
        _get(f"{server.url}/a", tmp_path / "a", size=size)
    assert _names(tmp_path) == []


def test_more_bytes_than_declared_are_not_stored(server, tmp_path):
    with pytest.raises(SrBenchError, match="expected 100 bytes, got more"):
        _get(f"{server.url}/unsized", tmp_path / "a", size=100)
    assert _names(tmp_path) == []


def test_an_absent_file_is_not_asked_for_again(server, tmp_path):
    with pytest.raises(SrBenchError, match="404 Not Found; check the address"):
        _get(f"{server.url}/missing", tmp_path / "a")
    assert len(server.ranges) == 1


def test_a_busy_server_is_asked_again(server, tmp_path):
    assert _get(f"{server.url}/busy", tmp_path / "a") == DIGEST
    assert len(server.ranges) == 2


def test_a_closed_port_ends_with_what_to_do(server, tmp_path):
    url = server.url.replace(str(server.server_port), "1")
    with pytest.raises(SrBenchError, match=r"gave up after 5 attempts.*check the network"):
        _get(f"{url}/a", tmp_path / "a")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://host/a", "data:,x", "a.zip"])
def test_other_addresses_than_http_are_refused(tmp_path, url):
    with pytest.raises(SrBenchError, match="expected an address that starts with http"):
        _get(url, tmp_path / "a")


def test_a_redirect_to_a_local_file_is_refused(server, tmp_path):
    with pytest.raises(SrBenchError, match="302"):
        _get(f"{server.url}/moved-to-file", tmp_path / "a")
    assert _names(tmp_path) == []


def test_an_unwritable_target_is_explained(server, tmp_path):
    (tmp_path / "cache").write_text("")
    with pytest.raises(SrBenchError, match="choose another folder"):
        _get(f"{server.url}/a", tmp_path / "cache" / "a")


def test_a_length_that_is_not_a_number_is_our_error(server, tmp_path):
    with pytest.raises(SrBenchError, match=r"cannot download .*/wordy: invalid literal"):
        _get(f"{server.url}/wordy", tmp_path / "a.zip")


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://a b/", "http://\u2100.example/"])
def test_a_malformed_address_is_our_error(tmp_path, url):
    with pytest.raises(SrBenchError, match="cannot download"):
        download(url, tmp_path / "a", sha256="", size=None, progress=print, pause_s=0)


def test_a_download_of_undeclared_size_is_limited(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_BYTES", 1000)
    with pytest.raises(SrBenchError, match="expected 1000 bytes, got more; the download was del"):
        _get(f"{server.url}/unsized", tmp_path / "a.zip", size=None)
    assert _names(tmp_path) == []


def test_a_fault_of_the_network_is_not_called_one_of_the_disk(server, tmp_path, monkeypatch):
    def unreachable(*_):
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    monkeypatch.setattr(fetch.HTTPResponse, "read", unreachable)
    with pytest.raises(SrBenchError, match=r"cannot download .*No route to host .*check the"):
        _get(f"{server.url}/a", tmp_path / "a")
