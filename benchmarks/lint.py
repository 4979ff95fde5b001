"""What ``sr-bench lint`` takes for 100 README files, beside parsing them alone.

Run: python benchmarks/lint.py [--documents N] [--rows N] [--repeats N]

The files are made up: a zoo's page each, with prose, code and one table of `rows` models in four
precisions. The command runs as users run it, in a process of its own; markdown-it parses the same
files in a process of its own too. The two take turns, and the median of the ratios is printed.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from common import print_ratios

PARSE = """
import sys
from pathlib import Path
from markdown_it import MarkdownIt
parser = MarkdownIt("commonmark").enable("table")
for name in sys.argv[1:]:
    parser.parse(Path(name).read_text(encoding="utf-8"))
"""
LINT = "import sys; from sr_bench.cli import main; sys.exit(main())"
SUITES = str(Path(__file__).resolve().parent.parent / "suites")
PROSE = "A network of residual blocks that enlarges photographs. " * 12
CODE = "```python\nimport torch\nmodel = build('net')\n" + "x = model(x)\n" * 20 + "```\n"
HEADER = (
    "| Models | Source | Flops(G) | Params(M) | PSNR(dB) | SSIM | Shape |\n"
    "| :---: | :---: | ---: | ---: | ---: | ---: | :---: |\n"
)
PRECISIONS = ("vacc fp16", "vacc max int8", "vacc percentile int8")


def make_page(number: int, rows: int) -> str:
    """Return a page whose numbers are all different, and none of which is suspicious."""
    lines = [f"# Zoo {number}\n\n{PROSE}\n\n{CODE}\n## Model info\n\n{HEADER}"]
    for row in range(rows):
        name = f"net{number}_{row}_x2"
        cost = 10 * row + number / 100 + 1
        psnr, ssim = 30 + row / 10 + number / 1000, 0.9 + row / 1000
        link = f"[{name}](https://example.org/{name})"
        lines.append(
            f"| {link} | [Official](https://example.org) | {cost:.3f} | {cost / 50:.3f}"
            f" | {psnr:.3f} | {ssim:.4f} | 3x128x128 |\n"
        )
        for index, precision in enumerate(PRECISIONS, 1):
            lost = f"{psnr - 0.03 * index:.3f} | {ssim - 0.0007 * index:.4f}"
            lines.append(f"| {name} **{precision}** | - | - | - | {lost} | 3x128x128 |\n")
    return "".join([*lines, "\n## Tips\n\n", f"- {PROSE}\n" * 5])


def seconds(command: Sequence[str]) -> float:
    """Return the seconds that the command takes; it must end in 0."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--documents", type=int, default=100, help="(default: %(default)s)")
    parser.add_argument("--rows", type=int, default=8, help="models of each (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default: %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number in range(args.documents):
            path = Path(folder, f"zoo{number}", "README.md")
            path.parent.mkdir()
            path.write_text(make_page(number, args.rows), encoding="utf-8")
            names.append(str(path))
        rounds = [
            (
                seconds([sys.executable, "-c", LINT, "lint", "--suites", SUITES, *names]),
                seconds([sys.executable, "-c", PARSE, *names]),
            )
            for _ in range(args.repeats)
        ]
    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"{args.documents} documents of {4 * args.rows} rows, medians of {args.repeats} rounds")
    print(f"sr-bench lint {ours:.2f} s, parsing alone {theirs:.2f} s")
    print_ratios("lint / parsing", [a / b for a, b in rounds])


if __name__ == "__main__":
    main()
