"""A run in CSV, JSON, Markdown and LaTeX: each reader gets the values, and no name escapes."""

import csv
import io
import json
from dataclasses import replace
from math import inf

from markdown_it import MarkdownIt

from sr_bench.core.record import Record
from sr_bench.report.formats import csv as to_csv
from sr_bench.report.formats import json as to_json
from sr_bench.report.formats import latex, markdown
from tests.report.markdown.test_family import tables
from tests.report.records import CLAIM, record, with_interval, without_value
from tests.report.sessions import HOSTILE, latency, past_session

URL = "https://example.org/run?a=1&b=2#c_d"


def scored(**changes: str) -> Record:
    return replace(record(), **changes)


def test_csv_and_json_hold_every_record_with_the_same_columns() -> None:
    session = past_session([record(), record(value=inf), without_value(record())])
    rows = list(csv.DictReader(io.StringIO(to_csv.render(session, ""))))
    text = to_json.render(session, f"{URL}/é")
    assert text.isascii()  # any terminal and pipe takes it
    value = json.loads(text)
    assert (value["source"], value["run"], len(rows)) == (f"{URL}/é", session.info.run, 3)
    assert list(value["records"][0]) == list(rows[0])[3:]
    assert [row["measured"] for row in value["records"]] == [30.104, "inf", None]
    assert value["records"][2]["status"] == "not_run"
    assert value["environment"]["commit"] == rows[0]["commit"]


def test_markdown_is_one_table_that_names_cannot_leave() -> None:
    text = markdown.render(past_session([scored(model=HOSTILE, family="zoo2"), latency()]), URL)
    ((names, _, cells),) = tables(text)
    assert names == ["Model", "Precision", "set5 ×2 PSNR (dB)", "latency (ms) ↓"]  # noqa: RUF001
    assert cells[1:] == ["fp32", "30.10", "-"]
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert "<img" not in rendered
    assert rendered.count("<li>") == text.count("\n- ")


def test_latex_is_a_table_of_booktabs_with_a_rule_below_each_dataset() -> None:
    other = replace(scored(dataset="b100_x2"), claim=replace(CLAIM, text="27.1"))
    text = latex.render(past_session([latency(), record(), other]), "")
    lines = text.splitlines()
    assert lines[:2] == [r"% \usepackage{booktabs}", r"\begin{tabular}{llrrr}"]
    assert r"\cmidrule(lr){3-3} \cmidrule(lr){4-4}" in lines
    assert r"Model & Precision & PSNR (dB) & PSNR (dB) & latency (ms) $\downarrow$ \\" in lines
    assert r"m\_x2 & fp32 & 30.10 & 30.1 & 12.345 \\" in lines
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2


def test_latex_without_a_dataset_has_one_row_of_headers() -> None:
    lines = latex.render(past_session([latency()]), "").splitlines()
    assert lines[2:5] == [
        r"\toprule",
        r"Model & Precision & latency (ms) $\downarrow$ \\",
        r"\midrule",
    ]


def test_latex_needs_no_font_of_its_own_and_takes_no_name_for_a_command() -> None:
    base = with_interval(record(), 29.9)
    hostile = r"\input{x} 100% $a$ #_^~&{}" + HOSTILE
    text = latex.render(past_session([replace(base, model=hostile)]), URL)
    assert text.isascii()
    assert r"\input" not in text
    assert r"\textbackslash input\{x\} 100\% \$a\$ \#\_\textasciicircum \textasciitilde" in text
    assert "29.90--30.10" in text
    assert r"a=1\&b=2\#c\_d" in text
