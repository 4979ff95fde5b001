"""Read what a Python script, or a piece of one in a document, does to images: a protocol's choices.

The code is parsed, never run. What no key of a protocol can say is found as `OPEN`.
"""

import ast
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from sr_bench.core.protocol import Resize
from sr_bench.draft.found import OPEN, Found, Origin
from sr_bench.draft.operations import INPUT, OUTPUT, TRUTH, Operation, number, operations

_NEAR = 1e-3
_FOLDERS = {
    "hr_folder": re.compile(r"-*((gt|hr|hq|label|target|high)_.*(dir|path|folder)|gt|hr|hq)"),
    "lr_folder": re.compile(r"-*((lr|lq|src|low|input)_.*(dir|folder)|lr|lq)"),
}
_ROUNDED = {"round": ("round", ""), "integers": ("truncate", "uint8 without a round")}
_NOTED = re.compile(r"psnr\s*[:=]\s*(\d{1,3}\.\d{2,20})\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Script:
    tree: ast.Module
    path: str
    first: int
    """Line of the file that the code begins at, less one."""
    origin: Origin

    def found(self, choice: str, value: object, line: int, why: str = "") -> Found:
        return Found(choice, value, f"{self.path}:{self.first + line}", self.origin, why)


def read_script(
    code: str, path: str, origin: Origin, *, first: int = 0, role: str = ""
) -> tuple[Found, ...]:
    """Return what the Python `code` says; nothing if it is not Python that can be parsed.

    Args:
        code: The text.
        path: Of its file, for `Found.where`.
        origin: What the file is.
        first: Lines of the file before the code.
        role: What images without a telling name are: `INPUT` or `OUTPUT`.
    """
    try:
        script = _Script(ast.parse(textwrap.dedent(code)), path, first, origin)
        done = operations(script.tree, role)
        of = {name: [op for op in done if op.role == name] for name in (TRUTH, OUTPUT, INPUT)}
        return (
            *_truth(script, of[TRUTH]),
            *_output(script, of[OUTPUT]),
            *_input(script, of[INPUT]),
            *_metrics(script, done),
            *_options(script),
            *_noted(script, code),
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _truth(script: _Script, done: Sequence[Operation]) -> Iterator[Found]:
    for op in done:
        if op.kind == "crop":
            yield script.found(OPEN, f"the ground truth is cropped by {op.value}", op.line)
        elif op.kind == "luma":
            colour = "y_full" if "cv2" in str(op.value) else "y_float"
            yield script.found("colour", colour, op.line, "the ground truth becomes Y")
    resizes = [op for op in done if op.kind == "resize"]
    if not resizes:
        return
    if any(op.kind == "crop" for op in done) or resizes[-1].value not in get_args(Resize):
        said = f"the ground truth is resized by {resizes[-1].value}, which no protocol does"
        yield script.found(OPEN, said, resizes[-1].line)
    else:
        yield script.found("gt_resize", resizes[-1].value, resizes[-1].line, "of the ground truth")


def _output(script: _Script, done: Sequence[Operation]) -> Iterator[Found]:
    """Yield the white level, the clip and the rounding, by following the values to 0-255."""
    if not done:
        return
    scaled = _affine(done)
    clips = [op for op in done if op.kind == "clip"]
    at = clips[0] if clips else done[-1]
    if clips or scaled != (1.0, 0.0):
        yield from _white(script, scaled, at.line, "of the output", of_one=255.0)
    elif not any(op.kind in ("luma", "rgb", "combine") for op in done):
        yield script.found("value_range", 255.0, at.line, "the output is not scaled")
    yield script.found("clip", bool(clips), at.line, "" if clips else "no clip")
    kinds = {op.kind: op for op in done}
    last = kinds.get("round") or kinds.get("integers") or at
    rounding, why = _ROUNDED.get(last.kind, ("none", "kept as float"))
    yield script.found("rounding", rounding, last.line, why)
    for op in done:
        if op.kind == "combine":
            said = f"the output is combined from several: {op.value}; put that into the network"
            yield script.found(OPEN, said, op.line)
        elif op.kind in ("luma", "rgb"):
            yield script.found(OPEN, _GIVES_LUMA, op.line)
            break


def _input(script: _Script, done: Sequence[Operation]) -> Iterator[Found]:
    resizes = [op for op in done if op.kind == "resize"]
    steps = [str(op.value) for op in done if op.kind in ("resize", "crop")]
    if len(resizes) > 1 or len(steps) > len(resizes):
        said = f"LR is made from the image in several steps: {', '.join(steps)}"
        yield script.found(OPEN, said, (resizes or done)[0].line)
    for rule in resizes[-1:]:
        if rule.value in get_args(Resize):
            yield script.found("lr_resize", rule.value, rule.line, "of the input")
        else:
            said = f"LR is resized by {rule.value}, which no protocol does"
            yield script.found(OPEN, said, rule.line)
    if luma := next((op for op in done if op.kind == "luma"), None):
        yield script.found("channels", 1, luma.line)
        yield script.found(OPEN, TAKES_LUMA, luma.line)
    if any(op.kind == "combine" for op in done):  # a mean and a deviation for each channel
        yield script.found(OPEN, NORMALISED, done[-1].line)
    elif script.origin is Origin.DOCUMENT and done:
        yield from _white(script, _affine(done), done[-1].line, "of the input", of_one=1 / 255)


def _affine(done: Sequence[Operation]) -> tuple[float, float] | None:
    """Return factor and summand of all that is multiplied and added, in this order."""
    factor, summand = 1.0, 0.0
    for op in done:
        if op.kind == "multiply":
            factor, summand = factor * float(str(op.value)), summand * float(str(op.value))
        elif op.kind == "add":
            summand += float(str(op.value))
        elif op.kind == "rgb":  # its own arithmetic is left out
            return None
    return factor, summand


def _white(
    script: _Script, scaled: tuple[float, float] | None, line: int, what: str, *, of_one: float
) -> Iterator[Found]:
    """Yield the white level of a network by how its values are scaled: by `of_one` if it is 1."""
    if scaled is None:
        return
    factor, summand = scaled
    if summand == 0 and abs(factor / of_one - 1) < _NEAR:
        yield script.found("value_range", 1.0, line, f"{what}: 0 to 1")
    elif summand == 0 and abs(factor - 1) < _NEAR:
        yield script.found("value_range", 255.0, line, f"{what}: 0 to 255")
    else:
        yield script.found(OPEN, NORMALISED, line)


NORMALISED = (
    "the network takes or gives other values than 0 to 1 or 0 to 255 (normalised by a mean and a"
    " deviation): put the normalisation into the ONNX file"
)
TAKES_LUMA = "the network takes Y alone: it runs only as an RGB network"
_GIVES_LUMA = "the network gives Y alone, and the chroma is added: it runs only as an RGB network"


def _metrics(script: _Script, done: Sequence[Operation]) -> Iterator[Found]:
    scalars = _scalars(script.tree)
    for op in done:
        if op.kind == "border":
            yield script.found("border", op.value, op.line, "cropped from both images")
        elif op.kind == "library_ssim":
            yield script.found("ssim_window", op.value, op.line, "SSIM is scikit-image's")
        elif op.kind == "mean":
            last = op.value in scalars
            why = f"the mean is of {op.value}, {'one image' if last else 'a list'}"
            value = "last_image" if last else "mean"
            yield script.found("ssim_aggregation", value, op.line, why)


def _scalars(tree: ast.Module) -> set[str]:
    """Return the names that hold what a metric gave for one image."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if re.search("ssim", ast.unparse(node.value.func), re.IGNORECASE)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _options(script: _Script) -> Iterator[Found]:
    """Yield the folders and sizes that are options' defaults, and the scale in file names."""
    for node in ast.walk(script.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        texts = [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)]
        if node.func.attr == "add_argument" and texts:
            yield from _option(script, texts[0], node)
        elif node.func.attr == "replace" and texts and re.fullmatch(r"[xX]([2-8])", texts[0]):
            why = f"names of LR end in {texts[0]}"
            yield script.found("scale", int(texts[0][1:]), node.lineno, why)


def _option(script: _Script, flag: str, node: ast.Call) -> Iterator[Found]:
    default = next((each.value for each in node.keywords if each.arg == "default"), None)
    if isinstance(default, ast.Constant) and isinstance(default.value, str):
        for choice, flags in _FOLDERS.items():
            if flags.fullmatch(flag):
                yield script.found(choice, default.value, default.lineno, flag)
    elif flag.strip("-") in ("input_shape", "input_size") and isinstance(default, ast.List):
        sides = tuple(int(side) for side in map(number, default.elts) if side)
        if len(sides) == 2:
            yield script.found("input_shape", sides, default.lineno, flag)


def _noted(script: _Script, code: str) -> Iterator[Found]:
    """Yield the results that authors noted in comments: the document's, where they are equal."""
    for line, text in enumerate(code.split("\n"), start=1):
        for noted in _NOTED.findall(text):
            yield script.found("noted_psnr", noted, line)
