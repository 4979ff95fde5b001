"""What the explorer and the plots of a model's page work on, as the page holds it in JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf

from sr_bench.core.case import IMAGE_METRICS
from sr_bench.core.gate import Drop
from sr_bench.core.metric import image_metrics, metric_info
from sr_bench.core.record import Record
from sr_bench.report.html.assets import Asset
from sr_bench.report.html.pictures import Gallery, Picture
from sr_bench.report.html.survey import Survey

Number = float | None


@dataclass(frozen=True)
class Span:
    """A mean drop with its 95 % interval; a missing end is unknown or infinite."""

    mean: Number
    low: Number
    high: Number


@dataclass(frozen=True)
class Column:
    """Values of a metric that the plots don't know, one for each image."""

    title: str
    decimals: int
    values: tuple[Number, ...]


@dataclass(frozen=True)
class Measured:
    """A precision of the page: values of each image, in the page's order of images."""

    precision: str
    label: str
    emulated: bool
    psnr: tuple[Number, ...]
    """None where not measured or infinite."""
    ssim: tuple[Number, ...]
    fidelity: tuple[Number, ...]
    psnr_drop: Span | None
    """From the gate, if there is one."""
    ssim_drop: Span | None
    sr: tuple[str, ...]
    """Files of the images, as the page links them; empty where there is none."""
    others: tuple[Column, ...]
    """Of the metrics besides these, as far as they were measured."""


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
    measured: tuple[Measured, ...]
    outside: int
    """Images whose files lie outside of the report."""
    start: int
    """Number of the image to begin with: the one that loses most."""


def page_data(gallery: Gallery, survey: Survey, inside: dict[str, Asset]) -> PageData:
    """Return what the page of `gallery` works on.

    Args:
        gallery: The images.
        survey: What the images show.
        inside: Files of the report by the name of the picture; others stay where they are kept.
    """

    def link(picture: Picture | None) -> str:
        if picture is None:
            return ""
        return inside[picture.name].name if picture.name in inside else picture.link

    images = []
    for image in gallery.images:
        name = image.hr.name if image.hr else ""
        thumbnail = survey.thumbnails.get(name)
        height, width = survey.sizes.get(name, (0, 0))
        small = thumbnail.name if thumbnail else ""
        images.append(PageImage(image.name, small, link(image.lr), link(image.hr), width, height))
    measured = tuple(
        _measured(gallery, record, tuple(link(image.sr.get(name)) for image in gallery.images))
        for name in gallery.subject.precisions
        if (record := gallery.subject.source(name))
    )
    outside = sum(
        any(p and p.name not in inside for p in (image.lr, image.hr, *image.sr.values()))
        for image in gallery.images
    )
    return PageData(tuple(images), measured, outside, _start(measured))


def _measured(gallery: Gallery, source: Record, links: tuple[str, ...]) -> Measured:
    subject, precision, emulated = gallery.subject, source.precision, source.emulated
    gates = (record.detail.gate for record in subject.records if record.precision == precision)
    gate = next(filter(None, gates), None)
    names = [image.name for image in gallery.images]
    return Measured(
        precision=precision,
        label=f"{precision} (emulated)" if emulated else precision,
        emulated=emulated,
        psnr=_values(subject.measured(precision, "psnr"), names),
        ssim=_values(subject.measured(precision, "ssim"), names),
        fidelity=_values(subject.measured(precision, "fidelity"), names),
        psnr_drop=_span(gate.psnr) if gate else None,
        ssim_drop=_span(gate.ssim) if gate else None,
        sr=links,
        others=tuple(
            Column(metric_info(name).title, metric_info(name).sentence_decimals, values)
            for name in image_metrics()
            if name not in IMAGE_METRICS
            if (values := _values(subject.measured(precision, name), names))
        ),
    )


def _values(record: Record | None, names: Sequence[str]) -> tuple[Number, ...]:
    if record is None or record.measurement is None:
        return ()
    known = {score.image: _finite(score.value) for score in record.measurement.images}
    return tuple(known.get(name) for name in names)


def _span(drop: Drop) -> Span:
    return Span(_finite(drop.mean), _finite(drop.low95), _finite(drop.high95))


def _finite(value: float) -> Number:
    # Equal images have an infinite PSNR: neither JSON nor a plot's axis holds it.
    return None if isinf(value) else value


def _start(measured: Sequence[Measured]) -> int:
    """Return the image of the lowest fidelity, or else of the largest loss of PSNR; else 0."""
    worst = [
        (value, index)
        for low in measured
        for index, value in enumerate(low.fidelity)
        if value is not None
    ]
    full = next((column for column in measured if column.precision == "fp32"), None)
    if not worst and full:
        worst = [
            (value - before, index)
            for low in measured
            for index, (value, before) in enumerate(zip(low.psnr, full.psnr, strict=False))
            if low is not full and value is not None and before is not None
        ]
    return min(worst)[1] if worst else 0
