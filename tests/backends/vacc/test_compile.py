"""Networks are compiled once, whole or not at all, by a stand-in for the compiler."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image

from sr_bench.backends.vacc.build.compile import compile_network, compiler_version, fitted
from sr_bench.backends.vacc.rig import PhaseLimits, Rig
from sr_bench.core.device import CompilerInput, DevicePlan, Failure
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, DeviceError, NotRunError, SrBenchError
from tests.backends.vacc.vamc_input import network, photo

FAKE = Path(__file__).parent / "fake/bin/vamc"
SHAPE = (1, 3, 6, 8)
LIMITS = PhaseLimits(
    probe_s=61.0, compile_s=62.0, open_s=63.0, run_s=64.0, vamp_s=65.0, wait_s=66.0, grace_s=5.0
)
RIG = Rig(sys.executable, str(FAKE), "vamp", 0, LIMITS)

# Writes a line for each time that it is run, and what a compiler would as soon as it may.
QUICK = """#!/bin/sh
echo run >> {runs}
until [ -e {go} ]; do sleep 0.02; done
folder=deploy_weights/$(sed -n 's/^name: //p' build.yaml)
mkdir -p $folder
for part in json so params; do echo made > $folder/mod.$part; done
"""


@pytest.fixture
def vacc_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CompilerInput:
    """Return an fp16 network to compile, where the fake finds our interpreter."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return CompilerInput(
        name="tiny/x2",
        onnx=network(tmp_path / "x2.onnx"),
        precision=Precision.FP16,
        plan=DevicePlan(),
        scale=2,
        white=1.0,
        channel_order="rgb",
    )


def in_int8(source: CompilerInput) -> CompilerInput:
    images = (lambda: photo(1), lambda: photo(2))
    precision = Precision("int8_kl")
    return replace(source, precision=precision, calibration=images, calibration_digest="photos")


def quick(folder: Path, *, go: bool = True) -> tuple[Rig, Path]:
    """Return a rig whose compiler is fast, and the file with a line for each of its runs.

    Without `go` the compiler waits until there is a file `go` in `folder`.
    """
    command = folder / "quick-vamc"
    command.write_text(QUICK.format(runs=folder / "runs", go=folder / "go"))
    command.chmod(0o755)
    if go:
        (folder / "go").touch()
    (folder / "runs").touch()
    return replace(RIG, vamc=str(command)), folder / "runs"


def cached(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("cache/vacc/*/*") if path.suffix != ".lock")


def test_a_network_is_compiled_and_then_taken_from_the_cache(
    vacc_source: CompilerInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = compile_network(vacc_source, SHAPE, RIG, version="1")
    assert compiled.prefix.parts[-3:] == ("deploy_weights", "tiny-x2-fp16", "mod")
    assert '"output_shape": [1, 3, 12, 16]' in compiled.prefix.with_name("mod.json").read_text()
    assert not compiled.cached
    monkeypatch.setenv("SR_FAKE_VAMC", "fail")
    assert compile_network(vacc_source, SHAPE, RIG, version="1") == replace(compiled, cached=True)


def test_int8_is_calibrated_with_images_of_exactly_the_shape(vacc_source: CompilerInput) -> None:
    compiled = compile_network(in_int8(vacc_source), SHAPE, RIG, version="1")
    assert '"calibrate_mode": "kl_divergence"' in compiled.prefix.with_name("mod.json").read_text()
    kept = {path.name for path in compiled.prefix.parents[2].iterdir()}
    assert kept == {"build.yaml", "deploy_weights", "made.json", "vamc.log"}


def test_the_whole_of_what_decides_the_result_is_in_the_digest(
    vacc_source: CompilerInput, tmp_path: Path
) -> None:
    rig, runs = quick(tmp_path)
    int8 = in_int8(vacc_source)
    other_file = network(tmp_path / "other.onnx", seed=1)
    cases = [
        (vacc_source, SHAPE, "1"),
        (vacc_source, (1, 3, 8, 6), "1"),
        (vacc_source, SHAPE, "2"),
        (replace(vacc_source, onnx=other_file), SHAPE, "1"),
        (replace(vacc_source, plan=DevicePlan(options={"opt_level": 2})), SHAPE, "1"),
        (int8, SHAPE, "1"),
        (replace(int8, calibration_digest="other photos"), SHAPE, "1"),
        (replace(int8, skip_layers=(0,)), SHAPE, "1"),
        (replace(int8, white=255.0), SHAPE, "1"),
    ]
    digests = {compile_network(s, shape, rig, version=v).digest for s, shape, v in cases}
    assert len(digests) == len(cases) == len(runs.read_text().split())


def test_where_the_network_lies_does_not_matter(vacc_source: CompilerInput, tmp_path: Path) -> None:
    rig, _ = quick(tmp_path)
    compiled = compile_network(vacc_source, SHAPE, rig, version="1")
    (tmp_path / "beside").mkdir()
    moved = vacc_source.onnx.rename(tmp_path / "beside" / "net.onnx")
    again = compile_network(replace(vacc_source, onnx=moved), SHAPE, rig, version="1")
    assert again == replace(compiled, cached=True)


def test_weights_beside_the_network_are_part_of_it(
    vacc_source: CompilerInput, tmp_path: Path
) -> None:
    rig, _ = quick(tmp_path)
    (tmp_path / "beside").mkdir()
    source = replace(vacc_source, onnx=network(tmp_path / "beside/x2.onnx", external=True))
    compiled = compile_network(source, SHAPE, rig, version="1")
    weights = tmp_path / "beside/w.bin"
    weights.write_bytes(bytes(len(weights.read_bytes())))
    assert compile_network(source, SHAPE, rig, version="1").digest != compiled.digest


def test_the_compiler_finds_weights_beside_the_network(
    vacc_source: CompilerInput, tmp_path: Path
) -> None:
    (tmp_path / "beside").mkdir()
    file = network(tmp_path / "beside" / "x2.onnx", seed=5, external=True)
    compiled = compile_network(replace(vacc_source, onnx=file), SHAPE, RIG, version="1")
    inline = onnx.load(network(tmp_path / "inline.onnx", seed=5))
    kept = onnx.load_from_string(compiled.prefix.with_name("mod.params").read_bytes())
    weights = [numpy_helper.to_array(model.graph.initializer[0]) for model in (inline, kept)]
    assert np.array_equal(*weights)


@pytest.mark.parametrize("damage", ["cut", "gone", "unnoted", "garbled"])
def test_a_damaged_entry_is_made_again(
    vacc_source: CompilerInput, tmp_path: Path, damage: str
) -> None:
    rig, runs = quick(tmp_path)
    compiled = compile_network(vacc_source, SHAPE, rig, version="1")
    match damage:
        case "cut":
            compiled.prefix.with_name("mod.so").write_text("ma")
        case "gone":
            compiled.prefix.with_name("mod.params").unlink()
        case "unnoted":
            (compiled.prefix.parents[2] / "made.json").unlink()
        case "garbled":
            (compiled.prefix.parents[2] / "made.json").write_text('{"seconds": ')
    again = compile_network(vacc_source, SHAPE, rig, version="1")
    assert not again.cached
    assert compiled.prefix.with_name("mod.so").read_text() == "made\n"
    assert compiled.prefix.with_name("mod.params").read_text() == "made\n"
    assert compile_network(vacc_source, SHAPE, rig, version="1").cached
    assert runs.read_text() == "run\nrun\n"


def test_what_a_killed_process_left_is_not_used(vacc_source: CompilerInput, tmp_path: Path) -> None:
    rig, _ = quick(tmp_path)
    compiled = compile_network(vacc_source, SHAPE, rig, version="1")
    folder = compiled.prefix.parents[2]
    left = folder.rename(folder.with_name(f"{folder.name}.partial"))
    (left / "core").touch()
    assert not compile_network(vacc_source, SHAPE, rig, version="1").cached
    assert cached(tmp_path) == [compiled.digest]
    assert not (folder / "core").exists()


def test_of_two_that_want_the_same_one_compiles(vacc_source: CompilerInput, tmp_path: Path) -> None:
    rig, runs = quick(tmp_path, go=False)
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(compile_network, vacc_source, SHAPE, rig, version="1") for _ in "ab"]
        wait(jobs, timeout=0.1)  # time for the second to start, even on a slow machine
        (tmp_path / "go").touch()
    first, second = sorted((job.result() for job in jobs), key=lambda compiled: compiled.cached)
    assert (first.cached, second.cached) == (False, True)
    assert first.prefix == second.prefix
    assert runs.read_text() == "run\n"


def test_who_waits_too_long_gives_up(vacc_source: CompilerInput, tmp_path: Path) -> None:
    rig, runs = quick(tmp_path, go=False)
    hasty = replace(rig, limits=replace(LIMITS, compile_s=0.2))
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(compile_network, vacc_source, SHAPE, rig, version="1")
        while not (runs.read_text() or job.done()):
            time.sleep(0.01)
        with pytest.raises(DeviceError, match="another process has been compiling") as caught:
            compile_network(vacc_source, SHAPE, hasty, version="1")
        (tmp_path / "go").touch()
        assert caught.value.failure == Failure.TIMEOUT
        assert not job.result().cached


@pytest.mark.parametrize(
    ("how", "failure", "message"),
    [
        ("fail", Failure.COMPILE_FAILED, "TVMError: vacc error"),
        ("segfault", Failure.CRASHED, "signal 11"),
        ("killed", Failure.HOST_OOM, "signal 9"),
        ("interrupted", Failure.HOST_OOM, "已中断"),
        ("hang", Failure.TIMEOUT, "compiling ..."),
        ("absent mod.so", Failure.COMPILE_FAILED, "mod.so is absent"),
        ("empty mod.params", Failure.COMPILE_FAILED, "mod.params is empty"),
        ("old mod.json", Failure.COMPILE_FAILED, "mod.json is older than the build"),
    ],
)
def test_a_failed_build_is_reported_kept_and_not_cached(
    vacc_source: CompilerInput,
    tmp_path: Path,
    given_up: list[float],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    failure: Failure,
    message: str,
) -> None:
    monkeypatch.setenv("SR_FAKE_VAMC", how)
    with pytest.raises(DeviceError) as caught:
        compile_network(vacc_source, SHAPE, RIG, version="1")
    assert given_up == [LIMITS.compile_s] * (how == "hang")
    (kept,) = tmp_path.glob("cache/vacc/failed/*")
    assert caught.value.failure == failure
    assert message in str(caught.value)
    assert str(kept) in str(caught.value)
    assert {"build.yaml", "vamc.log"} <= {path.name for path in kept.iterdir()}
    assert cached(tmp_path) == [kept.name]


def test_a_failed_build_can_be_repeated_by_hand(
    vacc_source: CompilerInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SR_FAKE_VAMC", "fail")
    with pytest.raises(DeviceError, match=r"run there: vamc compile build\.yaml"):
        compile_network(in_int8(vacc_source), SHAPE, RIG, version="1")
    monkeypatch.delenv("SR_FAKE_VAMC")
    (kept,) = tmp_path.glob("cache/vacc/failed/*")
    subprocess.run([FAKE, "compile", "build.yaml"], cwd=kept, check=True, capture_output=True)
    with Image.open(kept / "calibration/0001.png") as image:
        assert np.array_equal(np.asarray(image), fitted(photo(2), SHAPE[2:]))


def test_a_missing_compiler_is_not_a_failure(
    vacc_source: CompilerInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SR_BENCH_RIG", str(tmp_path / "rig.toml"))
    rig = replace(RIG, vamc="no-such-vamc")
    for ask in (
        lambda: compile_network(vacc_source, SHAPE, rig, version="1"),
        lambda: compiler_version(rig),
    ):
        with pytest.raises(NotRunError, match=r"'no-such-vamc'; .*set vamc in .*rig\.toml"):
            ask()


def test_an_unusable_cache_is_reported(vacc_source: CompilerInput, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(SrBenchError, match=r"cannot lock .*a part of the path is a file"):
        compile_network(vacc_source, SHAPE, RIG, version="1")


def test_a_network_of_two_inputs_is_refused(vacc_source: CompilerInput, tmp_path: Path) -> None:
    source = replace(vacc_source, onnx=network(tmp_path / "two.onnx", inputs=2))
    with pytest.raises(BackendError, match=r"one input, got \['lr', 'lr1'\]"):
        compile_network(source, SHAPE, RIG, version="1")


def test_the_version_is_the_line_with_a_number(
    vacc_source: CompilerInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compiler_version(RIG) == "vamc 3.4.3"
    monkeypatch.setenv("SR_FAKE_VAMC", "no-version")
    unknown = compiler_version(RIG)
    assert unknown.startswith("vamc of unknown version (")
    assert compiler_version(RIG) == unknown
    rig, _ = quick(tmp_path)
    assert compiler_version(rig) != unknown


def test_large_images_are_cut_in_the_middle() -> None:
    image = photo(0, height=9, width=13)
    assert np.array_equal(fitted(image, (5, 4)), image[2:7, 4:8])
    assert np.array_equal(fitted(image, (9, 13)), image)


def test_small_images_are_mirrored_as_often_as_needed() -> None:
    image = photo(0, height=2, width=9)
    image_of_size = fitted(image, (10, 3))
    rows = [0, 1, 1, 0, 0, 1, 1, 0, 0, 1]
    assert np.array_equal(image_of_size, image[rows][:, 3:6])


def test_a_session_that_reuses_nothing_compiles_again_and_where_it_says(
    vacc_source: CompilerInput, tmp_path: Path
) -> None:
    rig, runs = quick(tmp_path)
    asked = {
        "first": vacc_source,
        "again": replace(vacc_source, since=time.time() + 60),
        "elsewhere": replace(vacc_source, kept_in=tmp_path / "private"),
    }
    made = {
        name: compile_network(source, SHAPE, rig, version="1") for name, source in asked.items()
    }
    assert len(runs.read_text().splitlines()) == 3
    assert len({compiled.digest for compiled in made.values()}) == 1
    assert made["elsewhere"].prefix.is_relative_to(tmp_path / "private")
    assert compile_network(vacc_source, SHAPE, rig, version="1").cached
