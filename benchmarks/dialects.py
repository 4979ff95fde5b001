"""How long a document of 1 MB with 200 tables takes to read, and a card of 12,000 models to bind.

Run: python benchmarks/dialects.py [--megabytes N] [--tables N] [--rows N] [--quick]

What the tables leave of the size is prose. Each document is read in a process of its own, its
claims too; the process says which CPU time that took and how much memory it came to hold at most.
Half the size and the size are read, as the time should be linear in it. Then a table of as many
rows as a card has models is bound to it.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

READ = """
import resource, sys, time
from pathlib import Path
from sr_bench.document.claims import read
from sr_bench.document.tables import read_document
start = time.process_time()
document = read_document(Path(sys.argv[1]))
between = time.process_time()
reading = read(document)
end = time.process_time()
mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{end - start:.2f} s, of which the tables {between - start:.2f} s,"
      f" {mebibytes:.0f} MiB, {len(document.grids)} tables,"
      f" {len(reading.printed)} numbers")
"""
BIND = """
import sys, time
from pathlib import Path
from sr_bench.cards.load import load_card
from sr_bench.engine.plan.suite import load_suite
start = time.process_time()
load_card(Path(sys.argv[1]))
between = time.process_time()
suite = load_suite(Path(sys.argv[1]))
end = time.process_time()
print(f"{end - between:.2f} s, of which the card {between - start:.2f} s")
"""
DATASETS = ("Set5", "Set14", "B100", "Urban100", "Manga109", "DIV2K100")
HEADER = ("Models", "Source", "Flops(G)", "Params(M)", "PSNR(dB)", "SSIM", "Shape")
PROSE = "A network of residual blocks that enlarges photographs.\n"
Row = Sequence[str]


def rows(table: int, count: int) -> list[Row]:
    """Return the header and `count` rows whose numbers are all different."""
    made: list[Row] = [HEADER]
    for n in range(count):
        psnr = f"{30 + n / 7 + table / 1000:.3f}"
        made.append((f"net{table}_{n}", "[a](b)", f"{n}.{table}", "1.37", psnr, "0.9123", "3x8x8"))
    return made


def markdown(table: Sequence[Row]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in table]
    return "\n".join([lines[0], "|---" * len(HEADER) + "|", *lines[1:]])


def labelled(table: Sequence[Row]) -> str:
    """Write each row in three precisions, as the zoo of this project does."""
    words = ("", " **vacc fp16**", " **vacc percentile int8**")
    body = [(row[0] + word, *row[1:]) for row in table[1:] for word in words]
    return markdown([table[0], *body])


def dense(table: Sequence[Row]) -> str:
    """Write 18 numbers in each row: a PSNR, an SSIM and both in one cell by dataset."""
    kinds = ("PSNR", "SSIM", "(PSNR/SSIM) x2")
    header = [f"{dataset} {kind}" for dataset in DATASETS for kind in kinds]
    body = [
        (row[0], *((row[4], row[5], f"{row[4]}/{row[5]}") * len(DATASETS))) for row in table[1:]
    ]
    lines = [f"| {' | '.join(row)} |" for row in (("Model", *header), *body)]
    return "\n".join([lines[0], "|---" * (len(header) + 1) + "|", *lines[1:]])


def html(table: Sequence[Row]) -> str:
    return "\n".join(["<table>", *(f"<tr><td>{'</td><td>'.join(r)}</td></tr>" for r in table)])


def rst(table: Sequence[Row]) -> str:
    rule = "+" + ("-" * 14 + "+") * len(HEADER)
    lines = [f"|{'|'.join(f' {cell:<13}' for cell in row)}|\n{rule}" for row in table]
    return "\n".join([rule, lines[0].replace("-", "="), *lines[1:]])


def yaml(table: Sequence[Row]) -> str:
    items = (
        f"- model: {name}\n  dataset: Set5\n  flops: {flops}\n  psnr: {psnr}\n  ssim: {ssim}"
        for name, _, flops, _, psnr, ssim, _ in table[1:]
    )
    return "\n".join([f"{table[1][0]}:", *items])


DIALECTS: dict[str, tuple[str, Callable[[Sequence[Row]], str], str]] = {
    "markdown": ("README.md", markdown, "\n\n## Results\n\n{}\n"),
    "labelled": ("README.md", labelled, "\n\n## Results\n\n{}\n"),
    "dense": ("README.md", dense, "\n\n## Results\n\n{}\n"),
    "html": ("README.md", html, "\n</table>\n\n## Results\n\n{}\n"),
    "rst": ("README.rst", rst, "\n\nResults\n-------\n\n{}\n"),
    "yaml": ("results.yaml", yaml, "\n"),
}
"""By name: the file, how a table is written, and what stands behind one."""


def document(dialect: str, size: int, tables: int, count: int) -> str:
    """Return a document of about `size` characters with `tables` tables of `count` rows."""
    _, table, behind = DIALECTS[dialect]
    made = [table(rows(number, count)) for number in range(tables)]
    left = size - sum(map(len, made))
    return "".join(one + behind.format(PROSE * (left // tables // len(PROSE))) for one in made)


def card(folder: Path, models: int) -> Path:
    """Write a card of `models` models, and a document with a row for each; return the card."""
    lines = [f"| net{n} | 1.0 | 2.{n} |\n" for n in range(models)]
    header = "| Models | Flops(G) | Params(M) |\n|---|---|---|\n"
    (folder / "README.md").write_text(header + "".join(lines), encoding="utf-8")
    named = (f'[[model]]\nname = "net{n}"\nrow = "net{n}"\nscale = 2\n' for n in range(models))
    path = folder / "card.toml"
    path.write_text("schema = 1\n" + "".join(named), encoding="utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=1.0, help="(default: %(default)s)")
    parser.add_argument("--tables", type=int, default=200, help="(default: %(default)s)")
    parser.add_argument("--rows", type=int, default=20, help="of each (default: %(default)s)")
    parser.add_argument("--models", type=int, default=12_000, help="(default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    args = parser.parse_args()
    share = 10 if args.quick else 1
    with tempfile.TemporaryDirectory() as folder:
        for dialect, (name, _, _) in DIALECTS.items():
            for tables in (args.tables // share // 2, args.tables // share):
                path = Path(folder, name)
                size = round(args.megabytes * 1e6 * tables / args.tables)
                path.write_text(document(dialect, size, tables, args.rows), encoding="utf-8")
                said = subprocess.check_output([sys.executable, "-c", READ, str(path)], text=True)
                print(f"{dialect}, {path.stat().st_size / 1e6:.2f} MB: {said}", end="", flush=True)
        for models in (args.models // share // 4, args.models // share):
            path = card(Path(folder), models)
            said = subprocess.check_output([sys.executable, "-c", BIND, str(path)], text=True)
            print(f"a card of {models} models: {said}", end="", flush=True)


if __name__ == "__main__":
    main()
