"""Read the arithmetic that Python code does to images, from its text; nothing is run.

An image is followed by the name that it is assigned to: ``image_gt`` is the ground truth,
``output`` what the network gave. Whatever the code computes around them is left aside.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sr_bench.document.spelling import words

TRUTH, OUTPUT, INPUT = "truth", "output", "input"

_WORDS = {
    TRUTH: words("gt hr hq truth target label reference clean sharp"),
    OUTPUT: words("output out sr pred predict prediction result heatmap restored"),
}
_METRIC = re.compile(r"psnr|ssim", re.IGNORECASE)
_LUMA = re.compile(r"(rgb|bgr)_?(2|to)_?y|ycbcr|ycrcb|to_y_channel", re.IGNORECASE)
_MOST_CALLS = 200  # of a file's own functions that are read where they are called
_BORDERS = {"shave_border", "crop_border", "border", "shave", "crop"}
_RULES = {"bicubic": "pil_bicubic"} | {f: f"cv2_{f}" for f in ("area", "linear", "cubic")}
_FILTER = re.compile(r"INTER_(\w+)|\b(BICUBIC|NEAREST|BILINEAR|LANCZOS|BOX|HAMMING)\b")


@dataclass(frozen=True)
class Operation:
    """One operation on an image."""

    kind: str
    """``multiply``, ``add``, ``clip``, ``round``, ``integers``, ``resize``, ``luma``, ``rgb``,
    ``swap``, ``crop``, ``border``, ``combine``, ``mean`` or ``library_ssim``."""
    role: str
    """Of the image: ``truth``, ``output`` or ``input``; empty where it is none of them."""
    line: int
    value: object = None
    """Factor, summand, rule of a resize, pixels, or the code itself."""


def operations(tree: ast.Module, role: str = "") -> tuple[Operation, ...]:
    """Return the operations of a module in their order.

    Args:
        tree: The module.
        role: Of images whose name says none: all of a piece of code may be about the input.
    """
    return tuple(_Reader(tree, role).read(tree.body))


class _Reader:
    def __init__(self, tree: ast.Module, role: str) -> None:
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self._functions = {node.name: node for node in nodes}
        self._role = role
        self._calls = 0

    def read(self, body: list[ast.stmt], role: str = "") -> Iterator[Operation]:
        for statement in body:
            if isinstance(statement, ast.FunctionDef):
                yield from self._function(statement)
            elif isinstance(statement, ast.ClassDef):
                yield from self.read(statement.body)
            elif inner := _bodies(statement):
                for each in inner:
                    yield from self.read(each, role)
            else:
                yield from self._statement(statement, role)

    def _function(self, node: ast.FunctionDef) -> Iterator[Operation]:
        """Read a function where it stands only if it is about the network's input.

        Others are read where an image is given to them.
        """
        if re.search(r"^_?run$|image_data|pre_?process", node.name):
            yield from self.read(node.body, INPUT)
        elif self._role:
            yield from self.read(node.body, self._role)

    def _statement(self, node: ast.stmt, role: str) -> Iterator[Operation]:
        role = role or next(filter(None, map(role_of, _targets(node))), "") or self._role
        for child in ast.iter_child_nodes(node):
            yield from self._expression(child, role)
        if isinstance(node, ast.AugAssign):
            yield from _arithmetic(node.op, node.value, role, node.lineno)

    def _expression(self, node: ast.AST, role: str) -> Iterator[Operation]:
        """Yield what `node` does, innermost first: the order in which it is computed."""
        if isinstance(node, ast.Call) and (called := self._called(node)):
            yield from self._call(node, called, role)
            return
        for child in ast.iter_child_nodes(node):
            yield from self._expression(child, role)
        if isinstance(node, ast.BinOp):
            yield from _arithmetic(node.op, node.right, role, node.lineno)
            if isinstance(node.op, ast.Add | ast.Mult):
                yield from _arithmetic(node.op, node.left, role, node.lineno)
        elif isinstance(node, ast.Call):
            yield from _library(node, role)
        elif isinstance(node, ast.Subscript):
            yield from _slices(node, role)

    def _called(self, node: ast.Call) -> ast.FunctionDef | None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return self._functions.get(name) if self._calls < _MOST_CALLS else None

    def _call(self, node: ast.Call, called: ast.FunctionDef, role: str) -> Iterator[Operation]:
        """Read a function of the file itself, as if its body stood here."""
        for argument in node.args:
            yield from self._expression(argument, role)
        if _LUMA.search(called.name):
            yield Operation(_colour(called.name), role, node.lineno, called.name)
        elif not _METRIC.search(called.name):
            self._calls += 1
            yield from self.read(called.body, role)
        else:
            yield from _library(node, role)


def role_of(name: str) -> str:
    """Return what an image of this name is; empty if the name does not say it.

    >>> role_of("image_gt"), role_of("sr_image"), role_of("image")
    ('truth', 'output', '')
    """
    parts = set(re.split(r"[_\d.]+", name.casefold()))
    return next((role for role, known in _WORDS.items() if parts & known), "")


def _bodies(node: ast.stmt) -> list[list[ast.stmt]]:
    found = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
    return [body for body in found if body]


def _targets(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def number(node: ast.AST) -> float | None:
    """Return the number that `node` is, with its sign; None if it is none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = number(node.operand)
        return None if value is None else -value
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return None if isinstance(node.value, bool) else float(node.value)
    if isinstance(node, ast.List | ast.Tuple):  # one for each channel
        values = {number(element) for element in node.elts}
        return values.pop() if len(values) == 1 else None
    return None


def _arithmetic(op: ast.operator, operand: ast.AST, role: str, line: int) -> Iterator[Operation]:
    value = number(operand)
    if value is None:
        return
    if isinstance(op, ast.Mult):
        yield Operation("multiply", role, line, value)
    elif isinstance(op, ast.Div) and value:
        yield Operation("multiply", role, line, 1 / value)
    elif isinstance(op, ast.Add | ast.Sub):
        yield Operation("add", role, line, value if isinstance(op, ast.Add) else -value)


def _ssim_window(call: str) -> str:
    """Return the window of scikit-image's SSIM, by the options of its `call`."""
    whole = "use_sample_covariance=False" in call
    if "gaussian_weights=True" in call:
        return "gaussian" if whole else "gaussian_sample"
    return "uniform7_population" if whole else "uniform7"


def _library(node: ast.Call, role: str) -> Iterator[Operation]:
    """Yield what a call of a library does to an image."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    line, text = node.lineno, ast.unparse(node)
    if name in ("clip", "clamp", "clamp_", "clip_"):
        yield Operation("clip", role, line)
    elif name in ("round", "rint", "round_", "around"):
        yield Operation("round", role, line)
    elif name == "uint8" or (name in ("astype", "to", "type") and "uint8" in text):
        yield Operation("integers", role, line)
    elif name in ("resize", "Resize", "imresize"):
        yield Operation("resize", role, line, _rule(name, node))
    elif name == "ToTensor":
        yield Operation("multiply", role, line, 1 / 255)
    elif name == "Normalize":
        yield from _normalised(node, role)
    elif name in ("CenterCrop", "center_crop"):
        yield Operation("crop", role, line, text)
    elif name in ("power", "pow"):
        yield Operation("combine", role, line, text)
    elif name == "cvtColor" or (name == "convert" and "YCbCr" in text):
        yield Operation(_colour(text), role, line, text)
    elif name in ("imread", "open") and "YCbCr" in text:
        yield Operation("luma", role, line, text)
    elif _LUMA.search(name):
        yield Operation(_colour(name), role, line, name)
    elif "structural_similarity" in name or name == "compare_ssim":
        yield Operation("library_ssim", role, line, _ssim_window(text))
    elif name == "mean" and "ssim" in (argument := _name(node)).casefold():
        yield Operation("mean", role, line, argument)
    for keyword in node.keywords:
        if keyword.arg in _BORDERS and (value := _pixels(keyword.value)):
            yield Operation("border", role, line, value)


def _colour(text: str) -> str:
    """Tell a conversion to luma from one back to RGB, and both from an exchange of channels."""
    lower = text.casefold()
    if re.search(r"(ycbcr|ycrcb)_?(2|to)_?(rgb|bgr)", lower):
        return "rgb"
    return "luma" if "ycbcr" in lower or "ycrcb" in lower or _LUMA.search(lower) else "swap"


def _normalised(node: ast.Call, role: str) -> Iterator[Operation]:
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    mean, std = ([*map(number, given), None, None])[:2]
    if mean is not None and std:
        yield Operation("add", role, node.lineno, -mean)
        yield Operation("multiply", role, node.lineno, 1 / std)
    else:
        yield Operation("combine", role, node.lineno, ast.unparse(node))


def _rule(name: str, node: ast.Call) -> str:
    """Return the rule of a resize by a card's name; of an unknown one, what the code calls it."""
    texts = map(ast.unparse, [*node.args, *(keyword.value for keyword in node.keywords)])
    named = next((match for text in texts if (match := _FILTER.search(text))), None)
    is_cv2 = ast.unparse(node.func).startswith("cv2.")
    if named is None:
        return "cv2_linear" if is_cv2 else "torchvision" if name == "Resize" else "pil_bicubic"
    return _RULES.get((named[1] or named[2]).lower(), named[0])


def _slices(node: ast.Subscript, role: str) -> Iterator[Operation]:
    """Yield the border that ``image[4:-4, 4:-4]`` crops, and the swap that ``[2, 1, 0]`` is."""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    sides = [part for part in parts if isinstance(part, ast.Slice) and part.lower and part.upper]
    if len(sides) > 1 and all(_pixels(side.lower) for side in sides):  # type: ignore[arg-type]
        if "-" in ast.unparse(sides[0].upper or node):
            yield Operation("border", role, node.lineno, _pixels(sides[0].lower or node))
    elif any(ast.unparse(part) == "[2, 1, 0]" for part in parts):
        yield Operation("swap", role, node.lineno)


def _pixels(node: ast.AST) -> int | str:
    """Return a number of pixels, or ``scale``; 0 if `node` says neither."""
    value = number(node)
    if value is not None:
        return int(value)
    return "scale" if "scale" in ast.unparse(node).casefold() else 0


def _name(node: ast.Call) -> str:
    return node.args[0].id if node.args and isinstance(node.args[0], ast.Name) else ""
