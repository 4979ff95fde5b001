"""Which scoring reproduces a printed number, and which mistakes a tolerance would not catch."""

from dataclasses import dataclass
from typing import Literal

from sr_bench.core.claim import Source

Channels = Literal["rgb", "both_bgr", "sr_bgr", "hr_bgr"]
"""Which images are read in the wrong channel order."""

Rounding = Literal["stored", "none", "round", "truncate"]
"""How float outputs become levels; ``stored``: the files hold 8 bits, so it was done before."""


EXPLAINED, DOUBTFUL = 0.03, 0.5
"""Largest chance at which a fit explains a number, and at which it is worth a thought. The chance
is an estimate: of numbers that nobody measured, fewer than 1 in 20 may be explained."""

WhiteOfImage = Literal["hr_max", "hr_range", "sr_range", "both_range"]
"""White level that is taken from each image: the largest value of HR; the largest minus the
smallest of HR or of SR; or the larger one of these two."""

Difference = Literal["exact", "uint8", "uint8_square", "epsilon"]
"""How pixels are subtracted: ``uint8``: in 8 bits, where 3 - 5 is 254; ``uint8_square``: and
squared in 8 bits; ``epsilon``: 1e-8 is added to the mean squared error of images of 0 to 1."""


@dataclass(frozen=True)
class Scoring:
    """The choices that turn image pairs into one number: the scoring half of a protocol."""

    colour: str = "rgb"
    """As in `EvalProtocol`, like `psnr_channels` and `window`."""
    psnr_channels: str = "together"
    channels: Channels = "rgb"
    border: int = 0
    """Pixels cropped from each side."""
    rounding: Rounding = "stored"
    peak: float | WhiteOfImage = 255.0
    """The white level in the formula, on the scale on which the images have 255."""
    difference: Difference = "exact"
    window: str = "gaussian"
    """Of SSIM; empty for PSNR."""
    aggregation: Literal["mean", "median", "pooled", "pixels", "last_image", "image"] | int = "mean"
    """``pooled``: the PSNR of the mean squared error; ``pixels``: of that over all pixels of all
    images; a number: of that of each batch of so many, and their mean; ``image``: of a single
    image."""
    image: str = ""
    """The single image's name."""
    resize: str = "none"
    """Rule that brings HR to the size of SR; ``crop``: cut at the bottom and right;
    ``centre_crop``: on all sides; ``none``: the sizes agree."""

    @property
    def mistakes(self) -> int:
        """The number of choices that no evaluation makes on purpose."""
        return sum(
            (
                self.channels != "rgb",
                self.peak != 255.0,
                self.difference != "exact",
                self.window not in ("", "gaussian"),
                self.aggregation != "mean",
            )
        )


@dataclass(frozen=True)
class Companion:
    """How another number of the row comes about by the same way."""

    scoring: Scoring
    value: float
    """In the metric's unit."""
    changes: tuple[str, ...] = ()
    """As of `Candidate`."""


@dataclass(frozen=True)
class Candidate:
    """One way of scoring with what it gives."""

    scoring: Scoring
    value: float
    """In the metric's unit."""
    protocols: tuple[str, ...]
    """Named protocols that score like this, but for `changes`."""
    changes: tuple[str, ...] = ()
    """Fields of `scoring` that `protocols` set otherwise; empty: none."""
    digits: Literal["rounded", "truncated", ""] = ""
    """How its digits become the printed ones; empty: they don't."""
    chance: float = 0.0
    """Which part of the numbers nearby some way as simple as this one would give by accident."""
    beside: tuple[Companion, ...] = ()
    """What it makes of the numbers `Forensics.beside`."""

    @property
    def weight(self) -> Literal["explained", "could be chance", "chance"]:
        """How much the fit says."""
        if self.chance <= EXPLAINED:
            return "explained"
        return "could be chance" if self.chance <= DOUBTFUL else "chance"


@dataclass(frozen=True)
class Beside:
    """Another number of the same row, which a way must give too."""

    metric: str
    text: str
    """As printed."""
    where: str = ""
    """Which images it is of, where not those of the first number."""


@dataclass(frozen=True)
class Forensics:
    """What was found out about a printed number."""

    metric: str
    text: str
    """The number as printed."""
    images: int
    scales: tuple[int, ...]
    """Upscaling factors that borders which follow the scale were tried for."""
    tried: int
    """Candidates."""
    fits: int
    """Candidates that reproduce the number; `matches` holds the likeliest."""
    matches: tuple[Candidate, ...]
    """Those with the fewest changes first."""
    nearest: tuple[Candidate, ...] = ()
    """The closest ones, where nothing fits."""
    notes: tuple[str, ...] = ()
    """What the files don't show, in sentences."""
    beside: tuple[Beside, ...] = ()
    """Numbers of the same row: only ways that give these too are candidates for a match."""


@dataclass(frozen=True)
class Trial:
    """A known mistake, made on purpose."""

    mistake: str
    """Its short name, such as ``bgr``."""
    value: float | None = None
    """What the metric became; None if the mistake could not be made."""
    caught: bool = False
    """Whether the claim would have failed."""
    why: str = ""
    """Why it could not be made."""


@dataclass(frozen=True)
class AuditedClaim:
    """One claim with all mistakes."""

    case_id: str
    source: Source
    metric: str
    text: str
    """The number as printed."""
    tolerance: float
    """Upwards of the printed number, in the metric's unit."""
    value: float
    """Of the kept outputs as they are."""
    trials: tuple[Trial, ...]

    @property
    def missed(self) -> tuple[Trial, ...]:
        """The mistakes that the tolerance would let pass."""
        return tuple(t for t in self.trials if t.value is not None and not t.caught)

    @property
    def catching(self) -> float | None:
        """What the tolerance must be smaller than to catch every mistake; None if it does."""
        values = (trial.value for trial in self.missed if trial.value is not None)
        return min((abs(value - float(self.text)) for value in values), default=None)


@dataclass(frozen=True)
class Audit:
    """What the tolerances of a run would not catch."""

    run: str
    claims: tuple[AuditedClaim, ...]
    problems: tuple[str, ...] = ()
    """Why claims of the run are left out, in sentences."""
