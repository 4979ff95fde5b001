"""Pair the images of two folders by name."""

import argparse
import re
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from sr_bench.data.listing import Listing, both, is_image
from sr_bench.errors import DatasetError, OptionError


def add_name_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--sr-name`` and ``--hr-name``: the patterns of the file names in the two folders."""
    parser.add_argument(
        "--sr-name", default="{stem}", metavar="PATTERN", help="file-name pattern of the SR images"
    )
    parser.add_argument(
        "--hr-name", default="{stem}", metavar="PATTERN", help="file-name pattern of the HR images"
    )


def find_pairs(
    sr_dir: Path, hr_dir: Path, sr_name: str, hr_name: str
) -> dict[str, tuple[Path, Path]]:
    """Return the SR and the HR file of each image, by the stem that the patterns cut out.

    Files of subfolders are paired by folder and stem; by the stem alone where each has one partner
    and the folders differ.

    Raises:
        OptionError: A folder is absent, or a pattern has no ``{stem}``.
        DatasetError: A file has no partner, or two files are of one image.
    """
    sr, hr = _files(sr_dir, sr_name), _files(hr_dir, hr_name)
    if sr.keys() != hr.keys():
        flat = [
            {PurePosixPath(stem).name: path for stem, path in each.items()} for each in (sr, hr)
        ]
        if flat[0].keys() == flat[1].keys() and list(map(len, flat)) == [len(sr), len(hr)]:
            sr, hr = flat
    if unpaired := sorted(sr.keys() ^ hr.keys()):
        shown = ", ".join(str(sr.get(stem) or hr[stem]) for stem in unpaired[:8])
        msg = (
            f"{len(unpaired)} files have no partner: {shown}; SR and HR are paired by name,"
            " say how with --sr-name and --hr-name"
        )
        raise DatasetError(msg)
    return {stem: (sr[stem], hr[stem]) for stem in sr}


def check_scale(given: int | None) -> None:
    """Refuse what is no upscaling factor.

    Raises:
        OptionError: `given` is less than 1.
    """
    if given is not None and given < 1:
        msg = f"--scale {given}: expected an upscaling factor of at least 1"
        raise OptionError(msg)


def _files(folder: Path, pattern: str) -> dict[str, Path]:
    """Return the images in and below `folder` by their stem, as `pattern` cuts it out of the name.

    Before the stem of an image in a subfolder stand that and a slash. However the letters and
    accents of a name are put together, it is the same.
    """
    if not folder.is_dir():
        msg = f"{folder}: expected a folder of images, got no folder"
        raise OptionError(msg)
    if pattern.count("{stem}") != 1:
        msg = f"pattern {pattern!r}: expected {{stem}} once, as in '{{stem}}_x2.png'"
        raise OptionError(msg)
    before, after = normalize("NFC", pattern).split("{stem}")
    suffix = "" if Path(pattern).suffix else r"\.\w+"  # else any
    rule = re.compile(f"{re.escape(before)}(.+){re.escape(after)}{suffix}")
    images = [
        each.path / name
        for each in Listing().below(folder)
        for name in each.files
        if is_image(name)
    ]
    by_stem: dict[str, Path] = {}
    for path in sorted(images):
        if match := rule.fullmatch(normalize("NFC", path.name)):
            inside = path.relative_to(folder).parent / match[1]
            stem = normalize("NFC", inside.as_posix())
            if by_stem.setdefault(stem, path) is not path:
                msg = f"{folder}: {both(by_stem[stem], path)} are {stem!r}"
                raise DatasetError(msg)
    if not by_stem:
        got = f"{len(images)} of other names" if images else "no image"
        msg = f"{folder}: expected images named {pattern!r}, got {got}"
        raise DatasetError(msg)
    return by_stem
