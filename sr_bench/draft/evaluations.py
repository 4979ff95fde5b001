"""Tell on which images a row's numbers were measured, and by which protocol they were scored."""

import re
from collections.abc import Iterator, Mapping, Sequence

from sr_bench.core.precision import Precision
from sr_bench.draft.cards import Evaluation
from sr_bench.draft.choices import Protocol, draft_protocol
from sr_bench.draft.datasets import (
    CLASSIC,
    Guess,
    by_folders,
    by_name,
    clauses_about,
    in_prose,
    named_beside,
    slug_of,
)
from sr_bench.draft.doubts import Doubts
from sr_bench.draft.found import OPEN, Found
from sr_bench.draft.models import Row, printed_by

_PLAINEST = ("native_rgb", "the plainest")
_TELLS_NOTHING = {OPEN, "scale", "calibration", "calibrated_on", "checkpoint"}
# By the protocol that is taken, and why, where a document speaks of one colour alone.
_COLOURS = {
    ("basicsr_rgb", "as the document speaks of RGB"): re.compile(
        r"\bRGB channels?\b|\b[io]n RGB\b|RGB\s?通道", re.IGNORECASE
    ),
    ("paper_y", "as the document speaks of Y"): re.compile(
        r"\bY[- ]channel\b|\bluminance\b|\bluma\b|\bYCbCr\b|Y\s?通道|亮度", re.IGNORECASE
    ),
}


class Evaluations:
    """Drafts the evaluations of row after row, and keeps the protocols that they name."""

    def __init__(
        self, text: str, family: str, bases: Sequence[str], known: Sequence[str], doubts: Doubts
    ) -> None:
        told = [protocol for protocol, colour in _COLOURS.items() if colour.search(text)]
        self._told = told[0] if len(told) == 1 else None
        self._family, self._code_bases = family, bases
        self._known, self._doubts = known, doubts
        self._prose = in_prose(text)
        self._clauses = clauses_about(text, self._prose)
        self._protocols: dict[str, Protocol] = {}

    @property
    def protocols(self) -> Mapping[str, Protocol]:
        """The card's own protocols, by name."""
        return self._protocols

    def of(self, row: Row, found: tuple[Found, ...]) -> Iterator[Evaluation]:
        """Yield the evaluations of a model's row; none if it prints no number of images."""
        for name in dict.fromkeys(claim.dataset for claim in row.image_claims):
            guess = by_name(name, row.scale, self._known) if name else self._unnamed(row, found)
            if guess is None:
                said = "nothing names the images: add [[model.evaluation]] with dataset"
                self._doubts.note(said, row)
                continue
            if guess.slug not in self._known:
                said = "no dataset of this name is known here: write its dataset.toml"
                self._doubts.note(said, guess.slug)
            yield from self._on(guess, row, found)

    def _unnamed(self, row: Row, found: tuple[Found, ...]) -> Guess | None:
        """Return the images of numbers whose table names none."""
        if beside := named_beside(self._clauses, row.label, self._prose):
            why = f"the document names {beside} beside it"
            return Guess(slug_of(beside, self._known), why, sure=False)
        guess = by_folders(found, self._prose, row.label, self._known)
        by_prose = not any(each.choice in ("hr_folder", "lr_folder") for each in found)
        if guess and not guess.sure and (by_prose or len(self._prose) > 1):
            said = ", ".join(self._prose)
            self._doubts.note(f"{guess.slug} is taken; the document describes {said}", row)
        return guess

    def _on(self, guess: Guess, row: Row, found: tuple[Found, ...]) -> Iterator[Evaluation]:
        """Yield the evaluations on one dataset: whole images in fp32, the compiled size below."""
        if all(each.choice in _TELLS_NOTHING for each in found):
            yield Evaluation(guess, *self._usual(guess))
            return
        compiled = next((size[1:] for size in row.sizes(full=False) or row.sizes()), None)
        has_others = any(not each.precision.is_full for each in row.rows) or row.sizes(full=True)
        if row.native:
            said = "fp32 is of whole images: perhaps the authors' number, by their protocol"
            self._doubts.note(said, row)
            full = (Precision.FP32,) if has_others and not row.native_variant else ()
            yield Evaluation(guess, *self._protocol(row, found, None), full, row.native_variant)
        if has_others or not row.native:
            yield Evaluation(guess, *self._protocol(row, found, compiled))

    def _usual(self, guess: Guess) -> tuple[str, str]:
        """Return the protocol that is usual for a dataset, where no file tells the choices."""
        plain = ("paper_y", "as papers do") if guess.slug in CLASSIC else _PLAINEST
        name, why = self._told or plain
        self._doubts.note(f"the protocol is not said: {name} is taken, {why}", guess.slug)
        return name, f"not said; {why}"

    def _protocol(
        self, row: Row, found: tuple[Found, ...], shape: tuple[int, int] | None
    ) -> tuple[str, str]:
        """Return the name of the protocol that `found` makes, and which installed one it equals."""
        native = shape is None and row.native
        noted = printed_by(row, found)
        if noted:
            text, where = noted[0].text, noted[1].where
            said = f"{text} dB is a result that {where} notes: its choices come first"
            self._doubts.note(said, row)
        first = noted[1].origin if noted else None
        protocol = draft_protocol(found, shape, native=native, first=first)
        for doubt in protocol.doubts:
            self._doubts.note(doubt, row)
        base = slug(row.source) if slug(row.source) in self._code_bases else ""
        prefix = f"{self._family}_{base}".strip("_")
        installed = "" if native else protocol.same_as(prefix)
        why = f"makes the choices of {installed}, which is installed" if installed else ""
        return self._named(protocol, prefix, "x".join(map(str, shape or ("native",)))), why

    def _named(self, protocol: Protocol, prefix: str, size: str) -> str:
        """Return the name of `protocol`: of the first that makes its choices, or a free one."""
        tails = ("", f"_{size}", *(f"_{size}_{n}" for n in range(2, len(self._protocols) + 3)))
        names = (f"{prefix}{tail}_draft" for tail in tails)
        return next(
            name
            for name in names
            if self._protocols.setdefault(name, protocol).table() == protocol.table()
        )


def slug(text: str) -> str:
    """Return the letters and digits of `text` as names of protocols have them."""
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")
