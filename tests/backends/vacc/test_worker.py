"""The worker uses vaststreamx as public callers do, and runs on the card's Python."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sr_bench.backends.vacc.run import worker

_TREE = ast.parse(Path(worker.__file__).read_text())
_RECEIVERS = {"vsx": "", "model": "Model.", "graph": "Graph.", "stream": "Stream."}
"""The worker's names for objects of vaststreamx."""


@pytest.fixture(scope="module")
def vsx_contract() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "vsx_contract.json").read_text())


def _name_of(node: ast.expr) -> str:
    """Return the contract's name of an attribute, such as ``Stream.build``; empty if of others."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    known = isinstance(node, ast.Name) and node.id in _RECEIVERS and parts
    return _RECEIVERS[node.id] + ".".join(parts) if known else ""


def _calls() -> list[ast.Call]:
    calls = [node for node in ast.walk(_TREE) if isinstance(node, ast.Call)]
    return [call for call in calls if _name_of(call.func)]


def _other_attributes() -> set[str]:
    called = {id(call.func) for call in _calls()}
    nodes = [node for node in ast.walk(_TREE) if isinstance(node, ast.Attribute)]
    inner = {id(node.value) for node in nodes}
    return {_name_of(node) for node in nodes if id(node) not in called | inner} - {""}


def test_the_calls_found_are_those_that_a_run_needs() -> None:
    assert sorted({_name_of(call.func) for call in _calls()}) == [
        "Graph",
        "Graph.add_operators",
        "Model",
        "ModelOperator",
        "Operator.load_ops_from_json_file",
        "Stream",
        "Stream.build",
        "Stream.register_operator_output",
        "Stream.run_sync",
        "as_numpy",
        "create_image",
        "from_numpy",
        "get_all_cards",
        "get_all_cards_count",
        "set_device",
    ]


@pytest.mark.parametrize("call", _calls(), ids=lambda call: f"{call.lineno}-{_name_of(call.func)}")
def test_a_call_has_a_shape_that_public_callers_use(
    vsx_contract: dict[str, Any], call: ast.Call
) -> None:
    star = "*" if any(isinstance(each, ast.Starred) for each in call.args) else ""
    shape = (f"{star}{len(call.args)}", sorted(str(each.arg) for each in call.keywords))
    assert shape in [
        (each["pos"], each["kw"]) for each in vsx_contract["calls"][_name_of(call.func)]
    ]


def test_enum_members_and_properties_are_those_that_public_callers_use(
    vsx_contract: dict[str, Any],
) -> None:
    members = {f"{enum}.{name}" for enum, names in vsx_contract["enums"].items() for name in names}
    used = _other_attributes()
    assert used <= members | set(vsx_contract["properties"])
    assert used == {"ImageFormat.RGB_PLANAR", "StreamBalanceMode.RUN", "Model.input_shape"}


def test_it_is_valid_python_3_8() -> None:
    ast.parse(Path(worker.__file__).read_text(), feature_version=(3, 8))


def test_it_imports_the_standard_library_numpy_and_the_sdk_only() -> None:
    names = set()
    for node in ast.walk(_TREE):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(str(node.module).partition(".")[0])
    assert names - set(sys.stdlib_module_names) == {"numpy", "vaststreamx"}


def test_its_folder_does_not_shadow_modules_of_the_sdk(tmp_path: Path) -> None:
    (tmp_path / "vaststreamx.py").write_text("import probe\nraise ImportError(probe.__file__)\n")
    (tmp_path / "probe.py").write_text("")
    status = tmp_path / "status.json"
    subprocess.run(
        [sys.executable, worker.__file__, "probe", str(status), "--device", "0"],
        env={"PYTHONPATH": str(tmp_path)},
        check=True,
    )
    assert str(tmp_path / "probe.py") in json.loads(status.read_text())["error"]


def _vendor_tiles(array: NDArray[np.float16]) -> NDArray[np.float16]:
    """Lay out by the rule that the vendor's loop states, one element at a time."""
    n, c, h, w = array.shape
    tiles = np.zeros((n, -(-w // 8), -(-h // 8), -(-c // 4), 256), np.float16)
    for i, k, y, x in np.ndindex(n, c, h, w):
        place = (k % 4) * 64 + (y % 8) * 8 + x % 8
        tiles[i, x // 8, y // 8, k // 4, place] = array[i, k, y, x]
    return tiles


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 3, 9, 17), (2, 4, 16, 8), (1, 6, 5, 3)])
def test_tiles_are_as_the_card_reads_them(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    np.testing.assert_array_equal(worker.tile(array), _vendor_tiles(array.astype(np.float16)))


@pytest.mark.parametrize("code", [None, 0, True, False, "text"])
def test_what_is_not_an_error_code_passes(code: object) -> None:
    worker.expect_zero(code, "call")


@pytest.mark.parametrize("code", [1, -1, 500020])
def test_an_error_code_is_refused_by_its_number(code: int) -> None:
    with pytest.raises(worker.RefusedError, match=f"call failed, err code: {code}"):
        worker.expect_zero(code, "call")
