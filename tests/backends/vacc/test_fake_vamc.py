"""The stand-in for the card's compiler takes what is right, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sr_bench.backends.vacc.build.vamc_yaml import build_of, build_text
from sr_bench.core.device import CompilerInput, DevicePlan
from sr_bench.core.precision import Precision
from sr_bench.imaging.files import write_png
from tests.backends.vacc.vamc_input import network, photo

FAKE = Path(__file__).parent / "fake/bin/vamc"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    argv = [str(FAKE), *arguments]
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def vamc_build(tmp_path: Path) -> dict[str, object]:
    """Return an int8 build file for 6 x 8 pixels, as a table, whose files are in the folder."""
    source = CompilerInput(
        name="tiny/x2",
        onnx=network(tmp_path / "x2.onnx"),
        precision=Precision("int8_percentile"),
        plan=DevicePlan(options={"enable_graph_partition": True}),
        scale=2,
        white=1.0,
        channel_order="bgr",
        skip_layers=(0,),
        calibration=(lambda: photo(0, height=6, width=8),),
    )
    build = build_of(
        source,
        input_name="lr",
        shape=(1, 3, 6, 8),
        checkpoint=source.onnx,
        calibration=Path("photos"),
        workspace=Path("out"),
    )
    (tmp_path / "photos").mkdir()
    write_png(tmp_path / "photos/0.png", photo(0, height=6, width=8))
    table: dict[str, object] = yaml.safe_load(build_text(build))
    return table


def test_it_takes_a_build_with_all_our_keys(vamc_build: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(vamc_build))
    result = run("compile", "x.yaml", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in tmp_path.glob("out/tiny-x2-int8_percentile/*")) == [
        "mod.json",
        "mod.params",
        "mod.so",
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"alibrate_mode": "max"}, "unknown key alibrate_mode"),
        ({"frontend": {"checkpoint": "none.onnx"}}, "the checkpoint does not exist"),
        ({"frontend": {"shape": {"input": [1, 3, 6, 8]}}}, "has no input input"),
        ({"frontend": {"shape": {"lr": [1, 1, 6, 8]}}}, "the network takes no"),
        ({"frontend": {"shape": {"lr": [1, 3, 6, 6]}}}, "photos/0.png"),
        ({"backend": {"type": "vacc"}}, "expected the backend tvm_vacc"),
        ({"backend": {"dtype": "fp16"}}, "fp16 is not quantised"),
        ({"backend": {"dtype": "fp32"}}, "no dtype fp32"),
        ({"dataset": {"path": "nowhere"}}, "0 calibration images"),
        ({"dataset": {"process_ops": [{"type": "Resize"}]}}, "unknown operation Resize"),
    ],
)
def test_it_rejects_a_wrong_build(
    vamc_build: dict[str, object], tmp_path: Path, change: dict[str, object], fault: str
) -> None:
    for key, value in change.items():
        old_value = vamc_build.get(key)
        vamc_build[key] = {**old_value, **value} if isinstance(old_value, dict) else value
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(vamc_build))
    result = run("compile", "x.yaml", cwd=tmp_path)
    assert result.returncode != 0
    assert fault in result.stderr


def test_it_knows_its_commands_only(tmp_path: Path) -> None:
    result = run("build", "x.yaml", cwd=tmp_path)
    assert result.returncode != 0
    assert "expected --version, or compile X.yaml" in result.stderr
