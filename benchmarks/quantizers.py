"""Other people's quantisers: an fp32 file, images and layers that stay in float; an int8 file.

What they make is marked as int8, so that `sr_bench` opens it with the kernels that are exact here.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
from numpy.typing import NDArray

from sr_bench.core.backend import PRECISION_KEY

Loads = Sequence[Callable[[], NDArray[np.float32]]]


class Reader:
    """Hands out images one by one, as CalibStridedMinMax wants it."""

    def __init__(self, name: str, loads: Loads) -> None:
        self._name, self._loads = name, loads
        self._left: Iterator[Callable[[], NDArray[np.float32]]] = iter(loads)

    def __len__(self) -> int:
        return len(self._loads)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Hand out these images next."""
        self._left = iter(self._loads[start_index:end_index])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next image."""
        load = next(self._left, None)
        return {self._name: load()} if load else None


def ready(images: Sequence[NDArray[np.float32]]) -> Loads:
    """Return what loads each of `images`, which are in memory."""
    return [partial(lambda image: image, image) for image in images]


@dataclass(frozen=True)
class Wanted:
    """What a quantiser is asked for."""

    source: Path
    """The fp32 network, folded: every node has a name."""
    loads: Loads
    """Of the images that it may look at."""
    excluded: Sequence[str] = ()
    """Nodes that stay in float."""

    @property
    def input(self) -> str:
        """Name of the network's input."""
        return str(onnx.load(self.source, load_external_data=False).graph.input[0].name)


@dataclass(frozen=True)
class Quantizer:
    """A tool in one setting."""

    title: str
    package: str
    write: Callable[[Wanted, Path], None]

    @property
    def version(self) -> str:
        """That of its package; empty where that is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return ""


def by_onnxruntime(wanted: Wanted, target: Path, method: str = "MinMax") -> None:
    """Write what `quantize_static` makes: QDQ, uint8 activations, int8 weights per channel."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with redirect_stdout(StringIO()):  # it tells what it does
        quantize_static(
            wanted.source,
            target,
            Reader(wanted.input, wanted.loads),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(wanted.excluded),
            calibrate_method=CalibrationMethod[method],
            extra_options={"CalibStridedMinMax": 1},
        )
    _save_marked(onnx.load(target), target)


def by_nncf(wanted: Wanted, target: Path) -> None:
    """Write what `nncf.quantize` makes on its ONNX backend, with the preset it advises for CNNs."""
    nncf, name = import_nncf(), wanted.input
    nncf.set_log_level("ERROR")
    with redirect_stdout(StringIO()):  # it draws progress bars
        quantised = nncf.quantize(
            onnx.load(wanted.source),
            nncf.Dataset(wanted.loads, lambda load: {name: load()}),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(wanted.loads),
            ignored_scope=nncf.IgnoredScope(names=list(wanted.excluded)),
        )
    # The noted types are in the way of exact kernels, which turn int8 into uint8.
    del quantised.graph.value_info[:]
    _save_marked(quantised, target)


def import_nncf() -> ModuleType:
    """Return NNCF, kept from reporting its use.

    Raises:
        ImportError: It is not installed.
    """
    # It reports over the network, by this package, unless that is missing.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    return import_module("nncf")


def _save_marked(model: onnx.ModelProto, target: Path) -> None:
    model.metadata_props.add(key=PRECISION_KEY, value="int8")
    onnx.save(model, target)


QUANTIZERS: Mapping[str, Quantizer] = {
    **{
        method.lower(): Quantizer(
            f"onnxruntime {method}", "onnxruntime", partial(by_onnxruntime, method=method)
        )
        for method in ("MinMax", "Percentile", "Entropy")
    },
    "nncf": Quantizer("NNCF", "nncf", by_nncf),
}
