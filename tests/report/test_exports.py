"""A session as tables: nothing is lost, nothing is a formula, and missing values stay missing."""

import csv
import sys
from dataclasses import replace
from math import inf
from pathlib import Path

import pandas as pd
import pytest

from sr_bench.core.record import ImageScore, Record, Status
from sr_bench.errors import OptionError, SrBenchError
from sr_bench.report.exports import frame, image_frame, write_csv, write_parquet
from tests.report.records import CLAIM, emulated, record, with_interval, without_value
from tests.report.sessions import latency, past_session, with_floor


def row(record: Record) -> dict[str, object]:
    (fields,) = frame([record]).astype(object).to_dict("records")
    return {name: None if value is pd.NA else value for name, value in fields.items()}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def named(name: str) -> Record:
    """Return a record that holds `name` wherever a name may stand."""
    base = record(replace(CLAIM, source=replace(CLAIM.source, path=name), backend=name))
    scores = (ImageScore(name, 1.0), ImageScore("b", 2.0))
    return replace(
        base,
        measurement=replace(base.measurement, images=scores),
        verdict=replace(base.verdict, sentence=name),
        **dict.fromkeys(("case_id", "node_id", "family", "model", "dataset", "device"), name),
    )


def test_a_record_is_a_row_with_all_that_is_known_of_it() -> None:
    about = replace(CLAIM, backend="onnxruntime")
    assert row(replace(with_floor(record(about), 29.5), fingerprint="f", seconds=1.5)) == {
        "case_id": "m",
        "node_id": "zoo/card.toml::m",
        "family": "zoo",
        "model": "m_x2",
        "metric": "psnr",
        "unit": "",
        "precision": "fp32",
        "dataset": "set5_x2",
        "protocol": "paper_y",
        "backend": "onnxruntime",
        "claim_backend": "onnxruntime",
        "device": "cpu",
        "emulated": False,
        "status": "match",
        "sentence": "a reason",
        "claimed_text": "30.10",
        "claimed": 30.1,
        "measured": 30.104,
        "delta": pytest.approx(0.004),
        "tolerance": 0.005,
        "margin": pytest.approx(0.001),
        "interval_low": None,
        "interval_high": None,
        "floor": 29.5,
        "images": 2,
        "planned": 2,
        "place_path": "README.md",
        "place_line": 7,
        "place_column": 22,
        "fingerprint": "f",
        "seconds": 1.5,
    }


def test_what_was_not_measured_is_missing() -> None:
    fields = row(without_value(record(None)))
    lacking = {name for name, value in fields.items() if value is None}
    assert lacking == {
        *("claim_backend", "claimed_text", "claimed", "measured", "delta", "tolerance", "margin"),
        *("interval_low", "interval_high", "floor", "images", "planned"),
        *("place_path", "place_line", "place_column"),
    }
    assert fields["unit"] == "dB"


def test_an_emulated_device_has_an_interval_and_says_so() -> None:
    fields = row(with_interval(record(), 30.5))
    assert (fields["emulated"], fields["interval_low"], fields["interval_high"]) == (
        True,
        30.104,
        30.5,
    )
    assert fields["note_fine"] == 30.5


def test_notes_are_columns_of_their_own_but_for_the_floor() -> None:
    slow, fast = latency(peak_mb=411.0, a=1.0, rounds=5.0), latency(images_per_s=80.0, mean_ms=2.0)
    table = frame([slow, with_floor(record(), 29.5), fast])
    notes = [name.removeprefix("note_") for name in table if name.startswith("note_")]
    assert notes == ["a", "images_per_s", "mean_ms", "peak_mb", "rounds"]
    assert table["note_peak_mb"].isna().tolist() == [False, True, True]
    assert table["unit"].tolist() == ["ms", "", "ms"]


def test_an_infinite_note_is_read_back_from_a_file_as_text() -> None:
    assert row(latency(worst_db="inf"))["note_worst_db"] == inf


def test_the_place_of_a_blank_cell_counts() -> None:
    assert row(replace(record(None), place=CLAIM.source))["place_line"] == 7


def test_an_image_is_a_row_in_the_order_of_the_run() -> None:
    table = image_frame([without_value(record()), emulated(record()), record(None, 31.5)])
    assert table["image"].tolist() == ["a", "b", "a", "b"]
    assert table["value"].tolist() == [30.104, 30.104, 31.5, 31.5]
    assert table["index"].tolist() == [0, 1, 0, 1]
    assert table["emulated"].tolist() == [True, True, False, False]
    assert set(table["case_id"]) == {"m"}


def test_csv_files_hold_both_tables_and_name_the_run(tmp_path: Path) -> None:
    paths = write_csv(past_session([record(), without_value(record())]), tmp_path / "reports")
    assert [path.name for path in paths] == ["records.csv", "images.csv"]
    first, absent = rows(paths[0])
    assert list(first)[:4] == ["run", "started", "commit", "case_id"]
    assert first["run"] == "20261121T091430-b65233"
    assert (first["measured"], absent["measured"]) == ("30.104", "")
    assert [row["image"] for row in rows(paths[1])] == ["a", "b"]


def test_infinity_is_spelled_inf(tmp_path: Path) -> None:
    records, images = write_csv(past_session([record(value=inf), record(value=-inf)]), tmp_path)
    assert [row["measured"] for row in rows(records)] == ["inf", "-inf"]
    assert rows(images)[0]["value"] == "inf"


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+cmd|'/C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", " =1", "\n=1", "＝1", "-", "=inf"],  # noqa: RUF001
)
def test_no_name_becomes_a_formula(tmp_path: Path, name: str) -> None:
    for path in write_csv(past_session([named(name)]), tmp_path):
        cells = [cell for row in rows(path) for cell in row.values() if cell in (name, f"'{name}")]
        assert cells
        assert set(cells) == {f"'{name}"}


def test_numbers_keep_their_sign_and_names_their_minus(tmp_path: Path) -> None:
    low = replace(record(replace(CLAIM, text="-0.5"), -0.7), model="a-b=c")
    row, *_ = rows(write_csv(past_session([low]), tmp_path)[0])
    assert (row["claimed_text"], row["measured"], row["model"]) == ("-0.5", "-0.7", "a-b=c")


def test_the_name_of_a_note_is_no_formula_and_no_command(tmp_path: Path) -> None:
    odd = replace(record().measurement, notes={"\x1b[2J": 1.0})
    text = write_csv(past_session([replace(record(), measurement=odd)]), tmp_path)[0].read_text()
    assert "note_\\x1b[2J" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_a_file_name_that_is_not_text_is_spelled_out(tmp_path: Path, write) -> None:
    for path in write(past_session([named('a\udc80,"b"\nc')]), tmp_path):
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        assert table["model"][0] == 'a\\udc80,"b"\nc'


def test_parquet_files_hold_the_same_tables(tmp_path: Path) -> None:
    records = [record(), record(value=inf), without_value(record(None)), latency(peak_mb=4.0)]
    records_path, images_path = write_parquet(past_session(records), tmp_path)
    assert (records_path.name, images_path.name) == ("records.parquet", "images.parquet")
    back = pd.read_parquet(records_path)
    assert back["run"].tolist() == ["20261121T091430-b65233"] * 4
    expected = frame(records)
    pd.testing.assert_frame_equal(back[list(expected)], expected, check_dtype=False)
    assert back.dtypes["measured"] == "Float64"
    assert len(pd.read_parquet(images_path)) == 4


def test_a_run_without_images_has_an_empty_table_of_them(tmp_path: Path) -> None:
    session = past_session([without_value(record())])
    assert rows(write_csv(session, tmp_path)[1]) == []
    assert list(pd.read_parquet(write_parquet(session, tmp_path)[1]))[-1] == "value"


def test_without_pyarrow_one_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OptionError, match=r"pip install 'sr-bench\[parquet\]'"):
        write_parquet(past_session([record()]), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_an_unwritable_folder_is_one_clear_error(tmp_path: Path, write) -> None:
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(SrBenchError, match=r"cannot write .*reports"):
        write(past_session([record(status=Status.MATCH)]), tmp_path / "reports")
