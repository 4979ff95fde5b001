"""``sr-bench fetch``: download and unpack a dataset, or unpack archives that are here."""

import argparse
from pathlib import Path

from sr_bench.cli._args.output import add_json_argument, print_json, show_progress
from sr_bench.errors import OptionError

HELP = "download, verify and unpack a dataset"
EXAMPLE = "sr-bench fetch div2k_valid --from ~/Downloads/DIV2K_valid_HR.zip"

_BAR = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json_argument(parser)
    parser.add_argument("dataset", help="a slug, as sr-bench list prints it")
    parser.add_argument(
        "--from",
        dest="archives",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an archive that you have; no network is used; may be repeated",
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="where to (default: the cache)")


def run(args: argparse.Namespace) -> int:
    """Fetch the dataset and say where it is."""
    from sr_bench.data.fetch import fetch
    from sr_bench.data.locate import known_datasets, load_dataset
    from sr_bench.files.cache import cache_dir
    from sr_bench.files.validation import nearest

    folders = (Path("datasets"),)
    if args.dataset not in (known := known_datasets(folders)):
        msg = f"no dataset {args.dataset!r}; {nearest(args.dataset, known)}"
        raise OptionError(msg)
    dataset, to = load_dataset(args.dataset, folders), args.to or cache_dir() / "datasets"
    done = fetch(dataset, to=to, progress=_show, local=tuple(args.archives))
    if args.json:
        print_json({**vars(done), "root": str(done.root) if done.root else None})
        return 0
    if done.root is None:
        print(f"{dataset.slug}: nothing to fetch, its images come with an installed package")
        return 0
    for verb, names in (
        ("unpacked", done.unpacked),
        ("already here", done.present),
        ("left out, as it was not given with --from", done.left_out),
        ("no public checksum is known; its digest was recorded", done.recorded),
    ):
        print("".join(f"{name}: {verb}\n" for name in names), end="")
    print(f"{dataset.slug} is in {done.root}")
    return 0


def _show(name: str, done: int, total: int | None) -> None:
    share = f"{done / 1e6:.0f} MB"
    if total:  # a server need not say it
        filled = _BAR * done // total
        share = f"[{'=' * filled}{' ' * (_BAR - filled)}] {share} of {total / 1e6:.0f} MB"
    show_progress(f"{name} {share}", ended=total is not None and done >= total)
