"""Write what the gates of a run measured into the baselines beside their cards."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sr_bench.cards.baseline import baselines_text, read_baselines
from sr_bench.core.baseline import FILE_NAME, Baseline, GateName, ImageValues, Slack
from sr_bench.core.case import GATE_METRIC
from sr_bench.core.fields import narrowed
from sr_bench.core.history import PastSession
from sr_bench.core.record import Record, Status
from sr_bench.document.diff import unified_diff
from sr_bench.engine.judge.baseline import content_of
from sr_bench.errors import SrBenchError
from sr_bench.files.disk import read_if_present
from sr_bench.files.lock import locked
from sr_bench.files.together import write_together
from sr_bench.history.git import user_name
from sr_bench.update.documents import LOCK_WAIT_S
from sr_bench.update.record_files import card_path


@dataclass(frozen=True)
class Approval:
    """What was approved, or would be."""

    gates: tuple[GateName, ...]
    """Those whose lines change."""
    same: int
    """Those that are in the baseline already, with these values."""
    diff: str
    refused: tuple[str, ...]
    """Why others can't be."""


def approve(
    session: PastSession, wanted: Callable[[str], bool], *, reason: str, write: bool
) -> Approval:
    """Write the gates that `session` judged of the models that are `wanted`.

    Each file is written whole or not at all. Other gates' lines stay as they are, and so does the
    slack of a gate that had one. A gate is refused if it failed, was measured on a part of the
    images, or breaks the card's limits without a known gap.
    """
    files: dict[Path, list[Record]] = defaultdict(list)
    refused = []
    for record in session.records:
        if record.metric != GATE_METRIC or not wanted(record.model):
            continue
        if why := _why_not(record):
            refused.append(f"{record.case_id}: {why}")
            continue
        try:
            files[card_path(record).parent / FILE_NAME].append(record)
        except SrBenchError as cause:
            refused.append(str(cause))
    changed: list[GateName] = []
    diffs, same = [], 0
    for path, records in sorted(files.items()):
        try:
            with locked(path, wait_s=LOCK_WAIT_S) if write else nullcontext():
                old = read_baselines(path)  # first: it says what is wrong with a file
                before = (read_if_present(path) or b"").decode("utf-8")
                new = _changes(old, path, records, session, reason)
                after = baselines_text({**old, **new}.values()) if new else before
                if write and new:
                    write_together({path: after.encode()})
            diffs.append(unified_diff(path, before, after))
            changed += new
            same += len(records) - len(new)
        except SrBenchError as cause:
            refused.append(str(cause))
    return Approval(tuple(changed), same, "".join(diffs), tuple(refused))


def _why_not(record: Record) -> str:
    """Return why what `record` says can't be approved; empty if it can."""
    gate, measurement = record.detail.gate, record.measurement
    if gate is None or measurement is None or measurement.partial:
        return record.verdict.sentence or "it judged nothing"
    if gate.status is Status.LOSS and record.verdict.status is not Status.KNOWN_GAP:
        return f"it breaks the card's limits ({gate.sentence}); these come first"
    return ""


def _changes(
    old: Mapping[GateName, Baseline],
    path: Path,
    records: Sequence[Record],
    session: PastSession,
    reason: str,
) -> dict[GateName, Baseline]:
    """Return the baselines of `records` that are not among the `old` ones of the file at `path`."""
    who = user_name(path.parent) or "unknown"
    approved = f"{datetime.now(UTC):%Y-%m-%d} by {who} from {session.info.run}: {reason}"
    new = {}
    for record in records:
        name = narrowed(GateName, record)
        images = record.detail.gate.images if record.detail.gate else ()
        values = {image.image: ImageValues.of(image) for image in images}
        before = old.get(name)
        slack = before.slack if before else Slack()
        now = Baseline(name, content_of(record.inputs), slack, approved, values, {})
        if before is None or replace(before, approved=approved, lines={}) != now:
            new[name] = now
    return new
