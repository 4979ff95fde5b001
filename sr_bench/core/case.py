"""A case: one question to measure, with the claim it answers to if there is one."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.claim import Blank, Claim, Source
from sr_bench.core.latency import printed_batch, printed_size
from sr_bench.core.metric import image_metrics
from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Verdict

COST_METRICS = ("flops", "macs", "ops", "params")
"""Metrics of the network alone: no weights, no images, no backend."""

FILE_METRIC = "model_size"
"""Bytes of the user's own file, which no backend runs."""

STATIC_METRICS = (*COST_METRICS, FILE_METRIC)
"""What is known without a run."""

IMAGE_METRICS = ("psnr", "ssim")
"""Metrics that each run over a dataset has, whatever is asked: gates and floors need them."""

GATE_METRIC = "fidelity"
"""What a gate measures: PSNR of a low precision's output against the fp32 output."""

LATENCY_METRIC = "latency"
"""Time of one image of one shape; of its evaluation only the protocol counts."""

TIMED_METRICS = (LATENCY_METRIC, "fps", "memory")
"""What timing a network tells."""

_NO_WORD = re.compile(r"\W+")


@dataclass(frozen=True)
class Case:
    """One metric of one model x precision x dataset x backend."""

    card: ModelCard
    metric: str
    precision: Precision
    backend: str
    """The backend that this session uses."""
    evaluation: Evaluation | None = None
    """The dataset and protocol; None for cost metrics."""
    claim: Claim | None = None
    blank: Blank | None = None
    """Without a claim: the document's cell that could print the number."""
    twin: int = 0
    """Above 1: which of the claims that are equal in all that an id has; two tables may print the
    same number."""
    refusal: str = ""
    """Why no session can measure it, and what to do; empty if one can."""

    @classmethod
    def of(cls, record: Record, card: ModelCard, evaluation: Evaluation | None) -> Self:
        """Return the case that `record` answered, with the card and evaluation as they are now."""
        precision = Precision(record.precision)
        return cls(card, record.metric, precision, record.backend, evaluation, record.claim)

    @property
    def cell(self) -> Claim | Blank | None:
        """What of the document the case is about."""
        return self.claim or self.blank

    @property
    def place(self) -> Source | None:
        """The document's cell that the case is about."""
        return self.cell.source if self.cell else None

    @property
    def printed_as(self) -> str:
        """Which precision its row prints, where that is another, and why; else empty."""
        if self.claim is None or self.claim.precision == self.precision:
            return ""
        named = f"{self.precision.calibration} is the card's int8.observer"
        return f"the document prints {self.claim.precision} and no calibration; {named}"

    @property
    def word(self) -> str:
        """The backend that the row of its claim names, or the card for times; empty: none."""
        if self.cell and self.metric in TIMED_METRICS:
            return self.cell.backend or self.card.latency.backend
        return self.claim.backend if self.claim else ""

    def is_about(self, backend: str) -> bool:
        """Tell whether a session that answers rows of `backend` answers this one."""
        return same_backend(self.word, backend)

    @property
    def on_images(self) -> Evaluation:
        """The evaluation of a case that needs images; a TypeError if it needs none."""
        if self.evaluation is None:
            msg = f"{self.id} is about no dataset"
            raise TypeError(msg)
        return self.evaluation

    @property
    def scores_images(self) -> bool:
        """Whether a metric of images is asked for, not a cost, a time or a gate."""
        return self.evaluation is not None and self.metric in image_metrics()

    @property
    def in_fp32(self) -> "Case":
        """The case whose run a gate, or the outputs of a low precision, are compared with."""
        return replace(self, precision=Precision.FP32, metric=IMAGE_METRICS[0])

    @property
    def dataset(self) -> str:
        """Slug with scale, such as ``div2k_valid_x2``; empty for cost metrics and times.

        Of a number that no evaluation covers it is the dataset as printed.
        """
        if self.metric in (*STATIC_METRICS, *TIMED_METRICS):
            return ""
        if self.evaluation is None:
            return self.claim.dataset if self.claim else ""
        return f"{self.evaluation.dataset}_x{self.card.scale}"

    @property
    def shape(self) -> str:
        """The shape that Flops are counted on, or that is timed, such as ``3x128x128``."""
        timed = (self.card.input.channels, *self.timed_size)
        shape = timed if self.metric in TIMED_METRICS else self.card.counted_shape
        return "x".join(map(str, shape))

    @property
    def known_size(self) -> tuple[int, int] | None:
        """(height, width) of the input that a printed time is of; None: nothing says it.

        That of the card goes first, then that of the print, which may have the width first, then
        the only one that there is.
        """
        if shape := self.card.latency.shape:
            return shape[1:]
        given, printed = self.card.input, printed_size(self.cell.shape) if self.cell else None
        only = given.size if given.overlap is None else None  # else of its tiles
        if fixed := self.evaluation.protocol.input_shape if self.evaluation else None:
            height, width = (side * self.card.input_scale for side in fixed)
            only = height, width
        is_turned = only and printed and only == printed[::-1]
        return only if is_turned else printed or only

    @property
    def timed_size(self) -> tuple[int, int]:
        """(height, width) of the input that is timed; where none is known, that of the Flops."""
        return self.known_size or self.card.counted_shape[1:]

    @property
    def batch(self) -> int:
        """How many images are timed at once: one, unless a printed number is of more."""
        if self.cell is None:
            return 1
        return self.card.latency.batch or self.printed_batch or 1

    @property
    def printed_batch(self) -> int | None:
        """The batch that the document says of its number, if it does."""
        if (cell := self.cell) is None:
            return None
        return printed_batch(f"{cell.variant} {cell.device}", cell.shape)

    @property
    def id(self) -> str:
        """Greppable with ``-k``: ``edsr_baseline_x2-int8_percentile-div2k_valid_x2-psnr``.

        The backend word of the claim's row is part of it, as are the device and what else tells
        it from its twins, the precision as the row prints it, and where no dataset is scored that
        of the row: rows that differ in nothing else are different claims.
        """
        claim = self.claim
        where = [self.dataset]
        if not self.dataset:
            counted = self.metric in COST_METRICS and self.metric != "params"
            shape = self.shape if counted or (self.metric == LATENCY_METRIC and not claim) else ""
            where = [shape, claim.dataset if claim else ""]
        told = [_NO_WORD.sub("_", text) for text in (claim.device, claim.variant)] if claim else []
        precision = claim.precision if claim else self.precision
        parts = (self.card.name, self.word, *told, precision, *where, self.metric)
        return "-".join(filter(None, (*parts, str(self.twin or ""))))

    @property
    def run_key(self) -> str:
        """Equal for cases that one inference run can answer; empty for what needs none."""
        if self.evaluation is None or self.refusal:
            return ""
        protocol = self.evaluation.protocol.name
        return "|".join((self.card.id, self.precision, self.dataset, protocol, self.backend))

    @property
    def run_id(self) -> tuple[Path, str]:
        """As `run_key`, by folder too: two zoos may have suites and models of the same names."""
        return self.card.folder, self.run_key

    def record(self, verdict: Verdict, **more: Any) -> Record:
        """Return the answer to the case; `more` are other fields, such as what was measured."""
        return Record(
            case_id=self.id,
            family=self.card.family,
            model=self.card.name,
            metric=self.metric,
            precision=self.precision,
            dataset=self.dataset,
            backend=self.backend,
            protocol=self.evaluation.protocol.name if self.evaluation else "",
            verdict=verdict,
            claim=self.claim,
            place=self.place,
            **{"node_id": "", "device": "", "fingerprint": ""} | more,
        )


def same_backend(word: str, backend: str) -> bool:
    """Tell whether a row that names the backend `word`, also in two words, is about `backend`."""
    return word.replace(" ", "") in ("", backend, f"{backend}-emulated")
