"""The scoring halves of the named protocols, and how far any way of scoring is from them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter, ne
from typing import Literal

from sr_bench.cards.protocol_files import load_protocol, protocol_names
from sr_bench.core.forensics import Scoring
from sr_bench.core.metric import metric_info
from sr_bench.core.protocol import EvalProtocol

_COMPARED = tuple(field.name for field in fields(Scoring) if field.name != "image")
_choices = attrgetter(*_COMPARED)


def named_borders(scales: Sequence[int]) -> frozenset[int]:
    """Return the pixels that the named protocols crop at `scales`, and none."""
    return frozenset((0, *(rule.border_px(scale) for rule in _rules() for scale in scales)))


@dataclass(frozen=True)
class Named:
    """The named protocols, as they score one set of images by one metric."""

    protocols: Mapping[Scoring, tuple[str, ...]]
    """Many share one scoring."""
    scales: tuple[int, ...]

    @cached_property
    def borders(self) -> frozenset[int]:
        """What they crop."""
        return named_borders(self.scales)

    def closest(self, scoring: Scoring) -> Scoring:
        """Return the scoring of `protocols` that makes the most choices of `scoring`."""
        choices = _choices(scoring)

        def how_far(other: Scoring) -> tuple[int, int]:
            return sum(map(ne, choices, _choices(other))), abs(scoring.border - other.border)

        return min(self.protocols, key=how_far)

    def cost(self, scoring: Scoring, changes: Sequence[str]) -> int:
        """Return how far-fetched `scoring` is, which makes `changes` to a named protocol.

        A choice that a library or script makes on purpose counts once; one of many alike, as any
        border or any image, twice, as it fits by accident the more easily.
        """
        border = "border" in changes and scoring.border not in self.borders
        picked = "aggregation" in changes and scoring.aggregation in ("image", "median")
        return len(changes) + border + picked


def changed(scoring: Scoring, other: Scoring) -> tuple[str, ...]:
    """Return the choices that `scoring` makes otherwise than `other`."""
    pairs = zip(_COMPARED, _choices(scoring), _choices(other), strict=True)
    return tuple(name for name, mine, theirs in pairs if mine != theirs)


def named_ways(
    metric: str, scales: tuple[int, ...], *, images: int, borders: int, stored: bool, sized: bool
) -> Named:
    """Return how the named protocols score by `metric`.

    Args:
        metric: ``psnr`` or ``ssim``.
        scales: Upscaling factors that named borders follow.
        images: How many there are: of one, every aggregate is the same.
        borders: How many are tried.
        stored: Whether outputs have 8 bits, so that nothing is rounded any more.
        sized: Whether SR and HR have one size.
    """
    named: dict[Scoring, tuple[str, ...]] = {}
    for rule in _rules():
        for scale in scales:
            scoring = Scoring(
                colour=rule.colour,
                psnr_channels=rule.psnr_channels if metric == "psnr" else "together",
                border=rule.border_px(scale),
                rounding="stored" if stored else rule.rounding,
                window=rule.ssim_window if metric == "ssim" else "",
                aggregation=_aggregation(rule, metric) if images > 1 else "mean",
                resize="none" if sized else (rule.gt_resize or "crop"),
            )
            scaled = rule.border in ("scale", "scale+6") and len(scales) > 1
            name = f"{rule.name} at x{scale}" if scaled else rule.name
            known = named.get(scoring, ())
            if scoring.border < borders and name not in known:
                named[scoring] = (*known, name)
    return Named(named, scales)


def _aggregation(rule: EvalProtocol, metric: str) -> Literal["mean", "pooled", "last_image"] | int:
    info = metric_info(metric)
    if info.follows_psnr_aggregation:
        return rule.psnr_aggregation
    return rule.ssim_aggregation if info.follows_ssim_aggregation else "mean"


def _rules() -> Iterator[EvalProtocol]:
    """Yield the named protocols; of those that score alike, the plainest comes first.

    Those that cut out a middle part are left out: the images at hand may be that part already.
    """
    plain = EvalProtocol("").choices().items()
    rules = (rule for rule in map(load_protocol, protocol_names()) if not rule.centre_crop)
    yield from sorted(rules, key=lambda rule: -len(plain & rule.choices().items()))
