"""Opt-in: the adapter on a real card. What passes here is written down as the receipt.

Run with ``pytest tests/backends/vacc/test_hardware.py --vacc-hardware`` on a rig; commit
``sr_bench/backends/vacc/executed_on.json`` and the profiler's log to tell that it has been done.
"""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from sr_bench.backends import vacc
from sr_bench.backends.vacc.build.compile import compiler_version
from sr_bench.backends.vacc.probe import Probe, SdkState, probe
from sr_bench.backends.vacc.profile.vamp import Load, profile
from sr_bench.backends.vacc.rig import Rig, read_rig
from sr_bench.backends.vacc.run.session import CardSession
from sr_bench.core.backend import BackendOptions, Form
from sr_bench.core.case import Case
from sr_bench.core.precision import Precision
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite

MODEL = "pocket_edsr_x2"
SHAPE = (1, 3, 128, 128)
ALIKE_DB = 30.0
"""Far below any int8 network that works, far above one whose input is in the wrong layout."""


@pytest.fixture(scope="module")
def card(request: pytest.FixtureRequest) -> tuple[Rig, Probe]:
    if not request.config.getoption("--vacc-hardware"):
        pytest.skip("needs a VastAI card; give --vacc-hardware on a machine that has one")
    rig = read_rig()
    state = probe(rig)
    assert state.state is SdkState.READY, f"{state.state}: {state.reason}"
    return rig, state


@pytest.fixture(scope="module")
def prepared(project_root: Path):
    suite = load_suite(project_root / "suites" / "pocket" / "card.toml")
    model = next(model for model in suite.card.models if model.name == MODEL)
    runs = Runs(Selection(), ())
    case = Case(model, "psnr", Precision.FP16, "onnxruntime", model.evaluations[0])

    def prepare(precision: Precision):
        network = runs.jobs.prepared(replace(case, precision=precision))
        return replace(network, form=Form.SOURCE) if precision is not Precision.FP32 else network

    return prepare


@pytest.mark.parametrize("feed", ["image", "tensor"])
@pytest.mark.parametrize("precision", [Precision.FP16, Precision("int8_max"), Precision("int8_kl")])
def test_the_card_computes_the_network(card, prepared, precision: Precision, feed: str) -> None:
    rig, state = card
    levels = np.random.default_rng(1).integers(0, 256, SHAPE)
    lr = np.sort(levels, axis=3).astype(np.float32)  # a ramp, not noise
    source = prepared(precision).source()
    source = replace(source, plan=replace(source.plan, feed=feed))
    with CardSession(source, rig, state.sdk, {}) as session:
        output = session.run(lr)
    with Runs(Selection(), ()).here.open(prepared(Precision.FP32)) as reference:
        error = np.mean((output - reference.run(lr)) ** 2)
    assert 10 * np.log10(255**2 / error) > ALIKE_DB


def test_the_card_is_profiled(card, prepared) -> None:
    latency = profile(prepared(Precision("int8_max")).source(), SHAPE, card[0], Load())
    assert latency.throughput > 0


def test_the_main_job_runs_and_leaves_a_receipt(card, project_root: Path, tmp_path: Path) -> None:
    rig, state = card
    command = [sys.executable, "-m", "pytest", "suites/pocket", "--backend=vacc"]
    command += ["--sr-device=require", f"--sr-models={MODEL}", "--sr-precision=fp16,int8_max"]
    command += [f"--sr-record={tmp_path}/outputs", f"--sr-results-path={tmp_path}"]
    subprocess.run(command, cwd=project_root, check=False)
    records = json.loads((tmp_path / "latest.json").read_text())["records"]
    on_card = [record for record in records if record["device"] == "vacc"]
    assert on_card
    assert not any(record["detail"].get("failure") for record in records)
    assert vacc.describe(BackendOptions("require")).device == "vacc"
    receipt = {
        "date": datetime.now(UTC).date().isoformat(),
        "compiler": compiler_version(rig),
        **{key: str(value) for key, value in asdict(state).items() if key != "reason"},
    }
    vacc.RECEIPT.write_text(json.dumps(receipt, indent=2) + "\n")
