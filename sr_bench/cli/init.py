"""``sr-bench init``: draft a card.toml for a document that exists."""

import argparse
from pathlib import Path
from shlex import quote

from sr_bench.cards import CARD
from sr_bench.errors import DocumentError, OptionError, SrBenchError
from sr_bench.text.printable import counted, printable

HELP = "draft a card.toml for a README and what lies beside it; overwrites nothing"
EXAMPLE = "sr-bench init ~/zoo/fastsr --onnx fastsr_x2=fastsr_x2.onnx"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="a document (README.md, .rst, .html, .yaml), or a folder with a README.md",
    )
    parser.add_argument(
        "--onnx",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="the network of a model or row; FILE alone if there is one model; may be repeated"
        " (default: NAME.onnx beside the document, or the only ONNX file there of the only model)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help=f"folder to write {CARD} to, or its own path (default: beside the document)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the draft, and print what is left to decide."""
    from sr_bench.core.card import suite_manifest_folders
    from sr_bench.data.locate import known_datasets
    from sr_bench.draft.draft import Request, draft
    from sr_bench.files.atomic import write_text

    document = _document(args.path)
    path = args.out or document.with_name(CARD)
    path = path / CARD if path.is_dir() else path
    if path.name != CARD:
        msg = f"--out {path}: expected a folder that exists, or a {CARD}: sessions find no other"
        raise OptionError(msg)
    if path.exists():
        msg = f"{path}: a card is there already, and init overwrites none; --out PATH takes another"
        raise OptionError(msg)
    onnx = tuple(_onnx(given, document.parent) for given in args.onnx)
    known = known_datasets(suite_manifest_folders(path.resolve().parent))
    card = draft(Request(document, path, onnx, known))
    write_text(path, card.text())
    print(printable(f"{path}: {counted(len(card.models), 'model')} of {document}"))
    if card.doubts:
        print(f"\n{counted(len(card.doubts), 'thing')} to decide, as the top of the card lists:")
        print(printable("\n".join(f"- {doubt}" for doubt in card.doubts)))
    return _check(path)


def _document(path: Path) -> Path:
    """Return the document that `path` names: itself, or a folder's README."""
    if not path.exists():
        msg = f"{path}: expected a document or a folder with a README.md, got nothing there"
        raise OptionError(msg)
    if not path.is_dir():
        return path
    readmes = {each.name.casefold(): each for each in sorted(path.iterdir())}
    for name in ("readme.md", "readme.rst", "readme.html"):
        if name in readmes:
            return readmes[name]
    msg = f"{path}: expected a README.md in this folder, got none; name the document itself"
    raise OptionError(msg)


def _onnx(given: str, folder: Path) -> tuple[str, Path]:
    """Return the name and the file of an ``--onnx``: from here, or else beside the document."""
    name, _, file = given.rpartition("=")
    for path in (Path(file), folder / file):
        if path.is_file():
            return name, path
    msg = f"--onnx {given}: expected NAME=FILE with a file that exists, got none at {file!r}"
    raise OptionError(msg)


def _check(path: Path) -> int:
    """Return 1, and say why, if the draft can't be collected as it is."""
    from sr_bench.engine.plan.suite import load_suite, refuse_unread

    try:
        suite = load_suite(path)
        refuse_unread(suite)
    except SrBenchError as fault:
        is_listed = isinstance(fault, DocumentError)  # at the top of the card, number by number
        said = str(fault).partition("\n")[0] if is_listed else str(fault)
        print(printable(f"\nNo session takes it yet: {said}"))
        return 1
    numbers = sum(len(claims) for _, claims in suite.claims)
    print(f"\nA session has {counted(numbers, 'number')} to test: pytest {quote(str(path))}")
    return 0
