"""A report opened from the disk in a real Chromium; skips where there is none."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.compare import ComparedRuns, LossLimits
from sr_bench.core.record import Kept, Status, Verdict
from sr_bench.engine.judge.two_runs import compare_runs
from sr_bench.report.html.build import build_report
from tests.report.html.zoo import (
    COUNT,
    emulated,
    gated,
    history_of,
    keep_images,
    lower,
    past_session,
    records_of,
    scored,
)

_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Return one browser for a file of tests."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs chromium in the PATH")
    with api.sync_playwright() as player:
        chromium = player.chromium.launch(executable_path=path, args=_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a report with every status, and a model whose images are gone.

    No model of one suite ran, and an earlier run was better.
    """
    results = tmp_path_factory.mktemp("results")
    records = records_of("near", "far")
    records = [emulated(r) if r.precision == "int8_max" else r for r in records]
    keep_images(results, records, 160)
    base = scored("far", "fp32", "psnr")
    records += [
        replace(
            base,
            model=f"status_{status.value}",
            case_id=status.value,
            verdict=Verdict(status, f"about {status.value}", 30.0, 30.0, 0.1),
            kept=None,
        )
        for status in Status
    ]
    idle = replace(base, family="idle", verdict=Verdict(Status.NOT_RUN, "no files; fetch them"))
    records.append(replace(idle, measurement=None))
    records.append(gated("lost<b>", "int8_max", Status.LOSS))
    records[-1] = replace(records[-1], kept=Kept("outputs/gone-int8_max", "outputs/gone"))
    session = past_session(results, records)
    before = past_session(results, [lower(record, -1.0) for record in records_of("near")], 8)
    pair = ComparedRuns(before, session, compare_runs(session, before, LossLimits()))
    build_report(session, history_of(records), results / "html", compared=[pair])
    return results / "html"


@pytest.fixture
def show(browser, report: Path) -> Iterator[Callable[..., object]]:
    """Return a function that opens a page.

    It fails at the end if the page complained of anything.
    """
    complaints: list[str] = []
    contexts = []

    def open_page(page: str = "index", *, width: int = 1280, theme: str = "light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
        )
        contexts.append(context)
        shown = context.new_page()
        shown.on("console", lambda message: complaints.append(message.text))
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.on("requestfailed", lambda request: _check_failure(request, complaints))
        shown.on("request", lambda request: _check_local(request.url, complaints))
        shown.goto(next(report.glob(f"{page}*.html")).as_uri())
        return shown

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return the folder of a report whose images all lie outside of it."""
    records = records_of("m")
    keep_images(tmp_path, records)
    target = tmp_path / "html"
    build_report(past_session(tmp_path, records), (), target, max_bytes=1)
    page = next(target.glob("model-*.html")).read_text()
    assert len(re.findall(r"\.\./outputs/pairs/\d+-hr\.png", page)) == COUNT
    return target


def _check_failure(request, complaints: list[str]) -> None:
    # What still loads while a link is pressed is given up.
    if request.failure != "net::ERR_ABORTED":
        complaints.append(f"{request.url}: {request.failure}")


def _check_local(url: str, complaints: list[str]) -> None:
    if not url.startswith(("file:", "data:", "blob:")):
        complaints.append(f"left the disk: {url}")
