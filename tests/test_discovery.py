"""The file name is the key, and third parties add theirs by entry points."""

import os
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from sr_bench import discovery
from sr_bench.errors import OptionError

BACKENDS = "sr_bench.backends"
BUILT_IN = ("mnn", "ncnn", "onnxruntime", "openvino", "replay", "torch", "tract", "vacc")
ACME = EntryPoint("acme", "colorsys", BACKENDS)  # any importable module will do


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Return a function that makes entry points appear as if their packages were installed."""
    scans: list[str] = []

    def install(*points: EntryPoint) -> list[str]:
        def entry_points() -> EntryPoints:
            scans.append("all groups")
            return EntryPoints(points)

        monkeypatch.setattr(discovery, "entry_points", entry_points)
        return scans

    _forget()
    yield install
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for cached in (discovery.names, discovery.load, discovery._by_group):
        cached.cache_clear()


def test_modules_and_packages_are_named_without_being_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "sr_bench.backends.torch", raising=False)
    assert discovery.names(BACKENDS) == BUILT_IN
    assert "sr_bench.backends.torch" not in sys.modules


def test_a_file_that_is_added_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "sr_bench_test_rules").mkdir()
    for file in ("__init__.py", "mine.py", "_shared.py"):
        (tmp_path / "sr_bench_test_rules" / file).write_text("")
    assert discovery.names("sr_bench_test_rules") == ("mine",)
    assert discovery.load("sr_bench_test_rules", "mine").__name__ == "sr_bench_test_rules.mine"


def test_an_unknown_name_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(OptionError, match=r"'tensorrt' in backends.*: mnn, ncnn, onnxruntime"):
        discovery.load(BACKENDS, "tensorrt")


@pytest.mark.parametrize("name", ["_session", "__init__", ""])
def test_a_private_module_is_not_a_name(name: str) -> None:
    with pytest.raises(OptionError, match="unknown name"):
        discovery.load(BACKENDS, name)


def test_a_package_that_is_absent_has_no_names() -> None:
    assert discovery.names("sr_bench_no_such_package") == ()


def test_third_parties_add_names(install) -> None:
    install(ACME, EntryPoint("other", "colorsys", "sr_bench.metrics"))
    assert discovery.names(BACKENDS) == ("acme", *BUILT_IN)
    assert discovery.load(BACKENDS, "acme").__name__ == "colorsys"


def test_entry_points_are_read_once_for_all_packages(install) -> None:
    scans = install(ACME)
    for package in (BACKENDS, "sr_bench.metrics"):
        discovery.names(package)
    discovery.load(BACKENDS, "acme")
    assert len(scans) == 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no_such_module_at_all", "'acme' of sr_bench.backends.*can't be imported.*uninstall"),
        ("colorsys:no_such_name", "'acme' of sr_bench.backends.*can't be imported"),
        ("fractions:Fraction", "expected a module, fractions:Fraction is a ABCMeta"),
    ],
)
def test_a_broken_entry_point_is_one_clear_error(install, value: str, message: str) -> None:
    install(EntryPoint("acme", value, BACKENDS))
    with pytest.raises(OptionError, match=message):
        discovery.load(BACKENDS, "acme")


def test_a_file_that_is_not_a_module_is_a_name_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for file in ("sr_bench_kinds/ours.toml", "acme_kinds/theirs.toml", "acme_kinds/__init__.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("")
    points = {"theirs": "acme_kinds.theirs", "gone": "acme_kinds.gone", "lost": "no_package.lost"}
    install(*(EntryPoint(name, value, "sr_bench_kinds") for name, value in points.items()))
    assert discovery.names("sr_bench_kinds", ".toml") == ("gone", "lost", "ours", "theirs")
    ours, theirs = (discovery.file("sr_bench_kinds", n, ".toml") for n in ("ours", "theirs"))
    assert (ours.parent.name, theirs.parent.name) == ("sr_bench_kinds", "acme_kinds")
    for name in ("gone", "lost"):
        message = f"entry point '{name}' of sr_bench_kinds: expected {name}.toml in the package"
        with pytest.raises(OptionError, match=message):
            discovery.file("sr_bench_kinds", name, ".toml")


def test_the_entry_points_of_others_are_told_by_name(install) -> None:
    theirs = EntryPoint("mine", "acme_code.mine", BACKENDS)
    install(ACME, theirs)
    assert discovery.third_party(BACKENDS) == (ACME, theirs)
    assert discovery.third_party(BACKENDS, "mine") == (theirs,)
    assert discovery.third_party(BACKENDS, "torch") == ()


def test_an_edit_that_leaves_size_and_time_of_a_plug_in_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    source = tmp_path / "acme_edited" / "net.py"
    source.parent.mkdir()
    (source.parent / "__init__.py").touch()
    values = []
    for value in (1, 2):
        source.write_text(f"VALUE = {value}\n")
        os.utime(source, (1, 1))
        install(EntryPoint("net", "acme_edited.net", BACKENDS))
        _forget()
        values.append(discovery.load(BACKENDS, "net").VALUE)
        for name in ("acme_edited", "acme_edited.net"):
            monkeypatch.delitem(sys.modules, name)
    assert values == [1, 2]


def test_the_versions_of_packages_that_add_something_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, group in (("acme-sr", BACKENDS), ("other", "pytest12")):
        info = tmp_path / f"{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{group}]\nacme = colorsys\n")
    monkeypatch.syspath_prepend(tmp_path)
    _forget()
    assert discovery.plugin_versions() == {"acme-sr": "1.2"}
    _forget()
