"""What every backend that opens an ONNX file promises: which files it takes, and which images."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._session import Infer
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError

if TYPE_CHECKING:
    from onnx import ModelProto

    from sr_bench.files.onnx_image import Dims


def check_precision(model: "ModelProto", precision: Precision, told: Path) -> None:
    """Refuse a file whose content is of another precision; its weights need not be loaded.

    A float16 file would silently be computed in float32, and a quantised one be called fp32.

    Raises:
        BackendError: The file, which is called `told`, is of another precision.
    """
    from sr_bench.files.onnx_dtype import arithmetic

    found = arithmetic(model)
    if found.dtype == precision.dtype:
        return
    msg = f"expected a file of {precision.dtype}, got one of {found.dtype}: {told}"
    if found.sign:
        msg += f": {found.sign}"
    if found.dtype in ("fp16", "int8"):
        msg += "; a card declares such a file with [model.onnx_by_precision]"
    raise BackendError(msg)


@dataclass(frozen=True)
class Fitted:
    """An opened file as a function of the image, which tells what sizes it takes if not these."""

    backend: str
    infer: Infer
    dims: "Dims | None"
    """Of its input; None where the file does not say."""
    told: Path
    """What errors call the file."""

    def __call__(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for `lr`, both float32 NCHW; raise a BackendError if it doesn't fit."""
        from sr_bench.files.onnx_image import misfit, said, sizes_taken

        if fault := misfit(self.dims or lr.shape, lr.shape):
            msg = f"{self.told}: {fault}"
            raise BackendError(msg)
        try:
            return self.infer(lr)
        # Runtimes' exceptions have no common base but Exception.
        except Exception as error:
            sizes = sizes_taken(partial(self._run_on, lr.shape[1]))
            advice = f"{sizes} ({said(error)})"
            msg = f"{self.backend} can't run {self.told} on the shape {lr.shape}; {advice}"
            raise BackendError(msg) from error

    def _run_on(self, channels: int, height: int, width: int) -> None:
        self.infer(np.zeros((1, channels, height, width), np.float32))

    def takes(self, lr: NDArray[np.float32]) -> bool:
        """Return whether it runs on `lr`."""
        try:
            self.infer(lr)
        except Exception:
            return False
        return True
