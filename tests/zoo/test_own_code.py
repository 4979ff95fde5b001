"""A card's own class: built with consent alone, each zoo's its own, and what fails in one line."""

import os
import sys
from collections.abc import Callable
from compileall import compile_file
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sr_bench.core.card import ModelCard
from sr_bench.core.checkpoint import Code
from sr_bench.errors import BackendError, CardError, CheckpointError, NotRunError
from sr_bench.zoo.build import build_network
from tests.zoo.weights import load_model

NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, width, kernels=(3,)):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3, 3 * width, k, padding=k // 2) for k in kernels)

    def forward(self, x):
        return sum(layer(x) for layer in self.layers)
"""

Write = Callable[..., ModelCard]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes modules into a zoo of the given name, and makes its trusted card."""

    def write(files: dict[str, str], of: str = "nets:Net", *, zoo: str = "zoo", **hyper: object):
        folder = tmp_path / zoo
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        keys = {"hyper": hyper, "code": Code(trust=True), "trusted": True}
        return ModelCard("net_x2", zoo, folder, "", "", 2, of, **keys)

    return write


def test_hyper_parameters_are_passed_by_name_lists_too_and_no_scale(write: Write) -> None:
    text = NET.replace("super()", "kernels.pop(); super()")  # of its own list
    hyper = {"width": 2, "kernels": [1, 3]}
    network = build_network(write({"nets.py": text}, **hyper))
    assert [tuple(p.shape) for p in network.parameters()] == [(6, 3, 1, 1), (6,)]
    assert hyper == {"width": 2, "kernels": [1, 3]}


def test_weights_are_loaded_by_the_names_that_the_class_gives_them(
    write: Write, tmp_path: Path
) -> None:
    card = write({"nets.py": NET}, width=2)
    network = build_network(card)
    torch.save({"net": network.state_dict()}, tmp_path / "w.pth")
    loaded = load_model(card, tmp_path / "w.pth").state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in network.state_dict().items())


def test_a_shared_parameter_has_one_value(write: Write, tmp_path: Path) -> None:
    tied = NET.replace("for k in kernels)", "for k in kernels); self.again = self.layers")
    card = write({"nets.py": tied}, width=2)
    state = dict(build_network(card).state_dict())
    state["again.0.bias"] = state["again.0.bias"] + 1
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"0\.bias are one parameter of Net, but differ"):
        load_model(card, tmp_path / "w.pth")
    del state["again.0.bias"]
    torch.save(state, tmp_path / "w.pth")
    assert torch.equal(load_model(card, tmp_path / "w.pth").again[0].bias, state["layers.0.bias"])


def channels(card: ModelCard) -> int:
    """Return those of the first layer."""
    return len(next(iter(build_network(card).parameters())))


@pytest.mark.parametrize(
    ("files", "of"),
    [
        ({"nets.py": NET}, "nets:Net"),
        ({"nets/pan.py": NET}, "nets.pan:Net"),
        ({"nets/__init__.py": "from .pan import Net", "nets/pan.py": NET}, "nets:Net"),
        ({"nets/a.py": "from nets.b import Net", "nets/b.py": NET}, "nets.a:Net"),
        ({"nets/a.py": "from helper import Net", "helper.py": NET}, "nets.a:Net"),
        ({"nets/a.py": "from .deep.b import Net as N", "nets/deep/b.py": NET}, "nets.a:N"),
        ({"nets.py": NET + "\ndef make(width):\n    return Net(width)\n"}, "nets:make"),
        ({"nets.py": f"{NET}\nclass All:\n    own = Net"}, "nets:All.own"),
        (
            {"nets.py": "import importlib as i\nNet = i.import_module('b').Net", "b.py": NET},
            "nets:Net",
        ),
    ],
)
def test_a_class_or_function_of_the_cards_folder_builds(
    files: dict[str, str], of: str, write: Write
) -> None:
    network = build_network(write(files, of, width=2))
    assert sum(p.numel() for p in network.parameters()) == 6 * 28


def test_two_zoos_may_have_modules_of_one_name(write: Write) -> None:
    before = set(sys.modules)
    first = write({"nets/a.py": "from .b import Net", "nets/b.py": NET}, "nets.a:Net", width=1)
    second = write({"nets/a.py": NET}, "nets.a:Net", zoo="other", width=2)
    third = write({"nets/a.py": "from .b import Net"}, "nets.a:Net", zoo="third", width=1)
    assert channels(first) == 3
    assert channels(second) == 6
    with pytest.raises(NotRunError, match=r"third/nets/a.py:1: .*'nets.b'"):
        build_network(third)
    assert not {name for name in set(sys.modules) - before if name.startswith("nets")}


def test_a_helper_of_one_zoo_is_none_of_another(write: Write) -> None:
    text = "import acme_helper\n" + NET
    assert channels(write({"nets.py": text, "acme_helper.py": ""}, width=1)) == 3
    with pytest.raises(NotRunError, match="'acme_helper': nets needs it"):
        build_network(write({"nets.py": text}, zoo="other", width=1))


def test_the_folder_goes_before_a_package_of_the_environment(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_models").mkdir()
    (tmp_path / "acme_models" / "__init__.py").touch()
    (tmp_path / "acme_models" / "net.py").write_text(NET)
    monkeypatch.syspath_prepend(tmp_path)
    own = write(
        {"acme_models/net.py": NET.replace("3 * width", "7")}, "acme_models.net:Net", width=3
    )
    assert channels(own) == 7


def test_a_module_of_the_environment_stays_what_it_was(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_nets.py").write_text(NET)
    monkeypatch.syspath_prepend(tmp_path)
    import acme_nets

    own = write({"acme_nets.py": NET.replace("3 * width", "width")}, "acme_nets:Net", width=3)
    assert channels(own) == 3
    assert sys.modules["acme_nets"] is acme_nets
    installed = write({"nets.py": ""}, "acme_nets:Net", zoo="other", width=3)
    assert channels(installed) == 9


def test_nothing_is_written_beside_the_code_nor_read_from_old_bytecode(write: Write) -> None:
    card = write({"nets/a.py": "from .b import Net", "nets/b.py": NET}, "nets.a:Net", width=1)
    source = card.folder / "nets" / "b.py"
    compile_file(source, quiet=1)
    seconds = source.stat().st_mtime
    source.write_text(NET.replace("3 * width", "2 * width"))
    os.utime(source, (seconds, seconds))
    assert channels(card) == 2
    assert len(list(card.folder.rglob("*.pyc"))) == 1


def test_without_consent_nothing_is_run(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    card = write({"nets.py": f"print('ran')\n{NET}"}, width=1)
    with pytest.raises(NotRunError, match=r"zoo/net_x2: .*nets:Net.*zoo.*--sr-trust-code"):
        build_network(replace(card, trusted=False))
    with pytest.raises(NotRunError, match=r"nets:Net.*add trust = true under \[model.code\]"):
        build_network(replace(card, code=Code()))
    assert not capsys.readouterr().out
    build_network(card)
    assert "ran" in capsys.readouterr().out


FAULTS = {
    "absent:Net": ("", r"no module 'absent': expected absent.py in .*zoo"),
    "nets.b:Net": ("", r"no module 'nets.b': expected nets/b.py in .*zoo"),
    "nets:Nett": (NET, r"nets.py: has no 'Nett'; did you mean 'Net'"),
    "nets:nn": (NET, r"nets.py: expected nn to be a class, got a module"),
    "nets:Net": (
        NET,
        r"hyper does not fit nets:Net \(.*nets.py:5\): width is missing: write it into hyper",
    ),
    "nets:Net width": (NET, r"Net\(width=-1\) fails: .*nets.py:7: \w+Error: "),
    "nets:Net depth": (NET, r"width is missing: .*; depth is unknown; .*width"),
    "nets:Net import": ("import absent", r"nets.py:1: .*'absent': nets needs it: install"),
    "nets:Net syntax": ("1 +", r"nets.py:1: SyntaxError: "),
    "nets:Net zero": ("\n1 / 0", r"nets.py:2: ZeroDivisionError: division by zero"),
    "nets:Net exit": ("import sys\nsys.exit(3)", r"nets.py:2: SystemExit: 3"),
    "nets:Net above": ("from . import x", r"nets.py:1: ImportError: attempted relative"),
    "nets:net": ("def net():\n    return 5", r"make a torch.nn.Module, got a int \(.*nets.py:1\)"),
}


@pytest.mark.parametrize("asked", FAULTS)
def test_what_fails_is_said_in_one_line_with_its_place(asked: str, write: Write) -> None:
    text, message = FAULTS[asked]
    of, _, wrong = asked.partition(" ")
    card = write({"nets.py": text}, of, **({wrong: -1} if wrong in ("width", "depth") else {}))
    with pytest.raises((CardError, NotRunError), match=message) as caught:
        build_network(card)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("returned", "kind"),
    [("(x, x)", "tuple of 2"), ("[x]", "list of 1"), ("{}", "dict of 0"), ("None", "NoneType")],
)
def test_an_output_that_is_no_image_is_named_with_its_forward(
    returned: str, kind: str, write: Write
) -> None:
    text = NET.replace("sum(layer(x) for layer in self.layers)", returned)
    network = build_network(write({"nets.py": text}, width=1))
    with pytest.raises(BackendError, match=rf"Net returns a {kind}: .*nets.py:9"):
        network(torch.zeros(1, 3, 4, 4))
