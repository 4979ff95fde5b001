"""The digest of our own code covers what can move a number, and nothing else."""

import shutil
from importlib.metadata import EntryPoint
from pathlib import Path

import grimp
import pytest

import sr_bench
from sr_bench.engine.prepare import code_digest

PACKAGE = Path(sr_bench.__file__).parent
COMPUTE = {"cv2", "numpy", "onnx", "onnxruntime", "PIL", "scipy", "skimage", "torch"}
ROOMS = ("backends", "engine.measure", "engine.prepare", "engine.score", "metrics")
CACHED = (code_digest.plugin_code, code_digest.metric_code, code_digest.measuring_and_metrics)
REPLAYS = "sr_bench.recording."
"""The output of a replay is never kept."""


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of our package, whose digest is taken."""
    folder = tmp_path / "sr_bench"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__", "_datasets"))
    monkeypatch.setattr(code_digest.sr_bench, "__file__", str(folder / "__init__.py"))
    return folder


def digest() -> str:
    return code_digest.own_code.__wrapped__()


def comment(file: Path) -> None:
    with file.open("a") as source:
        source.write("# a comment\n")


@pytest.mark.parametrize("place", code_digest.MEASURES)
def test_a_change_of_each_place_that_measures_changes_it(copy: Path, place: str) -> None:
    before = digest()
    target = copy / place
    comment(next(iter(sorted(target.rglob("*.py"), reverse=True))) if target.is_dir() else target)
    assert digest() != before


@pytest.mark.parametrize(
    "place",
    ["cards", "cli", "document", "history", "lint", "plugin", "report", "update", "engine/judge"],
)
def test_a_comment_where_nothing_is_measured_changes_nothing(copy: Path, place: str) -> None:
    before = digest()
    for file in (copy / place).rglob("*.py"):
        comment(file)
    assert digest() == before


@pytest.mark.parametrize("group", code_digest.EXTENDED)
def test_code_that_another_package_adds_is_in_it(
    group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = {group: "1"}
    monkeypatch.setattr(code_digest, "plugin_code", lambda asked: codes.get(asked, ""))
    before = digest()
    codes[group] = "2"
    assert digest() != before


def test_all_that_computes_for_a_measurement_is_in_it() -> None:
    graph = grimp.build_graph(
        "sr_bench", include_external_packages=True, exclude_type_checking_imports=True
    )
    rooms = tuple(f"sr_bench.{room}" for room in ROOMS)
    roots = {module for module in graph.modules if module.startswith(rooms)}
    needed = roots.union(*map(graph.find_upstream_modules, roots))
    compute = {
        module
        for module in needed
        if module.startswith("sr_bench.")
        and COMPUTE & graph.find_modules_directly_imported_by(module)
    }
    covered = tuple(place.removesuffix(".py").replace("/", ".") for place in code_digest.MEASURES)
    outside = {m for m in compute if not m.removeprefix("sr_bench.").startswith(covered)}
    assert {m for m in outside if not m.startswith(REPLAYS)} == set()


def test_a_metric_of_another_package_is_in_what_workers_share_and_in_no_others_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = tmp_path / "metric_beauty.py"
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("beauty", "metric_beauty", "sr_bench.metrics")

    def added_to(group: str, name: str = "beauty") -> tuple[EntryPoint, ...]:
        return (point,) if (group, name) == ("sr_bench.metrics", "beauty") else ()

    def digests(text: str) -> tuple[str, str]:
        added.write_text(text)
        for function in CACHED:
            function.cache_clear()
        return digest(), code_digest.measuring_and_metrics()

    monkeypatch.setattr(code_digest, "third_party", added_to)
    monkeypatch.setattr(code_digest, "image_metrics", lambda: ("beauty", "psnr"))
    (results, shared), (results_then, shared_then) = digests("1"), digests("2")
    assert results == results_then
    assert shared != shared_then
    for function in CACHED:
        function.cache_clear()
