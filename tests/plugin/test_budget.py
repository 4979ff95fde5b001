"""A budget: what is at risk comes first, and once the time is over no further run begins."""

import json
import math
import shutil
from itertools import chain, repeat
from types import SimpleNamespace

import onnx
import pytest

from sr_bench.engine.measure import runs
from tests.tiny_zoo import Zoo, nearest_x2


@pytest.fixture
def is_late(monkeypatch: pytest.MonkeyPatch):
    """Return a function that lets the time be over once so many runs were about to begin."""

    def after(count: int) -> None:
        clock = chain([0.0] * count, repeat(math.inf))
        monkeypatch.setattr(runs, "time", SimpleNamespace(time=lambda: next(clock)))

    return after


def test_what_there_is_no_time_for_is_not_run(run, zoo: Zoo, is_late) -> None:
    is_late(0)
    run("--sr-budget=1h", "-k", "fp32")
    records = zoo.records()
    verdict = records["tiny_x2-fp32-pair_x2-psnr"]["verdict"]
    assert verdict["status"] == "not_run"
    assert verdict["sentence"] == "budget: no time was left for this run"
    assert records["tiny_x2-fp32-params"]["verdict"]["status"] == "match"


def test_what_there_is_no_time_for_is_no_loss(run, zoo: Zoo, is_late) -> None:
    run("--sr-precision=fp32")
    is_late(0)
    late = ("--sr-cache=refresh", "--sr-budget=1h", "--sr-compare=last")
    result = run("--sr-precision=fp32", *late)
    assert result.ret == 0
    assert "vanished" not in result.stdout.str()


def test_a_run_that_began_in_time_is_finished_for_all_its_metrics(run, zoo: Zoo, is_late) -> None:
    _add_model(zoo)
    is_late(1)
    run("--sr-budget=1h", "-k", "fp32 and pair")
    statuses = {key: record["verdict"]["status"] for key, record in zoo.records().items()}
    assert statuses == {
        "other_x2-fp32-pair_x2-psnr": "match",
        "other_x2-fp32-pair_x2-ssim": "match",
        "tiny_x2-fp32-pair_x2-psnr": "not_run",
        "tiny_x2-fp32-pair_x2-ssim": "not_run",
    }


def test_what_is_kept_already_needs_no_time(run, zoo: Zoo, is_late) -> None:
    run("-k", "fp32-pair")
    is_late(0)
    run("--sr-budget=1h", "-k", "fp32-pair")
    record = zoo.records()["tiny_x2-fp32-pair_x2-psnr"]
    assert (record["verdict"]["status"], record["cached"]) == ("match", 2)


def _add_model(zoo: Zoo) -> None:
    """Copy the suite to a second one, whose model ``other_x2`` is another file."""
    shutil.copytree(zoo.suite, zoo.root / "other")
    network = nearest_x2()
    network.producer_name = "another"
    onnx.save(network, zoo.root / "other" / "tiny.onnx")
    card = zoo.root / "other" / "card.toml"
    card.write_text(card.read_text().replace("tiny_x2", "other_x2"))


def test_what_is_most_at_risk_comes_first(pytester, run, zoo: Zoo) -> None:
    _add_model(zoo)
    run("-k", "tiny_x2 and fp32")
    result = run("--sr-budget=1h", "--collect-only", "-q", "-k", "fp32")
    names = [line for line in result.outlines if "::" in line and "-pair_x2-" in line]
    assert ["other" in name for name in names] == [True, True, False, False]
    result = run("--sr-budget=1h", "-k", "fp32")
    result.stdout.fnmatch_lines(["budget: 2 runs; 1 of them took * s before; first", "*never*"])
    run_order = [
        json.loads(line)["model"]
        for line in sorted((pytester.path / "reports/history").glob("2*.jsonl"))[-1]
        .read_text()
        .splitlines()[1:]
    ]
    assert run_order[-2:] == ["tiny_x2", "tiny_x2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sr-budget=soon"], "*--sr-budget=soon: expected a time such as 2h, 90m*"),
        (["--sr-budget=0"], "*--sr-budget=0: expected a time*"),
    ],
)
def test_what_is_not_a_budget_is_refused(run, options: list[str], message: str) -> None:
    result = run(*options)
    assert result.ret == 4
    result.stderr.fnmatch_lines([message])
