"""vacc yaml, vamp, vamp-log and clear: what a rig's owner does by hand."""

import json
import os
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from sr_bench import cli
from sr_bench.backends.vacc.run.state import DeviceState
from sr_bench.core.precision import Precision
from tests.int8_zoo import Int8Zoo, make_int8_zoo

VACC = Path(__file__).parents[1] / "backends" / "vacc"


@pytest.fixture
def int8_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Int8Zoo:
    monkeypatch.setenv("SR_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return make_int8_zoo(tmp_path / "my_zoo")


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a rig whose compiler and profiler are fakes."""
    fakes = VACC / "fake" / "bin"
    (tmp_path / "rig.toml").write_text(f'vamc = "{fakes}/vamc"\nvamp = "{fakes}/vamp"\n')
    monkeypatch.setenv("SR_BENCH_RIG", str(tmp_path / "rig.toml"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def _named(zoo: Int8Zoo, precision: str) -> tuple[object, ...]:
    return ("res_x2", "--precision", precision, "--suites", zoo.root, "--data", zoo.data)


@pytest.mark.parametrize("command", ["clear", "vamp", "vamp-log", "yaml"])
def test_each_command_has_help_whose_example_is_a_valid_command_line(
    sr_bench, command: str
) -> None:
    result = sr_bench("vacc", command, "--help")
    assert (result.code, result.err) == (0, "")
    _, _, example = " ".join(result.out.split()).partition("example: sr-bench ")
    assert example.startswith(f"vacc {command} ")
    assert callable(cli._parser().parse_args(shlex.split(example)).act)
    assert f"\n    {command} " in sr_bench("vacc", "--help").out


def test_the_build_file_says_what_the_card_says(sr_bench, int8_zoo: Int8Zoo) -> None:
    with (int8_zoo.suite / "card.toml").open("a") as card:
        card.write('[model.vacc]\nskip = ["body.*"]\noptions = { data_type = 0 }\n')
    result = sr_bench("vacc", "yaml", *_named(int8_zoo, "kl"), "--shape", "20x24")
    build = yaml.safe_load(result.out)
    assert build["frontend"]["shape"] == {"x": [1, 3, 20, 24]}
    assert build["backend"]["quantize"]["calibrate_mode"] == "kl_divergence"
    assert build["backend"]["quantize"]["skip_conv_layers"] == [1, 2]
    assert build["backend"]["compile"]["data_type"] == 0
    assert build["dataset"]["sampler"]["get_data_num"] == 4


def test_the_shape_is_that_of_the_flops_unless_given(sr_bench, int8_zoo: Int8Zoo) -> None:
    result = sr_bench("vacc", "yaml", *_named(int8_zoo, "fp16"))
    build = yaml.safe_load(result.out)
    assert build["frontend"]["shape"] == {"x": [1, 3, 8, 8]}
    assert "dataset" not in build


def test_a_network_at_hr_size_is_compiled_for_its_input(sr_bench, int8_zoo: Int8Zoo) -> None:
    card = int8_zoo.suite / "card.toml"
    given = '\n[model.input]\nenlarged = "cv2_cubic"\n'
    fixed = 'input_shape = [6, 10]\nlr_resize = "cv2_area"\ngt_resize = "cv2_area"\n'
    int8_zoo.write_card(protocol="mine")
    card.write_text(card.read_text() + given + f"\n[protocol.mine]\n{fixed}")
    result = sr_bench("vacc", "yaml", *_named(int8_zoo, "fp16"))
    assert yaml.safe_load(result.out)["frontend"]["shape"] == {"x": [1, 3, 12, 20]}


def test_all_that_the_compiler_needs_can_be_written(
    sr_bench, int8_zoo: Int8Zoo, rig: None, tmp_path: Path
) -> None:
    sr_bench("vacc", "yaml", *_named(int8_zoo, "kl"), "--out", "build")
    names = sorted(path.name for path in (tmp_path / "build").rglob("*") if path.is_file())
    images = [f"{number:04}.png" for number in range(4)]
    assert names == [*images, "build.yaml", "network.onnx"]
    command = f"cd {tmp_path}/build && {VACC}/fake/bin/vamc compile build.yaml"
    assert os.system(command) == 0


def test_a_malformed_shape_is_refused(sr_bench, int8_zoo: Int8Zoo) -> None:
    result = sr_bench("vacc", "yaml", *_named(int8_zoo, "kl"), "--shape", "8")
    assert result.code == 2
    assert "--shape 8: expected height x width, such as 720x1280" in result.err


def test_a_network_is_compiled_and_profiled(sr_bench, int8_zoo: Int8Zoo, rig: None) -> None:
    result = sr_bench("vacc", "vamp", *_named(int8_zoo, "max"), "--json")
    assert result.code == 0, result.err
    assert result.json["throughput"] > 0


def test_without_a_compiler_the_profile_says_what_to_set(sr_bench, int8_zoo: Int8Zoo) -> None:
    result = sr_bench("vacc", "vamp", *_named(int8_zoo, "max"))
    assert result.code == 3
    assert "there is no command 'vamc'; install it, or set vamc in" in result.err


@pytest.mark.parametrize("log", ["2023_rcan", "2.1.0_rcan2", "2024_cbdnet", "2.5.2_resnet50"])
def test_a_log_of_any_generation_is_read(sr_bench, log: str) -> None:
    path = VACC / "vamp_logs" / f"{log}.txt"
    result = sr_bench("vacc", "vamp-log", path)
    assert result.code == 0
    assert result.out.startswith("throughput ")
    assert "clocks          not known" in result.out
    assert sr_bench("vacc", "vamp-log", path, "--json").json["model"]["avg_us"] > 0


def test_what_is_not_a_log_is_refused(sr_bench, tmp_path: Path) -> None:
    (tmp_path / "empty.log").write_text("hello\n")
    result = sr_bench("vacc", "vamp-log", tmp_path / "empty.log")
    assert result.code == 1
    assert "empty.log: expected a line 'throughput (qps): <number>'" in result.err
    assert sr_bench("vacc", "vamp-log", tmp_path / "no.log").code == 2


def test_a_quarantined_model_is_let_go(
    sr_bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SR_BENCH_CACHE", str(tmp_path / "cache"))
    entry = DeviceState().begin("edsr/x2", Precision.FP16, "2.8", 0, os.getpid())
    frozen = json.loads(entry.read_text()) | {"boot": "an earlier one"}
    entry.write_text(json.dumps(frozen))
    assert DeviceState().quarantined("edsr/x2", Precision.FP16, "2.8")
    assert "quarantine edsr/x2 fp16: see sr-bench vacc clear --help" in sr_bench("doctor").out
    assert sr_bench("vacc", "clear", "edsr/*").out == "edsr/x2 fp16\n"
    assert not DeviceState().quarantined("edsr/x2", Precision.FP16, "2.8")
    assert "nothing that matches edsr/* is quarantined" in sr_bench("vacc", "clear", "edsr/*").out
