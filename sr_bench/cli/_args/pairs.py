"""Pair the images of two folders by name."""

import argparse
import re
from pathlib import Path

from sr_bench.errors import DatasetError, OptionError

_IMAGES = {".png", ".jpg", ".jpeg", ".bmp"}


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

    Raises:
        OptionError: A folder is absent, or a pattern has no ``{stem}``.
        DatasetError: A file has no partner, or two files are of one image.
    """
    sr, hr = _files(sr_dir, sr_name), _files(hr_dir, hr_name)
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
    """Return the images of `folder` by their stem, as `pattern` cuts it out of the name."""
    if not folder.is_dir():
        msg = f"{folder}: expected a folder of images, got no folder"
        raise OptionError(msg)
    if pattern.count("{stem}") != 1:
        msg = f"pattern {pattern!r}: expected {{stem}} once, as in '{{stem}}_x2.png'"
        raise OptionError(msg)
    before, after = pattern.split("{stem}")
    suffix = "" if Path(pattern).suffix else r"\.\w+"  # else any
    rule = re.compile(f"{re.escape(before)}(.+){re.escape(after)}{suffix}")
    # Names that start with a dot are left by file managers.
    files = sorted(
        path for path in folder.iterdir() if path.suffix.lower() in _IMAGES and path.name[0] != "."
    )
    by_stem: dict[str, Path] = {}
    for path in files:
        match = rule.fullmatch(path.name)
        if match and by_stem.setdefault(match[1], path) is not path:
            msg = f"{folder}: both {by_stem[match[1]].name} and {path.name} are {match[1]!r}"
            raise DatasetError(msg)
    if not by_stem:
        msg = f"{folder}: expected images named {pattern!r}, got {len(files)} of other names"
        raise DatasetError(msg)
    return by_stem
