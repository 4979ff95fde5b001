"""Names of a report's files, which are never those that a record holds."""

import re
from hashlib import sha256

PAGE = re.compile(r"(index|compare|(model|trend)-[a-z0-9-]{1,80})\.html")
"""What a page file of ours is called."""

COMPARISON = "compare.html"
"""What the page of a comparison is called."""

ASSET = re.compile(r"img/[0-9a-f]{20}\.webp")
"""What an image file of ours is called."""

_UNSAFE = re.compile(r"[^a-z0-9]+")


def page_name(kind: str, *parts: str) -> str:
    """Return the file name of the page that is about `parts`; different parts, different name."""
    readable = _UNSAFE.sub("-", "-".join(parts[:3]).lower()).strip("-")[:48].strip("-")
    # Of the names as they are: made readable, two may be equal. File names may hold surrogates.
    digest = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{kind}-{readable or 'page'}-{digest}.html"
