"""What the runs of a session are made from: networks, images, and the digests of them all."""

from collections.abc import Mapping
from pathlib import Path

from sr_bench.core.backend import BackendInfo, Form
from sr_bench.core.case import IMAGE_METRICS, Case
from sr_bench.core.device import Profile
from sr_bench.core.protocol import LrSource
from sr_bench.engine.job import Job, Progress, quiet
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.calibration import CalibrationSet, Effort, calibration_set
from sr_bench.engine.prepare.code_digest import BACKENDS, plugin_code
from sr_bench.engine.prepare.image_sets import ImageSets
from sr_bench.engine.prepare.network import Prepared, prepare
from sr_bench.errors import DatasetError, NotRunError
from sr_bench.files.cache import cache_dir


class Jobs:
    """Finds what a run needs."""

    def __init__(
        self, selection: Selection, info: BackendInfo, dataset_folders: tuple[Path, ...]
    ) -> None:
        self._selection = selection
        self._info = info
        self._image_sets = ImageSets(selection.data, dataset_folders)

    def check_offered(self, case: Case) -> None:
        """Raise a NotRunError if the backend doesn't compute in the precision of `case`."""
        offers = self._selection.backend_module.precisions(self._selection.backend_options)
        if case.precision not in offers:
            info = self._info
            msg = (
                f"{case.backend} does not offer {case.precision} here, only {', '.join(offers)};"
                " rerun with --backend=onnxruntime, which offers every precision"
            )
            if not offers:
                msg = f"{info.name} computes nothing here ({info.version}): {info.note}"
            raise NotRunError(msg)

    def job(self, case: Case, metrics: tuple[str, ...] = IMAGE_METRICS) -> Job:
        """Return what a run of `case` works on, scored by `metrics`."""
        rule = case.on_images.protocol
        images = self._image_sets.of(case.card, case.on_images.dataset, rule.lr_source)
        return Job(case.card, rule, images, self._selection.limit, metrics)

    def prepared(
        self, case: Case, progress: Progress = quiet, profile: Profile = Profile.TVM
    ) -> Prepared:
        """Return the network of `case`; for int8 with its calibration set."""
        chosen, card = self._selection, case.card
        if self._info.form is Form.ONNX:
            card = card.with_given(case.precision)
        # A recording needs no images to calibrate with.
        made = not (self._info.replays or card.is_given(case.precision))
        calibrates = case.precision.dtype == "int8" and made
        return prepare(
            card,
            case.precision,
            chosen.weights,
            self._calibration(case) if calibrates else None,
            effort=Effort(chosen.calibration_bytes, chosen.threads, progress),
            form=self._info.form,
            profile=profile,
            kept=chosen.kept_in(cache_dir()),
        )

    def inputs(self, job: Job, prepared: Prepared) -> Mapping[str, str]:
        """Return what decides the outcome of a run, but for the device, by name.

        Raises:
            SrBenchError: Something is absent, or can't be read.
        """
        backend = f"{self._info.name} {self._info.version}"
        code = plugin_code(BACKENDS, self._info.name)  # another package's version may stay
        others = {"backend_code": code} if code else {}
        return {**prepared.inputs, **job.inputs, "backend": backend, **others}

    def _calibration(self, case: Case) -> CalibrationSet:
        evaluated = [self.job(case).images] if case.evaluation else []
        rule = case.evaluation.protocol if case.evaluation else None
        slug = case.card.int8.calibration
        # As files, whatever LR the evaluated protocol makes; it resizes these too.
        source: LrSource = "resized" if rule and rule.input_shape else "files"
        try:
            images = self._image_sets.of(case.card, slug, source, calibration=True)
        except DatasetError as error:
            told = "to calibrate int8 with (another: calibration under [model.int8])"
            msg = f"{case.card.id}: images {told}: {error}"
            raise DatasetError(msg) from error
        return calibration_set(case.card, images, evaluated, rule)
