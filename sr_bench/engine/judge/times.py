"""Judge a measured time, FPS or peak memory against its claim: by percent, and by its rounds."""

from sr_bench.core.card import KnownGap
from sr_bench.core.claim import Claim
from sr_bench.core.metric import metric_info
from sr_bench.core.record import Measurement, Status, Verdict
from sr_bench.engine.judge.claim import ended, how_ended

_IDLE = "rerun on an idle machine"


def judge_time(
    claim: Claim | None, measurement: Measurement, percent: float, gap: KnownGap | None = None
) -> Verdict:
    """Return the verdict on `measurement`, which may lie by `percent` beside `claim`, 0 to 100.

    At 10 it agrees from 1 / 1.1 of the printed number to 1.1 times it, so that ms and FPS of one
    time have one verdict; half the last printed digit comes on top. Rounds that spread by more
    than `percent` of their median decide nothing: half of them lie within that. Nor does a process
    that waited for a core for more than half of that, which slows all rounds alike.

    Args:
        claim: None: of a blank cell, which gets a number only if the rounds are close enough.
        measurement: Of a metric that timing tells.
        percent: As the card says.
        gap: The card's, if it has one for the number.
    """
    value, notes = measurement.value, measurement.notes
    claimed, rounds = claim.value if claim else None, ""
    if measurement.metric != "memory":
        spread, waited = (notes.get(name, 0.0) for name in ("spread_percent", "waited_percent"))
        rounds = f"the middle half of {notes.get('rounds', 0):.0f} rounds spans {spread:.1f} %"
        allowed = f"the {percent:g} % allowed: {_IDLE}"
        why = f"{rounds} of their median, more than {allowed}" if spread > percent else ""
        if waited > percent / 2:
            what = f"the process waited for a core for {waited:.0f} % of the time"
            why = f"{what}, more than half of {allowed}"
        if why:
            return Verdict(Status.UNDECIDED, why, value, claimed)
    if claim is None:
        return Verdict(Status.NEW, f"measured for a blank cell; {rounds}".removesuffix("; "), value)
    factor = 1 + percent / 100
    low, high = claim.value / factor - claim.half_step, claim.value * factor + claim.half_step
    status = ended(claim, value, low=low, high=high)
    said = f"{_moved(claim, value)}, with {percent:g} % allowed"
    sentence = f"{said}; {rounds}".removesuffix("; ")
    if gap:
        status = Status.GAP_CLOSED if status is Status.MATCH else Status.KNOWN_GAP
        sentence = how_ended(status, gap)
    return Verdict(status, sentence, value, claimed, tolerance=high - claim.value)


def _moved(claim: Claim, value: float) -> str:
    """Return how `value` lies to the print: ``3.1 % slower than printed``."""
    less, more = sorted((value, claim.value))
    words = ("more", "less") if claim.metric == "memory" else ("slower", "faster")
    is_better = (value > claim.value) == metric_info(claim.metric).higher_is_better
    word = words[is_better]
    if less <= 0:  # a document may print 0, and the peak of memory need not rise
        return f"{word} than printed" if less < more else "as printed"
    if (ratio := more / less) >= 2:
        return f"{ratio:.1f} times {word} than printed"
    return f"{100 * (ratio - 1):.1f} % {word} than printed"
