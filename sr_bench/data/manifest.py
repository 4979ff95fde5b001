"""Read a dataset.toml and the SHA256SUMS beside it; say everything that is wrong at once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal
from unicodedata import normalize
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from sr_bench.core.fields import Bounds, Words, narrowed
from sr_bench.core.protocol import Resize
from sr_bench.data.dataset import (
    Address,
    Archive,
    Crop,
    CropSet,
    Dataset,
    FileName,
    Floor,
    Layout,
    Offset,
    Pattern,
    Positive,
    Relative,
    file_name,
)
from sr_bench.errors import DatasetError
from sr_bench.files.hashing import parse_sha256sums
from sr_bench.files.toml import read_toml
from sr_bench.files.validation import Table, listed, validate

_PACKAGE = r"[A-Za-z][A-Za-z0-9_]*"  # no dot: find_spec imports what lies before one
_MOST = 1_000_000  # images of a dataset


class RangeTable(Table):
    """Names of the images, as a list or by numbers: 801 to 900 of 4 digits are 0801 to 0900."""

    first: Offset
    """The first number."""
    last: Offset
    """The last number, which is one of them."""
    width: Annotated[int, Bounds(ge=1, le=18)]
    """Digits of each."""
    before: FileName | Literal[""] = ""
    """What stands before each number: ``img_``."""

    @model_validator(mode="after")
    def _is_short(self) -> "RangeTable":
        if self.last - self.first >= _MOST:
            msg = f"expected at most {_MOST} names"
            raise ValueError(msg)
        return self


class ArchiveTable(Table):
    """A file to download; its digest is in SHA256SUMS, or ``checksum = "unknown"``."""

    url: Address
    """Where it is downloaded from."""
    file: FileName | None = None
    size: Positive | None = None
    checksum: Literal["unknown"] | None = None
    """Says that nobody published a digest: the first download records it."""
    inside: Relative = ""
    into: Relative

    @model_validator(mode="after")
    def _becomes_a_file(self) -> "ArchiveTable":
        if not _file(self):
            msg = "the last part of url names no file; say file = NAME"
            raise ValueError(msg)
        # Or an address could name a file outside of the cache folder.
        file_name(_file(self))
        return self


class LayoutTable(Table):
    """Where the files are: HR and LR, or the ``target`` and ``input`` of a restoration."""

    hr: Pattern | None = None
    lr: Pattern | None = None
    target: Pattern | None = None
    """In place of `hr` where the size stays: ``scales = [1]``."""
    input: Pattern | None = None
    """In place of `lr` there."""

    @model_validator(mode="after")
    def _is_one_pair(self) -> "LayoutTable":
        scaled, restored = {self.hr, self.lr} - {None}, {self.target, self.input} - {None}
        if bool(scaled) == bool(restored) or (self.hr or self.target) is None:
            msg = "expected hr and lr, or target and input"
            raise ValueError(msg)
        hr, lr = self.layout.hr, self.layout.lr
        if hr == lr:
            msg = f"expected two patterns, got {hr!r} twice: an image would be compared with itself"
            raise ValueError(msg)
        if lr and hr.split("/").count("*") != lr.split("/").count("*"):
            msg = "expected as many folders * in the one as in the other"
            raise ValueError(msg)
        return self

    @property
    def layout(self) -> Layout:
        """What it declares."""
        return Layout(self.hr or self.target or "", self.lr or self.input)


class CropsTable(Table):
    """Parts of photographs, where kind is ``crops``."""

    package: Annotated[str, Field(pattern=f"^{_PACKAGE}$")]
    folder: Relative
    training: tuple[FileName, ...]
    evaluation: Annotated[tuple[Crop, ...], Field(min_length=1)]
    calibration: Annotated[tuple[Crop, ...], Field(min_length=1)]


class ManifestTable(Table):
    """The whole dataset.toml."""

    title: Words | Literal[""] = ""
    description: Words | Literal[""] = ""
    licence: Words | Literal[""] = ""
    homepage: Address | Literal[""] = ""
    kind: Literal["files", "crops"] = "files"
    scales: Annotated[tuple[Positive, ...], Field(min_length=1)]
    count: Annotated[int, Bounds(ge=1, le=_MOST)] | None = None
    stems: RangeTable | list[FileName] | None = None
    other_stems: list[RangeTable | list[FileName]] = []
    names: tuple[FileName, ...] = ()
    lr_rule: Resize | None = None
    layout: tuple[LayoutTable, ...] = ()
    archive: list[ArchiveTable] = []
    crops: CropsTable | None = None
    floor: tuple[Floor, ...] = ()


def load_manifest(path: Path) -> Dataset:
    """Return what the dataset.toml at `path` declares.

    Raises:
        DatasetError: The file, or SHA256SUMS beside it, can't be read or has faults; each is
            listed with its key.
    """
    content = read_toml(path, DatasetError)
    table = validate(ManifestTable, content, where=str(path), error=DatasetError)
    sums = read_sums(path.with_name("SHA256SUMS"))
    stems = _stems(table.stems)
    if faults := [*_faults(table, stems), *_sum_faults(table, sums)]:
        raise DatasetError(listed(faults, where=str(path)))
    crops, slug = table.crops, path.resolve().parent.name
    of_names = len(crops.evaluation) if crops else len(stems)
    photographs = sorted(_photographs(crops)) if crops else ()
    sha256 = {file: sums[file] for file in photographs}
    return narrowed(
        Dataset,
        table,
        slug=slug,
        title=table.title or slug,
        count=table.count or of_names or None,
        manifest=path,
        stems=stems,
        other_stems=tuple(map(_stems, table.other_stems)),
        layouts=tuple(item.layout for item in table.layout),
        archives=tuple(
            narrowed(Archive, item, file=_file(item), sha256=sums.get(_file(item), ""))
            for item in table.archive
        ),
        crops=crops and narrowed(CropSet, crops, sha256=sha256, beside=path.parent),
        floors=table.floor,
    )


def read_sums(path: Path) -> dict[str, str]:
    """Return digests by file name from the SHA256SUMS at `path`, none if it is absent.

    Raises:
        DatasetError: It can't be read.
    """
    if not path.exists():
        return {}
    try:
        return parse_sha256sums(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path}: {error}; repair or remove it"
        raise DatasetError(msg) from error


def _stems(stems: RangeTable | list[str] | None) -> tuple[str, ...]:
    if isinstance(stems, RangeTable):
        numbers = range(stems.first, stems.last + 1)
        return tuple(f"{stems.before}{n:0{stems.width}}" for n in numbers)
    return tuple(normalize("NFC", stem) for stem in stems or ())


def _file(table: ArchiveTable) -> str:
    return table.file or PurePosixPath(urlsplit(table.url).path).name


def _photographs(table: CropsTable) -> set[str]:
    return {crop.file for crop in (*table.evaluation, *table.calibration)} | set(table.training)


def _faults(table: ManifestTable, stems: tuple[str, ...]) -> Iterator[str]:
    if (table.kind == "crops") != (table.crops is not None):
        yield "crops: required for kind 'crops', and for no other"
    if table.kind == "crops" and table.lr_rule is None:
        yield "lr_rule: required for kind 'crops', but absent"
    if stems and table.count not in (None, len(stems)):
        yield f"stems: {len(stems)} names, but count is {table.count}"
    yield from _doubles("stems", stems)
    for index, others in enumerate(map(_stems, table.other_stems)):
        if len(others) != len(stems):
            yield f"other_stems[{index}]: {len(others)} names, but stems has {len(stems)}"
    yield from _doubles("archive.into", [item.into for item in table.archive])
    for index, layout in enumerate(table.layout):
        lr = layout.lr or layout.input
        if lr is None and table.lr_rule is None:
            key = "input" if layout.target else "lr"
            yield f"layout[{index}].{key}: required, as there is no lr_rule"
        if lr and len(table.scales) > 1 and "{scale}" not in lr:
            yield f"layout[{index}].lr: expected {{scale}} in it, as there are several scales"
        if layout.target and table.scales != (1,):
            yield f"layout[{index}]: target and input are of scales = [1]; name hr and lr"
    yield from _doubles("floor", [f"x{floor.scale} by {floor.protocol}" for floor in table.floor])
    for index, floor in enumerate(table.floor):
        if floor.scale not in table.scales:
            yield f"floor[{index}].scale: {floor.scale} is none of scales"
    if table.crops:
        yield from _crop_faults(table.crops, table.count)


def _crop_faults(crops: CropsTable, count: int | None) -> Iterator[str]:
    if count not in (None, len(crops.evaluation)):
        yield f"crops.evaluation: {len(crops.evaluation)} crops, but count is {count}"
    yield from _doubles("crops", [crop.name for crop in (*crops.evaluation, *crops.calibration)])
    evaluated = {crop.file for crop in crops.evaluation}
    # A photograph in two roles would let a network be judged on what it has seen.
    for role, files in (
        ("calibration", {crop.file for crop in crops.calibration}),
        ("training", set(crops.training)),
    ):
        for file in sorted(evaluated & files):
            yield f"crops: {file} is used for evaluation and for {role}"


def _doubles(key: str, names: list[str] | tuple[str, ...]) -> Iterator[str]:
    yield from (
        f"{key}: {name!r} stands there {n} times" for name, n in Counter(names).items() if n > 1
    )


def _sum_faults(table: ManifestTable, sums: dict[str, str]) -> Iterator[str]:
    for index, archive in enumerate(table.archive):
        known = _file(archive) in sums
        if not known and archive.checksum is None:
            yield (
                f"archive[{index}]: {_file(archive)} is not in SHA256SUMS; add it there, or say "
                'checksum = "unknown"'
            )
        if known and archive.checksum == "unknown":
            yield f"archive[{index}].checksum: 'unknown', but SHA256SUMS has {_file(archive)}"
    for file in sorted(_photographs(table.crops) - set(sums)) if table.crops else ():
        yield f"crops: {file} is not in SHA256SUMS"
