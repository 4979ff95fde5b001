"""A model is measured in a process of its own: what ends it fails its runs, and no more."""

import itertools
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sr_bench import discovery
from sr_bench.core.case import Case
from sr_bench.core.detail import Detail
from sr_bench.core.device import Failure
from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.elsewhere import child
from sr_bench.engine.elsewhere.child import Child, Limits
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.prepare import code_digest
from sr_bench.errors import DeviceError, OptionError
from sr_bench.system.process import Process, read_process
from sr_bench.text.home import without_home
from tests.tiny_zoo import Zoo

BACKEND = '''
"""Enlarges as the tiny network does; before each image it does what a file says."""

import itertools
import os
from pathlib import Path

from sr_bench.backends._session import CheckedSession
from sr_bench.core.backend import BackendInfo
from sr_bench.core.precision import Precision
from sr_bench.engine.prepare import code_digest
from sr_bench.errors import OptionError

ACT = Path(__file__).with_name("act.py")
COUNT = itertools.count(1)


def describe(options):
    if Path(__file__).with_name("refuse").exists():
        raise OptionError("refused")
    return BackendInfo("trap", "1", "trap", emulated=False, note="for tests")


def precisions(options):
    return Precision.all()


def open_session(artefact, *, threads, options):
    def infer(lr):
        exec(ACT.read_text(), {"image": next(COUNT), "model": artefact.name})
        return lr.repeat(2, 2).repeat(2, 3)

    return CheckedSession(infer, backend="trap", device="trap")


def ask(worker, work, what, *, progress):
    progress(1, 3, what)
    if what == "end":
        os._exit(3)
    if what == "refuse":
        raise OptionError("refused")
    return worker.info.name, work.job.card.id, os.getpid()
'''

# PyDLL keeps the interpreter's lock, so that no other thread and no handler of Python can run.
HANG = "import ctypes; ctypes.PyDLL(None).sleep(600)"
SLEEP = "import time; time.sleep(600)"
SEGFAULT = "import ctypes; ctypes.string_at(0)"
WRITE_PID = "import os; from pathlib import Path; Path('{}').write_text(str(os.getpid()))\n"


class Trap:
    """A zoo on a backend whose behaviour a test sets."""

    def __init__(self, zoo: Zoo, folder: Path) -> None:
        self.zoo = zoo
        self.folder = folder
        self.selection = Selection(backend="trap", data=zoo.data, cache="off")
        self.progress: list[tuple[int, int, str]] = []

    def does(self, code: str, image: int = 1) -> None:
        """Let the backend execute `code` before the image number `image` of each process."""
        body = "\n".join(f"    {line}" for line in (code or "pass").splitlines())
        (self.folder / "act.py").write_text(f"if image == {image}:\n{body}\n")

    def cases(self) -> dict[str, Case]:
        cases = plan(load_suite(self.zoo.suite / "card.toml"), self.selection)
        return {case.metric: case for case in cases if case.precision == "fp32"}

    @contextmanager
    def open(self, **limits: float) -> Iterator[Bench]:
        info = discovery.load("sr_bench.backends", "trap").describe({})
        bench = Bench(self.selection, (), Child(self.selection, info, Limits(**limits)))
        yield bench
        bench.close()

    def ask(self, bench: Bench, case: Case) -> Record:
        return bench.evaluate(case, "node", lambda *step: self.progress.append(step))

    def fails(self, **limits: float) -> Record:
        """Return the record of the PSNR, whose process does not survive it."""
        with self.open(**limits) as bench:
            record = self.ask(bench, self.cases()["psnr"])
        assert record.verdict.status is Status.ERROR
        assert record.measurement is None
        return record


@pytest.fixture
def trap(zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trap]:
    folder = tmp_path / "site"
    (folder / "trap-1.dist-info").mkdir(parents=True)
    (folder / "trap-1.dist-info" / "METADATA").write_text("Name: trap\nVersion: 1\n")
    points = "[sr_bench.backends]\ntrap = trap_backend\n"
    (folder / "trap-1.dist-info" / "entry_points.txt").write_text(points)
    (folder / "trap_backend.py").write_text(BACKEND)
    (folder / "act.py").write_text("")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(child, "_GRACE_S", 1.0)
    _forget()
    yield Trap(zoo, folder)
    sys.modules.pop("trap_backend", None)
    _forget()


def _forget() -> None:
    digests = (code_digest.plugin_code, code_digest.own_code, code_digest.measuring)  # of the trap
    for cached in (discovery.names, discovery.load, discovery._by_group, *digests):
        cached.cache_clear()


def _runs(pid: int) -> bool:
    return read_process(pid) != Process()


def _process_of(bench: Bench) -> child._Process:
    executor = bench._runs.executor
    assert isinstance(executor, Child)
    assert executor._process is not None
    return executor._process


def _pid_of(bench: Bench) -> int:
    return _process_of(bench)._group.pid


def _in_fp16(case: Case) -> Case:
    return replace(case, precision=Precision.FP16)


def test_a_record_is_the_one_that_the_bench_makes(trap: Trap) -> None:
    cases = trap.cases()
    assert set(cases) == {"psnr", "ssim", "flops", "params"}
    with trap.open() as bench:
        records = [trap.ask(bench, case) for case in cases.values()]
    progress, trap.progress = trap.progress, []
    bench = Bench(trap.selection)
    expected = [trap.ask(bench, case) for case in cases.values()]
    assert progress[:2] == trap.progress[:2] == [(1, 2, "a"), (2, 2, "b")]
    for record, other in zip(records, expected, strict=True):
        assert replace(record, seconds=0.0) == replace(other, seconds=0.0)
        assert record.verdict.status is Status.MATCH


def test_runs_of_one_model_share_a_process_that_ends_with_the_model(trap: Trap) -> None:
    psnr = trap.cases()["psnr"]
    other = replace(psnr, card=replace(psnr.card, name="other"))
    with trap.open() as bench:
        pids = []
        for case in (psnr, _in_fp16(psnr), other):
            assert trap.ask(bench, case).measurement is not None
            pids.append(_pid_of(bench))
        assert pids[0] == pids[1] != pids[2]
        assert [_runs(pid) for pid in pids] == [False, False, True]
        group = _process_of(bench)._group
    assert group.end(0) == 0, "it ended by itself"


def test_the_process_has_our_folder_and_environment_and_no_input(
    trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAP_WORD", "a word")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ctypes.py").write_text("raise SystemExit('not the library')")
    trap.does("import os, sys; print(os.getcwd(), os.environ['TRAP_WORD'], sys.stdin.read(), 'x')\n"
              "os._exit(3)")  # fmt: skip
    assert f"{without_home(str(tmp_path))} a word  x" in trap.fails().verdict.sentence


def test_a_segmentation_fault_names_the_signal_and_the_line(trap: Trap) -> None:
    trap.does(SEGFAULT)
    record = trap.fails()
    first, *output = record.verdict.sentence.splitlines()
    assert first == (
        "crashed: the model's process was ended by signal 11 (Segmentation fault), before any"
        " progress; run this item alone; its last output:"
    )
    assert output[0] == "  | Fatal Python error: Segmentation fault"
    assert any("trap_backend.py" in line and "infer" in line for line in output)
    assert record.detail == Detail(failure=Failure.CRASHED)
    assert record.seconds > 0


def test_a_run_that_crashed_is_not_made_again_and_others_get_a_fresh_process(trap: Trap) -> None:
    cases, tries = trap.cases(), trap.folder / "tries"
    tries.touch()
    trap.does(f"from pathlib import Path; p = Path({str(tries)!r})\n"
              "p.write_text(p.read_text() + 'x')\n" + SEGFAULT)  # fmt: skip
    with trap.open() as bench:
        first, second = (trap.ask(bench, cases[name]) for name in ("psnr", "ssim"))
        assert tries.read_text() == "x"
        expected = first.verdict.sentence.replace(
            "crashed: ", "crashed: failed before, not run again: "
        )
        assert second.verdict.sentence == expected
        assert second.detail == Detail(failure=Failure.CRASHED)
        assert (second.metric, second.node_id) == ("ssim", "node")
        assert trap.ask(bench, cases["params"]).verdict.status is Status.MATCH


@pytest.mark.parametrize("code", [HANG, SLEEP], ids=["holding-the-lock", "sleeping"])
def test_a_hang_is_ended_at_the_limit(
    trap: Trap, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = trap.folder / "pid"
    trap.does(WRITE_PID.format(pid) + code, image=2)
    ticks = itertools.count()
    # Once it hangs, an hour passes each time that somebody looks at the clock.
    _let_pass(monkeypatch, lambda: 3600.0 * next(ticks) if pid.exists() else 0.0)
    record = trap.fails(stall_s=600.0)
    assert record.verdict.sentence == (
        "timeout: the model's process was killed after no progress for 600 s (sr_time_limit),"
        " after 1/2 a; raise it if the model is only slow"
    )
    assert record.detail == Detail(failure=Failure.TIMEOUT)
    assert not _runs(int(pid.read_text()))


def test_progress_keeps_a_slow_model_alive(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = trap.folder / "begun"
    begun.touch()
    (trap.folder / "act.py").write_text(f"open({str(begun)!r}, 'a').write('x')")
    # Each image takes 400 s.
    _let_pass(monkeypatch, lambda: 400.0 * begun.stat().st_size)
    with trap.open(stall_s=600.0) as bench:
        assert trap.ask(bench, trap.cases()["psnr"]).verdict.status is Status.MATCH


def _let_pass(monkeypatch: pytest.MonkeyPatch, seconds: Callable[[], float]) -> None:
    """Let the parent's clock be ahead of the real one."""
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + seconds())
    monkeypatch.setattr(child, "time", clock)


@pytest.mark.parametrize("where", ["own", "of-a-descendant"])
def test_memory_beyond_the_limit_ends_the_process(trap: Trap, where: str) -> None:
    grow = "kept = []\nfor _ in range(30): kept.append(b'x' * 2**25); time.sleep(0.02)"
    grow = f"import time\n{grow}\ntime.sleep(600)"
    code = grow
    if where == "of-a-descendant":  # in a session of its own, as a device's worker is
        pid = trap.folder / "pid"
        below = f"{WRITE_PID.format(pid)}{grow}"
        code = (
            "import subprocess, sys\n"
            f"subprocess.run([sys.executable, '-c', {below!r}], start_new_session=True)"
        )
    trap.does(code, image=2)
    record = trap.fails(memory_bytes=400 * 2**20)
    sentence = record.verdict.sentence
    assert sentence.startswith("host-oom: the model's process was killed at ")
    assert "above sr_memory_limit=400 MiB, after 1/2 a; raise it" in sentence
    assert record.detail == Detail(failure=Failure.HOST_OOM)
    if where == "of-a-descendant":
        assert not _runs(int(pid.read_text()))


def test_progress_from_before_a_kill_counts_even_if_it_is_read_later(
    trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, pid = trap.cases()["psnr"], trap.folder / "pid"

    def too_much(_pid: int) -> int:
        _await(pid.exists)
        return 2**40

    with trap.open(memory_bytes=2**39) as bench:
        trap.ask(bench, case)
        trap.does(WRITE_PID.format(pid) + HANG, image=4)
        monkeypatch.setattr(child, "resident_bytes", too_much)
        sentence = trap.ask(bench, _in_fp16(case)).verdict.sentence
    assert "after 1/2 a; raise it" in sentence


@pytest.mark.parametrize(
    ("kills", "words"),
    [([0, 0], "perhaps for lack of memory"), ([0, 1], "the system was out of")],
)
def test_sigkill_is_reported_as_out_of_memory(
    trap: Trap, kills: list[int], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "out_of_memory_kills", lambda: kills.pop(0))
    trap.does("import os; os.kill(os.getpid(), 9)")
    record = trap.fails()
    assert "host-oom: the model's process was killed by signal 9" in record.verdict.sentence
    assert words in record.verdict.sentence


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os._exit(3)", "error: the model's process ended with status 3, before any"),
        ("raise LookupError('a defect')", "  | LookupError: a defect"),
    ],
    ids=["exit", "exception"],
)
def test_a_process_that_ends_by_itself_is_an_error(trap: Trap, code: str, words: str) -> None:
    trap.does(code)
    record = trap.fails()
    assert words in record.verdict.sentence
    assert record.detail == Detail(failure=Failure.ERROR)


def test_output_is_cut_and_made_printable(trap: Trap) -> None:
    home = str(Path.home())
    trap.does(
        "import os\n"
        "for _ in range(40_000): print('x' * 1000)\n"
        f"print({home!r} + '/secret \\x1b[31mred \\u202e')\n"
        "os.write(2, b'from a library, bad \\xff')\n"
        "os._exit(3)"
    )
    sentence = trap.fails().verdict.sentence
    assert len(sentence) < 3000
    lines = sentence.splitlines()
    assert lines[-2:] == [
        "  | ~/secret \\x1b[31mred \\u202e",
        "  | from a library, bad \N{REPLACEMENT CHARACTER}",
    ]
    assert len(lines) == 16


def test_output_of_earlier_cases_is_not_quoted(trap: Trap) -> None:
    cases = trap.cases()
    trap.does("print('earlier')")
    with trap.open() as bench:
        trap.ask(bench, cases["psnr"])
        trap.does("print('later')\n" + "import os; os._exit(3)", image=3)
        protocol = replace(cases["psnr"].evaluation.protocol, name="another", border=1)
        evaluation = replace(cases["psnr"].evaluation, protocol=protocol)
        other = replace(cases["psnr"], evaluation=evaluation)
        sentence = trap.ask(bench, other).verdict.sentence
    assert "later" in sentence
    assert "earlier" not in sentence


def test_a_process_that_cannot_start_fails_all_runs_of_the_model(
    trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = trap.cases()
    with trap.open() as bench:
        monkeypatch.setattr(child, "_MODULE", "sr_bench.absent")
        first, second, counted = (
            trap.ask(bench, case)
            for case in (cases["psnr"], _in_fp16(cases["psnr"]), cases["params"])
        )
    assert "ended with status 1, while it started; run this item alone" in first.verdict.sentence
    assert "No module named sr_bench.absent" in first.verdict.sentence
    assert "failed before, not run again: the model's process" in second.verdict.sentence
    assert counted.verdict.status is Status.MATCH


def test_an_interpreter_that_is_gone_is_an_error(
    trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trap.open() as bench:
        monkeypatch.setattr(sys, "executable", str(trap.folder / "gone"))
        record = trap.ask(bench, trap.cases()["psnr"])
    assert "can't start a process for the model: [Errno 2]" in record.verdict.sentence


def test_a_backend_that_refuses_in_the_process_says_why(trap: Trap) -> None:
    with trap.open() as bench:
        (trap.folder / "refuse").touch()
        record = trap.ask(bench, trap.cases()["psnr"])
    assert record.verdict.sentence == "error: refused"
    with pytest.raises(OptionError, match="refused"), trap.open():
        pass


def test_a_process_that_ended_between_two_runs_is_replaced(trap: Trap) -> None:
    cases = trap.cases()
    with trap.open() as bench:
        trap.ask(bench, cases["psnr"])
        os.kill(_pid_of(bench), signal.SIGKILL)
        assert _process_of(bench)._group.wait(60.0)
        assert trap.ask(bench, _in_fp16(cases["psnr"])).measurement is not None


def test_what_was_measured_before_a_crash_counts(trap: Trap) -> None:
    trap.selection = replace(trap.selection, cache="on", session="s")
    trap.does(SEGFAULT, image=2)
    trap.fails()
    trap.does("")
    with trap.open() as bench:
        record = trap.ask(bench, trap.cases()["psnr"])
    assert (record.verdict.status, record.cached) == (Status.MATCH, 1)


def test_a_function_is_called_in_the_process_of_its_model(trap: Trap) -> None:
    case = trap.cases()["psnr"]
    function = discovery.load("sr_bench.backends", "trap").ask
    with trap.open() as bench:
        runs, steps = bench._runs, []

        def call(code: str) -> object:
            tell = lambda *progress: steps.append(progress)  # noqa: E731
            work = runs.work(case, tell)
            return runs.executor.call(function, work, code, progress=tell)

        assert call("who") == ("trap", case.card.id, _pid_of(bench))
        assert steps == [(1, 3, "who")]
        with pytest.raises(OptionError, match=r"^refused$"):
            call("refuse")
        with pytest.raises(DeviceError, match="ended with status 3, after 1/3 end;"):
            call("end")


def test_an_interrupt_ends_the_process(trap: Trap) -> None:
    pid, closed = trap.folder / "pid", trap.folder / "closed"
    trap.does(f"{WRITE_PID.format(pid)}import atexit; atexit.register(open, {str(closed)!r}, 'w')")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with trap.open() as bench:
        with pytest.raises(KeyboardInterrupt):
            bench.evaluate(trap.cases()["psnr"], "node", interrupt)
        assert not _runs(int(pid.read_text()))
        assert closed.exists(), "it could tidy up"
        trap.does("")
        assert trap.ask(bench, trap.cases()["psnr"]).verdict.status is Status.MATCH
        bench.close()


def test_the_process_does_not_outlive_a_killed_parent(trap: Trap) -> None:
    pid = trap.folder / "pid"
    trap.does(WRITE_PID.format(f"{pid}.part") + f"os.rename('{pid}.part', '{pid}'); {HANG}")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from sr_bench.engine.bench import Bench\n"
        "from sr_bench.engine.elsewhere.open import open_executor\n"
        "from sr_bench.engine.plan.cases import plan\n"
        "from sr_bench.engine.plan.options import Selection\n"
        "from sr_bench.engine.plan.suite import load_suite\n"
        "chosen = Selection(backend='trap', data=Path(sys.argv[3]), isolate='model')\n"
        "cases = plan(load_suite(Path(sys.argv[2])), chosen)\n"
        "case = next(case for case in cases if case.metric == 'psnr')\n"
        "Bench(chosen, (), open_executor(chosen)).evaluate(case, 'node', print)\n"
    )
    argv = [trap.folder, trap.zoo.suite / "card.toml", trap.zoo.data]
    with subprocess.Popen([sys.executable, "-c", code, *map(str, argv)]) as parent:
        _await(pid.exists)
        parent.kill()
    _await(lambda: not _runs(int(pid.read_text())))


def _await(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_without_limits_nothing_is_too_long_or_too_large() -> None:
    assert Limits() == Limits(math.inf, None)
