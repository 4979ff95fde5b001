"""A recording keeps outputs bit for bit, names what is damaged, and survives being killed."""

import fcntl
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pytest

from sr_bench.errors import BackendError, OptionError, SrBenchError
from sr_bench.recording import format as recording
from sr_bench.recording import recorder
from sr_bench.recording.format import read_entries, read_header, read_output
from sr_bench.recording.recorder import Recorder
from tests.recording.recordings import add, artefact, header, lr_of, output_files, record, sr_of


@pytest.fixture
def taped(tmp_path: Path) -> Path:
    """Return the folder of a recording of three outputs."""
    record(tmp_path / "tape", 1, 2, 3)
    return tmp_path / "tape"


def _lines(folder: Path) -> list[str]:
    return (folder / "entries.jsonl").read_text().splitlines(keepends=True)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_recorded_is_read_again(taped: Path) -> None:
    assert read_header(taped) == header()
    entries = read_entries(taped)
    for seed, entry in enumerate(entries, start=1):
        np.testing.assert_array_equal(read_output(taped, entry), sr_of(seed))
        assert (entry.input_shape, entry.output_shape) == ((1, 3, 4, 5), (1, 3, 8, 10))
    first = entries[0]
    assert (first.model, first.precision, first.network) == ("edsr/small_x2", "fp16", "a" * 64)
    assert (first.artefact, first.version, first.device) == ("d" * 64, "2.8.3", "vacc")
    assert first.notes == {"compiler": "vamc 1"}
    assert _names(taped) == ["entries.jsonl", "outputs", "recording.json"]


def test_the_same_again_changes_no_file(taped: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in taped.rglob("*")}
    record(taped, 1, 2, 3)
    assert {path: path.stat().st_mtime_ns for path in taped.rglob("*")} == before


def test_another_output_of_the_same_input_is_kept_beside_it(taped: Path) -> None:
    for seed in (8, 8, 1):  # another, again, and the first one again: it is the newest now
        record(taped, 1, sr=sr_of(seed))
    entries = [entry for entry in read_entries(taped) if entry.key == read_entries(taped)[0].key]
    outputs = [read_output(taped, entry) for entry in entries]
    np.testing.assert_array_equal(outputs, [sr_of(1), sr_of(8), sr_of(1)])
    assert len(output_files(taped)) == 4


def test_equal_outputs_of_several_inputs_are_one_file(tmp_path: Path) -> None:
    record(tmp_path, 1, 2, sr=sr_of(1))
    assert len(read_entries(tmp_path)) == 2
    assert len(output_files(tmp_path)) == 1


def test_names_are_never_parts_of_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "tape"
    record(folder, 1, recorded=artefact("../../evil", network="../up"))
    assert read_entries(folder)[0].model == "../../evil"
    assert _names(tmp_path) == ["tape"]
    assert len(output_files(folder)) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"backend": "torch"}, "torch on the device 'vacc', not emulated"),
        ({"device": "other"}, "vacc on the device 'other', not emulated"),
        ({"emulated": True}, "vacc on the device 'vacc', emulated"),
    ],
)
def test_a_recording_holds_one_backend_and_device(
    taped: Path, change: dict[str, object], words: str
) -> None:
    fault = f"tape: holds outputs of vacc on the device 'vacc', not emulated.*{words}; record into"
    with pytest.raises(OptionError, match=fault):
        Recorder(taped, header(**change))
    Recorder(taped, header(version="3.0", made_by="0.2.0", environment={}))


def test_a_folder_with_other_files_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OptionError, match=r"an empty folder, got 'thesis\.txt' and no recording"):
        Recorder(tmp_path, header())
    assert _names(tmp_path) == ["thesis.txt"]


def test_a_header_that_another_process_is_writing_is_not_another_file(tmp_path: Path) -> None:
    (tmp_path / ".recording.json.0123.tmp").touch()
    record(tmp_path, 1)
    assert len(read_entries(tmp_path)) == 1


def test_a_file_in_the_way_is_explained(tmp_path: Path) -> None:
    (tmp_path / "tape").touch()
    with pytest.raises(SrBenchError, match=r"tape: .* a file, not a folder: choose another folder"):
        Recorder(tmp_path / "tape", header())


def test_no_recording_is_explained(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"recording\.json is absent; make one.*--sr-record DIR"):
        read_header(tmp_path)
    assert read_entries(tmp_path) == ()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", r"recording\.json: damaged, expected a JSON object \(Expecting"),
        ("[]", r"recording\.json: damaged, expected a JSON object \(got \[\]\)"),
        ('{"schema_version": 2}', r"recording\.json: schema 2 is newer than 1.*update sr-bench"),
        ("[" * 9000, r"recording\.json: damaged, expected a JSON object \(maximum recursion"),
        ('{"environment": {"cpu": [[]]}}', r"  environment\.cpu.*expected"),
        ("{}", r"recording\.json: 7 faults\n  backend: required, but absent"),
    ],
)
def test_a_damaged_header_is_named(tmp_path: Path, content: str, fault: str) -> None:
    (tmp_path / "recording.json").write_text(content)
    with pytest.raises(BackendError, match=fault):
        read_header(tmp_path)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"output": "../../../etc/passwd"}, "output: .*should match pattern"),
        ({"output": "A" * 64}, "output: .*should match pattern"),
        ({"output": "a" * 64 + "\n"}, "output: .*should match pattern"),
        ({"output_shape": [1, 3, 0, 8]}, r"output_shape\[2\]: .*greater"),
        ({"input_shape": [3, 8, 8]}, r"input_shape\[3\]: required, but absent"),
        ({"precision": "int4"}, "precision: unknown precision 'int4'"),
        ({"ouput": ""}, "ouput: unknown key; did you mean 'output'"),
    ],
)
def test_an_entry_that_is_not_as_written_is_named(
    taped: Path, change: dict[str, object], fault: str
) -> None:
    lines = _lines(taped)
    lines[1] = json.dumps(json.loads(lines[1]) | change) + "\n"
    (taped / "entries.jsonl").write_text("".join(lines))
    with pytest.raises(BackendError, match=rf"entries\.jsonl:2: 1 fault\n  {fault}"):
        read_entries(taped)


@pytest.mark.parametrize("line", ["{\n", "\n", "7\n", '"\udcff"\n'])
def test_a_damaged_line_is_named(taped: Path, line: str) -> None:
    lines = [*_lines(taped), line, *_lines(taped)]
    (taped / "entries.jsonl").write_text("".join(lines), errors="surrogateescape")
    for read in (read_entries, lambda folder: Recorder(folder, header())):
        with pytest.raises(BackendError, match=r"entries\.jsonl:4: damaged.*into another folder"):
            read(taped)


@pytest.mark.parametrize("left", [0, 1, 40, -1])
def test_a_line_that_a_killed_process_left_is_cut_off(taped: Path, left: int) -> None:
    lines = _lines(taped)
    (taped / "entries.jsonl").write_text("".join(lines[:2]) + lines[2][:left])
    assert len(read_entries(taped)) == 2
    record(taped, 4, 3)
    assert _lines(taped)[:2] == lines[:2]
    assert [entry.output for entry in read_entries(taped)[2:]] == [
        recording.array_digest(sr_of(seed)) for seed in (4, 3)
    ]


def test_a_process_killed_between_output_and_entry_loses_that_entry_only(
    taped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(recorder, "append_line", killed)
        with pytest.raises(KeyboardInterrupt):
            record(taped, 4)
    assert (len(read_entries(taped)), len(output_files(taped))) == (3, 4)
    record(taped, 4)
    entry = read_entries(taped)[3]
    np.testing.assert_array_equal(read_output(taped, entry), sr_of(4))


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda path: path.unlink(), "it is absent"),
        (lambda path: path.write_bytes(b""), "expected 240 values of 2 or 4 bytes, got 0 bytes"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:-40]),
            "expected 240 values of .*, got [0-9]+ bytes",
        ),
        (lambda path: path.write_bytes(b"GIF89a"), "incorrect header check"),
        (lambda path: path.write_bytes(recorder.pack(sr_of(9))), "other values are in it"),
    ],
)
def test_a_damaged_output_is_named_and_recording_again_repairs_it(
    taped: Path, damage, fault: str
) -> None:
    entry = read_entries(taped)[0]
    damage(taped / "outputs" / entry.output[:2] / f"{entry.output}.z")
    message = rf"{entry.output}\.z: not the recorded output of edsr/small_x2 in fp16.*: {fault}; r"
    with pytest.raises(BackendError, match=message):
        read_output(taped, entry)
    record(taped, 1)
    np.testing.assert_array_equal(read_output(taped, entry), sr_of(1))
    assert len(read_entries(taped)) == 3


def test_entries_that_cannot_be_written_are_explained(tmp_path: Path) -> None:
    recorder = record(tmp_path)
    (tmp_path / "entries.jsonl").mkdir()
    with pytest.raises(SrBenchError, match=r"append to .*entries\.jsonl: this is a folder"):
        add(recorder, artefact(), lr_of(1), sr_of(1))


def test_a_line_waits_until_another_process_has_written_its_own(taped: Path) -> None:
    recorder = record(taped)
    with (taped / "entries.jsonl").open("ab") as other, ThreadPoolExecutor(1) as pool:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b'{"half of')
        other.flush()
        waiting = pool.submit(add, recorder, artefact(), lr_of(4), sr_of(4))
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.1)
        other.truncate(len("".join(_lines(taped)[:3])))
        fcntl.flock(other, fcntl.LOCK_UN)
        waiting.result(timeout=60)
    assert len(read_entries(taped)) == 4


def test_threads_that_record_the_same_write_one_line(taped: Path) -> None:
    recorder = record(taped)
    with (taped / "entries.jsonl").open("ab") as other, ThreadPoolExecutor(4) as pool:
        fcntl.flock(other, fcntl.LOCK_EX)  # until all have got so far
        adding = [pool.submit(add, recorder, artefact(), lr_of(4), sr_of(4)) for _ in range(4)]
        wait(adding, timeout=0.1)
        fcntl.flock(other, fcntl.LOCK_UN)
        assert [added.result(timeout=60) for added in adding] == [None] * 4
    assert len(read_entries(taped)) == 4


WORKER = """
import sys
from pathlib import Path
from tests.recording.recordings import record
folder, first = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for seed in range(first, first + 40):
    record(folder, seed)
"""


def test_two_processes_begin_and_fill_one_recording(tmp_path: Path, project_root: Path) -> None:
    folder = tmp_path / "tape"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), str(first)],
            cwd=project_root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in (0, 30)  # ten inputs are recorded by both
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:  # both stand at the start
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=300)
    assert [worker.returncode for worker in workers] == [0, 0]
    outputs = {entry.input: read_output(folder, entry) for entry in read_entries(folder)}
    for seed in range(70):
        np.testing.assert_array_equal(outputs.pop(recording.array_digest(lr_of(seed))), sr_of(seed))
    assert not outputs


@pytest.mark.parametrize("name", ["recording.json", "entries.jsonl", "outputs"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(taped: Path, name: str) -> None:
    (entry, *_) = read_entries(taped)
    output = taped / "outputs" / entry.output[:2] / f"{entry.output}.z"
    path = output if name == "outputs" else taped / name
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(SrBenchError, match="expected a file, got a folder, pipe or device"):
        {
            "recording.json": read_header,
            "entries.jsonl": read_entries,
            "outputs": lambda folder: read_output(folder, entry),
        }[name](taped)
