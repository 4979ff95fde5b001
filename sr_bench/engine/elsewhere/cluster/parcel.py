"""What travels to a worker: work cut to the images of a shard, and which files it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.backend import Artefact, Form
from sr_bench.core.codec import encode
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.elsewhere.cluster.relocate import paths_of
from sr_bench.engine.job import Job
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.worker import Work
from sr_bench.engine.prepare.network import Effort, Prepared
from sr_bench.engine.prepare.weights import external_files
from sr_bench.engine.score.protocol import Pair
from sr_bench.errors import BackendError
from sr_bench.files.hashing import sha256_bytes, sha256_json, sha256_unchanged


@dataclass(frozen=True)
class Content:
    """Files that lie in one folder and need each other: mostly just one."""

    folder: Path
    """Where they lie for the controller; maybe for the worker too."""
    names: tuple[str, ...]
    digests: tuple[str, ...]
    sizes: tuple[int, ...]

    @property
    def key(self) -> str:
        """Digest of them all."""
        if len(self.digests) == 1:
            return self.digests[0]
        named = zip(self.names, self.digests, strict=True)
        return sha256_bytes("|".join(f"{name} {digest}" for name, digest in named).encode())

    @property
    def path(self) -> Path:
        """The file that the others belong to."""
        return self.folder / self.names[0]

    def read(self) -> tuple[bytes, ...]:
        """Return what is in the files."""
        return tuple((self.folder / name).read_bytes() for name in self.names)


def content_of(path: Path, others: Sequence[Path] = ()) -> Content:
    """Return the file at `path` and those it needs, which lie in its folder or below.

    Raises:
        BackendError: One lies elsewhere.
    """
    folder, files = path.parent, (path, *others)
    if not all(one.is_relative_to(folder) for one in files) or any(
        ".." in one.relative_to(folder).parts for one in files
    ):
        msg = f"{path}: it needs files outside of its folder, which a cluster can't be given"
        raise BackendError(msg)
    return Content(
        folder,
        tuple(one.relative_to(folder).as_posix() for one in files),
        tuple(map(sha256_unchanged, files)),
        tuple(one.stat().st_size for one in files),
    )


@dataclass(frozen=True)
class Made:
    """A network's file that a worker made, as all workers get it."""

    file: Path
    told: Mapping[str, str]
    """What the file tells of its plan."""


@dataclass(frozen=True)
class Ready(Prepared):
    """A network whose file was made elsewhere."""

    made: Path = Path()
    known: str = ""
    """The digest, which would need the calibration images."""
    told: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """Digest as on the machine that knows all of it."""
        return self.known

    def artefact(self) -> Artefact:
        """Return the artefact: the file that came."""
        card = self.card
        return Artefact(self.made, None, self.precision, self.known, card.id, self.network)

    def plan_notes(self) -> Mapping[str, str]:
        """Return what the file tells of its plan."""
        return dict(self.told)


def must_be_made(prepared: Prepared) -> bool:
    """Tell whether a file is exported, rounded or calibrated before the network can be opened.

    If not, the weights travel: the file is the user's own, or the worker builds the module or
    lets the device's compiler work.
    """
    low = prepared.precision is not Precision.FP32
    if prepared.form is Form.MODULE or (prepared.form is Form.SOURCE and low):
        return False
    return low or not prepared.card.onnx


def ready(prepared: Prepared, made: Made) -> Ready:
    """Return `prepared` with the file that was `made` of it, and without what made it."""
    own = {one.name: getattr(prepared, one.name) for one in fields(Prepared)}
    own |= {"calibration": None, "effort": Effort()}
    told = tuple(made.told.items())
    return Ready(**own, made=made.file, known=prepared.digest, told=told)


def given_files(prepared: Prepared) -> tuple[Content, ...]:
    """Return the files that the network is made from: weights and calibration images."""
    weights, images = prepared.weights, prepared.calibration
    others = external_files(weights) if prepared.card.onnx else []
    pictures = paths_of(images.images) if images else ()
    return (content_of(weights, others), *map(content_of, dict.fromkeys(pictures)))


@dataclass(frozen=True)
class Numbered(Keeper):
    """Keeps images under the numbers that they have in the whole dataset."""

    numbers: tuple[int, ...] = ()

    def keep(
        self,
        index: int,
        pair: Pair,
        output: NDArray[np.floating],
        protocol: EvalProtocol,
        white: float,
    ) -> None:
        """Write image number `index` of the shard."""
        super().keep(self.numbers[index], pair, output, protocol, white)

    def present(self, indices: Sequence[int]) -> tuple[str, ...]:
        """Return the files of the images `indices` that other runs have left: pairs are shared."""
        files = (self._pair_file(index, kind) for index in indices for kind in ("lr", "hr"))
        found = [one for one in files if one.is_file()]
        return tuple(one.relative_to(self.results).as_posix() for one in found)


@dataclass(frozen=True)
class Preparation:
    """The network that a worker is to make the file of."""

    prepared: Prepared
    contents: tuple[Content, ...]
    wants_data: bool = False
    """Whether the file itself is to come back; else only its name."""


@dataclass(frozen=True)
class Shard:
    """The images of a run that one call measures."""

    work: Work
    """Whose job has only the images of the shard and of its windows."""
    asked: tuple[int, ...]
    """Which of these are measured."""
    numbers: tuple[int, ...]
    """Number in the whole dataset of each image of the job."""
    contents: tuple[Content, ...]
    present: tuple[str, ...] = ()
    """Kept files that the controller has: they are not made again."""


def shard_of(work: Work, indices: Sequence[int], window: int, made: Mapping[str, Made]) -> Shard:
    """Return what a worker needs to measure the images `indices` of `work`.

    Args:
        work: The whole run.
        indices: Ascending numbers of images.
        window: Its images are run together, so that all of those go along.
        made: Files that were made, by the digest of their network.
    """
    count = len(work.job.names)
    spans = dict.fromkeys(index // window * window for index in indices)
    numbers = tuple(i for start in spans for i in range(start, min(start + window, count)))
    networks = [work.prepared, *([work.reference] if work.reference else [])]
    keeper = _numbered(work.keeper, numbers) if work.keeper else None
    small = replace(
        work,
        job=_cut(work.job, numbers),
        prepared=_sent(work.prepared, made),
        reference=_sent(work.reference, made) if work.reference else None,
        keeper=keeper,
    )
    files = [
        *(content for one in networks for content in _network_files(one, made)),
        *map(content_of, paths_of(small.job.images)),
    ]
    asked = tuple(numbers.index(index) for index in indices)
    present = keeper.present(indices) if keeper else ()
    return Shard(small, asked, numbers, tuple(dict.fromkeys(files)), present)


def _cut(job: Job, numbers: Sequence[int]) -> Job:
    items = tuple(job.images.items[number] for number in numbers)
    return replace(job, images=replace(job.images, items=items), limit=0)


def _sent(prepared: Prepared, made: Mapping[str, Made]) -> Prepared:
    if found := made.get(prepared.digest):
        return ready(prepared, found)
    return replace(prepared, effort=Effort())


def _network_files(prepared: Prepared, made: Mapping[str, Made]) -> tuple[Content, ...]:
    if found := made.get(prepared.digest):
        return (content_of(found.file),)
    return given_files(prepared)


def _numbered(keeper: Keeper, numbers: tuple[int, ...]) -> Numbered:
    return Numbered(keeper.results, keeper.mode, keeper.sr, keeper.pairs, numbers)


def work_key(work: Work) -> str:
    """Return the digest of all that decides the results of `work`, and which come of it."""
    job, keeper, full = work.job, work.keeper, work.reference
    content = [
        [work.prepared.digest, work.prepared.form, work.prepared.profile],
        [full.digest, full.form] if full else [],
        [work.job.card.id, job.card.value_range, encode(job.protocol), work.remembered],
        [keeper.mode, keeper.sr, keeper.pairs] if keeper else [],
        job.images.digest(job.names),
    ]
    return sha256_json(content)
