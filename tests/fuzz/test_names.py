"""Names of others steer no terminal, page, spreadsheet or CI, and no secret gets out."""

import csv
import html.parser
import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sr_bench.core.detail import Detail
from sr_bench.core.record import ImageScore, Record, Status
from sr_bench.report.exports import write_csv
from sr_bench.report.github import annotations, step_summary
from sr_bench.report.html.render import json_text
from sr_bench.report.markdown.combined import render_combined
from sr_bench.report.markdown.family import render_family
from sr_bench.report.terminal.failure import failure_text
from sr_bench.text.printable import printable
from tests.fuzz.bytes_inputs import fuzzed
from tests.fuzz.inputs import odd_text, toml
from tests.report.records import emulated, without_value
from tests.report.sessions import closing, ended, past_session
from tests.tiny_zoo import Zoo, make_zoo

_STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
_SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


def _named(name: str) -> list[Record]:
    """Return records of a session in which everything that others name is called `name`."""
    failed = ended(Status.DIFFERS)
    claim = replace(failed.claim, row=name, source=replace(failed.claim.source, path=name))
    texts = ("case_id", "node_id", "family", "model", "dataset", "device", "protocol", "precision")
    measurement = replace(failed.measurement, images=(ImageScore(name, 29.5),))
    record = replace(
        failed,
        **dict.fromkeys(texts, name),
        claim=claim,
        measurement=measurement,
        verdict=replace(failed.verdict, sentence=name),
        detail=Detail(warning=name, adapter=name, calibration_shared=name),
    )
    broke = replace(record, verdict=replace(record.verdict, status=Status.ERROR))
    return [record, broke, emulated(record), without_value(record, name)]


class _Tags(html.parser.HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs)}
        assert not any((value or "").startswith("javascript:") for _, value in attrs)


@fuzzed
@given(odd_text)
def test_no_name_steers_a_terminal(name: str) -> None:
    for record in _named(name):
        assert not _STEERS.search(failure_text(record))
    lines = closing(_named(name))
    assert not _STEERS.search("".join(lines))
    assert not _STEERS.search(printable(name))


@fuzzed
@given(odd_text.map(lambda text: text[:80]))  # the page is rendered here, which is slow
def test_no_name_is_markup_in_a_page(name: str) -> None:
    records = _named(name)
    session = past_session(records)
    pages = [render_combined(session, Path("nowhere")), step_summary(session)]
    pages.append(render_family(name, [], records))
    plain = {"table", "thead", "tbody", "tr", "th", "td", "p", "h1", "h2", "h3", "ul", "li", "pre"}
    plain |= {"strong", "code", "class", "style", "br", "details", "summary"}
    for page in pages:
        assert not _STEERS.search(page)
        assert _Tags(_MARKDOWN.render(page)).found <= plain


@fuzzed
@given(odd_text)
def test_no_name_is_a_command_of_github(name: str) -> None:
    for line in annotations(_named(name)):
        assert re.fullmatch(r"::(error|warning|notice)( [^:\r\n]*)?::[^\r\n]*", line)
        assert not _STEERS.search(line)


@fuzzed
@given(odd_text)
def test_no_name_ends_the_script_that_holds_a_pages_data(name: str) -> None:
    text = str(json_text({"name": name, name: [name]}))
    assert not set("<>&\u2028\u2029") & set(text)
    assert len(json.loads(text)) in (1, 2)


@partial(fuzzed, inputs=4)
@given(st.lists(odd_text, min_size=4, max_size=4))  # because writing a file is slow
def test_no_name_is_a_formula_or_a_row_of_its_own_in_a_spreadsheet(
    tmp_path: Path, names: list[str]
) -> None:
    records = [record for name in names for record in _named(name)]
    for path in write_csv(past_session(records), tmp_path):
        with path.open(newline="") as file:
            header, *rows = csv.reader(file)
        assert all(len(row) == len(header) for row in rows)
        for text in (cell for row in rows for cell in row):
            assert not re.match(r"[=+@\t\r]|-[^0-9i]", text) or re.fullmatch(r"[-+\d.einf]+", text)


@pytest.fixture
def zoo(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Zoo:
    """Return a zoo in the user's home, which is below the test's folder."""
    monkeypatch.setenv("HOME", str(pytester.path / "home_of_ann"))
    monkeypatch.setenv("SR_BENCH_CACHE", str(pytester.path / "home_of_ann" / "cache"))
    return make_zoo(pytester.path / "home_of_ann" / "my_zoo")


def _written(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    kinds = {".json", ".jsonl", ".md", ".csv", ".html", ".xml"}
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.suffix in kinds)


def test_a_hostile_zoo_is_harmless_from_end_to_end(
    pytester: pytest.Pytester, zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = "<b>T</b> \x1b[31mred \u202e=cmd javascript:x ::error::y"
    seen = "T \x1b[31mred \u202e=cmd javascript:x ::error::y"
    zoo.write_table(psnr="99.000")
    page = (zoo.suite / "README.md").read_text()
    (zoo.suite / "README.md").write_text(
        page.replace("[Tiny](https://example.org)", row).replace("| Tiny **", f"| {seen} **")
    )
    card = zoo.suite / "card.toml"
    card.write_text(card.read_text().replace('"Tiny"', toml(seen)))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "summary.md"))
    result = pytester.runpytest_inprocess(
        str(zoo.root),
        f"--sr-data={zoo.data}",
        "--sr-report=markdown,csv",
        "--junitxml=reports/junit.xml",
        "-rA",
    )
    result.assert_outcomes(passed=3, failed=1, skipped=1)
    assert not _STEERS.search(re.sub("\x1b\\[[0-9;]*m", "", result.stdout.str()))
    assert not re.search(r"^::error::y", result.stdout.str(), re.MULTILINE)
    assert not _STEERS.search((pytester.path / "summary.md").read_text())
    cases = ElementTree.parse(pytester.path / "reports" / "junit.xml").iter("testcase")
    texts = [text for case in cases for text in (*case.attrib.values(), *case.itertext())]
    assert any("verdict    differs" in text for text in texts)
    assert not _STEERS.search("".join(texts))


def test_no_secret_and_no_home_reaches_a_report_or_the_summary(
    pytester: pytest.Pytester, zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", _SECRET)
    monkeypatch.setenv(
        "GITHUB_STEP_SUMMARY", str(pytester.path / "elsewhere" / "reports" / "step.md")
    )
    monkeypatch.chdir(pytester.mkdir("elsewhere"))  # paths below it are as typed: relative
    Path("reports").mkdir()
    pytester.run("git", "init", "-q")
    pytester.run("git", "remote", "add", "origin", f"https://ann:{_SECRET}@example.org/zoo.git")
    zoo.write_table(psnr="99.000")
    (zoo.suite / "tiny.onnx").rename(zoo.suite / "gone.onnx")
    for args in ((), ("--sr-report=markdown,csv,html",)):
        result = pytester.runpytest_inprocess(str(zoo.root), f"--sr-data={zoo.data}", *args)
        (zoo.suite / "gone.onnx").rename(zoo.suite / "tiny.onnx") if not args else None
        page = result.stdout.str().partition(" sr-bench ")[2]
        written = _written(Path("reports"))
        assert "tiny" in page
        assert "tiny_x2" in written
        assert _SECRET not in result.stdout.str() + written
        assert str(Path.home()) not in page
        assert str(Path.home()) not in written


@pytest.mark.parametrize("field", ["checkpoint", "homepage"])
def test_an_address_with_a_password_is_refused_without_repeating_it(
    tmp_path: Path, field: str
) -> None:
    from sr_bench.cards.load import load_card
    from sr_bench.data.manifest import load_manifest
    from sr_bench.errors import SrBenchError
    from tests.tiny_zoo import CARD, DATASET

    url = f"https://ann:{_SECRET}@example.org/x"
    card = CARD.replace(
        'onnx = "tiny.onnx"', f'architecture = "edsr"\ncheckpoint = {{ file = "x", url = "{url}" }}'
    )
    (tmp_path / "card.toml").write_text(card)
    (tmp_path / "dataset.toml").write_text(DATASET.replace("https://example.org", url))
    read = load_card if field == "checkpoint" else load_manifest
    path = tmp_path / ("card.toml" if field == "checkpoint" else "dataset.toml")
    with pytest.raises(SrBenchError, match="without a user and password") as error:
        read(path)
    assert _SECRET not in str(error.value)
