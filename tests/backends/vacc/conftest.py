"""A rig whose card is the fake, small limits, and the check that no process outlives a test."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from sr_bench.backends.vacc.rig import PhaseLimits, Rig
from tests.backends.vacc.hangs import end_limits_at_hangs

FAKE = Path(__file__).parent / "fake"

MakeModel = Callable[..., Path]
Plan = Callable[..., None]


@pytest.fixture(autouse=True)
def no_process_outlives_a_vacc_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    mark = uuid4().hex
    monkeypatch.setenv("SR_BENCH_TEST_MARK", mark)  # which all that a test starts inherit
    yield
    deadline = time.monotonic() + 60
    while left := _marked(mark):
        assert time.monotonic() < deadline, f"left running: {left}"
        time.sleep(0.02)


def _marked(mark: str) -> list[str]:
    marked = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes() and path.parent.name != str(os.getpid()):
                marked.append((path.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return marked


@pytest.fixture(autouse=True)
def vacc_cache(cache: Path) -> Path:
    """Keep locks and journals of a test apart from those of the user."""
    return cache / "vacc"


@pytest.fixture
def vacc_rig() -> Rig:
    """Return a rig with our own interpreter; no limit is like another, and no test awaits one."""
    limits = PhaseLimits(
        probe_s=61.0, compile_s=62.0, open_s=63.0, run_s=64.0, vamp_s=65.0, wait_s=66.0, grace_s=5.0
    )
    return Rig(sys.executable, "vamc", "vamp", 0, limits)


@pytest.fixture
def given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the limits at which waits for a hanging fake ended, which they do at once."""
    return end_limits_at_hangs(monkeypatch, tmp_path / "hangs")


@pytest.fixture
def fake_vsx(monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Put the fake runtime in the way of workers; return a function that lets it misbehave."""
    monkeypatch.setenv("PYTHONPATH", str(FAKE))
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # or code that forgets it would pass

    def plan(**behaviour: str) -> None:
        """Plan by a model's folder name; ``every``: any model."""
        plan = {"*" if name == "every" else name: fault for name, fault in behaviour.items()}
        monkeypatch.setenv("FAKE_VSX", json.dumps(plan))

    return plan


@pytest.fixture
def fake_model(tmp_path: Path) -> MakeModel:
    """Return a function that makes a compiled model for the fake runtime."""

    def make(shape: Sequence[int], scale: int = 2, name: str = "tiny") -> Path:
        n, c, h, w = shape
        folder = tmp_path / "compiled" / name
        folder.mkdir(parents=True)
        facts = {"input_shape": [n, c, h, w], "scale": scale}
        facts["output_shape"] = [n, c, h * scale, w * scale]
        (folder / "mod.json").write_text(json.dumps(facts))
        (folder / "mod.so").write_bytes(b"")
        (folder / "mod.params").write_bytes(b"")
        return folder / "mod"

    return make
