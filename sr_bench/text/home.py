"""Keep the user's home folder out of what is passed around."""

import os
import re
from pathlib import Path


def without_home(text: str) -> str:
    """Return `text` with ``~`` for the home folder: records are passed around."""
    if "/" not in text and os.sep not in text:  # most texts: no path, so no home
        return text
    home = os.path.expanduser("~")  # noqa: PTH111 - called for every text of every record
    if home not in text or home == Path(home).anchor:  # the root names nobody
        return text
    return re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
