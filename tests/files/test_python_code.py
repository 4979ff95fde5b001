"""The digest of a plug-in's code: all that decides what it does, and nothing else."""

from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from sr_bench.files.python_code import code_digest

METADATA = "Metadata-Version: 2.1\nName: acme-sr\nVersion: {}\n"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def digest(folder: Path, module: str, version: str = "1") -> str:
    info = folder / "acme_sr-1.dist-info"
    write(info, {"METADATA": METADATA.format(version)})
    return code_digest(module, owner=PathDistribution(info))


@pytest.mark.parametrize(
    ("module", "files", "edited"),
    [
        ("acme_a.net", {"acme_a/__init__.py": "", "acme_a/net.py": "1"}, "acme_a/net.py"),
        ("acme_b.net", {"acme_b/net.py": "", "acme_b/deep/table.npy": ""}, "acme_b/deep/table.npy"),
        ("acme_c.s.net", {f"acme_c/{n}.py": "" for n in ("__init__", "s/net", "z")}, "acme_c/z.py"),
        ("acme_d", {"acme_d.py": "def f():\n    import acme_e", "acme_e.py": ""}, "acme_e.py"),
        (
            "acme_f",
            {"acme_f.py": "from acme_g import x", "acme_g/data.json": ""},
            "acme_g/data.json",
        ),
        ("acme_h", {"acme_h.py": "open('acme.json')", "acme.json": ""}, "acme.json"),
        ("acme_i", {"acme_i.py": "import_module('acme_j')", "acme_j.py": ""}, "acme_j.py"),
        (
            "acme_k",
            {"acme_k.py": "", "k.bin": "", "acme_sr-1.dist-info/RECORD": "acme_k.py,,\nk.bin,,\n"},
            "k.bin",
        ),
    ],
)
def test_what_a_plug_in_reads_decides(
    module: str, files: dict[str, str], edited: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, files)
    monkeypatch.syspath_prepend(tmp_path)
    before = digest(tmp_path, module)
    write(tmp_path, {"other.py": "", "acme_a/__pycache__/net.cpython-311.pyc": ""})
    assert digest(tmp_path, module) == before
    write(tmp_path, {edited: "x = 2"})
    assert digest(tmp_path, module) != before


def test_its_version_decides_and_so_does_that_of_a_package_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = "acme_lib-1.dist-info"
    named = METADATA.replace("acme-sr", "acme-lib")
    files = {f"{library}/top_level.txt": "acme_lib", f"{library}/RECORD": "acme_lib.py,,\n"}
    write(tmp_path, {**files, "acme_l.py": "import acme_lib, pytest", "acme_lib.py": ""})
    write(tmp_path, {f"{library}/METADATA": named.format(1)})
    monkeypatch.syspath_prepend(tmp_path)
    first = digest(tmp_path, "acme_l")
    assert digest(tmp_path, "acme_l", "2") != first
    write(tmp_path, {f"{library}/METADATA": named.format(3)})
    monkeypatch.setattr("sr_bench.files.python_code._owners", {"acme_lib": ["acme-lib"]}.copy)
    assert digest(tmp_path, "acme_l") != first


@pytest.mark.parametrize(
    ("module", "files", "edited"),
    [
        ("acme_n.net", {"acme_n/net.py": "from .b import x", "acme_n/b.py": ""}, "acme_n/b.py"),
        ("acme_o", {"acme_o.py": "import acme_p", "acme_p/__init__.py": ""}, "acme_p/__init__.py"),
        ("acme_q.net", {"acme_q/net.py": "import pytest", "pytest.py": ""}, "pytest.py"),
    ],
)
def test_a_module_of_a_folder_and_what_it_imports_there_decide(
    module: str, files: dict[str, str], edited: str, tmp_path: Path
) -> None:
    for folder in (tmp_path, tmp_path / "other"):
        write(folder, {**files, "README.md": "", "idle.py": ""})
    before = code_digest(module, folder=tmp_path)
    assert code_digest(module, folder=tmp_path / "other") == before
    write(tmp_path, {"README.md": "x", "idle.py": "x"})
    assert code_digest(module, folder=tmp_path) == before
    write(tmp_path, {edited: "x = 2"})
    assert code_digest(module, folder=tmp_path) != before
