"""A class and weights that lie beside a document are suggested by their text, and not run."""

from pathlib import Path

import pytest

from sr_bench.draft.own_classes import OwnClass, OwnFiles

CLASSES = """
import torch.nn as nn
raise RuntimeError("this was run")

class Block(nn.Module):
    def __init__(self, nf): ...

class FastSR(nn.Module):
    def __init__(self, nc, nf=64, upscale=4, *, blocks, res_scale=1):
        self.body = Block(nf)

class Options: ...
"""


def suggested(folder: Path, *names: str) -> OwnClass | None:
    return OwnFiles(folder).suggest(names)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize("label", ["FastSR x2", "Ours"], ids=["its name", "the only whole one"])
def test_the_class_of_a_model_is_told_with_its_arguments(tmp_path: Path, label: str) -> None:
    write(tmp_path, {"nets/sr.py": CLASSES, "broken.py": "class", "weights/best.pth": ""})
    own = OwnClass("nets.sr:FastSR", ("nc", "upscale", "blocks"), "weights/best.pth")
    assert suggested(tmp_path, label) == own


def test_a_package_goes_by_the_name_of_its_folder(tmp_path: Path) -> None:
    write(tmp_path, {"nets/__init__.py": CLASSES})
    assert suggested(tmp_path, "FastSR").architecture == "nets:FastSR"


def test_where_two_could_be_meant_none_is_taken(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": CLASSES, "b.py": CLASSES, "x2.pth": "", "x4.pth": ""})
    assert suggested(tmp_path, "FastSR") is None
    (tmp_path / "b.py").unlink()
    assert suggested(tmp_path, "FastSR").checkpoint == "..."
    write(tmp_path, {"fastsr_x4.pt": ""})
    assert suggested(tmp_path, "FastSR", "FastSR x4").checkpoint == "fastsr_x4.pt"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"out/sr.py": CLASSES})
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "sr.py").symlink_to(tmp_path / "out" / "sr.py")
    assert suggested(tmp_path / "zoo", "FastSR") is None
