"""Keep the images of a run: to look at them, and to score them again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import Kept
from sr_bench.engine.job import Job
from sr_bench.engine.score.network_io import LumaOutput, Read, read_output
from sr_bench.engine.score.protocol import Pair
from sr_bench.errors import ImageError
from sr_bench.files.atomic import write_text
from sr_bench.files.hashing import sha256_unchanged
from sr_bench.files.kept import Spare, spare_of
from sr_bench.imaging.files import read_levels, write_levels, write_png

FOLDER = "outputs"
"""Of the results folder: what of it no record names may be deleted."""

_EXCESS = "-beyond.png"
"""Of what is kept in 16 bits: how far each value lies below black or above white."""

_COARSER = np.float32(4.0)
"""So many times the step of what lies inside; it holds four times the levels, too."""

_MANIFEST = "images.json"
"""Written last, so that a folder that has it is whole."""


@dataclass(frozen=True)
class Keeper:
    """Writes the images of one run of one network over one dataset.

    Args:
        results: The results folder.
        mode: How many bits the network's outputs are kept with.
        sr: Digest of all that decides the outputs.
        pairs: Digest of all that decides what goes in, and what is compared with.
        spare: What tells of damage.
    """

    results: Path
    mode: Literal["8bit", "16bit"]
    sr: str
    pairs: str
    spare: Spare = field(default_factory=lambda: spare_of(""), compare=False)

    @property
    def kept(self) -> Kept:
        """The folders, relative to the results folder."""
        return Kept(f"{FOLDER}/sr-{self.mode}-{self.sr[:16]}", f"{FOLDER}/pairs-{self.pairs[:16]}")

    def is_whole(self, names: Sequence[str]) -> bool:
        """Tell whether the images `names` are all there from an earlier run."""
        folders = (self.results / self.kept.sr, self.results / self.kept.pairs)
        return all(_manifest(folder).get("images") == list(names) for folder in folders)

    def has(self, index: int) -> bool:
        """Tell whether image number `index` is there, whole, from an earlier run."""
        return all(map(self._is_kept, self._all_files(index)))

    def _all_files(self, index: int) -> list[Path]:
        excess = [self._excess(index)] if self.mode == "16bit" else []
        return [*self._files(index), *excess]

    def _is_kept(self, path: Path) -> bool:
        """Tell whether the file at `path` is there, as it was when its run ended, if it did."""
        if not path.is_file():
            return False
        digest = self._digests.get(path, "")
        if damaged := digest not in ("", sha256_unchanged(path)):
            self.spare.tell_damaged(f"{path} is damaged")
        return not damaged

    @cached_property
    def _digests(self) -> Mapping[Path, str]:
        folders = (self.results / self.kept.sr, self.results / self.kept.pairs)
        listed = ((folder, _manifest(folder).get("sha256")) for folder in folders)
        return {
            folder / name: digest
            for folder, digests in listed
            if isinstance(digests, dict)
            for name, digest in digests.items()
        }

    def _files(self, index: int) -> tuple[Path, Path, Path]:
        """Return where the network's output, LR and HR of image number `index` are."""
        sr, pairs = self.results / self.kept.sr, self.results / self.kept.pairs
        name = f"{index:04d}"  # not the image's: that may be a path
        return sr / f"{name}.png", pairs / f"{name}-lr.png", pairs / f"{name}-hr.png"

    def _excess(self, index: int) -> Path:
        return self.results / self.kept.sr / f"{index:04d}{_EXCESS}"

    def keep(self, job: Job, index: int, pair: Pair, output: NDArray[np.floating]) -> None:
        """Write image number `index`: the network's `output` (1 x 3 x height x width), LR and HR.

        Raises:
            SrBenchError: The folder can't be written.
        """
        sr_file, *pair_files = self._files(index)
        if self.mode == "8bit":
            rounding = job.protocol.rounding if job.protocol.rounding != "none" else "round"
            how = replace(job.protocol, rounding=rounding)
            write_levels(sr_file, _rgb(output, job, pair, how))
        else:  # leaves rounding and clipping to the scoring
            how = replace(job.protocol, clip=False, rounding="none")
            levels = _rgb(output, job, pair, how).astype(np.float32)
            inside: NDArray[np.float32] = levels.clip(0.0, 255.0)
            write_levels(self._excess(index), (abs(levels - inside) / _COARSER).clip(0.0, 255.0))
            write_levels(sr_file, inside)
        for target, image in zip(pair_files, (pair.lr, pair.hr), strict=True):
            if not self._is_kept(target):  # all networks of a dataset share it
                write_png(target, image)

    def finish(self, names: Sequence[str]) -> None:
        """Say that the images `names` are all there, with the digest of each file."""
        for kept in (self.kept.sr, self.kept.pairs):
            folder = self.results / kept
            files = (path for i in range(len(names)) for path in self._all_files(i))
            digests = {p.name: sha256_unchanged(p) for p in files if p.parent == folder}
            manifest = {"images": list(names), "sha256": digests}
            write_text(folder / _MANIFEST, json.dumps(manifest, indent=1) + "\n")


def _rgb(output: NDArray[np.floating], job: Job, pair: Pair, protocol: EvalProtocol) -> Read:
    read = read_output(output, pair.lr, protocol, job.card.output)
    return read.rgb if isinstance(read, LumaOutput) else read


def read_kept_sr(folder: Path, index: int) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return the network's output of image number `index` that `folder` keeps.

    Returns:
        Height x width x 3 on the 0-255 scale: uint8 as the protocol rounds it if it was kept in 8
        bits; else float32, neither rounded nor clipped: in steps of 1/257 from black to white, and
        of 4/257 as far as 1020 levels beyond.

    Raises:
        ImageError: It is gone or damaged.
    """
    levels, excess = read_levels(folder / f"{index:04d}.png"), folder / f"{index:04d}{_EXCESS}"
    if levels.dtype == np.uint8 or not excess.is_file():  # earlier versions kept none
        return levels
    beyond = read_levels(excess) * _COARSER
    if beyond.shape != levels.shape:
        msg = (
            f"{excess}: expected the shape of the image it belongs to, {levels.shape}, got"
            f" {beyond.shape}; run pytest --sr-keep=16bit again"
        )
        raise ImageError(msg)
    # What was clipped lies at the end that it went beyond.
    return np.asarray(levels + np.where(levels > 127, beyond, -beyond), np.float32)


def _manifest(folder: Path) -> dict[str, object]:
    """Return what `folder` says it holds; empty if it isn't whole."""
    try:
        content = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
