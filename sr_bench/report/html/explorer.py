"""What the explorer and the plots of a model's page work on, as the page holds it in JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isinf

from sr_bench.core.case import GATE_METRIC
from sr_bench.core.gate import Drop
from sr_bench.core.metric import metric_info
from sr_bench.core.record import ImageScore, Record
from sr_bench.report.html.inside import Inside
from sr_bench.report.html.pictures import Gallery, ImageFiles, Picture
from sr_bench.report.html.survey import Survey
from sr_bench.report.html.values import all_emulated
from sr_bench.report.parts.marks import loss_name, titled
from sr_bench.report.parts.order import scored_metrics

Number = float | None


@dataclass(frozen=True)
class Span:
    """A mean drop with its 95 % interval; a missing end is unknown or infinite."""

    mean: Number
    low: Number
    high: Number


@dataclass(frozen=True)
class PageMetric:
    """A metric of the page: how its values are printed, and what its ladder shows."""

    name: str
    title: str
    unit: str
    decimals: int
    ladder: str
    """Such as ``PSNR drop`` and ``MAE rise``."""
    sign: int
    """Of fp32's value less another's, so that a loss is above 0; 0: values are against fp32."""


@dataclass(frozen=True)
class Measured:
    """A precision of the page: values of each image, in the page's order of images."""

    precision: str
    label: str
    emulated: bool
    values: Mapping[str, tuple[Number, ...]]
    """By metric, as far as it was measured; None where infinite, or not measured."""
    drops: Mapping[str, Span]
    """By metric, from the gate, if there is one."""
    sr: tuple[str, ...]
    """Files of the images, as the page links them; empty where there is none."""


@dataclass(frozen=True)
class PageImage:
    """An image of the data set."""

    name: str
    thumbnail: str
    lr: str
    hr: str
    width: int
    """Of the ground truth, in pixels; 0 if unknown."""
    height: int


@dataclass(frozen=True)
class PageData:
    """The images of a page and what was measured on them."""

    images: tuple[PageImage, ...]
    metrics: tuple[PageMetric, ...]
    measured: tuple[Measured, ...]
    copies: Mapping[str, str]
    """By file outside of the report, a smaller copy inside, which looks the same."""
    inexact: int
    """Images that the report has such copies of."""
    outside: int
    """Images whose files lie outside of the report alone."""
    start: int
    """Number of the image to begin with: the one that loses most."""


def page_data(gallery: Gallery, survey: Survey, inside: Inside) -> PageData:
    """Return what the page of `gallery` works on.

    Args:
        gallery: The images.
        survey: What the images show.
        inside: Files of the report; other pictures stay where they are kept.
    """
    copies: dict[str, str] = {}

    def link(picture: Picture | None) -> str:
        if picture is None:
            return ""
        if exact := inside.exact.get(picture.name):
            return exact.name
        if look := inside.looks.get(picture.name):
            copies[picture.link] = look.name
        return picture.link

    images = tuple(
        _image(image, survey, link(image.lr), link(image.hr)) for image in gallery.images
    )
    # One mark for the page where no value came from a device.
    marked = not all_emulated(gallery.subject.records)
    measured = tuple(
        _measured(gallery, record, tuple(link(i.sr.get(name)) for i in gallery.images), marked)
        for name in gallery.subject.precisions
        if (record := gallery.subject.source(name))
    )
    pictures = [[*filter(None, (i.lr, i.hr, *i.sr.values()))] for i in gallery.images]
    inexact = sum(any(p.name in inside.looks for p in one) for one in pictures)
    outside = sum(any(p not in inside for p in one) for one in pictures)
    metrics = tuple(
        _metric(name)
        for name in scored_metrics(gallery.subject.records)
        if any(name in column.values for column in measured)
    )
    start = _start(metrics, measured)
    return PageData(images, metrics, measured, copies, inexact, outside, start)


def _image(image: ImageFiles, survey: Survey, lr: str, hr: str) -> PageImage:
    name = image.hr.name if image.hr else ""
    thumbnail = survey.thumbnails.get(name)
    height, width = survey.sizes.get(name, (0, 0))
    return PageImage(image.name, thumbnail.name if thumbnail else "", lr, hr, width, height)


def _metric(name: str) -> PageMetric:
    info = metric_info(name)
    ladder, sign = loss_name(name), 1 if info.drops else -1
    if name == GATE_METRIC:
        ladder, sign = "Fidelity to fp32", 0
    return PageMetric(name, titled(name), info.unit, info.sentence_decimals, ladder, sign)


def _measured(gallery: Gallery, source: Record, links: tuple[str, ...], marked: bool) -> Measured:
    subject, precision, emulated = gallery.subject, source.precision, source.emulated
    gates = (record.detail.gate for record in subject.records if record.precision == precision)
    gate = next(filter(None, gates), None)
    names = [image.name for image in gallery.images]
    return Measured(
        precision=precision,
        label=f"{precision} (emulated)" if emulated and marked else precision,
        emulated=emulated,
        values={
            metric: _values(record.measurement.images, names)
            for metric in scored_metrics(subject.records)
            if (record := subject.measured(precision, metric)) and record.measurement
        },
        drops={"psnr": _span(gate.psnr), "ssim": _span(gate.ssim)} if gate else {},
        sr=links,
    )


def _values(scores: Sequence[ImageScore], names: Sequence[str]) -> tuple[Number, ...]:
    known = {score.image: _finite(score.value) for score in scores}
    return tuple(known.get(name) for name in names)


def _span(drop: Drop) -> Span:
    return Span(_finite(drop.mean), _finite(drop.low95), _finite(drop.high95))


def _finite(value: float) -> Number:
    # Equal images have an infinite PSNR: neither JSON nor a plot's axis holds it.
    return None if isinf(value) else value


def _start(metrics: Sequence[PageMetric], measured: Sequence[Measured]) -> int:
    """Return the image of the lowest fidelity, or else of the largest loss by the first metric."""
    if not metrics:
        return 0
    gated = metrics[-1].sign == 0  # scored_metrics puts that of gates last
    shown = metrics[-1 if gated else 0]
    columns = {column.precision: column.values.get(shown.name, ()) for column in measured}
    full = columns.pop("fp32", ())
    worst = [
        (value if gated else shown.sign * (value - before), i)
        for column in columns.values()
        for i, (value, before) in enumerate(zip(column, column if gated else full, strict=False))
        if value is not None and before is not None
    ]
    return min(worst)[1] if worst else 0
