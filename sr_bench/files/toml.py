"""Read a TOML file that may be anything: a pipe, other bytes, made to take for ever."""

import tomllib
from pathlib import Path

from sr_bench.errors import SrBenchError

_MOST_DOTS = 1000


def read_toml(path: Path, error: type[SrBenchError]) -> dict[str, object]:
    """Return the table in the TOML file at `path`; no line of it may have more than 1000 dots.

    Raises:
        SrBenchError: Of the class `error`: the file can't be read, or isn't UTF-8 TOML.
    """
    if is_endless(path):
        msg = f"{path}: can't be read (a pipe or a device); expected a TOML file there"
        raise error(msg)
    try:
        text = path.read_bytes().decode("utf-8-sig")  # editors on Windows write a BOM
        _refuse_long_keys(text)
        return tomllib.loads(text)
    except OSError as cause:
        msg = f"{path}: can't be read ({cause.strerror}); expected a TOML file there"
    except RecursionError:
        msg = f"{path}: not valid TOML: nested too deeply"
    except ValueError as cause:  # of TOML, of UTF-8, or of an integer of thousands of digits
        advice = "; in paths write / for it" if "Unescaped '\\'" in str(cause) else ""
        msg = f"{path}: not valid TOML: {cause}{advice}"
    raise error(msg)


def _refuse_long_keys(text: str) -> None:
    """Refuse dotted keys whose reading would take long: it grows with the square of their parts."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > _MOST_DOTS:
            msg = f"more than {_MOST_DOTS} dots (at line {number})"
            raise ValueError(msg)


def is_endless(path: Path) -> bool:
    """Whether `path` is a pipe, a socket or a device: to read it may take for ever."""
    return path.exists() and not path.is_file() and not path.is_dir()
