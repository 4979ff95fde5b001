"""Build the report: look through the images, then write each page that changed, the first last."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from math import log10
from pathlib import Path

from sr_bench.core.codec import encode
from sr_bench.core.compare import ComparedRuns
from sr_bench.core.history import HistoryEntry, PastSession
from sr_bench.files.atomic import write_bytes, write_text
from sr_bench.files.hashing import sha256_bytes
from sr_bench.imaging.threads import use_one_opencv_thread
from sr_bench.report.hooks import Additions
from sr_bench.report.html.assets import Assets
from sr_bench.report.html.compare import compare_page
from sr_bench.report.html.crops import WorstCrop, cut_crops
from sr_bench.report.html.explorer import PageData, page_data
from sr_bench.report.html.inside import embed
from sr_bench.report.html.model import CropView, model_page
from sr_bench.report.html.names import COMPARISON, page_name
from sr_bench.report.html.overview import index_page
from sr_bench.report.html.pictures import Gallery, Shelf, gallery_of
from sr_bench.report.html.render import page_digest, render, static_files
from sr_bench.report.html.state import (
    FILE,
    BuildState,
    PageState,
    is_current,
    read_state,
    remove_stale,
)
from sr_bench.report.html.subjects import Topic, subjects_of
from sr_bench.report.html.survey import Survey, survey, units_of
from sr_bench.report.html.trend import TrendPage, by_model, trend_page
from sr_bench.report.html.values import Past
from sr_bench.report.terminal.compare import summary_line

MAX_BYTES = 8 * 10**6
"""What a report may weigh, so that it can be sent to somebody."""

_WHITE = 255.0
# Room that is left for the pages of models and the first one, and for the state.
_PAGE_BYTES = 7_000
_RECORD_BYTES = {True: 4_000, False: 1_200}  # with a value, and without
_VALUE_BYTES = 450  # for each image in each precision

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class ReportResult:
    """What a build made."""

    index: Path
    built: int
    """Pages that were written."""
    kept: int
    """Pages that were as they had to be."""
    size: int
    """Bytes of all files of the report."""
    missing: tuple[str, ...]
    """Images that records name and that are gone, relative to the results folder."""
    unreadable: tuple[str, ...]
    """Images that can't be used, with the reason."""
    inexact: int
    """Images that the report has small copies of."""
    outside: int
    """Images that lie outside of the report alone."""


def build_report(
    session: PastSession,
    history: Sequence[HistoryEntry],
    target: Path,
    *,
    compared: Sequence[ComparedRuns] = (),
    additions: Additions | None = None,
    max_bytes: int = MAX_BYTES,
    progress: Progress = lambda *_: None,
) -> ReportResult:
    """Write the report of `session` to the folder `target`, or bring the one there up to date.

    Args:
        session: What to show.
        history: Earlier runs, for trends; may hold `session` itself.
        target: The report's folder, made if it is absent.
        compared: The same run beside earlier ones, for a page of its own.
        additions: What others add to pages.
        max_bytes: What all files together may weigh. Images are left outside for it.
        progress: Receives the steps done, all steps, and the name of the last.

    Raises:
        SrBenchError: The folder can't be written, or a record is damaged. The last report
            is whole until its first page is replaced, the last step.
    """
    use_one_opencv_thread()  # the survey has threads of its own
    additions = additions or Additions(None, session)
    build = _Build(session, history, target, additions, max_bytes, progress)
    return build.run_all(compared)


class _Build:
    """One build; its steps share their results."""

    def __init__(
        self,
        session: PastSession,
        history: Sequence[HistoryEntry],
        target: Path,
        additions: Additions,
        max_bytes: int,
        progress: Progress,
    ) -> None:
        self._run, self._history, self._target = session, history, target
        self._additions = additions
        self._old = read_state(target)
        self._past = Past(history)
        self._subjects = subjects_of(session.records)
        shelf = Shelf(session.results.resolve(), target.resolve())
        self._galleries = tuple(gallery_of(subject, shelf) for subject in self._subjects)
        self._trends = self._all_trends()
        self._trend_names = {(page.family, page.model): n for n, page in self._trends.items()}
        self._static = {f"assets/{name}": data for name, data in static_files().items()}
        self._assets = Assets(target, self._old.assets, max_bytes)
        steps = len(units_of(self._galleries)) + len(self._subjects) + len(self._trends) + 1
        done = count(1)
        self._tick: Callable[[str], None] = lambda what: progress(next(done), steps, what)
        self._pages: dict[str, PageState] = {}
        self._built = 0
        self._text = sum(map(len, self._static.values()))  # bytes of what is no image

    def run_all(self, compared: Sequence[ComparedRuns]) -> ReportResult:
        for name, content in self._static.items():
            path = self._target / name
            if not path.exists() or path.read_bytes() != content:
                write_bytes(path, content)
        for name, trend in self._trends.items():
            self._page(name, "trend", trend)
        if compared:
            self._page(COMPARISON, "compare", compare_page(compared))
        self._assets.set_aside(self._text + self._reserve())
        seen = survey(self._galleries, self._assets, self._old.windows, self._tick)
        crops = [cut_crops(gallery, seen, self._assets) for gallery in self._galleries]
        inside = embed(self._galleries, seen, self._assets)
        pages = [page_data(gallery, seen, inside) for gallery in self._galleries]
        for gallery, worst, data in zip(self._galleries, crops, pages, strict=True):
            self._model(gallery, worst, data)
        if not (self._target / FILE).exists():
            self._write(BuildState())  # or, cut off below, the folder would seem somebody else's
        told = [case for runs in compared for case in runs.cases]
        summary = summary_line(told) if compared else ""
        links = self._trend_names, summary, self._additions
        index = index_page(self._run, self._subjects, self._past, *links)
        self._page("index.html", "index", index)  # last: until now the old report is whole
        return self._finish(seen, pages)

    def _finish(self, seen: Survey, pages: Sequence[PageData]) -> ReportResult:
        assets = self._assets
        state = BuildState(self._pages, {**assets.looks, **assets.used}, seen.windows)
        used = {*self._pages, *(asset.name for asset in assets.used.values())}
        # Not before: the old index.html links them.
        remove_stale(self._target, {*self._old.files, *assets.written} - used)
        self._write(state)
        files = {*used, *self._static, FILE}
        return ReportResult(
            index=self._target / "index.html",
            built=self._built,
            kept=len(self._pages) - self._built,
            size=sum((self._target / name).stat().st_size for name in files),
            missing=tuple(dict.fromkeys(m for g in self._galleries for m in g.missing)),
            unreadable=tuple(seen.unreadable.values()),
            inexact=sum(page.inexact for page in pages),
            outside=sum(page.outside for page in pages),
        )

    def _write(self, state: BuildState) -> None:
        text = json.dumps(encode(state), sort_keys=True, allow_nan=False)
        write_text(self._target / FILE, f"{text}\n")

    def _page(self, name: str, template: str, page: object) -> None:
        """Write a page unless the one there was made of the same."""
        digest = page_digest(template, page)
        if is_current(self._target, name, digest, self._old):
            self._pages[name] = self._old.pages[name]
            self._text += (self._target / name).stat().st_size
        else:
            text = render(template, page)
            write_text(self._target / name, text)
            self._pages[name] = PageState(digest, sha256_bytes(text.encode()))
            self._text += len(text.encode())
            self._built += 1
        self._tick(name)

    def _model(self, gallery: Gallery, crops: Sequence[WorstCrop], data: PageData) -> None:
        subject, topic = gallery.subject, gallery.subject.topic
        siblings = tuple(
            (f"{other.dataset} {other.protocol} {other.backend}", other.page)
            for other in self._of_model(topic.family, topic.model)
            if other != topic
        )
        trend = self._trend_names.get((topic.family, topic.model), "")
        views = tuple(_crop_view(crop, data) for crop in crops)
        links = siblings, trend, gallery.missing
        made = views, data, self._additions
        page = model_page(self._run.info, subject, self._past, *links, *made)
        self._page(topic.page, "model", page)

    def _all_trends(self) -> dict[str, TrendPage]:
        trends, past = {}, by_model(self._history)
        topics = [subject.topic for subject in self._subjects]
        for family, model in dict.fromkeys((topic.family, topic.model) for topic in topics):
            pages = tuple((topic.dataset, topic.page) for topic in self._of_model(family, model))
            entries = past.get((family, model), ())
            page = trend_page(self._run.info, family, model, pages, entries)
            if page:
                trends[page_name("trend", family, model)] = page
        return trends

    def _of_model(self, family: str, model: str) -> list[Topic]:
        topics = [subject.topic for subject in self._subjects]
        return [topic for topic in topics if (topic.family, topic.model) == (family, model)]

    def _reserve(self) -> int:
        """Return the bytes that the pages of models and the first one may need, and the state."""
        values = sum(len(g.images) * (2 + len(g.subject.precisions)) for g in self._galleries)
        records = (record for subject in self._subjects for record in subject.records)
        rows = sum(_RECORD_BYTES[record.measurement is not None] for record in records)
        return _PAGE_BYTES * (len(self._subjects) + 1) + rows + _VALUE_BYTES * values


def _crop_view(crop: WorstCrop, data: PageData) -> CropView:
    window, image = crop.window, data.images[crop.image]
    labels = {column.precision: column.label for column in data.measured} | {"hr": "HR"}
    # The reference beside what is judged: the eye compares neighbours.
    order = ("fp32", "hr") if crop.precision == "fp32" else ("hr", "fp32", crop.precision)
    width, height = max(1, image.width), max(1, image.height)  # 0 where they are not known
    corner, size = (window.left, window.top), (window.width, window.height)
    shares = [
        pixels / whole for pixels, whole in zip(corner + size, (width, height) * 2, strict=True)
    ]
    local_db = 10 * log10(_WHITE**2 / window.mse)  # a window without error is no crop
    return CropView(
        precision=crop.precision,
        label=labels[crop.precision],
        number=crop.image,
        place=f"{window.width}x{window.height} at {corner}, {local_db:.2f} dB",
        focus=",".join(f"{share:.4f}" for share in shares),
        tiles=tuple((labels[what], crop.tiles[what]) for what in order if what in crop.tiles),
    )
