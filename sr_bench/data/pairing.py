"""Pair HR and LR files by the layouts of a manifest; name each file that is missing or extra."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from sr_bench.data.dataset import Dataset, Layout, PairFiles
from sr_bench.errors import DatasetError, ImageError, NotRunError
from sr_bench.imaging.files import image_size
from sr_bench.text.printable import counted

_NAMED = 5
_LOOKED_AT = 5000  # files in which LR under other names is looked for
_IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm"))

LrFrom = Literal["files", "hr"]


@dataclass(frozen=True)
class _LayoutFiles:
    """The files that one layout has on disk, by stem."""

    layout: Layout
    hr: dict[str, Path]
    lr: dict[str, Path]
    declared: int  # files whose names the manifest declares
    # Whether there is at least one declared HR and, if the layout has LR, one declared LR.
    usable: bool


def find_pairs(
    dataset: Dataset, root: Path, scale: int, *, lr_from: LrFrom = "files"
) -> tuple[PairFiles, ...]:
    """Return the files of every image under `root`, sorted by stem.

    The layout that has the most declared files is the one that is checked; it is never mixed with
    another one. Case counts in stems alone. HR may exceed `scale` times LR by less than `scale`
    pixels. With `lr_from` ``hr`` LR files are neither needed nor looked at.

    Raises:
        NotRunError: There are no files of any layout at this scale; says what to do.
        DatasetError: `scale` isn't declared, or files are missing, extra or of the wrong size, or
            LR would be made from HR beside LR files of no known layout; they are named.
        ImageError: A file is no image.
    """
    check_scale(dataset, scale)
    layouts = dataset.layouts
    if lr_from == "hr":
        layouts = tuple(Layout(layout.hr) for layout in layouts)
    scans = (_scan(dataset, layout, root, scale) for layout in layouts)
    usable = [files for files in scans if files.usable]
    if not usable:
        raise NotRunError(_absent(dataset, root, scale, layouts))
    best = max(usable, key=lambda files: files.declared)
    _check_names(dataset, best, root, scale)
    pairs = tuple(PairFiles(stem, best.hr[stem], best.lr.get(stem)) for stem in sorted(best.hr))
    if faults := [fault for pair in pairs if (fault := _size_fault(pair, scale))]:
        msg = "\n  ".join([f"{dataset.slug} x{scale}: HR and LR don't fit:", *faults[:_NAMED]])
        raise DatasetError(msg)
    if lr_from == "files" and best.layout.lr is None and (stray := _stray_lr(pairs, root, scale)):
        raise DatasetError(_unknown_layout(dataset, stray, scale))
    return pairs


def has_files(dataset: Dataset, root: Path) -> bool:
    """Whether `root` holds a declared HR file in any of the layouts."""
    # HR alone: whether LR is complete is said, by name, where they are paired.
    return any(
        _scan(dataset, Layout(layout.hr), root, scale).usable
        for layout in dataset.layouts
        for scale in dataset.scales
    )


def check_scale(dataset: Dataset, scale: int) -> None:
    """Check that the manifest declares `scale`.

    Raises:
        DatasetError: It doesn't; the message lists the declared ones.
    """
    if scale not in dataset.scales:
        known = ", ".join(f"x{scale}" for scale in dataset.scales)
        msg = f"{dataset.slug} has no x{scale}; {dataset.manifest} declares: {known}"
        raise DatasetError(msg)


def advice(dataset: Dataset) -> str:
    """Return what to do to get the files."""
    if not dataset.archives:
        return f"put them beside {dataset.manifest}, or give their folder by --sr-data DIR"
    return f"run 'sr-bench fetch {dataset.slug}', or give their folder by --sr-data DIR"


def _absent(dataset: Dataset, root: Path, scale: int, layouts: tuple[Layout, ...]) -> str:
    patterns = [
        layout.hr + (f" with {layout.lr}" if layout.lr else "") for layout in dict.fromkeys(layouts)
    ]
    looked = "\n  ".join(pattern.replace("{scale}", str(scale)) for pattern in patterns)
    return (
        f"no files of {dataset.slug} x{scale} under {root}; {advice(dataset)}\nlooked for:\n"
        f"  {looked}"
    )


def _scan(dataset: Dataset, layout: Layout, root: Path, scale: int) -> _LayoutFiles:
    hr = _match(layout.hr, root, scale)
    lr = _match(layout.lr, root, scale) if layout.lr else {}
    # Patterns as general as HR/{stem}.png also match the folders of other datasets.
    known_hr, known_lr = (set(dataset.stems or files) & set(files) for files in (hr, lr))
    usable = bool(known_hr) and (bool(known_lr) or layout.lr is None)
    return _LayoutFiles(layout, hr, lr, len(known_hr) + len(known_lr), usable)


def _match(pattern: str, root: Path, scale: int) -> dict[str, Path]:
    folder, _, name = pattern.replace("{scale}", str(scale)).rpartition("/")
    before, _, after = name.partition("{stem}")
    rule = re.compile(f"{re.escape(before)}(.+){re.escape(after)}", re.IGNORECASE)
    place = _folder(root, folder)
    files = sorted(path for path in place.iterdir() if path.is_file()) if place else []
    # Names that start with a dot are left by file managers and by copying from macOS.
    hits = ((rule.fullmatch(path.name), path) for path in files if path.name[0] != ".")
    return {hit.group(1): path for hit, path in hits if hit}


def _folder(root: Path, relative: str) -> Path | None:
    """Return the folder below `root` in whatever case it is spelled there, exactly first."""
    if not root.is_dir() or (root / relative).is_dir():
        return root / relative if root.is_dir() else None
    for part in relative.split("/"):
        spelled = [path for path in root.iterdir() if path.name.lower() == part.lower()]
        if len(spelled) != 1 or not spelled[0].is_dir():
            return None
        root = spelled[0]
    return root


def _stray_lr(pairs: Sequence[PairFiles], root: Path, scale: int) -> list[Path]:
    """Return files below `root` that look like the LR of `pairs`: by the name's start and size."""
    hr = {pair.hr for pair in pairs}
    images = sorted(path for path in islice(_images(root), _LOOKED_AT) if path not in hr)
    return [
        path
        for path in images
        for pair in pairs
        if scale > 1
        and path.name.lower().startswith(pair.stem.lower())
        and _has_lr_size(path, pair, scale)
    ]


def _has_lr_size(path: Path, pair: PairFiles, scale: int) -> bool:
    try:
        return not _size_fault(replace(pair, lr=path), scale)
    except ImageError:  # only the files that a layout names must be images
        return False


def _images(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        for name in names:
            if name[0] != "." and Path(name).suffix.lower() in _IMAGE_SUFFIXES:
                yield Path(folder, name)


def _unknown_layout(dataset: Dataset, stray: Sequence[Path], scale: int) -> str:
    known = [layout.lr.replace("{scale}", str(scale)) for layout in dataset.layouts if layout.lr]
    return (
        f"{dataset.slug} x{scale}: {counted(len(stray), 'file')} of LR size, such as {stray[0]}, "
        f"{'is' if len(stray) == 1 else 'are'} of no layout in {dataset.manifest}, and LR would be "
        "made from HR; name them as a layout does, add a [[layout]], move them away, or choose a "
        'protocol with lr_from = "hr"\nlayouts:\n  ' + "\n  ".join(dict.fromkeys(known))
    )


def _check_names(dataset: Dataset, files: _LayoutFiles, root: Path, scale: int) -> None:
    """Check that there is one HR, and if the layout has LR one LR, for each expected name."""
    expected = dataset.stems or tuple(files.hr)
    faults = _name_faults("HR", files.layout.hr, files.hr, expected, scale)
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
    extra = [str(path) for stem, path in files.items() if stem not in set(expected)]
    faults = []
    for what, names in (("missing", missing), ("extra", extra)):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        if names:
            faults.append(f"{len(names)} {kind} {what}: {', '.join(names[:_NAMED])}{more}")
    return faults


def _size_fault(pair: PairFiles, scale: int) -> str:
    if pair.lr is None:
        return ""
    (hr_h, hr_w), (lr_h, lr_w) = image_size(pair.hr), image_size(pair.lr)
    if 0 <= hr_h - lr_h * scale < scale and 0 <= hr_w - lr_w * scale < scale:
        return ""
    return (
        f"{pair.hr} is {hr_w}x{hr_h}, expected {lr_w * scale}x{lr_h * scale}, "
        f"as {pair.lr} is {lr_w}x{lr_h}"
    )
