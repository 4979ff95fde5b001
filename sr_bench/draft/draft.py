"""Draft the card of a document, from what it prints and what lies beside it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import relpath
from pathlib import Path

from sr_bench.core.case import TIMED_METRICS
from sr_bench.core.claim import dataset_key
from sr_bench.core.precision import Precision
from sr_bench.document.claims import Reading, read
from sr_bench.document.tables import read_document
from sr_bench.draft.cards import Calibration, Card, Model
from sr_bench.draft.choices import contradiction
from sr_bench.draft.doubts import Doubts
from sr_bench.draft.evaluations import Evaluations, slug
from sr_bench.draft.folder import of_scale, read_beside
from sr_bench.draft.found import Found, settle
from sr_bench.draft.models import Row, names_of, rows_of
from sr_bench.draft.networks import Costs, Network, identify, own_file
from sr_bench.draft.own_classes import OwnFiles
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
    reading = read(replace(document, ignored=ignored))
    rows = rows_of(reading, document.text)
    if not rows:
        msg = f"{document.path}: no row of a model is read; {_why_none(whole)}"
        raise OptionError(msg)
    card = _Drafter(request, document.text, rows).card()
    doubts = (*unread_doubts(whole, left=reading), *card.doubts)
    return replace(card, doubts=doubts, ignored=ignored, tables=tuple(drafts(whole)))


def _why_none(reading: Reading) -> str:
    tables = [f"{reading.path}:{each}" for each in reading.unread_tables]
    seen = [*unread_doubts(reading, left=reading)] or tables
    if not seen:
        return "it has no table with numbers; add the one whose numbers are to be tested"
    to_paste = "\n".join(dict.fromkeys(drafts(reading)))
    told = f"\n\nA card of yours can say what they tell (docs/reference/tables.md):\n\n{to_paste}"
    return "\n  ".join(["its tables:", *seen]) + (told if to_paste else "")


class _Drafter:
    """Goes through the rows, and collects their protocols and doubts."""

    def __init__(self, request: Request, text: str, rows: Sequence[Row]) -> None:
        self._request = request
        self._labels = Counter(row.label for row in rows)
        self._folder = request.card.resolve().parent
        family = _family(request.document)
        title = next((line for line in text.split("\n") if line.startswith("#")), "")
        self._about = f"{title} {family}"
        self._beside = read_beside(request.document, text)
        self._own = OwnFiles(self._folder)
        labels = frozenset(self._labels)
        about = ((row, self._beside.about(row.source, row.label, labels)) for row in rows)
        self._models = [
            (each, of_scale(found, each.scale))
            for row, found in about
            for each in row.models(found)
        ]
        self._doubts = Doubts([row for row, _ in self._models])
        self._evaluations = Evaluations(
            text, family, self._beside.code_bases, request.datasets, self._doubts
        )

    def card(self) -> Card:
        names = names_of(row for row, _ in self._models)
        files = self._files(dict(zip(names, (row.label for row, _ in self._models), strict=True)))
        models = tuple(
            self._model(name, row, found, files.get(name))
            for name, (row, found) in zip(names, self._models, strict=True)
        )
        return Card(
            document=Path(relpath(self._request.document.resolve(), self._folder)).as_posix(),
            models=models,
            protocols=self._evaluations.protocols,
            doubts=tuple(self._doubts),
        )

    def _files(self, labels: Mapping[str, str]) -> dict[str, Path]:
        """Return the ONNX file of each model that has one; `labels` are by model.

        Those of ``--onnx`` come before those that lie beside the document under a model's name, or
        alone beside a single model.
        """
        beside = sorted(self._request.document.parent.glob("*.onnx"))
        is_pair, count = len(beside) == len(labels) == 1, Counter(labels.values())
        files = {
            model: file
            for model, label in labels.items()
            for file in beside
            if is_pair
            or dataset_key(file.stem) == dataset_key(model)
            or (dataset_key(file.stem) == dataset_key(label) and count[label] == 1)
        }
        for name, file in self._request.onnx:
            is_only = not name and len(labels) == 1
            alike = [model for model, label in labels.items() if is_only or name in (model, label)]
            files |= dict.fromkeys(alike, file)
            if not alike:
                close = nearest(name, tuple(labels))
                alone = f"expected NAME=FILE, got FILE alone; the models are: {', '.join(labels)}"
                said = f" {name}: the document has no such model; {close}" if name else f": {alone}"
                msg = f"--onnx{said}"
                raise OptionError(msg)
        return files

    def _model(self, name: str, row: Row, found: tuple[Found, ...], file: Path | None) -> Model:
        if not row.why_scale and row.image_claims:
            said = "no scale is named: 1 is taken, an output of the input's size"
            self._doubts.note(said, row)
        network = self._network(row, found, file)
        white, why_range = self._range(row, network, found)
        shape = network.shape or next(map(network.shaped, row.costs_on(found)), None)
        return Model(
            name=name,
            row=row.label,
            source=row.source if self._labels[row.label] > 1 else "",
            scale=row.scale,
            why_scale=row.why_scale or ("not named" if row.image_claims else "no number needs it"),
            network=network,
            checkpoint=row.checkpoint(found),
            value_range=white,
            why_range=why_range,
            shape="x".join(map(str, shape or ())),
            evaluations=tuple(self._evaluations.of(row, found)),
            scores_images=bool(row.image_claims),
            calibration=self._calibration(row, found),
        )

    def _network(self, row: Row, found: tuple[Found, ...], file: Path | None) -> Network:
        costs = Costs(row.label, row.scale, row.costs, tuple(row.costs_on(found)))
        about = f"{self._about} {row.source} {row.about}"
        network = own_file(costs, file, self._folder) if file else identify(costs, about)
        for doubt in network.doubts:
            self._doubts.note(doubt, row)
        if not network.known:
            own = self._own.suggest((row.label, f"{row.label} x{row.scale}"))
            network = replace(network, own=own)
            said = "give --onnx NAME=FILE, or name your class in the card"
            if own:
                said = f"uncomment its lines below if it is {own.architecture}, else {said}"
            self._doubts.note(f"the network is not known: {said}", row)
            if not costs.shapes and any(claim.metric != "params" for claim in costs.claims):
                said = "nothing says what shape its operations are counted on: set cost.shape"
                self._doubts.note(said, row)
        elif network.architecture and row.image_claims and not row.checkpoint(found):
            said = "the weights are not known: add [model.checkpoint] with their file"
            self._doubts.note(said, row)
        if devices := ", ".join(dict.fromkeys(c.device for c in row.claims if c.device)):
            said = f"numbers on {devices}: say under [model.devices] what sessions call each, such"
            self._doubts.note(f"{said} as cuda, vacc or cpu", row)
        if any(claim.metric in TIMED_METRICS for claim in row.claims):
            said = "latency, FPS or memory: say under [model.latency] on which device and shape"
            self._doubts.note(said, row)
        return network

    def _range(self, row: Row, network: Network, found: tuple[Found, ...]) -> tuple[float, str]:
        taken, others = settle(found, "value_range")
        if network.value_range is not None:
            if taken and taken.value != network.value_range:
                said = f"value_range = {network.value_range}, of the authors; but {taken.where}"
                self._doubts.note(f"{said} says {taken.value}", row)
            return network.value_range, "of the authors" if network.architecture else "uint8"
        if taken is None:
            if row.image_claims and not any(each.value == NORMALISED for each in found):
                said = "value_range: nothing says whether it takes 0 to 1 or 0 to 255"
                self._doubts.note(said, row)
            return 1.0, "not said"
        if others:
            self._doubts.note(contradiction(taken, others), row)
        return float(str(taken.value)), taken.told

    def _calibration(self, row: Row, found: tuple[Found, ...]) -> Calibration | None:
        """Return how the build file calibrates the int8 rows, if it says so."""
        printed = row.int8
        bare = any(each.is_bare_int8 for each in printed)
        mode, _ = settle(found, "calibration")
        built = Precision.named(f"int8 {mode.value}") if mode else None
        if not printed or built is None or mode is None:
            if bare:
                said = 'int8 without a calibration: name it under [model.int8], observer = "max"'
                self._doubts.note(f"{said}, or another", row)
            return None
        said = ", ".join(each for each in printed if not each.is_bare_int8)
        if said and built not in printed:
            told = f"the rows print {said}, but {mode.where} calibrates by {mode.value}"
            self._doubts.note(told, row)
        on, _ = settle(found, "calibrated_on")
        images = (f"on {on.value}", on.why) if on else ()
        why = ", ".join(filter(None, (mode.where, *images)))
        on_device = any(each.backend == "vacc" for each in row.rows)
        return Calibration(built.calibration, why, bare=bare, on_device=on_device)


def _family(document: Path) -> str:
    """Return the name of what a document is about: of its folder, or its own."""
    resolved = document.resolve()
    is_readme = resolved.stem.casefold() == "readme"
    return slug(resolved.parent.name if is_readme else resolved.stem) or "zoo"
