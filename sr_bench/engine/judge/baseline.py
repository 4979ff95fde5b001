"""Judge a gate against what was approved last: a pure function."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from sr_bench.core.baseline import Baseline, Content, Fall, GateName, Held, ImageValues
from sr_bench.core.gate import GateImage
from sr_bench.core.metric import with_unit
from sr_bench.core.status import Status

_NAMED = 3
"""As many falls are told in a sentence; the others are counted."""

_ROUND_OFF = 1e-9
_WORDS = {
    "fidelity_db": ("fidelity", "fidelity"),
    "ring_db": ("fidelity of the border ring", "fidelity"),
    "drop_db": ("PSNR drop", "psnr"),
    "drop_ssim": ("SSIM drop", "ssim"),
}
_HIGHER_IS_BETTER = ("fidelity_db", "ring_db")


def content_of(inputs: Mapping[str, str]) -> Content:
    """Return what the `inputs` of a run, digests by name, say about what it was measured on."""
    network = f"{inputs.get('weights', '')[:12]}-{inputs.get('architecture', '')[:12]}"
    return Content(network, inputs.get("data", "")[:12], inputs.get("protocol", "")[:12])


def judge_baseline(
    baselines: Mapping[GateName, Baseline],
    name: GateName,
    content: Content,
    images: Sequence[GateImage],
    *,
    path: str,
) -> Held:
    """Return whether `images`, measured by the gate `name`, are as good as approved in `path`."""
    baseline = baselines.get(name)
    if baseline is None:
        return Held(Status.NEW, f"no baseline in {path}")
    place = f"{path}:{baseline.lines.get('', 1)}"
    approve = f"sr-bench approve last --models {name.model} --reason '...'"
    if changed := list(_changed(baseline, content, images)):
        sentence = (
            f"{place}: the baseline is stale, as {' and '.join(changed)} changed since it was"
            f" approved; look at the values, then: {approve}"
        )
        return Held(Status.UNDECIDED, sentence)
    falls = sorted(_falls(baseline, images, path), key=lambda fall: -_excess(fall))
    if not falls:
        return Held(Status.WITHIN, f"as good as approved in {place}{_better(baseline, images)}")
    told = "; ".join(map(_sentence, falls[:_NAMED]))
    more = f"; and {len(falls) - _NAMED} more" if len(falls) > _NAMED else ""
    sentence = f"worse than approved: {told}{more}; if that is meant: {approve}"
    return Held(Status.LOSS, sentence, tuple(falls))


def _changed(baseline: Baseline, content: Content, images: Sequence[GateImage]) -> Iterator[str]:
    now, then = asdict(content), asdict(baseline.content)
    yield from (
        f"the {what} ({then[what]} -> {now[what]})" for what in now if now[what] != then[what]
    )
    names = {image.image for image in images}
    if now["images"] == then["images"] and names != set(baseline.images):
        yield f"the images that are judged ({len(baseline.images)} -> {len(names)})"


def _falls(baseline: Baseline, images: Sequence[GateImage], path: str) -> Iterator[Fall]:
    for image in images:
        now, then = ImageValues.of(image), baseline.images[image.image]
        place = f"{path}:{baseline.lines.get(image.image, 1)}"
        for quantity in _WORDS:
            got, expected = getattr(now, quantity), getattr(then, quantity)
            slack = getattr(baseline.slack, quantity)
            if _worse(quantity, got, expected) > slack + _ROUND_OFF:
                yield Fall(image.image, quantity, expected, got, slack, place)


def _worse(quantity: str, got: float, expected: float) -> float:
    """Return by how much `got` is worse; 0 where both are infinite."""
    if got == expected:
        return 0.0
    return expected - got if quantity in _HIGHER_IS_BETTER else got - expected


def _excess(fall: Fall) -> float:
    """Return how many times the slack a value fell; fidelity counts before what follows from it."""
    worse = _worse(fall.quantity, fall.got, fall.expected)
    return worse / fall.slack if fall.slack else float("inf")


def _sentence(fall: Fall) -> str:
    title, metric = _WORDS[fall.quantity]
    expected, got, slack = (
        with_unit(f"{value:g}", metric) for value in (fall.expected, fall.got, fall.slack)
    )
    return (
        f"{fall.place}: {title} of {fall.image!r}: expected {expected}, got {got} (slack {slack})"
    )


def _better(baseline: Baseline, images: Sequence[GateImage]) -> str:
    """Say how many images are better than approved by more than the slack: that can be held."""
    gained = [
        image.all_db
        for image in images
        if ImageValues.of(image).fidelity_db - baseline.images[image.image].fidelity_db
        > baseline.slack.fidelity_db
    ]
    if not gained:
        return ""
    return f"; {len(gained)} of {len(images)} images are better: approve them to hold that"
