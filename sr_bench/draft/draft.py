"""Draft the card of a document, from what it prints and what lies beside it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import relpath
from pathlib import Path

from sr_bench.core.precision import Precision
from sr_bench.document.claims import Reading, read
from sr_bench.document.tables import read_document
from sr_bench.draft.cards import Card, Evaluation, Model
from sr_bench.draft.choices import Protocol, draft_protocol
from sr_bench.draft.datasets import (
    Guess,
    by_folders,
    by_name,
    in_prose,
    is_classic,
    named_beside,
    slug_of,
)
from sr_bench.draft.folder import Beside, read_beside
from sr_bench.draft.found import OPEN, Found, settle
from sr_bench.draft.models import (
    Row,
    calibration_of,
    checkpoint_of,
    costs_on,
    files_of,
    found_about,
    int8_of,
    names_of,
    printed_by,
    rows_of,
    scales_of,
)
from sr_bench.draft.networks import Costs, Network, identify, own_file
from sr_bench.draft.scripts import NORMALISED
from sr_bench.draft.unread import drafts, ignorable, unread_doubts
from sr_bench.errors import OptionError
from sr_bench.files.validation import nearest


@dataclass(frozen=True)
class Request:
    """What to draft, and where it goes."""

    document: Path
    card: Path
    onnx: tuple[tuple[str, Path], ...] = ()
    """Name of a model or label of a row, and its ONNX file; the name may be empty for one model."""
    datasets: tuple[str, ...] = ()
    """Slugs that are known."""


def draft(request: Request) -> Card:
    """Return the draft of a card.

    Raises:
        DocumentError: The document can't be read.
        OptionError: It prints no row of a model, or an ONNX file is none's.
    """
    document = read_document(request.document)
    whole = read(document)
    ignored = ignorable(whole)
    reading = read(document, ignored)
    rows = rows_of(reading, document.text)
    if not rows:
        msg = f"{document.path}: no row of a model is read; {_why_none(reading)}"
        raise OptionError(msg)
    card = _Drafter(request, document.text, rows).card()
    doubts = (*unread_doubts(whole, left=reading), *card.doubts)
    return replace(card, doubts=doubts, ignored=ignored, tables=tuple(drafts(whole)))


def _why_none(reading: Reading) -> str:
    if not reading.unread_tables:
        return "it has no table with numbers"
    return "its tables:" + "".join(f"\n  {reading.path}:{each}" for each in reading.unread_tables)


class _Drafter:
    """Collects protocols and doubts while it goes through the rows."""

    def __init__(self, request: Request, text: str, rows: Sequence[Row]) -> None:
        self._request, self._rows = request, rows
        self._folder = request.card.resolve().parent
        self._family = _family(request.document)
        title = next((line for line in text.split("\n") if line.startswith("#")), "")
        self._about = f"{title} {self._family}"
        self._beside: Beside = read_beside(request.document, text)
        self._text, self._prose = text, in_prose(text)
        self._protocols: dict[str, Protocol] = {}
        self._doubts: dict[str, list[str]] = {}

    def card(self) -> Card:
        about = [(row, found_about(row, self._rows, self._beside)) for row in self._rows]
        scaled = [(row, found, *scale) for row, found in about for scale in scales_of(row, found)]
        names = names_of((row, scale) for row, _, scale, _ in scaled)
        files = self._files(dict(zip(names, (row.label for row, *_ in scaled), strict=True)))
        models = tuple(
            self._model(name, row, found, scale, why, files.get(name))
            for name, (row, found, scale, why) in zip(names, scaled, strict=True)
        )
        return Card(
            document=Path(relpath(self._request.document.resolve(), self._folder)).as_posix(),
            models=models,
            protocols=self._protocols,
            doubts=tuple(self._told()),
        )

    def _files(self, labels: Mapping[str, str]) -> dict[str, Path]:
        files, strangers = files_of(self._request.onnx, labels)
        for name in strangers:
            advice = nearest(name, tuple(labels)) if name else "name one: --onnx NAME=FILE"
            msg = f"--onnx {name}: the document has no such model, and {len(labels)}: {advice}"
            raise OptionError(msg)
        return files

    def _told(self) -> Iterator[str]:
        """Yield each doubt once, with the rows that it is about unless they are all."""
        every = set(map(self._called, self._rows))
        for sentence, labels in self._doubts.items():
            about = list(dict.fromkeys(filter(None, labels)))
            if not about or set(about) == every:
                yield sentence
            else:
                yield f"{', '.join(about)}: {sentence}"

    def _doubt(self, sentence: str, row: Row | None = None) -> None:
        self._doubts.setdefault(sentence, []).append(self._called(row) if row else "")

    def _called(self, row: Row) -> str:
        return f"{row.label} ({row.source})" if self._shares_label(row) else row.label

    def _model(
        self, name: str, row: Row, found: tuple[Found, ...], scale: int, why: str, file: Path | None
    ) -> Model:
        if not why and row.image_claims:
            self._doubt("no scale is named: 1 is taken, an output of the input's size", row)
        network = self._network(row, scale, found, file)
        white, why_range = self._range(row, network, found)
        built = calibration_of(found) if int8_of(row) else None
        shape = network.shape or next(costs_on(row, found), None)
        cost: dict[str, object] = {"rule": network.rule} if network.rule else {}
        if shape and any(claim.metric in ("flops", "macs") for claim in row.claims):
            cost["shape"] = "x".join(map(str, shape))
        return Model(
            name=name,
            row=row.label,
            source=row.source if self._shares_label(row) else "",
            scale=scale,
            why_scale=why or "not named",
            network=network,
            checkpoint=checkpoint_of(row, found),
            value_range=white,
            why_range=why_range,
            cost=cost,
            why_cost="gives the printed Flops" if network.rule else "",
            evaluations=tuple(self._evaluations(row, scale, found)),
            built=built.calibration if built else "",
            why_built=self._why_built(row, built, found),
        )

    def _shares_label(self, row: Row) -> bool:
        return sum(other.label == row.label for other in self._rows) > 1

    def _network(
        self, row: Row, scale: int, found: tuple[Found, ...], file: Path | None
    ) -> Network:
        costs = Costs(row.label, scale, row.full, tuple(costs_on(row, found)))
        if file:
            network = own_file(costs, file, self._folder)
        else:
            network = identify(costs, f"{self._about} {row.source} {row.about}")
        for doubt in network.doubts:
            self._doubt(doubt)
        if not network.known:
            self._doubt("the network is not known: give --onnx NAME=FILE, or an architecture", row)
        elif network.architecture and row.image_claims and not checkpoint_of(row, found):
            self._doubt("its weights are not known: add [model.checkpoint] with their file", row)
        return network

    def _range(self, row: Row, network: Network, found: tuple[Found, ...]) -> tuple[float, str]:
        taken, others = settle(found, "value_range")
        if network.value_range is not None:
            if taken and taken.value != network.value_range:
                said = f"{taken.where} says {taken.value}"
                self._doubt(f"value_range = {network.value_range}, of the authors; but {said}", row)
            return network.value_range, "of the authors"
        if taken is None:
            if row.image_claims and not any(each.value == NORMALISED for each in found):
                self._doubt("value_range: nothing says whether it takes 0 to 1 or 0 to 255", row)
            return 1.0, "not said"
        if others:
            said = "; ".join(f"{other.where} says {other.value}" for other in others[:3])
            self._doubt(f"value_range = {taken.value}, by {taken.where}; but {said}", row)
        return float(str(taken.value)), f"{taken.why} ({taken.where})"

    def _why_built(self, row: Row, built: Precision | None, found: tuple[Found, ...]) -> str:
        mode, _ = settle(found, "calibration")
        if built is None or mode is None:
            return ""
        printed = int8_of(row)
        if built not in printed:
            said = ", ".join(map(str, printed))
            self._doubt(f"the rows print {said}, but {mode.where} calibrates by {mode.value}", row)
        on, _ = settle(found, "calibrated_on")
        return f"{mode.where}" + (f", on {on.value}, {on.why}" if on else "")

    def _evaluations(self, row: Row, scale: int, found: tuple[Found, ...]) -> Iterator[Evaluation]:
        if not row.image_claims:
            return
        for guess in self._datasets(row, scale, found):
            if guess.slug not in self._request.datasets:
                self._doubt(f"no dataset {guess.slug} is known here: write its dataset.toml", row)
            yield from self._on(guess, row, found)

    def _datasets(self, row: Row, scale: int, found: tuple[Found, ...]) -> Iterator[Guess]:
        known = self._request.datasets
        claims = [claim for claim in row.image_claims if claim.scale in (0, scale)]
        printed = dict.fromkeys(claim.dataset for claim in claims)
        beside = named_beside(self._text, row.label, self._prose)
        guess = by_folders(found, self._prose, row.label, known)
        if beside:
            guess = Guess(
                slug_of(beside, known), f"the document names {beside} beside it", sure=False
            )
        for name in printed:
            if name:
                yield by_name(name, scale, known)
            elif guess:
                if len(self._prose) > 1 and not beside and not guess.sure:
                    said = ", ".join(self._prose)
                    self._doubt(f"{guess.slug} is taken; the document describes {said}", row)
                yield guess
            else:
                self._doubt("nothing names the images: add [[model.evaluation]] with dataset", row)

    def _on(self, guess: Guess, row: Row, found: tuple[Found, ...]) -> Iterator[Evaluation]:
        """Yield the evaluations on one dataset: whole images in fp32, the compiled size below."""
        if not any(each.choice not in (OPEN, "scale", "calibration") for each in found):
            name = "paper_y" if is_classic(guess.slug) else "native_rgb"
            self._doubt(f"nothing says how images are scored: {name} is taken")
            yield Evaluation(guess, name, "not said")
            return
        sizes = [size[1:] for size in (row.sizes(full=False) or row.sizes())]
        has_low = any(not each.precision.is_full for each in row.rows) or row.sizes(full=True)
        if row.native:
            self._doubt(
                "fp32 is of whole images: perhaps the authors' number, by their protocol", row
            )
            full = (Precision.FP32,) if has_low else ()
            yield Evaluation(guess, *self._protocol(row, found, None), full)
        if has_low or not row.native:
            yield Evaluation(guess, *self._protocol(row, found, sizes[0] if sizes else None))

    def _protocol(
        self, row: Row, found: tuple[Found, ...], shape: tuple[int, int] | None
    ) -> tuple[str, str]:
        """Return the name of the protocol of these choices, and why it is no own one."""
        native = shape is None and row.native
        noted = printed_by(row, found)
        if noted:
            text, where = noted[0].text, noted[1].where
            self._doubt(f"{text} dB is a result that {where} notes: its choices come first", row)
        first = noted[1].origin if noted else None
        protocol = draft_protocol(found, shape, native=native, first=first)
        for doubt in protocol.doubts:
            self._doubt(doubt, row)
        base = _slug(row.source) if _slug(row.source) in self._beside.code_bases else ""
        prefix = f"{self._family}_{base}".strip("_")
        installed = "" if native else protocol.same_as(prefix)
        why = f"makes the choices of {installed}, which is installed" if installed else ""
        size = "native" if native else "x".join(map(str, shape or ()))
        tails = ("", f"_{size}", *(f"_{size}_{number}" for number in range(2, len(self._rows) + 3)))
        for name in (f"{prefix}{tail}_draft" for tail in tails):
            if self._protocols.setdefault(name, protocol).table() == protocol.table():
                return name, why
        msg = f"expected a free name for a protocol of {row.label}, got none"
        raise AssertionError(msg)


def _family(document: Path) -> str:
    """Return the name of what a document is about: of its folder, or its own."""
    resolved = document.resolve()
    is_readme = resolved.stem.casefold() == "readme"
    return _slug(resolved.parent.name if is_readme else resolved.stem) or "zoo"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")
