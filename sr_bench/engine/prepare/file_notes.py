"""What an ONNX file of a low precision says of how it was made, and how onnxruntime runs it."""

from collections.abc import Mapping
from pathlib import Path

from onnx import load

from sr_bench.files.onnx_file import load_onnx, metadata
from sr_bench.precision.constants import constant_signs
from sr_bench.precision.macs import integer_share
from sr_bench.precision.network import Network

KEYS = ("observer", "widened", "int8_share", "integer_share", "float_operators")
"""Entries of a file that was made here: what chose its clip ranges, how many were widened and for
which images, the part of the multiply-accumulates in int8, the part that plain onnxruntime runs so,
and what multiplies too and had to stay in float."""


def notes_of(path: Path) -> Mapping[str, str]:
    """Return what the file at `path` that was made here says of itself, as far as it does."""
    entries = metadata(load(path, load_external_data=False))
    notes = {key: entries.get(f"sr_bench.{key}", "") for key in KEYS}
    return {key: value for key, value in notes.items() if value}


def integer_notes(path: Path) -> Mapping[str, str]:
    """Return which part of any file plain onnxruntime runs in integers, if that can be told."""
    share = integer_share(load(path))  # not checked: onnxruntime has opened it
    return {} if share is None else {"integer_share": f"{share:.4f}"}


def fault_notes(path: Path, network: Network) -> Mapping[str, str]:
    """Return as ``file_faults`` which constants of the int8 file at `path` are damaged, if any.

    They are not what rounding makes of those of the fp32 `network`.
    """
    faults = "; ".join(constant_signs(load_onnx(path), network))
    return {"file_faults": faults} if faults else {}
