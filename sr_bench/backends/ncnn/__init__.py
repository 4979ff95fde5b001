"""The ncnn backend, on the CPU, in fp32: the ONNX file is written in ncnn's own format.

ncnn's int8 has a scheme of its own, symmetric and with other roundings, and is no reading of a QDQ
file; its fp16 is storage alone on a PC. Neither is offered.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._runtime import Opened, Runtime
from sr_bench.files.temporary import temporary_folder

if TYPE_CHECKING:
    from ncnn import Net


def _load(path: Path, threads: int) -> Opened:
    return Opened(_Network(_opened(path, threads)))


def _opened(path: Path, threads: int) -> "Net":
    import ncnn

    from sr_bench.backends.ncnn.convert import converted  # loads onnxruntime

    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_vulkan_compute = False
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{name}", False)
    param, weights = converted(path)
    with temporary_folder() as folder:
        files = Path(folder, "net.param"), Path(folder, "net.bin")
        files[0].write_text(param, encoding="ascii")
        files[1].write_bytes(weights)
        if net.load_param(str(files[0])) or net.load_model(str(files[1])):
            msg = "it does not load the file that was written in its format"
            raise ValueError(msg)
    return net


class _Network:
    """An open network as a function of the image that several threads may call."""

    def __init__(self, net: "Net") -> None:
        self._net = net

    def __call__(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for `lr`, both float32 NCHW: ncnn knows no batch."""
        return np.stack([self._run(image) for image in lr])

    def _run(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        import ncnn

        from sr_bench.backends.ncnn.convert import INPUT, OUTPUT

        planes = np.ascontiguousarray(image)  # which the Mat only points to
        extractor = self._net.create_extractor()
        extractor.input(INPUT, ncnn.Mat(planes).clone())
        code, output = extractor.extract(OUTPUT)
        if code:
            msg = f"ncnn ended with {code} on an image of {image.shape[2]} x {image.shape[1]}"
            raise RuntimeError(msg)
        return np.array(output, np.float32)


RUNTIME = Runtime(
    "ncnn",
    _load,
    ("fp32",),
    "fp32, written in its format here; its int8 is a scheme of its own, and no reading of QDQ",
)
describe, precisions, open_session = RUNTIME.describe, RUNTIME.precisions, RUNTIME.open_session
