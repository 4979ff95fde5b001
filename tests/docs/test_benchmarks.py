"""Every benchmark imports what is there: they run by hand only, and late."""

import ast
import re
import runpy
from importlib import import_module
from pathlib import Path
from symtable import symtable

import pytest

from docs.generate import code

ROOT = Path(__file__).parents[2]


SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_all_that_a_benchmark_imports_of_ours_exists(script: Path) -> None:
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sr_bench"):
            module = import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    import_module(f"{node.module}.{alias.name}")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_all_that_a_benchmark_imports_of_another_exists(script: Path) -> None:
    beside = {other.stem: other for other in SCRIPTS}
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module in beside:
            assert {alias.name for alias in node.names} <= defined(beside[node.module])


def defined(script: Path) -> set[str]:
    symbols = symtable(script.read_text(encoding="utf-8"), script.name, "exec").get_symbols()
    return {each.get_name() for each in symbols if each.is_assigned() or each.is_imported()}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_a_benchmark_imports_onnxruntime_only_after_ours_which_stops_its_telemetry(
    script: Path,
) -> None:
    for node in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            assert "onnxruntime" not in [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] != "onnxruntime"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_all_options_that_a_benchmark_gives_to_pytest_exist(script: Path) -> None:
    given = re.findall(r"--sr-[a-z][a-z-]*|\bsr_[a-z_]+(?==)", script.read_text(encoding="utf-8"))
    assert set(given) <= set(
        re.findall(r"--sr-[a-z-]+|\bsr_[a-z_]+", code.flags() + code.ini_keys())
    )


def test_all_runs_each_benchmark_with_arguments_that_it_has() -> None:
    every = runpy.run_path(str(ROOT / "benchmarks" / "all.py"))
    for name in set(every["scripts"]()) - set(every["LEFT_OUT"]):
        text = (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
        for command in every["COMMANDS"].get(name, [every["Command"]()]):
            given = re.findall(r"--[a-z-]+", f"{command.full} {command.quick}")
            assert [option for option in given if f'"{option}"' not in text] == [], name
