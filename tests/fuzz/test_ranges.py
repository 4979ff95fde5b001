"""Files of clip ranges that nobody wrote with care are read, or refused in words."""

import json
import math
from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sr_bench.errors import BackendError
from sr_bench.precision.ranges import Ranges, load_ranges, save_ranges
from tests.fuzz.bytes_inputs import broken, fresh, fuzzed
from tests.fuzz.inputs import changed, json_file

_RANGES: dict[str, object] = {
    "schema_version": 1,
    "observer": "percentile",
    "provenance": {"set": "photos", "images": "8"},
    "clip": {"lr": {"low": 0.0, "high": 255.0}, "conv": {"low": -1.5, "high": 2.25}},
}


def _load(path: Path) -> None:
    with suppress(BackendError):
        ranges = load_ranges(path)
        for clip in ranges.clip.values():
            assert -math.inf < clip.low <= 0 <= clip.high < math.inf
        save_ranges(path, ranges)
        assert load_ranges(path) == ranges


def test_the_ranges_that_are_changed_here_have_no_fault(tmp_path: Path) -> None:
    ranges = load_ranges(fresh(tmp_path, "ranges.json", json_file(_RANGES)))
    assert isinstance(ranges, Ranges)


@fuzzed
@given(changed(_RANGES))
def test_any_value_in_ranges_is_taken_or_refused(tmp_path: Path, table: dict[str, object]) -> None:
    _load(fresh(tmp_path, "ranges.json", json_file(table)))


@fuzzed
@given(
    broken(json.dumps(_RANGES, indent=1).encode())
    | st.builds(
        bytes.__mul__, st.sampled_from((b"[", b'{"a":', b"9", b"\x00", b"\xff")), st.just(9000)
    )
)
def test_ranges_with_broken_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    _load(fresh(tmp_path, "ranges.json", data))
