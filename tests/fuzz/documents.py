"""Well-formed documents in HTML, reStructuredText and YAML, of odd contents; and scarred ones."""

import html
import re
from random import Random

from hypothesis import strategies as st

from tests.fuzz.inputs import NUMBERS, changed, odd_text, scalars, values, writable_text

_HEADERS = (
    *("Model", "PSNR(dB)", "Set5", "PSNR / SSIM", "Params (M)", "INT8", "Dataset", "Metric"),
    *("Value", "Shape", "Scale", "Latency (ms)", "模型", "", "FP16 mIoU | x", "Links"),
)
_LABELS = ("EDSR_x2", "EDSR int8", "Set5", "PSNR", "x4", "fp16", "wren-vacc-int8", "1x3x8x8")
_NUMBERS = ("30.21", "**0.8646**", "30.21/0.8646", "1.37M", "30.2 ± 0.1", "-", "12,345", *NUMBERS)


def _line(text: str) -> str:
    return " ".join(text.split())[:80]


_headers = st.sampled_from(_HEADERS) | st.sampled_from(_HEADERS) | odd_text.map(_line)
_cells = (st.sampled_from(_LABELS) | st.sampled_from(_NUMBERS) | odd_text).map(_line)
Table = list[list[str]]


@st.composite
def _tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(2, 5))
    headers = draw(st.lists(_headers, min_size=width - 1, max_size=width - 1))
    row = st.lists(_cells, min_size=width, max_size=width)
    rows = draw(st.lists(row, min_size=1, max_size=4))
    return [["Model", *headers], *rows * draw(st.sampled_from((1, 1, 1, 1, 1, 60)))]


_ATTRIBUTES = (*("",) * 8, " colspan=2", ' rowspan="2"', " align='x>y'", ' colspan="0"')


def _html(rows: Table, style: Random) -> str:
    def cell(text: str, tag: str) -> str:
        end = style.choice((f"</{tag}>", f"</{tag}>", ""))
        return f"<{tag}{style.choice(_ATTRIBUTES)}>{html.escape(text)}{end}"

    lines = [
        f"<tr>{''.join(cell(text, 'td' if n else 'th') for text in row)}</tr>"
        for n, row in enumerate(rows)
    ]
    caption = style.choice(("", "", "<caption>Set5 x2</caption>", "<thead>"))
    return f"<h2>Results</h2>\n<table>{caption}{style.choice(('', chr(10))).join(lines)}</table>\n"


def _rst(rows: Table, style: Random) -> str:
    rows = [[text or "\\ " for text in row] for row in rows]
    kind = style.choice((_grid, _simple, _list, _csv))
    return f"Results\n=======\n\n{kind(rows)}\n"


def _padded(rows: Table) -> Table:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [[text.ljust(width) for text, width in zip(row, widths, strict=True)] for row in rows]


def _grid(rows: Table) -> str:
    rows = _padded(rows)
    borders = ["+".join(("", *(sign * (len(text) + 2) for text in rows[0]), "")) for sign in "-="]
    lines = [f"| {' | '.join(row)} |\n{borders[not n]}\n" for n, row in enumerate(rows)]
    return f"{borders[0]}\n{''.join(lines)}"


def _simple(rows: Table) -> str:
    head, *body = ("  ".join(row).rstrip() for row in _padded(rows))
    border = "  ".join("=" * len(text) for text in _padded(rows)[0])
    return "\n".join((border, head, border, *body, border, ""))


def _list(rows: Table) -> str:
    lines = ("   * - " + "\n     - ".join(row) for row in rows)
    return ".. list-table:: Set5\n   :header-rows: 1\n\n" + "\n".join(lines) + "\n"


def _csv(rows: Table) -> str:
    quoted = (", ".join(f'"{text.replace(chr(34), chr(34) * 2)}"' for text in row) for row in rows)
    return ".. csv-table::\n   :header-rows: 1\n\n" + "".join(f"   {line}\n" for line in quoted)


_KEYS = (
    *("metrics", "dataset_name", "metric_name", "w8a8", "tflite", "psnr", "PSNR", "Set5", "value"),
    *("name", "results", "x2", "device_metric", "full_precision_result", "latency_ms", "model"),
    *("params", "threshold", "performance_metrics", "shape", "precision", "30", "~", "<<"),
)
_NETWORK = {
    "base": ["base/net.yaml"],
    "network": {"network_name": "net_x2"},
    "parser": {"mean_list": [0.5, 0.5]},
    "info": {"operations": "1.5G", "validation_data": "BSD100", "full_precision_result": 31.25},
}
_NUMERICS = {
    "metrics": [
        {
            "dataset_name": "bsd300",
            "metric_name": "PSNR",
            "metric_range": {"min": 0.0},
            "partial_torch_metric": 29.5,
            "device_metric": {"S9": {"w8a8": {"tflite": {"partial_metric": "28.5"}}}},
        }
    ]
}
_MARKS = (*("",) * 12, "&a ", "!x ", "!!python/object:os.system ", "&b !!str ")
_PLAIN = re.compile(r"[A-Za-z0-9][\w./+-]*(?: [\w./+-]+)*", re.ASCII)
_leaves = st.sampled_from((30.21, "0.8646", "1.37M", "30.21 dB", "PSNR", "fp16")) | scalars
_keys = st.sampled_from(_KEYS) | writable_text


def _inner(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=5)


_dicts = st.dictionaries(_keys, st.recursive(_leaves, _inner, max_leaves=15), min_size=1)
_results = st.fixed_dictionaries(
    {"ssim": st.sampled_from(_NUMBERS)},
    optional={key: _leaves | st.dictionaries(_keys, _leaves) for key in _KEYS},
)
_listed = st.dictionaries(_keys, st.lists(_results, min_size=1, max_size=3), min_size=1, max_size=3)
_trees = st.one_of(_dicts, _dicts, _results, _listed, changed(_NETWORK), changed(_NUMERICS), values)


def _yaml(tree: object, style: Random, indent: str = "") -> str:
    """Return what stands behind a dash or the colon of a key."""
    mark = style.choice(_MARKS)
    if not tree or not isinstance(tree, dict | list) or len(indent) > 40 or style.random() < 0.15:
        if isinstance(tree, str) and style.random() < 0.1:
            return f" {style.choice('|>')}\n{indent}  {_PRINTED.sub('', tree)}\n"
        flow = _flow(tree, style)
        return f" {flow if flow.startswith('*') else mark + flow}\n"
    if isinstance(tree, list):
        lines = [f"{indent}-{_yaml(inner, style, indent + '  ')}" for inner in tree]
    else:
        lines = [
            f"{indent}{_key(key, style)}:{_yaml(inner, style, indent + '  ')}"
            for key, inner in tree.items()
        ]
    if isinstance(tree, dict) and style.random() < 0.05:
        lines.append(f"{indent}? [1, {{a: b}}]\n{indent}: 30.5\n")
    return f" {mark}\n{''.join(lines)}"


_PRINTED = re.compile(r"[^ -~¡-\u2027\u4e00-\u9fff]")


def _key(key: str, style: Random) -> str:
    # A longer one must have a question mark before it.
    return _scalar(key[:60], style)


def _flow(tree: object, style: Random) -> str:
    if isinstance(tree, list):
        return f"[{', '.join(_flow(inner, style) for inner in tree)}]"
    if isinstance(tree, dict):
        pairs = (f"{_key(key, style)}: {_flow(inner, style)}" for key, inner in tree.items())
        return f"{{{', '.join(pairs)}}}"
    return _scalar(tree, style)


def _scalar(leaf: object, style: Random) -> str:
    if style.random() < 0.03:
        return "*a "
    text = str(leaf)
    if not isinstance(leaf, str) or (_PLAIN.fullmatch(text) and style.random() < 0.8):
        return text
    if not _PRINTED.search(text) and style.random() < 0.5:
        return f"'{text.replace(chr(39), chr(39) * 2)}'"
    escaped = (c if " " <= c <= "~" and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
    return f'"{"".join(escaped)}"'


@st.composite
def _yaml_files(draw: st.DrawFn) -> str:
    style = draw(st.randoms(use_true_random=False))
    trees = draw(st.lists(_trees, min_size=1, max_size=3))
    trees[0] = [trees[0]] * 60 if draw(st.integers(0, 9)) == 0 else trees[0]
    return "".join(f"---{_yaml(tree, style)}" for tree in trees)


_styles = st.randoms(use_true_random=False)
WHOLE = {
    "x.html": st.builds(_html, _tables(), _styles),
    "x.rst": st.builds(_rst, _tables(), _styles),
    "x.yaml": _yaml_files(),
}
"""Well-formed documents by the path that names their dialect."""


@st.composite
def scarred(draw: st.DrawFn, path: str, pieces: st.SearchStrategy[str]) -> str:
    """Return a document with some characters of it lost, and some of `pieces` put in."""
    text = draw(WHOLE[path])
    for _ in range(draw(st.integers(1, 3))):
        at, lost = draw(st.integers(0, len(text))), draw(st.sampled_from((0, 0, 1, 9)))
        text = text[:at] + draw(pieces) + text[at + lost :]
    return text
