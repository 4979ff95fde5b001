"""A zoo whose network is its own Python class: run with consent alone, and never stale."""

from pathlib import Path

import pytest
import torch

from sr_bench.engine.prepare import code_digest
from sr_bench.zoo import own_code
from tests.tiny_zoo import Zoo

NETS = """
from pathlib import Path

from torch import nn

from helper import enlarged

Path(__file__).with_name("ran").touch()


class Nearest(nn.Module):
    def __init__(self, factors):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1, bias=False)
        self.factors = factors

    def forward(self, x):
        return enlarged(self.conv(x), self.factors)
"""

HELPER = """
from torch.nn.functional import interpolate


def enlarged(x, factors):
    return interpolate(x, scale_factor=factors)
"""

CARD = """
code = { trust = true }
hyper = { factors = [2, 2] }
checkpoint = { file = "tiny.pth" }
"""


@pytest.fixture
def own(zoo: Zoo) -> Path:
    """Give the zoo a class in the place of its ONNX file; return the folder."""
    zoo.write_card(CARD)
    card = zoo.suite / "card.toml"
    card.write_text(card.read_text().replace('onnx = "tiny.onnx"', 'architecture = "nets:Nearest"'))
    (zoo.suite / "nets.py").write_text(NETS)
    (zoo.suite / "helper.py").write_text(HELPER)
    torch.save({"conv.weight": torch.eye(3).view(3, 3, 1, 1)}, zoo.suite / "tiny.pth")
    return zoo.suite


def test_nothing_of_it_runs_without_consent(run, own: Path) -> None:
    result = run()
    result.assert_outcomes(skipped=5)
    result.stdout.fnmatch_lines(
        ["*this would run nets:Nearest, Python code of *my_zoo/tiny: allow*"]
    )
    run("--sr-trust-code", "--collect-only").assert_outcomes()
    assert not (own / "ran").exists()


def test_with_consent_every_number_is_measured(run, own: Path, pytester: pytest.Pytester) -> None:
    run("--sr-trust-code").assert_outcomes(passed=4, skipped=1)
    pytester.makeini("[pytest]\naddopts = --sr-trust-code")
    run("--sr-isolate=model", "--sr-cache=refresh").assert_outcomes(passed=4, skipped=1)
    assert (own / "ran").exists()


def test_an_edited_helper_is_not_answered_from_the_cache(run, own: Path, zoo: Zoo) -> None:
    run("--sr-trust-code").assert_outcomes(passed=4, skipped=1)
    before = zoo.records()
    (own / "helper.py").write_text(HELPER.replace("interpolate(x,", "interpolate(x / 2,"))
    own_code._load.cache_clear()  # as another process would have it
    code_digest._class_code.cache_clear()
    run("--sr-trust-code").assert_outcomes(passed=2, failed=2, skipped=1)
    for name, record in zoo.records().items():
        if record["measurement"]:
            assert record["inputs"]["architecture"] != before[name]["inputs"]["architecture"]
