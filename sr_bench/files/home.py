"""Keep the user's home folder out of what is passed around."""

import re
from pathlib import Path


def without_home(text: str) -> str:
    """Return `text` with ``~`` for the home folder: records are passed around."""
    home = str(Path.home())
    if home == Path.home().anchor:  # it names nobody, and every path starts with it
        return text
    return re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
