"""Search beside the measuring, where that is quick, for why a number differs."""

from collections.abc import Iterable
from dataclasses import replace

from sr_bench.core.case import IMAGE_METRICS, Case
from sr_bench.core.detail import Detail
from sr_bench.engine.measure.run import Run
from sr_bench.engine.plan.options import Selection
from sr_bench.errors import SrBenchError
from sr_bench.text.home import without_home

_OF_LUMA = (
    "the network gives luma, and images are kept as RGB with the chroma of LR: their luma is the"
    " network's but for rounding, and where that RGB leaves 0 to 255"
)


def cause_of(case: Case, run: Run, chosen: Selection, row: Iterable[Case]) -> Detail:
    """Return which scoring of the kept images gives the claimed number that the run did not.

    The claims of other cases of the same row and run, in `row`, count together with it if there is
    time for them.

    Empty if no images are kept, or no search is asked for; the command that searches if it would
    take longer than a session may.
    """
    claim, kept, results = case.claim, run.kept, chosen.results
    scored = case.metric in IMAGE_METRICS  # the candidates are ways to score these
    if not (scored and claim and kept and results and chosen.explain_s):
        return Detail()
    from sr_bench.engine.explain.kept import by_hand, explain_kept, seconds_needed

    names = [item.image for item in run.images]
    claims = [claim]
    try:
        left_s = chosen.explain_s - seconds_needed(results, kept, len(names), case.metric)
        if left_s < 0:
            return Detail(forensics_by_hand=by_hand(results, kept, claim, case.card.scale))
        for other in row:
            needed_s = seconds_needed(results, kept, len(names), other.metric)
            if other.claim and needed_s <= left_s:
                claims.append(other.claim)
                left_s -= needed_s
        forensics = explain_kept(results, kept, names, claims, case.card.scale)
    except SrBenchError as cause:  # the verdict stands without an explanation
        return Detail(forensics_by_hand=without_home(str(cause)))
    if case.card.output.channels == 1:
        forensics = replace(forensics, notes=(*forensics.notes, _OF_LUMA))
    return Detail(forensics=forensics)
