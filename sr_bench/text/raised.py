"""Say in one line what another author's code raised, and at which of its lines."""

import re
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from traceback import walk_tb
from types import FunctionType

from sr_bench.core.network_io import LUMAS
from sr_bench.errors import SrBenchError
from sr_bench.text.printable import either

_LONGEST = 400
_CHANNELS = re.compile(r"to have ([13]) channels, but got (?!\1)[13] channels")
_OURS = Path(__file__).parents[1]
_PYTHON = Path(sysconfig.get_path("stdlib"))


def what_raised(error: BaseException, code: object = None) -> str:
    r"""Return kind and message of `error` and, as far as there is one, the line of a user's code.

    That is the last line outside of Python, torch and sr_bench; of a package, only if there is none
    that is not installed; without any, the first line of the function `code`.

    >>> what_raised(ValueError("no such\n  width"))
    'ValueError: no such width'
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: SyntaxError: {error.msg}"
    said = " ".join(str(error).split())
    if not isinstance(error, SrBenchError):  # which has said all
        said = f"{type(error).__name__}: {said}".removesuffix(": ")
    said += _channels_advice(said)
    place = _place(error)
    if not place and isinstance(code, FunctionType) and _is_others(code.__code__.co_filename):
        place = code_place(code)
    return f"{place}: {said}"[:_LONGEST] if place else said[:_LONGEST]


def code_place(code: FunctionType) -> str:
    """Return where `code` begins, such as ``nets/pan.py:12``."""
    return f"{code.__code__.co_filename}:{code.__code__.co_firstlineno}"


def _channels_advice(said: str) -> str:
    """Return what to add to what torch `said` of a network that got an image in another colour."""
    channels = _CHANNELS.search(said)
    if not channels:
        return ""
    colours = either(LUMAS if channels[1] == "1" else ("rgb", "bgr"))
    return f"; say what the network reads, colour = {colours} under [model.input]"


def _place(error: BaseException) -> str:
    lines = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    others = [(file, line) for file, line in lines if _is_others(file)]
    written = [(file, line) for file, line in others if "site-packages" not in file]
    return ":".join(map(str, (written or others)[-1])) if others else ""


def _is_others(file: str) -> bool:
    if not Path(file).is_file():  # frozen, or made of a text
        return False
    torch = find_spec("torch")
    folders = [_OURS, *(map(Path, torch.submodule_search_locations or ()) if torch else ())]
    in_python = "site-packages" not in file and Path(file).is_relative_to(_PYTHON)
    return not in_python and not any(Path(file).is_relative_to(folder) for folder in folders)
