"""What an ONNX file must be for any backend to open it, whatever library reads it."""

from collections.abc import Mapping
from pathlib import Path

from sr_bench.core.backend import PRECISION_KEY, PROFILE_KEY
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError


def check_onnx(
    path: Path, precision: Precision, *, inputs: int, outputs: int, metadata: Mapping[str, str]
) -> None:
    """Refuse a file that is not of one input and one output, or not made for `precision`.

    Args:
        path: The file, for the message.
        precision: What it is opened for.
        inputs: How many inputs the graph has, constants not counted.
        outputs: How many outputs.
        metadata: The file's metadata entries.

    Raises:
        BackendError: The file is refused.
    """
    if (inputs, outputs) != (1, 1):
        msg = f"expected one input and one output in {path}; it has {inputs} and {outputs}"
        raise BackendError(msg)
    found = metadata.get(PRECISION_KEY, "fp32")
    if found != precision.dtype:
        # A float16 file would be computed in float32 without a word.
        msg = f"expected a file made for {precision.dtype}, but {path} is {found}"
        raise BackendError(msg)


def int8_rules(metadata: Mapping[str, str]) -> str:
    """Return by which rules of a device an int8 file computes; empty for a QDQ file.

    Such a file is plain float32, whose values are integers where they should be.
    """
    return metadata.get(PROFILE_KEY, "")
