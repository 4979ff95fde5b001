"""The build file of the card's compiler, vamc: how ours is made.

The compiler seems to ignore keys that it does not know: two published files spell
``alibrate_mode``, and nobody has published the defaults. So an option of a card that no published
file uses is an error.

Source: the 344 ``build/*.yaml`` of github.com/Vastai/VastModelZOO that are not of language models.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from sr_bench.backends.vacc.build.vdsp import values_text
from sr_bench.core.device import CompilerInput, Shape
from sr_bench.errors import BackendError
from sr_bench.files.validation import Table, validate

# The compiler's calibrations; an observer states what it is called there as a synonym.
_MODES = ("max", "percentile", "kl_divergence", "mse")


class _Options(Table):
    """What a card may add to ``backend.compile``; most of it is not explained anywhere.

    Where neither meaning nor values are published, any value that a card can hold goes.
    """

    data_transport_mode: int
    """1 in every published file of a super-resolution network."""
    enable_graph_partition: bool | None = None  # six networks at 768p and above; an error for ECBSR
    cluster_mode: int | None = None  # 0 in 160 published files
    switch_lhs_rhs: bool | None = None
    opt_level: int | None = None  # 2 where it is given
    data_type: int | None = None  # 0 in 98 files, 2 in 4; by 2 GPEN fell from 25 to 18 dB
    stream_mode: int | bool | str | None = None
    mem_inplace: bool | None = None
    nearest_interpol_on_dsp: int | bool | str | None = None
    split_convergence_points: int | bool | str | None = None
    real_output_shape: int | bool | str | None = None
    enable_float_to_half: bool | None = None
    partition_convergence_dsp_enable: bool | None = None


@dataclass(frozen=True)
class Build:
    """A build file, of schema 3 (``vamc compile``)."""

    name: str
    input_name: str
    """Of the network's input, which the compiler insists on."""
    shape: Shape
    checkpoint: Path
    """The ONNX file."""
    backend: Mapping[str, object]
    dataset: Mapping[str, object] | None
    """The calibration images; None unless int8."""
    workspace: Path
    """Where the compiler makes a folder named as the build."""


def build_text(build: Build) -> str:
    """Return `build` as YAML, its keys in the usual order."""
    table: dict[str, object] = {
        "name": build.name,
        "frontend": {
            "shape": {build.input_name: list(build.shape)},
            "type": "onnx",
            "checkpoint": str(build.checkpoint),
            "dtype": "fp32",
        },
        "backend": build.backend,
        **({"dataset": build.dataset} if build.dataset else {}),
        "workspace": {"path": str(build.workspace)},
    }
    return yaml.safe_dump(table, sort_keys=False, allow_unicode=True)


def build_of(
    source: CompilerInput,
    *,
    input_name: str,
    shape: Shape,
    checkpoint: Path,
    calibration: Path,
    workspace: Path,
) -> Build:
    """Return the build file for `source` in fp16 or int8; the other arguments are as in `Build`.

    The folder `calibration` is for int8: PNG images of exactly H x W, which are not resized.

    Raises:
        BackendError: An option or the precision is not one of the compiler's, int8 has no images,
            or they can't be given to a network with such an input.
    """
    return Build(
        name=re.sub(r"[^\w.-]+", "-", f"{source.name}-{source.precision}"),  # a folder is named so
        input_name=input_name,
        shape=shape,
        checkpoint=checkpoint,
        backend=_backend(source),
        dataset=_dataset(source, calibration, channels=shape[1]),
        workspace=workspace,
    )


def _backend(source: CompilerInput) -> dict[str, object]:
    dtype = source.precision.dtype
    if dtype not in ("fp16", "int8"):
        msg = f"{source.name}: the card's compiler makes fp16 and int8, got {dtype}"
        raise BackendError(msg)
    options = validate(
        _Options,
        {"data_transport_mode": 1, **source.plan.options},
        where=f"{source.name}: the card's vacc.options",
        error=BackendError,
    )
    table: dict[str, object] = {
        "type": "tvm_vacc",
        "dtype": dtype,
        # Nobody has published the defaults, so only what a card says is written.
        "compile": options.model_dump(exclude_unset=True),
    }
    if dtype == "int8":
        table["quantize"] = _quantize(source)
    return table


def _quantize(source: CompilerInput) -> dict[str, object]:
    names = source.precision.calibration_names
    mode = next((name for name in names if name in _MODES), None)
    if mode is None:
        msg = f"{source.name}: the compiler calibrates by {', '.join(_MODES)}, got {names[0]}"
        raise BackendError(msg)
    table: dict[str, object] = {
        "calibrate_mode": mode,
        "quantize_per_channel": source.plan.per_channel,
    }
    if mode == "percentile":
        table["calibrate_range"] = source.plan.calibrate_range
    if source.skip_layers:
        table["skip_conv_layers"] = list(source.skip_layers)
    return table


def _dataset(source: CompilerInput, images: Path, *, channels: int) -> Mapping[str, object] | None:
    if source.precision.dtype != "int8":
        return None
    if not source.calibration:
        msg = f"{source.name}: int8 needs calibration images, got none"
        raise BackendError(msg)
    return {
        "type": "tvm",
        "path": str(images),
        "sampler": {"suffix": "png", "get_data_num": len(source.calibration)},
        "process_ops": _steps(source, channels=channels),
    }


def _steps(source: CompilerInput, *, channels: int) -> list[dict[str, object]]:
    """Return what turns an 8-bit RGB image into what the network reads."""
    if source.white not in (1.0, 255.0) or channels != 3:
        msg = (
            f"{source.name}: the card's compiler is calibrated with 8-bit RGB images for networks "
            "of 3 channels of values from 0 to 1 or 255, got "
            f"{values_text(channels, source.white)}: use fp16"
        )
        raise BackendError(msg)
    steps: list[dict[str, object]] = [{"type": "DecodeImage", "backend": "pillow"}]
    if source.channel_order == "bgr":
        steps.append({"type": "CvtColor", "code": "COLOR_RGB2BGR"})
    if source.white == 1.0:
        # Without a mean and a deviation it only divides; without this step 0 to 255 stay.
        steps.append({"type": "Normalize", "div255": True, "norm_type": None})
    return [*steps, {"type": "ToTensor"}]
