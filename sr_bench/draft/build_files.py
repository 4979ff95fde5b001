"""Read compiler files (YAML) and the files of a device's image unit (JSON): sizes and ranges."""

import json
import re
from collections.abc import Iterator, Mapping

import yaml

from sr_bench.draft.found import OPEN, Found, Origin
from sr_bench.draft.scripts import NORMALISED, TAKES_LUMA

_NEAR = 1e-3
_RESIZES = {"BILINEAR_CV": "cv2_linear", "BILINEAR": "cv2_linear"}


class _Lines:
    """Finds the line that a key stands on."""

    def __init__(self, text: str, path: str, origin: Origin) -> None:
        self._lines, self._path, self._origin = text.split("\n"), path, origin

    def found(self, choice: str, value: object, key: str, why: str = "") -> Found:
        pattern = re.compile(rf"\b{re.escape(key)}\b")
        line = next((n for n, text in enumerate(self._lines, 1) if pattern.search(text)), 1)
        return Found(choice, value, f"{self._path}:{line}", self._origin, why)


def read_build_file(text: str, path: str) -> tuple[Found, ...]:
    """Return what a compiler's YAML file says; nothing if it is none."""
    try:
        table = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return ()
    if not isinstance(table, dict) or not _table(table, "backend"):
        return ()
    lines = _Lines(text, path, Origin.BUILD)
    return (*_shape(table, lines), *_calibration(table, lines), *_processing(table, lines))


def _table(value: object, *keys: str) -> Mapping[str, object]:
    """Return the table below `keys`; an empty one if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _shape(table: Mapping[str, object], lines: _Lines) -> Iterator[Found]:
    for shape in _table(table, "frontend", "shape").values():
        sides = shape if isinstance(shape, list) else []
        if len(sides) == 4 and all(isinstance(side, int) and side > 0 for side in sides):
            yield lines.found("input_shape", tuple(sides[2:]), "shape", "of the compiled network")
            yield lines.found("channels", sides[1], "shape")
            if sides[1] == 1:
                yield lines.found(OPEN, TAKES_LUMA, "shape")


def _calibration(table: Mapping[str, object], lines: _Lines) -> Iterator[Found]:
    mode = _table(table, "backend", "quantize").get("calibrate_mode")
    if isinstance(mode, str):
        yield lines.found("calibration", mode, "calibrate_mode")
    data = _table(table, "dataset")
    if isinstance(data.get("path"), str):
        count = _table(data, "sampler").get("get_data_num")
        images = f"{count} images" if count else ""
        yield lines.found("calibrated_on", data["path"], "dataset", images)


def _processing(table: Mapping[str, object], lines: _Lines) -> Iterator[Found]:
    """Yield the range of the input: without a Normalize it is 0-255, and one divides by 255."""
    operations = _table(table, "dataset").get("process_ops")
    listed = operations if isinstance(operations, list) else []
    steps = [step for step in listed if isinstance(step, dict)]
    if not steps:
        return
    resizes = [step for step in steps if step.get("type") in ("Resize", "CenterCrop")]
    if len(resizes) > 1:
        sizes = ", ".join(str(step.get("size") or step.get("crop_size")) for step in resizes)
        yield lines.found(OPEN, f"LR is made from the image in several steps: {sizes}", "Resize")
    normalise = next((step for step in steps if step.get("type") == "Normalize"), None)
    if normalise is None:
        yield lines.found("value_range", 255.0, "process_ops", "no Normalize: 0 to 255")
        return
    divides = normalise.get("div255") is not False
    mean, std = _same(normalise.get("mean")), _same(normalise.get("std"))
    if (mean, std) in ((None, None), (0.0, 1.0)):
        white, why = (1.0, "Normalize divides by 255") if divides else (255.0, "div255 is false")
        yield lines.found("value_range", white, "Normalize", why)
    else:
        yield lines.found(OPEN, NORMALISED, "Normalize")


def _same(values: object) -> float | None:
    """Return the number that all channels have; None if there is none."""
    listed = values if isinstance(values, list) else [values]
    numbers = {float(value) for value in listed if isinstance(value, int | float)}
    return numbers.pop() if len(numbers) == 1 else None


def read_device_file(text: str, path: str) -> tuple[Found, ...]:
    """Return what the JSON file of a device's resize and normalise unit says."""
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    unit = _table(table, "OpConfig")
    if not unit:
        return ()
    lines = _Lines(text, path, Origin.DEVICE)
    return (*_device_resize(unit, lines), *_device_range(unit, lines))


def _device_resize(unit: Mapping[str, object], lines: _Lines) -> Iterator[Found]:
    sides = (unit.get("OimageHeight"), unit.get("OimageWidth"))
    if all(isinstance(side, int) and side > 0 for side in sides):
        yield lines.found("input_shape", sides, "OimageHeight")
    rule = _RESIZES.get(str(unit.get("ResizeType")))
    if rule:
        yield lines.found("lr_resize", rule, "ResizeType", "of the device")
    if "BGR" in str(unit.get("ColorCvtCode")):
        yield lines.found("channel_order", "bgr", "ColorCvtCode")


def _device_range(unit: Mapping[str, object], lines: _Lines) -> Iterator[Found]:
    kind = str(unit.get("NormaType"))
    mean, std = _same(unit.get("Mean")), _same(unit.get("Std"))
    plain = "DIVSTD" not in kind or (mean == 0 and std is not None and abs(std - 1) < _NEAR)
    if not plain:
        yield lines.found(OPEN, NORMALISED, "NormaType")
    elif "DIV255" in kind or kind == "EQUAL":
        white = 1.0 if "DIV255" in kind else 255.0
        yield lines.found("value_range", white, "NormaType", kind)
