"""Download a file: resume, retry, then verify its size and digest before it gets its name."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from sr_bench.errors import SrBenchError
from sr_bench.files.disk import disk_error
from sr_bench.files.hashing import sha256_file

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the total, or None where the server doesn't say."""

MAX_BYTES = 64 << 30
"""Largest download whose size nobody declared."""

_ATTEMPTS = 5
_PIECE = 1 << 20  # bytes
_TIMEOUT_S = 60.0  # without a byte, not for the whole file
_RANGE_REFUSED = 416
# What may pass: time-outs, too many requests, and the server's own trouble.
_RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class _Want:
    url: str
    part: Path
    size: int | None
    progress: Progress


class _TransientError(Exception):
    """Worth another attempt."""


def download(
    url: str,
    target: Path,
    *,
    sha256: str,
    size: int | None,
    progress: Progress,
    pause_s: float = 1.0,
) -> str:
    """Download `url` to `target` and return the SHA-256 digest of what it got.

    The bytes go to ``<target>.part`` first; a part left by an earlier call is continued, but
    only if `sha256` is there to prove that both halves belong together.

    `sha256` is the expected hex digest, empty if unknown: the caller records what is returned.
    `size` is in bytes, None if unknown; `pause_s`, before the second attempt, doubles with each
    further one.

    Raises:
        SrBenchError: The address isn't http(s), the server refuses, the network is absent, the
            disk is full, or what it got has another size or digest (it is deleted then).
    """
    _check_scheme(url)
    want = _Want(url, target.with_name(target.name + ".part"), size, progress)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not sha256:
            want.part.unlink(missing_ok=True)
        resumed = want.part.exists()
        digest = _attempt(want, pause_s)
        # The part may be of an older file, or damaged: once more from the start.
        if resumed and digest != sha256:
            want.part.unlink()
            digest = _attempt(want, pause_s)
        _check_digest(want, digest, sha256)
        want.part.replace(target)
    except OSError as error:
        raise disk_error(error, want.part, "write") from error
    return digest


def _check_scheme(url: str) -> None:
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        msg = f"cannot download {url!r}: {error}; check the address"
        raise SrBenchError(msg) from error
    if scheme not in {"http", "https"}:
        msg = f"cannot download {url!r}: expected an address that starts with http:// or https://"
        raise SrBenchError(msg)


def _check_digest(want: _Want, digest: str, expected: str) -> None:
    if expected and digest != expected.lower():
        want.part.unlink()
        msg = (
            f"{want.url} has another content than declared: expected sha256 {expected.lower()}, "
            f"got {digest}; the download was deleted. If the publisher changed the file, update "
            "the digest where it is declared"
        )
        raise SrBenchError(msg)


def _attempt(want: _Want, pause_s: float) -> str:
    """Fill the part file, in several attempts if need be; return its digest."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _transfer(want)
            return sha256_file(want.part)
        except _TransientError as error:
            if attempt == _ATTEMPTS:
                msg = (
                    f"cannot download {want.url}: {error} (gave up after {_ATTEMPTS} attempts); "
                    "check the network and try again, or get the file elsewhere and give it "
                    "with --from FILE"
                )
                raise SrBenchError(msg) from error
            time.sleep(pause_s * 2 ** (attempt - 1))
    raise AssertionError  # the loop returns or raises


def _transfer(want: _Want) -> None:
    have = want.part.stat().st_size if want.part.exists() else 0
    if want.size is not None and have == want.size:
        return
    # Compressed, lengths and ranges would be of other bytes than the file's.
    headers = {"User-Agent": "sr-bench", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with _opener().open(Request(want.url, headers=headers), timeout=_TIMEOUT_S) as response:
            _receive(want, response, have)
    except HTTPError as error:
        raise _refusal(want, error) from error
    except ValueError as error:  # such as an address without a host, or a length that is no number
        msg = f"cannot download {want.url}: {error}; check the address"
        raise SrBenchError(msg) from error
    except (HTTPException, URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        msg = f"{type(error).__name__}: {reason}"
        raise _TransientError(msg) from error


def _opener() -> OpenerDirector:
    """Return an opener that can't be redirected to ftp:, file: or data: addresses."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        HTTPRedirectHandler(),
        HTTPErrorProcessor(),
        UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _refusal(want: _Want, error: HTTPError) -> Exception:
    with suppress(OSError):
        error.close()
    if error.code == _RANGE_REFUSED:
        want.part.unlink(missing_ok=True)
        return _TransientError("the server has no such range; starting again")
    if error.code in _RETRY_STATUSES:
        return _TransientError(f"the server answered {error.code} {error.reason}")
    return SrBenchError(
        f"cannot download {want.url}: the server answered {error.code} {error.reason}; "
        "check the address, or get the file elsewhere and give it with --from FILE"
    )


def _receive(want: _Want, response: HTTPResponse, have: int) -> None:
    """Append the response to the part file, or start it anew if the server ignored the range."""
    continues = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    start = have if response.status == 206 and continues else 0
    length = response.headers.get("Content-Length")
    total = start + int(length) if length else None
    if want.size is not None and total not in {None, want.size}:
        want.part.unlink(missing_ok=True)
        msg = f"{want.url}: expected {want.size} bytes, the server announces {total}"
        raise SrBenchError(msg)
    done = start
    with want.part.open("ab" if start else "wb") as file:
        while piece := _next_piece(response):
            done += len(piece)
            _check_not_longer(want, done)
            file.write(piece)
            want.progress(done, total)
    _check_complete(want, done, total)


def _next_piece(response: HTTPResponse) -> bytes:
    try:
        return response.read(_PIECE)
    except OSError as error:  # of the network: caught where it came from, it is none of the disk's
        msg = f"{type(error).__name__}: {error.strerror or error}"
        raise _TransientError(msg) from error


def _check_not_longer(want: _Want, done: int) -> None:
    most = MAX_BYTES if want.size is None else want.size
    if done > most:
        want.part.unlink(missing_ok=True)
        msg = f"{want.url}: expected {most} bytes, got more; the download was deleted"
        raise SrBenchError(msg)


def _check_complete(want: _Want, done: int, total: int | None) -> None:
    expected = total if total is not None else want.size
    if expected is not None and done < expected:
        msg = f"the connection ended after {done} of {expected} bytes"
        raise _TransientError(msg)
