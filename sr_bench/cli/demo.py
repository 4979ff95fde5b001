"""``sr-bench demo``: write a small zoo to try sessions on, one of whose numbers is wrong."""

import argparse
from pathlib import Path
from shlex import quote

from sr_bench.errors import OptionError

HELP = "write a small zoo to try: a README, its card and two networks; one number is wrong"
EXAMPLE = "sr-bench demo my_demo"

MODELS = ("pocket_edsr_x2", "pocket_lesrcnn_x2")

_README = """\
# Demo

Two small networks that enlarge images twice, scored on the 12 photographs that come with sr-bench.

| Model | Flops(G) | Params(M) | PSNR(dB) | SSIM | Shape |
| :--- | ---: | ---: | ---: | ---: | :---: |
| pocket_edsr_x2 | 2.995 | 0.0899 | 32.846 | 0.9227 | 3x128x128 |
| pocket_lesrcnn_x2 | 2.555 | 0.0399 | 32.846 | 0.9198 | 3x128x128 |

One number is wrong on purpose: the PSNR of pocket_lesrcnn_x2 is that of the row above, copied.
`pytest` names its line and what it should be. Then mend it by hand, or by
`sr-bench update --reason "it was copied"`, and run `pytest` again.
"""

_CARD = """\
# How the numbers of README.md were made: a [[model]] for each row of its table.
schema = 1

[[model]]
name = "edsr"
row = "pocket_edsr_x2"       # the label in the table
scale = 2
onnx = "pocket_edsr_x2.onnx"
value_range = 255.0          # white, as this network takes it; the default is 1.0
cost = { rule = "standard", shape = "3x128x128" }  # Flops are 2 x MAC of one such image

[[model.evaluation]]
dataset = "photos"           # comes with sr-bench; `sr-bench list` shows others
protocol = "native_rgb"      # RGB, rounded to 8 bits, no border cut

[[model]]
name = "lesrcnn"
row = "pocket_lesrcnn_x2"
scale = 2
onnx = "pocket_lesrcnn_x2.onnx"
cost = { rule = "standard", shape = "3x128x128" }

[[model.evaluation]]
dataset = "photos"
protocol = "native_rgb"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("demo"),
        metavar="FOLDER",
        help="one to make (default: demo)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the zoo, and print what to do with it."""
    from sr_bench.files.disk import disk_error
    from sr_bench.files.temporary import temporary_folder

    folder: Path = args.folder
    if folder.exists():
        msg = f"{folder} is there already, and demo overwrites nothing; name another folder"
        raise OptionError(msg)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder.absolute().parent) as temp:
            made = _write(Path(temp, folder.name))
            made.replace(folder)
    except OSError as error:
        raise disk_error(error, folder, "write") from error
    names = ", ".join(sorted(path.name for path in folder.iterdir()))
    print(f"{folder}: {names}\n")
    print(f"pytest {quote(str(folder))}  # measures its 8 numbers; one is wrong on purpose")
    print("sr-bench init README.md  # next, with a README of yours: drafts its card.toml")
    return 0


def _write(folder: Path) -> Path:
    folder.mkdir()
    (folder / "README.md").write_text(_README, encoding="utf-8")
    (folder / "card.toml").write_text(_CARD, encoding="utf-8")
    for name in MODELS:
        _export(name, folder / f"{name}.onnx")
    return folder


def _export(name: str, path: Path) -> None:
    """Write the network `name` of the pocket suite to `path`, an ONNX file."""
    import sr_bench
    from sr_bench.cards.load import load_card
    from sr_bench.engine.prepare.weights import weights_path
    from sr_bench.export.to_onnx import export_onnx
    from sr_bench.zoo.checkpoints.load import load_network

    package = Path(sr_bench.__file__).parent
    # A wheel carries the suite inside the package; a checkout has it beside it.
    places = (package / "_pocket", package.parent / "suites" / "pocket")
    suite = next(place for place in places if place.is_dir())
    (card,) = (model for model in load_card(suite / "card.toml").models if model.name == name)
    module, _ = load_network(card, weights_path(card, None))
    export_onnx(module, path)
