"""The build file of the card's compiler: what may be written in it, and how ours is made.

The compiler seems to ignore keys that it does not know: two published files spell
``alibrate_mode``, and nobody has published the defaults. So here an unknown key is an error.

Source: the 344 ``build/*.yaml`` of github.com/Vastai/VastModelZOO that are not of language models.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

import yaml
from pydantic import Field, model_validator

from sr_bench.core.device import Shape, Source
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError
from sr_bench.files.validation import Table, nearest, validate

_Shape = list[Annotated[int, Field(gt=0)]]
_Value = bool | int | float | str | list[int] | list[str]
"""Of keys whose meaning and values are not published."""

CalibrateMode = Literal["percentile", "kl_divergence", "max", "mse"]

_STEP_KEYS: Mapping[str, tuple[str, ...]] = {
    "DecodeImage": ("backend", "cv2_flags"),
    "CvtColor": ("code", "backend"),
    "Resize": ("size", "interpolation", "adaptive_side", "backend"),
    "CenterCrop": ("crop_size", "interpolation", "backend"),
    "Pad": ("pad_to_square",),
    "ChannelSplit": ("index",),
    "Normalize": ("mean", "std", "div255", "norm_type"),
    "ToTensor": (),
    "CustomFunc": ("module_path", "func_name", "input_shape"),
}


class Frontend(Table):
    """The network."""

    shape: dict[str, _Shape | list[_Shape]]
    """By input name; several for a network that is compiled for several."""
    type: Literal["onnx", "pytorch", "keras", "tensorflow", "darknet"] | None = None
    checkpoint: str
    dtype: Literal["fp32", "int64"] | None = None


class ExtraOps(Table):
    """Operators to append, such as ``softmax``."""

    type: str | None = None
    params: dict[str, object] | None = None


class Graph(Table):
    """Changes to the network."""

    extra_ops: ExtraOps | None = None


class Compile(Table):
    """How it is translated; most of it is not explained anywhere."""

    data_transport_mode: int | None = None
    """1 in every published file of a super-resolution network."""
    enable_graph_partition: bool | None = None
    cluster_mode: int | None = None
    output_ddr: list[int] | None = None
    switch_lhs_rhs: bool | None = None
    opt_level: int | None = None
    data_type: int | None = None
    stream_mode: _Value | None = None
    mem_inplace: bool | None = None
    nearest_interpol_on_dsp: _Value | None = None
    split_convergence_points: _Value | None = None
    output_layout: list[str] | None = None
    real_output_shape: _Value | None = None
    enable_float_to_half: bool | None = None
    partition_convergence_dsp_enable: bool | None = None


class Quantize(Table):
    """How it becomes int8."""

    calibrate_mode: CalibrateMode
    quantize_per_channel: bool | None = None
    calibrate_range: Annotated[float, Field(gt=0, le=1)] | None = None
    calibrate_chunk_by: int | None = None
    weight_scale: Literal["power2", "max"] | None = None
    output_ddr: list[int] | None = None
    skip_conv_layers: list[int] | None = None
    skip_matmul_layers: list[int] | None = None
    exclude_layers: list[int] | None = None
    quantize_operators: list[str] | None = None
    quantize_dsp_ops: list[str] | None = None
    ops_usingfp: list[str] | None = None
    requant_suppress: _Value | None = None
    overflow_adaptive: int | None = None
    quantize_mode: Literal["manual", "force_auto"] | None = None
    stream_mode: _Value | None = None
    nearest_interpol_on_dsp: _Value | None = None


class Backend(Table):
    """The precision."""

    type: Literal["tvm_vacc"]
    dtype: Literal["fp16", "int8"]
    compile: Compile | None = None
    quantize: Quantize | None = None


class Sampler(Table):
    """Which calibration files are read."""

    suffix: str | None = None
    get_data_num: Annotated[int, Field(gt=0)]


class Step(Table):
    """One operation on a calibration image; each type has keys of its own."""

    type: str
    backend: str | None = None
    cv2_flags: int | None = None
    code: str | None = None
    size: _Shape | None = None
    crop_size: _Shape | None = None
    interpolation: str | None = None
    adaptive_side: str | None = None
    pad_to_square: bool | None = None
    index: int | None = None
    div255: bool | None = None
    norm_type: str | None = None
    mean: list[float] | None = None
    std: list[float] | None = None
    module_path: str | None = None
    func_name: str | None = None
    input_shape: _Shape | None = None

    @model_validator(mode="after")
    def _keys_are_of_the_type(self) -> Self:
        if self.type not in _STEP_KEYS:
            msg = f"unknown type {self.type!r}; {nearest(self.type, tuple(_STEP_KEYS))}"
            raise ValueError(msg)
        valid = ("type", *_STEP_KEYS[self.type])
        for key in sorted(self.model_fields_set.difference(valid)):
            msg = f"{self.type} has no key {key!r}; {nearest(key, valid)}"
            raise ValueError(msg)
        return self


class Dataset(Table):
    """The calibration images."""

    type: Literal["tvm"] | None = None
    path: str
    sampler: Sampler
    process_ops: list[Step] | None = None


class Workspace(Table):
    """Where the result goes: ``<path>/<name of the build>/mod.{json,so,params}``."""

    path: str | None = None
    work_dir: str | None = None
    enable_ir: bool | None = None
    save_log: bool | None = None
    workers: int | None = None
    env_recheck: bool | None = None
    pyenv: str | None = None


class Build(Table):
    """A build file, of schema 3 (``vamc compile``)."""

    name: str
    frontend: Frontend
    graph: Graph | None = None
    backend: Backend
    dataset: Dataset | None = None
    workspace: Workspace

    @model_validator(mode="after")
    def _int8_is_calibrated(self) -> Self:
        if self.backend.dtype == "int8" and not (self.backend.quantize and self.dataset):
            msg = "int8 needs the blocks 'backend.quantize' and 'dataset'"
            raise ValueError(msg)
        return self


def read_build(text: str, where: str) -> Build:
    """Return the build file that `text` holds; `where` is its name for messages.

    Raises:
        BackendError: It is not YAML, or has faults; all are listed.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as cause:
        msg = f"{where}: not valid YAML: {cause}"
        raise BackendError(msg) from cause
    if not isinstance(content, dict):
        msg = f"{where}: expected a table of name, frontend, backend ..., got {content!r:.60}"
        raise BackendError(msg)
    return validate(Build, content, where=where, error=BackendError)


def build_text(build: Build) -> str:
    """Return `build` as YAML: the keys that it was given, in the usual order."""
    return yaml.safe_dump(build.model_dump(exclude_unset=True), sort_keys=False, allow_unicode=True)


def build_of(
    source: Source,
    *,
    input_name: str,
    shape: Shape,
    checkpoint: Path,
    calibration: Path | None,
    count: int,
    workspace: Path,
) -> Build:
    """Return the build file for `source`.

    Args:
        source: What to compile: fp16 or int8.
        input_name: Name of the network's input, which the compiler insists on.
        shape: N, C, H and W to compile for.
        checkpoint: The ONNX file.
        calibration: For int8, the folder with PNG images of exactly H x W; they are not resized.
        count: How many there are.
        workspace: Where the compiler makes a folder named as the build.

    Raises:
        BackendError: An option is not one of the compiler's, int8 has no images, or they can't
            be given to a network with such an input.
    """
    table: dict[str, object] = {
        "name": re.sub(r"[^\w.-]+", "-", f"{source.name}-{source.precision}"),
        "frontend": {
            "shape": {input_name: list(shape)},
            "type": "onnx",
            "checkpoint": str(checkpoint),
            "dtype": "fp32",
        },
        "backend": _backend(source),
    }
    if source.precision.dtype == "int8" and calibration is not None:
        table["dataset"] = {
            "type": "tvm",
            "path": str(calibration),
            "sampler": {"suffix": "png", "get_data_num": count},
            "process_ops": _steps(source, channels=shape[1]),
        }
    table["workspace"] = {"path": str(workspace)}
    return validate(Build, table, where=f"{source.name}: its build file", error=BackendError)


def _backend(source: Source) -> dict[str, object]:
    table: dict[str, object] = {
        "type": "tvm_vacc",
        "dtype": source.precision.dtype,
        "compile": {"data_transport_mode": 1, **source.plan.options},
    }
    if source.precision.dtype == "int8":
        table["quantize"] = _quantize(source)
    return table


def _quantize(source: Source) -> dict[str, object]:
    table: dict[str, object] = {
        "calibrate_mode": _mode(source.precision),
        "quantize_per_channel": source.plan.per_channel,
    }
    if source.precision.calibration == "percentile":
        table["calibrate_range"] = source.plan.calibrate_range
    if source.skip_layers:
        table["skip_conv_layers"] = list(source.skip_layers)
    return table


def _mode(precision: Precision) -> str:
    """Return what the compiler calls the calibration, if it has it."""
    names = precision.calibration_names
    return next((name for name in names if name in get_args(CalibrateMode)), names[0])


def _steps(source: Source, *, channels: int) -> list[dict[str, object]]:
    """Return what turns an 8-bit RGB image into what the network reads."""
    if source.white not in (1.0, 255.0) or channels != 3:
        msg = (
            f"{source.name}: the card's compiler is calibrated with 8-bit RGB images for networks "
            f"of 3 channels with the white level 1 or 255; this one has {channels} with "
            f"{source.white:g}: use fp16"
        )
        raise BackendError(msg)
    steps: list[dict[str, object]] = [{"type": "DecodeImage", "backend": "pillow"}]
    if source.channel_order == "bgr":
        steps.append({"type": "CvtColor", "code": "COLOR_RGB2BGR"})
    if source.white == 1.0:
        # Without a mean and a deviation it only divides; without this step 0 to 255 stay.
        steps.append({"type": "Normalize", "div255": True, "norm_type": None})
    return [*steps, {"type": "ToTensor"}]
