"""Pair HR and LR files by a manifest's or the usual layouts; name each that is missing or extra."""

from collections.abc import Iterable, Iterator, Sequence
from filecmp import cmp
from pathlib import Path

import numpy as np

from sr_bench.core.protocol import LrSource
from sr_bench.data.dataset import Dataset, Layout, PairFiles
from sr_bench.data.layout_files import LayoutFiles, declared_files
from sr_bench.data.listing import Listing
from sr_bench.data.stray_lr import stray_lr, unknown_layout
from sr_bench.data.usual_layouts import packed_hr, usual_layouts
from sr_bench.errors import DatasetError, ImageError, NotRunError
from sr_bench.imaging.files import image_size, read_image
from sr_bench.text.printable import some

_NAMED = 5


def find_pairs(
    dataset: Dataset, root: Path, scale: int, *, lr_from: LrSource = "files"
) -> tuple[PairFiles, ...]:
    """Return the files of every image under `root`, sorted by stem.

    The layout that has the most declared files is the one that is checked; it is never mixed with
    another one. Case counts in stems alone. HR may exceed `scale` times LR by less than `scale`
    pixels, or with `lr_from` ``resized`` be of any size; with ``hr`` LR files are neither needed
    nor looked at.

    Raises:
        NotRunError: There are no files of any layout at this scale; says what to do.
        DatasetError: `scale` isn't declared; files are missing, extra, doubled or of the wrong
            size; two layouts have different images; or LR would be made from HR beside LR files of
            no known layout. They are named.
        ImageError: A file is no image.
    """
    check_scale(dataset, scale)
    listing = Listing()
    found = [files for files in _layouts(dataset, root, scale, listing, lr_from) if files.usable]
    if not found:
        raise NotRunError(_absent(dataset, root, scale, listing))
    best = _best(dataset, found, scale, lr_from)
    _check_names(dataset, best, root, scale)
    pairs = tuple(PairFiles(stem, best.hr[stem], best.lr.get(stem)) for stem in sorted(best.hr))
    _check_readable(pairs)
    if lr_from == "files" and (faults := list(_size_faults(pairs, scale))):
        msg = "\n  ".join([f"{dataset.slug} x{scale}: HR and LR don't fit:", *faults[:_NAMED]])
        raise DatasetError(msg)
    if lr_from != "hr" and best.layout.lr is None:
        stray = stray_lr(dataset, pairs, root, scale, listing)
        if stray:
            raise DatasetError(unknown_layout(dataset, stray, scale))
    return pairs


def has_files(dataset: Dataset, root: Path) -> bool:
    """Whether `root` holds a declared HR file in any of the layouts."""
    # HR alone: whether LR is complete is said, by name, where they are paired.
    listing = Listing()
    return any(
        files.usable
        for scale in dataset.scales
        for files in _layouts(dataset, root, scale, listing, "hr")
    )


def check_scale(dataset: Dataset, scale: int) -> None:
    """Check that the manifest declares `scale`.

    Raises:
        DatasetError: It doesn't; the message lists the declared ones.
    """
    if scale not in dataset.scales:
        known = ", ".join(f"x{scale}" for scale in dataset.scales)
        msg = f"{dataset.slug} has no x{scale}, only {known} ({dataset.manifest})"
        raise DatasetError(msg)


def advice(dataset: Dataset) -> str:
    """Return what to do to get the files."""
    if not dataset.archives:
        return f"put them beside {dataset.manifest}, or give their folder by --sr-data DIR"
    return f"run 'sr-bench fetch {dataset.slug}', or give their folder by --sr-data DIR"


def packed(dataset: Dataset, folders: Sequence[Path]) -> str:
    """Return a line about archives in `folders` that may hold the files; empty if none are."""
    listing = Listing()
    files = [str(path) for folder in folders for path in packed_hr(dataset, folder, listing)]
    return f"\nnot read, unpack them: {some(files, _NAMED)}" * bool(files)


def looked_for(dataset: Dataset, scale: int | None = None) -> str:
    """Return the patterns by which files were looked for, a line each."""
    patterns = list(map(str, dataset.layouts))
    if dataset.is_laid_out_as_usual:
        name = next(iter(dataset.names), dataset.slug)
        patterns += (
            ["target/{stem}.* with input/{stem}.*, and the like"]
            if dataset.scales == (1,)
            else ["HR/{stem}.* with LR_bicubic/X{scale}/{stem}x{scale}.*, and the like"]
        )
        patterns.append(f"the same in {name}/, or with {name} in their names")
    lines = "\n  ".join(dict.fromkeys(patterns))
    return lines.replace("{scale}", str(scale)) if scale else lines


def _layouts(
    dataset: Dataset, root: Path, scale: int, listing: Listing, lr_from: LrSource
) -> Iterator[LayoutFiles]:
    """Yield what each layout has; those without LR files only where LR can be made."""
    declared = (Layout(each.hr) if lr_from == "hr" else each for each in dataset.layouts)
    for layout in dict.fromkeys(declared):
        yield declared_files(dataset, layout, root, scale, listing)
    if dataset.is_laid_out_as_usual:
        makes_lr = lr_from == "hr" or dataset.lr_rule is not None
        for files in usual_layouts(dataset, root, scale, listing, with_lr=lr_from != "hr"):
            if files.layout.lr or makes_lr:
                yield files


def _best(dataset: Dataset, found: list[LayoutFiles], scale: int, lr_from: LrSource) -> LayoutFiles:
    """Return the layout with the most declared files; of equals the one whose sizes fit.

    Raises:
        DatasetError: Two of them have different images.
    """
    if dataset.count and not dataset.stems:  # nothing else tells whose files they are
        found = [files for files in found if len(files.hr) == dataset.count] or found
    most = max(found, key=lambda files: files.declared)
    # Where neither names nor a number are declared, more files are no better reading than fewer.
    guesses = not (dataset.stems or dataset.count or most.layout in dataset.layouts)
    equals = [
        files
        for files in found
        if files.declared == most.declared
        or (guesses and bool(files.layout.lr) == bool(most.layout.lr))
    ]
    if len(equals) > 1:
        fitting = [each for each in equals if not any(_faults_of(each, scale))]
        equals = fitting or (equals if lr_from == "resized" else equals[:1])
    for other in equals[1:]:
        spare = 1 if lr_from == "hr" else scale  # which LR cuts off
        if not (_same(equals[0].hr, other.hr, spare) and _same(equals[0].lr, other.lr, 1)):
            msg = (
                f"{dataset.slug} x{scale}: {equals[0].layout} and {other.layout} have different "
                "images; move one of them away, or name one by a [[layout]] in a dataset.toml"
            )
            raise DatasetError(msg)
    return equals[0]


def _same(one: dict[str, Path], two: dict[str, Path], spare: int) -> bool:
    """Whether both hold the same images, but for less than `spare` pixels at bottom and right."""
    return one.keys() == two.keys() and all(_alike(one[stem], two[stem], spare) for stem in one)


def _alike(one: Path, two: Path, spare: int) -> bool:
    if one == two or cmp(one, two, shallow=False):
        return True
    first, second = read_image(one), read_image(two)
    height, width = (min(sides) for sides in zip(first.shape[:2], second.shape[:2], strict=True))
    more = (
        first.shape[0] + second.shape[0] - 2 * height,
        first.shape[1] + second.shape[1] - 2 * width,
    )
    return max(more) < spare and np.array_equal(first[:height, :width], second[:height, :width])


def _absent(dataset: Dataset, root: Path, scale: int, listing: Listing) -> str:
    msg = (
        f"no files of {dataset.slug} x{scale}; {advice(dataset)}; searched {root}\nlooked for:\n"
        f"  {looked_for(dataset, scale)}"
    )
    hr = [files for files in _layouts(dataset, root, scale, listing, "hr") if files.usable]
    for files in hr:
        pairs = [PairFiles(stem, path, None) for stem, path in files.hr.items()]
        if stray := stray_lr(dataset, pairs, root, scale, listing):
            return f"{msg}\nof no layout is {stray[0]}, which may be LR"
    if hr:  # why the folder was taken for the dataset's
        found = some(sorted(hr[0].hr.values()), 1)
        return msg.replace("no files of", "no LR files of", 1) + f"\nHR is there: {found}"
    return msg


def _check_readable(pairs: Sequence[PairFiles]) -> None:
    """Name all files that are no images, if the first is none: each load names only one.

    Raises:
        ImageError: There are any.
    """
    files = [path for pair in pairs for path in (pair.hr, pair.lr) if path]
    if not files or _fault(files[0]) is None:
        return
    faults = [(path, fault) for path in files if (fault := _fault(path))]
    names = [str(path) for path, _ in faults[1:]]
    rest = f"; neither can be read {some(names, _NAMED)}" if names else ""
    msg = f"{faults[0][1]}{rest}"
    raise ImageError(msg)


def _fault(path: Path) -> ImageError | None:
    try:
        image_size(path)
    except ImageError as fault:
        return fault
    return None


def _check_names(dataset: Dataset, files: LayoutFiles, root: Path, scale: int) -> None:
    """Check that there is one HR, and if the layout has LR one LR, for each expected name."""
    expected = dataset.stems or tuple(files.hr)
    faults = list(files.doubles[:_NAMED])
    faults += _name_faults("HR", files.layout.hr, files.hr, expected, scale)
    if files.layout.lr:
        faults += _name_faults("LR", files.layout.lr, files.lr, expected, scale)
    if dataset.count not in (None, len(files.hr)):
        faults.append(f"expected {dataset.count} HR images, got {len(files.hr)}")
    if faults:
        msg = "\n  ".join([f"{dataset.slug} x{scale} under {root} is not as declared:", *faults])
        raise DatasetError(msg)


def _name_faults(
    kind: str, pattern: str, files: dict[str, Path], expected: tuple[str, ...], scale: int
) -> list[str]:
    missing = [
        pattern.replace("{scale}", str(scale)).replace("{stem}", stem)
        for stem in expected
        if stem not in files
    ]
    known = set(expected)
    extra = [str(path) for stem, path in files.items() if stem not in known]
    faults = []
    for what, names in (("missing", missing), ("extra", extra)):
        if names:
            faults.append(f"{len(names)} {kind} {what}: {some(names, _NAMED)}")
    return faults


def _faults_of(files: LayoutFiles, scale: int) -> Iterator[str]:
    shared = sorted(files.hr.keys() & files.lr.keys())
    pairs = (PairFiles(stem, files.hr[stem], files.lr[stem]) for stem in shared)
    return _size_faults(pairs, scale)


def _size_faults(pairs: Iterable[PairFiles], scale: int) -> Iterator[str]:
    for pair in pairs:
        if pair.lr is None:
            continue
        (hr_h, hr_w), (lr_h, lr_w) = image_size(pair.hr), image_size(pair.lr)
        if not (0 <= hr_h - lr_h * scale < scale and 0 <= hr_w - lr_w * scale < scale):
            yield (
                f"{pair.hr} is {hr_w}x{hr_h}, expected {lr_w * scale}x{lr_h * scale}, "
                f"as {pair.lr} is {lr_w}x{lr_h}"
            )
