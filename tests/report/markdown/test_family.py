"""A family's page mirrors its table with measured values, and never repeats an unmeasured one."""

from dataclasses import replace
from itertools import dropwhile, pairwise, takewhile
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from sr_bench.core.claim import Source
from sr_bench.core.detail import Detail
from sr_bench.core.record import Record, Status, Verdict
from sr_bench.document.tables import parse_document, read_document
from sr_bench.errors import DocumentError, SrBenchError
from sr_bench.report.markdown.family import (
    comparison,
    mirrored_values,
    render_family,
    write_family_reports,
)
from tests.report.records import CLAIM, emulated, record, records_of, with_interval, without_value
from tests.report.sessions import HOSTILE, latency, with_floor

FAMILIES = ("lesrcnn", "edsr", "esrgan", "rcan", "realsr")
FLOOR = "by paper_y, 2 images"
README = """
| Models | PSNR(dB) | SSIM |
| :-- | --: | --: |
| M | 30.10 | 0.915 |
| M **vacc fp16** | 29.50 | - |
"""


def tables(markdown: str) -> list[list[list[str]]]:
    """Return the cells of each table as a Markdown reader shows them."""
    tables: list[list[list[str]]] = []
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    for token, following in pairwise(tokens):
        if token.type == "table_open":
            tables.append([])
        if token.type == "tr_open":
            tables[-1].append([])
        if token.type in ("td_open", "th_open"):
            tables[-1][-1].append("".join(child.content for child in following.children))
    return tables


def small(tmp_path: Path) -> tuple[Path, list[Record]]:
    (tmp_path / "README.md").write_text(README)
    return tmp_path / "README.md", records_of(tmp_path / "README.md")


def page(readme: Path, records: list[Record]) -> str:
    return render_family("zoo", [read_document(readme)], records)


@pytest.mark.parametrize("family", FAMILIES)
def test_with_every_claim_matching_the_mirror_is_the_documents_table_byte_for_byte(
    project_root: Path, family: str
) -> None:
    readme = project_root / "suites" / family / "README.md"
    text = render_family(family, [read_document(readme)], records_of(readme))
    lines = readme.read_text("utf-8").splitlines(keepends=True)
    from_table_on = dropwhile(lambda line: not line.startswith("|"), lines)
    printed = "".join(takewhile(lambda line: line.startswith("|"), from_table_on))
    assert f"with measured values:\n\n{printed}\n## Claimed" in text


@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_measurement_no_claimed_number_is_left_in_the_mirror(
    project_root: Path, family: str
) -> None:
    readme = project_root / "suites" / family / "README.md"
    records = [without_value(record) for record in records_of(readme)]
    document = parse_document(page(readme, records), str(readme))
    mirrored = "\n".join(cell.plain for cell in document.grids[0].cells)
    assert not any(record.claim.text in mirrored.split("\n") for record in records)


def test_measured_values_take_the_format_of_their_cells(tmp_path: Path) -> None:
    readme, (psnr, ssim, _) = small(tmp_path)
    differs = replace(
        psnr,
        measurement=replace(psnr.measurement, value=31.2349),
        verdict=replace(psnr.verdict, status=Status.DIFFERS),
    )
    assert "| M | 31.23 | 0.915 |\n| M **vacc fp16** | - | - |" in page(readme, [differs, ssim])


@pytest.mark.parametrize(
    "spoil",
    [
        without_value,
        emulated,
        lambda old: replace(old, verdict=Verdict(Status.NOT_RUN, "measured on 1 of 2", 29.5, 29.5)),
        lambda old: replace(without_value(old), verdict=Verdict(Status.ERROR, "corrupt")),
        lambda old: None,
    ],
    ids=["absent", "emulated", "partial", "error", "not asked for"],
)
def test_what_was_not_judged_is_a_dash_in_the_mirror(tmp_path: Path, spoil) -> None:
    readme, (psnr, ssim, device) = small(tmp_path)
    records = [record for record in (psnr, ssim, spoil(device)) if record]
    text = page(readme, records)
    assert "| M | 30.10 | 0.915 |\n| M **vacc fp16** | - | - |" in text


def test_a_document_that_changed_while_the_session_ran_is_named(tmp_path: Path) -> None:
    readme, records = small(tmp_path)
    readme.write_text("\n" + README)
    with pytest.raises(DocumentError, match=r"README\.md"):
        page(readme, records)


def test_the_second_table_has_claimed_measured_delta_and_status(tmp_path: Path) -> None:
    readme, records = small(tmp_path)
    head, first, *_ = tables(page(readme, records))[1]
    assert head == [
        *("Model", "Precision", "Metric", "Claimed", "Measured", "Delta", "Device"),
        *("Status", "Why"),
    ]
    assert first == [
        *("m_x2", "fp32", "psnr on set5_x2", "30.10", "30.102 dB", "+0.002", "cpu"),
        *("match", "a reason"),
    ]


def test_the_second_table_has_an_interval_where_a_device_was_read_in_two_ways() -> None:
    head, first, other = tables(comparison([with_interval(record(), 30.5), record()]))[0][:3]
    assert head[5] == "Interval"
    assert (first[5], other[5]) == ("30.10 .. 30.50", "")


def test_the_floor_of_each_dataset_and_metric_is_a_row_above_the_models() -> None:
    ssim = record(replace(CLAIM, metric="ssim", text="0.915"), 0.9153)
    records = [with_floor(record(), 29.5), with_floor(record(), 29.5), with_floor(ssim, 0.8985)]
    rows = tables(comparison(records))[0][1:]
    assert rows[:2] == [
        ["bicubic (floor)", "-", "psnr on set5_x2", "-", "29.500 dB", "-", "-", "-", FLOOR],
        ["bicubic (floor)", "-", "ssim on set5_x2", "-", "0.89850", "-", "-", "-", FLOOR],
    ]
    assert [row[0] for row in rows[2:]] == ["m_x2"] * 3


def test_a_value_below_the_floor_is_marked_beside_its_reason() -> None:
    low, high = tables(comparison([with_floor(record(), 31.0), with_floor(record(), 30.0)]))[0][3:]
    assert low[-1].startswith("a reason; below bicubic 31.000 dB: check channel order")
    assert high[-1] == "a reason"


def test_timings_are_columns_of_the_rows_of_their_network() -> None:
    fp16 = replace(record(), precision="fp16")
    head, *rows = tables(comparison([with_floor(record(), 29.0), fp16, latency(peak_mb=411.6)]))[0]
    assert head[6:8] == ["ms per image", "peak MB"]
    assert [row[6:8] for row in rows] == [["", ""], ["12.3", "412"], ["", ""]]


def test_a_timing_without_a_row_to_join_has_its_own() -> None:
    alone, absent = tables(comparison([latency(), latency(None)]))[0][1:]
    assert (alone[2], alone[6]) == ("latency", "12.3")
    assert (absent[4], absent[-1]) == ("-", "an emulation has no speed")


def test_the_page_of_a_family_leaves_the_readme_alone(tmp_path: Path) -> None:
    families = ("README", "readme", "readme_x2")
    records = [replace(record(None, 31.5), family=family) for family in families]
    paths = write_family_reports(records, tmp_path)
    assert [path.name for path in paths] == ["README_.md", "readme_.md", "readme_x2.md"]


def test_names_of_others_stay_names_in_every_cell(tmp_path: Path) -> None:
    names = dict.fromkeys(("model", "dataset", "device", "protocol", "backend"), HOSTILE)
    base = with_floor(record(None, 31.5), 31.0)
    text = render_family(HOSTILE, [], [replace(base, **names)])
    floor, row = tables(text)[0][1:]
    shown = " ".join(HOSTILE.replace("\x1b", "\\x1b").split())
    assert (len(floor), len(row)) == (9, 9)
    assert (row[0], row[6]) == (shown, shown)
    assert floor[2] == f"psnr on {shown}"
    assert "\x1b" not in text
    assert "\n# h" not in text


@pytest.mark.parametrize("device", ["cpu", "emulated"])
def test_the_name_of_a_backend_stays_a_name(device: str) -> None:
    text = render_family("zoo", [], [replace(record(), backend="a<b>*c*", device=device)])
    above, _, _ = text.partition("## Claimed")
    assert above.count(r"a\<b>\*c\*") == above.count("<b>") > 0


def test_what_must_be_known_of_the_device_stands_above_the_tables(tmp_path: Path) -> None:
    readme, records = small(tmp_path)
    detail = Detail(adapter="adapter never executed")
    text = page(readme, [replace(record, device="vacc", detail=detail) for record in records])
    assert text.index("**adapter never executed.**") < text.index("|")


def test_unmeasured_and_new_records_are_dashes_in_the_second_table() -> None:
    absent, new = tables(comparison([without_value(record()), record(None, 31.5)]))[0][1:]
    assert absent[3:7] == ["30.10", "-", "-", "-"]
    assert new[3:7] == ["-", "31.50000 dB", "-", "cpu"]


@pytest.mark.parametrize(
    "sentence",
    [
        "a|b",
        r"C:\new|x \| y",
        "a <b> &amp; *c* `d` [e](f) ~~g~~",
        "_private and edsr_x2_ and {stem}_x2_.png",
        "two\nlines  and   blanks",
    ],
)
def test_any_sentence_stays_one_cell_and_is_read_as_it_is(sentence: str) -> None:
    verdict = Verdict(Status.NOT_RUN, sentence, claimed=30.1)
    ((_, row),) = tables(comparison([replace(without_value(record()), verdict=verdict)]))
    assert len(row) == 9
    assert row[-1] == " ".join(sentence.split())


def test_an_emulation_is_named_over_the_page_and_at_each_table(tmp_path: Path) -> None:
    readme, (psnr, ssim, device) = small(tmp_path)
    text = page(readme, [emulated(psnr), ssim, emulated(device)])
    assert "**Backend vacc, emulated: no vacc device took part in this run.**" in text
    before, _, _ = text.partition("| Models |")
    assert before.rstrip().endswith("with emulated values:")
    assert [row[6] for row in tables(text)[1][1:]] == ["emulated", "cpu", "emulated"]


def test_without_an_emulation_nothing_is_called_emulated(tmp_path: Path) -> None:
    readme, records = small(tmp_path)
    text = page(readme, records)
    assert "emulated" not in text
    assert "Backend onnxruntime." in text


def test_each_family_is_written_to_its_own_file(tmp_path: Path) -> None:
    _, records = small(tmp_path)
    other = replace(record(None, 31.5, status=Status.NEW), family="other")
    paths = write_family_reports([*records, other], tmp_path / "reports")
    assert [path.name for path in paths] == [f"{tmp_path.name}.md", "other.md"]
    assert "| M | 30.10 | 0.915 |" in paths[0].read_text("utf-8")
    assert "31.50000 dB" in paths[1].read_text("utf-8")


def test_an_unwritable_folder_is_one_clear_error(tmp_path: Path) -> None:
    _, records = small(tmp_path)
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(SrBenchError, match=r"cannot write .*reports"):
        write_family_reports(records, tmp_path / "reports")


def test_values_are_given_by_the_place_of_their_claim() -> None:
    other = replace(CLAIM, source=Source("README.md", 8, 22))
    values = mirrored_values([record(), without_value(record(other)), record(None)])
    assert values == {CLAIM.source: "30.10", other.source: "-"}


def test_a_cell_that_spans_rows_shows_what_any_of_them_measured() -> None:
    for records in ([record(), without_value(record())], [without_value(record()), record()]):
        assert mirrored_values(records) == {CLAIM.source: "30.10"}


def test_a_table_of_another_dialect_is_shown_as_code(tmp_path: Path) -> None:
    path = tmp_path / "results.yaml"
    path.write_text("name: M\npsnr: 31.2\n", encoding="utf-8")
    text = render_family("M", [read_document(path)], [])
    assert "\n\n~~~yaml\nname: M\npsnr: '-'\n~~~\n\n" in text
