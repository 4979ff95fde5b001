"""Recordings that are broken or made to harm: what was recorded, or our error."""

import json
import shutil
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr_bench.backends.replay import describe, open_session, precisions
from sr_bench.core.backend import BackendOptions
from sr_bench.errors import SrBenchError
from sr_bench.recording.format import read_entries, read_header, read_output
from sr_bench.recording.packed import pack, unpack
from tests.fuzz.bytes_inputs import broken, fuzzed
from tests.recording.recordings import artefact, lr_of, output_files, record, sr_of

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from((0, -1, 1, 2**31, 10**30, 0.5, float("inf"), float("nan")))
    | st.sampled_from(("", "../../x", "a" * 64, "fp16", "\ud800", "\x1b[2J", "a" * 64 + "\n")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.just("a"), inner),
    max_leaves=6,
)
KEYS = ("model", "network", "precision", "version", "notes", "input", "input_shape", "output")
DATA = pack(sr_of(0))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "taped"
    record(folder, 0, 1)
    return folder


@pytest.fixture
def taped(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "taped")


def replay(folder: Path) -> None:
    """Read the recording in every way; any error but ours fails."""
    options = BackendOptions(replay=folder)
    with suppress(SrBenchError):
        describe(options)
    with suppress(SrBenchError):
        precisions(options)
    with suppress(SrBenchError), open_session(artefact(), options=options) as session:
        assert session.run(lr_of(0)).dtype == np.float32
    with suppress(SrBenchError):
        read_header(folder)
        for entry in read_entries(folder):
            assert read_output(folder, entry).shape == entry.output_shape


@fuzzed
@given(data=st.data(), name=st.sampled_from(("entries.jsonl", "recording.json")))
def test_a_broken_recording_is_replayed_or_is_our_error(
    data: st.DataObject, name: str, taped: Path, sound: Path
) -> None:
    content = data.draw(broken((sound / name).read_bytes()))
    (taped / name).write_bytes(content)
    replay(taped)


@fuzzed
@given(changes=st.dictionaries(st.sampled_from((*KEYS, "output_shape", "extra")), VALUES))
def test_an_entry_of_any_values_is_replayed_or_is_our_error(
    changes: dict[str, object], taped: Path, sound: Path
) -> None:
    entry = json.loads((sound / "entries.jsonl").read_text().splitlines()[0])
    (taped / "entries.jsonl").write_text(json.dumps(entry | changes) + "\n")
    replay(taped)


@fuzzed
@given(content=broken(DATA, zlib.compress(bytes(1 << 20))))
def test_a_broken_output_is_refused_or_as_it_was(content: bytes, taped: Path) -> None:
    for path in output_files(taped):
        path.write_bytes(content)
    replay(taped)


@fuzzed
@given(
    data=broken(DATA, zlib.compress(bytes(1 << 20))),
    shape=st.lists(st.sampled_from((0, 1, 2, 3, 8, 10, 2**31, 10**18)), max_size=5).map(tuple),
)
def test_packed_values_of_any_shape_are_such_an_array_or_a_value_error(
    data: bytes, shape: tuple[int, ...]
) -> None:
    with suppress(ValueError):
        assert unpack(data, shape).shape == shape
