"""Make a model of each row of a document: its name, scale, shapes, images and network."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sr_bench.core.case import COST_METRICS, STATIC_METRICS, TIMED_METRICS
from sr_bench.core.claim import Claim, dataset_key
from sr_bench.core.metric import is_measured
from sr_bench.core.precision import Precision
from sr_bench.document.claims import Reading
from sr_bench.document.labels import scale_of
from sr_bench.document.rows import ModelRow
from sr_bench.document.sizes import Size, read_size
from sr_bench.draft.found import Found, settle

_NATIVE = re.compile(r"multi|dynamic|native|any|原|多", re.IGNORECASE)
_NO_NAME = re.compile(r"[^a-z0-9.+]+")


@dataclass(frozen=True)
class Row:
    """A model row with the precision rows below it."""

    label: str
    source: str
    rows: tuple[ModelRow, ...]
    about: str
    """Its lines of the document, in which links say more than labels do."""
    scale: int = 0
    """Of the model that it is read for, with the numbers of that one alone; 0: of all."""
    why_scale: str = ""
    """Where that was read; empty if nothing says it."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        """All its numbers."""
        return tuple(claim for row in self.rows for claim in row.claims)

    @property
    def image_claims(self) -> tuple[Claim, ...]:
        """Its numbers of images that something here measures."""
        others = (*STATIC_METRICS, *TIMED_METRICS)
        return tuple(
            claim
            for claim in self.claims
            if claim.metric not in others and is_measured(claim.metric)
        )

    @property
    def costs(self) -> tuple[Claim, ...]:
        """What it costs, as printed, of fp32 rows first."""
        costs = [claim for claim in self.claims if claim.metric in COST_METRICS]
        return tuple(sorted(costs, key=lambda claim: not claim.precision.is_full))

    @property
    def scales(self) -> tuple[int, ...]:
        """The scales that columns, rows or headings print."""
        return tuple(dict.fromkeys(claim.scale for claim in self.claims if claim.scale))

    @property
    def int8(self) -> tuple[Precision, ...]:
        """The int8 precisions that it prints."""
        printed = dict.fromkeys(claim.precision for claim in self.claims)
        return tuple(one for one in printed if one.dtype == "int8" or one.is_bare_int8)

    def costs_on(self, found: tuple[Found, ...]) -> Iterator[Size]:
        """Yield the shapes on which its Flops may have been counted, the likeliest first."""
        channels = next((size[0] for size in self.sizes()), 3)
        built = [f.value for f in found if f.choice == "input_shape" and isinstance(f.value, tuple)]
        sized = [(channels, int(h), int(w)) for h, w in built]
        yield from dict.fromkeys([*self.sizes(full=True), *self.sizes(), *sized])

    def checkpoint(self, found: tuple[Found, ...]) -> Found | None:
        """Return the one weight file that a deploy page names after its label."""
        letters = dataset_key(self.label)
        files = {str(f.value): f for f in found if f.choice == "checkpoint"}
        own = [found for file, found in files.items() if letters in dataset_key(file)]
        return own[0] if len(own) == 1 else None

    def models(self, found: tuple[Found, ...]) -> Iterator["Row"]:
        """Yield the row for the model of each scale, by its print, its label or what is `found`.

        A number that is printed without a scale is the first model's.
        """
        for scale in self.scales:
            own = {scale} if scale != self.scales[0] else {0, scale}
            places = ([p for p in row.places if p.asks.scale in own] for row in self.rows)
            rows = zip(self.rows, places, strict=True)
            kept = tuple(row._replace(places=tuple(of_own)) for row, of_own in rows if of_own)
            yield replace(self, rows=kept, scale=scale, why_scale="as the document prints it")
        if not self.scales:
            scale, why = _scale(self, found)
            yield replace(self, scale=scale, why_scale=why)

    def sizes(self, *, full: bool | None = None) -> tuple[Size, ...]:
        """Return the shapes that its rows print: those of fp32, of the others, or of all."""
        rows = [row for row in self.rows if full is None or row.precision.is_full is full]
        return tuple(dict.fromkeys(filter(None, (read_size(row.shape) for row in rows))))

    @property
    def native(self) -> bool:
        """Whether its fp32 row says that images keep their sizes."""
        return any(_NATIVE.search(row.shape) for row in self.rows if row.precision.is_full)

    @property
    def native_variant(self) -> str:
        """What tells that row from another in fp32, as claims have it; empty if it is alone."""
        return next((row.variant for row in self.rows if _NATIVE.search(row.variant)), "")


def rows_of(reading: Reading, text: str) -> tuple[Row, ...]:
    """Return the model rows of `reading`, whose document is `text`, in its order."""
    lines = text.split("\n")
    groups: dict[tuple[str, str], list[ModelRow]] = {}
    rows = (row for table in reading.tables for row in table.rows)
    for row in sorted(rows, key=lambda row: row.line):
        groups.setdefault((row.row, row.row_source), []).append(row)
    return tuple(
        Row(label, source, tuple(group), " ".join(lines[row.line - 1] for row in group))
        for (label, source), group in groups.items()
    )


def _scale(row: Row, found: tuple[Found, ...]) -> tuple[int, str]:
    """Return the scale of a row that prints none, and where it was read: nothing if nowhere."""
    if named := scale_of(row.label):
        return named, "the label says it"
    said, _ = settle(found, "scale")
    if said and row.image_claims:
        return int(str(said.value)), said.told
    return 1, ""


def names_of(rows: Iterable[Row]) -> list[str]:
    """Return a name for the model of each row, of what test ids allow, each of its own."""
    taken: Counter[str] = Counter()
    return [_name(row, taken) for row in rows]


def _name(row: Row, taken: Counter[str]) -> str:
    slug = _slug(row.label) or "model"
    if row.scales and not scale_of(row.label):
        slug = f"{slug}_x{row.scale}"
    name = slug
    if name in taken and row.source:
        name = f"{slug}_{_slug(row.source)}".strip("_.+")
    while name in taken:
        taken[slug] += 1
        name = f"{slug}_{taken[slug]}"
    taken[name] += 1
    return name


def _slug(text: str) -> str:
    return _NO_NAME.sub("_", text.casefold()).strip("_.+")[:60]


def printed_by(row: Row, found: tuple[Found, ...]) -> tuple[Claim, Found] | None:
    """Return a number of the row with the script that notes it: one that is known to print it."""
    noted = [f for f in found if f.choice == "noted_psnr"]
    for claim in (claim for claim in row.image_claims if claim.metric == "psnr"):
        decimals = len(claim.text.partition(".")[2])
        for each in noted if decimals > 1 else ():
            text = str(each.value)
            cut = text[: text.index(".") + 1 + decimals]
            if claim.text in (f"{float(text):.{decimals}f}", cut):
                return claim, each
    return None
