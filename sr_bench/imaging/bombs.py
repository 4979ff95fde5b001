"""What of an image file a decoder gets: nothing that keeps it busy, and no chunk of odd content."""

import struct
from collections.abc import Iterator

MAX_CHUNKS = 1000
"""Chunks of a PNG besides those of the pixels; photographs have some ten."""

MAX_SCANS = 100
"""Scans of a JPEG, each of which passes over the whole image; progressive files have some ten."""

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_START_OF_SCAN = b"\xff\xda"  # within a scan's data a byte 0xff is followed by zero
_SIZE_AT, _HEADER_END = 16, 33
_WITH_PIXELS = (b"tRNS", b"acTL", b"fcTL", b"fdAT")  # among those that a decoder may pass over
_LARGEST_PIXEL = 8  # bytes: four channels of 16 bits
_SLACK = 4096  # bytes by which the packed pixels of a small image may exceed the plain ones


def bomb(data: bytes) -> str:
    """Return why decoding the image `data` would take far too long; empty if it would not.

    A PNG of 16 x 16 pixels may hold gigabytes of zeros in some MB, all of which are unpacked, and a
    JPEG of some kB thousands of scans.
    """
    if data.startswith(_JPEG):
        count = data.count(_START_OF_SCAN)
        return f"{count} scans, at most {MAX_SCANS} are decoded" if count > MAX_SCANS else ""
    if not data.startswith(_PNG) or len(data) < _HEADER_END:
        return ""
    packed = others = 0
    for kind, length in _chunks(data):
        packed += length if kind == b"IDAT" else 0
        others += kind != b"IDAT"
        if others > MAX_CHUNKS:
            return f"more than {MAX_CHUNKS} chunks besides the pixels"
    width, height = struct.unpack_from(">II", data, _SIZE_AT)
    # Each row begins with a byte for its filter.
    most = (_LARGEST_PIXEL * width + 1) * height + _SLACK
    return f"{packed} bytes of packed pixels, {most} are plausible" if packed > most else ""


def without_extras(data: bytes) -> bytes:
    """Return the image `data`, if it is a PNG without the chunks that say nothing of its pixels.

    libpng prints a line for each that is odd, such as a colour profile.
    """
    if not data.startswith(_PNG):
        return data
    parts, at = [_PNG], len(_PNG)
    for kind, length in _chunks(data):
        end = at + 12 + length
        if kind[:1].isupper() or kind in _WITH_PIXELS:
            parts.append(data[at:end])
        at = end
    return b"".join([*parts, data[at:]])


def _chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the kind and the length of each chunk of a PNG, up to the first that isn't whole."""
    at = len(_PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, length
        at += 12 + length  # length, kind and checksum have four bytes each
