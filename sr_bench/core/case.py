"""A case: one question to measure, with the claim it answers to if there is one."""

from dataclasses import dataclass
from typing import Literal

from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.claim import Claim, Metric
from sr_bench.core.precision import Precision

COST_METRICS: tuple[Metric, ...] = ("flops", "params")
"""Metrics of the network alone: no weights, no images, no backend."""

IMAGE_METRICS: tuple[Metric, ...] = ("psnr", "ssim")
"""Metrics of a run over a dataset."""

GATE_METRIC: Literal["fidelity"] = "fidelity"
"""What a gate measures: PSNR of a low precision's output against the fp32 output."""


@dataclass(frozen=True)
class Case:
    """One metric of one model x precision x dataset x backend."""

    card: ModelCard
    metric: Metric | Literal["fidelity"]
    precision: Precision
    backend: str
    """The backend that this session uses."""
    evaluation: Evaluation | None = None
    """The dataset and protocol; None for cost metrics."""
    claim: Claim | None = None

    @property
    def dataset(self) -> str:
        """Slug with scale, such as ``div2k_valid_x2``; empty for cost metrics."""
        return f"{self.evaluation.dataset}_x{self.card.scale}" if self.evaluation else ""

    @property
    def shape(self) -> str:
        """The shape that Flops are counted on, such as ``3x128x128``."""
        return "x".join(map(str, self.card.counted_shape))

    @property
    def id(self) -> str:
        """Greppable with ``-k``: ``edsr_baseline_x2-int8_percentile-div2k_valid_x2-psnr``.

        The backend word of the claim's row is part of it, and for a cost metric the row's dataset
        if it names one: rows that differ in nothing else are different claims.
        """
        word = self.claim.backend if self.claim else ""
        where = [self.dataset]
        if self.evaluation is None:
            shape = self.shape if self.metric == "flops" else ""
            where = [shape, self.claim.dataset if self.claim else ""]
        parts = (self.card.name, word, self.precision, *where, self.metric)
        return "-".join(part for part in parts if part)

    @property
    def run_key(self) -> str:
        """Equal for cases that one inference run can answer; empty for cost metrics."""
        if self.evaluation is None:
            return ""
        return "|".join(
            (
                self.card.id,
                self.precision,
                self.dataset,
                self.evaluation.protocol.name,
                self.backend,
            )
        )
