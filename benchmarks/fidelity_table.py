"""The rows of `fidelity.py`: kept line by line as they are made, printed, and judged."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sr_bench.engine.job import ImageResult

MORE_DB, MORE_TIME = 0.5, 0.1
"""How much worse than a peer is worth a line: in dB of fidelity or drop, as a part of time."""

HEAD = (
    "by                                mean  worst   ring inside behind  drop dB drop SSIM"
    "   int8 %  speed  images"
)
CELL = "mean (worst), ring, drop of PSNR in dB"


@dataclass(frozen=True)
class Row:
    """What one int8 network keeps of one model on one dataset."""

    model: str
    dataset: str
    plan: str
    by: str
    """A mode of ours, such as ``int8_max``, or the title of a peer."""
    db: Mapping[str, float]
    """``mean``, ``worst``, ``ring`` (mean), ``inside`` (mean), ``behind``: how far a ring lies
    behind its inside at most, and ``drop`` of PSNR; all in dB."""
    drop_ssim: float
    share: float | None
    """Of the MACs, as plain onnxruntime runs the file in integers, 0 to 1."""
    speed: float | None
    """Of plain onnxruntime with the file, times that of fp32; one thread."""
    images: Mapping[str, float]
    """Fidelity of each image in dB."""

    @property
    def table(self) -> tuple[str, str, str]:
        """What it stands beside."""
        return self.model, self.dataset, self.plan

    @property
    def is_ours(self) -> bool:
        """Whether it is of sr-bench."""
        return self.by.startswith("int8_")

    def text(self) -> str:
        """Return its columns; see `HEAD`."""
        names = ("mean", "worst", "ring", "inside", "behind")
        share = "?" if self.share is None else f"{100 * self.share:.2f}"
        speed = "" if self.speed is None else f"{self.speed:.2f}"
        return (
            f"{self.by:32s} {' '.join(f'{self.db[name]:6.2f}' for name in names)}"
            f" {self.db['drop']:8.4f} {self.drop_ssim:9.5f} {share:>8s} {speed:>6s}"
            f" {len(self.images):7d}"
        )

    def cell(self) -> str:
        """Return what stands in a cell of the table; see `CELL`."""
        db = self.db
        return f"{db['mean']:.1f} ({db['worst']:.1f}), {db['ring']:.1f}, {db['drop']:.3f}"

    def cost(self) -> str:
        """Return its share in integers and its speed."""
        share = "?" if self.share is None else f"{100 * self.share:.1f} %"
        return share if self.speed is None else f"{share}, {self.speed:.2f}"


def row_of(
    table: tuple[str, str, str],
    by: str,
    low: Sequence[ImageResult],
    full: Sequence[ImageResult],
    share: float | None,
    speed: float | None,
) -> Row:
    """Return the row of a network that gave `low`, where fp32 gave `full`."""
    close = {image.image: image.fidelity for image in low}
    assert all(close.values()), "no fidelity was measured"
    mean, inside, ring = (
        float(np.mean([getattr(each, f"{part}_db") for each in close.values()]))
        for part in ("all", "inside", "ring")
    )
    pairs = list(zip(full, low, strict=True))
    drop, drop_ssim = (
        float(np.mean([before.score(metric) - after.score(metric) for before, after in pairs]))
        for metric in ("psnr", "ssim")
    )
    images = {name: each.all_db for name, each in close.items()}
    behind = max(each.inside_db - each.ring_db for each in close.values())
    db = {"mean": mean, "worst": min(images.values()), "ring": ring, "inside": inside}
    return Row(*table, by, {**db, "behind": behind, "drop": drop}, drop_ssim, share, speed, images)


class Kept:
    """Rows in a file, one a line, written as they come; without a file, in memory."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path and path.exists() else []
        self.rows = [Row(**json.loads(line)) for line in lines]

    def add(self, row: Row) -> None:
        """Keep one more."""
        self.rows.append(row)
        if self._path:
            with self._path.open("a") as file:
                file.write(json.dumps(asdict(row)) + "\n")

    def of(self, table: tuple[str, str, str]) -> list[Row]:
        """Return the rows of one table, the last one of each network."""
        return list({row.by: row for row in self.rows if row.table == table}.values())

    def tables(self) -> list[tuple[str, str, str]]:
        """Return what there are rows of, in the order they came."""
        return list(dict.fromkeys(row.table for row in self.rows))


def worse(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each row of ours that is worse than a peer's, of the rows of one table."""
    ours, peers = ([row for row in rows if row.is_ours is kind] for kind in (True, False))
    told = [
        f"{row.by} is behind {peer.by}: {text}"
        for peer in peers
        for row in ours
        if (text := "; ".join(_behind(row, peer)))
    ]
    if peers:
        limits = f"{MORE_DB} dB, on any image, or {MORE_TIME:.0%} of its time"
        yield from told or [f"no mode is behind a peer by more than {limits}"]


def _behind(row: Row, peer: Row) -> Iterator[str]:
    apart = {name: row.db[name] - peer.db[name] for name in ("mean", "worst", "ring")}
    apart["drop"] = peer.db["drop"] - row.db["drop"]
    yield from (f"{name} {db:+.2f} dB" for name, db in apart.items() if db < -MORE_DB)
    if row.speed and peer.speed and peer.speed > (1 + MORE_TIME) * row.speed:
        yield f"time x{peer.speed / row.speed:.2f}"
    images = {name: db - peer.images[name] for name, db in row.images.items()}
    if below := [f"{name} {db:+.2f}" for name, db in images.items() if db < -MORE_DB]:
        yield f"{len(below)} of {len(images)} images: {', '.join(below)}"


def markdown(kept: Kept) -> Iterator[str]:
    """Yield the lines of two tables: fidelity of each model and dataset, then share and speed."""
    rows = sorted(kept.rows, key=lambda row: not row.is_ours)
    bys = list(dict.fromkeys(row.by for row in rows))
    titles = [by.removeprefix("int8_") for by in bys]
    groups = {table: {row.by: row for row in kept.of(table)} for table in kept.tables()}
    yield from _table(
        ("model, images, plan", *titles),
        (
            [", ".join(table), *(rows[by].cell() if by in rows else "" for by in bys)]
            for table, rows in groups.items()
        ),
    )
    yield ""
    costs: dict[str, dict[str, str]] = {}
    for (model, _, plan), rows in groups.items():
        of_model = costs.setdefault(f"{model}, {plan}", {})
        of_model |= {by: row.cost() for by, row in rows.items() if by not in of_model}
    yield from _table(
        ("MACs in integers, speed / fp32", *titles),
        ([name, *(cells.get(by, "") for by in bys)] for name, cells in costs.items()),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'--:|' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
