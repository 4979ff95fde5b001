"""What a number's cell is about, so that it is found again when rows of its document moved."""

from dataclasses import dataclass

from sr_bench.core.claim import Claim
from sr_bench.core.fields import narrowed
from sr_bench.core.metric import metric_info
from sr_bench.core.precision import Precision


@dataclass(frozen=True)
class CellKey:
    """The question that a metric cell answers: no two cells of a document have the same.

    The fields are those of `Claim`.
    """

    row: str
    row_source: str
    backend: str
    precision: Precision
    dataset: str
    metric: str
    scale: int = 0
    device: str = ""
    variant: str = ""

    @classmethod
    def of(cls, claim: Claim) -> "CellKey":
        """Return the key of the cell that prints `claim`."""
        return narrowed(cls, claim)

    def __str__(self) -> str:
        """Return it for messages: ``RCAN x2 vacc int8_kl PSNR on set5 (Acme phone)``."""
        scale = f"x{self.scale}" if self.scale else ""
        scale = "" if scale in self.row.casefold() else scale
        words = (self.row, scale, self.backend, self.precision, metric_info(self.metric).title)
        where = f" on {self.dataset}" if self.dataset else ""
        told = ", ".join(filter(None, (self.device, self.variant)))
        return " ".join(filter(None, words)) + where + (f" ({told})" if told else "")
