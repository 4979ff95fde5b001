"""How the time of each lint rule grows with the rows of one table.

Run: python benchmarks/lint_rules.py [--rows N ...] [--quick]

Tables that are hard in different ways, without a card: networks of one family where each is above
all larger ones; one network on a shape in each row; four precisions of networks whose numbers tell
opposite stories; rows that are all copies. Reading and each rule are timed in this process, best of
three; a rule that takes less than 10 ms for the longest table is left out. `times linear`
is the time for a row of the longest table beside that of the shortest: 1 where a rule is linear.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sr_bench import discovery
from sr_bench.data.locate import load_dataset
from sr_bench.lint.gather import Request, gather
from sr_bench.lint.subject import Subject

RULES = "sr_bench.lint.rules"
HEADER = "| Models | Flops(G) | Params(M) | PSNR(dB) | SSIM | Shape |\n|---|---|---|---|---|---|\n"


def family(rows: int) -> Iterator[str]:
    """Yield networks of which each is smaller and better than all before it."""
    for row in range(rows):
        cost = f"{2 * (rows - row):.3f} | {(rows - row) / 50:.3f}"
        yield f"net{row}_x2 | {cost} | {20 + row / 100:.3f} | 0.9000 | 3x128x128"


def shapes(rows: int) -> Iterator[str]:
    """Yield one network on shapes whose pixels its Flops don't follow."""
    for row in range(rows):
        flops, psnr = 1 + row * row % 89, 30 + row / 100
        yield f"net_x2 | {flops:.3f} | 1.000 | {psnr:.2f} | - | 3x128x{row + 1}"


def precisions(rows: int) -> Iterator[str]:
    """Yield networks whose low precisions gain PSNR and lose SSIM."""
    words = ("", " **vacc fp16**", " **vacc max int8**", " **vacc percentile int8**")
    for row in range(rows // len(words)):
        for index, word in enumerate(words):
            psnr, ssim = 20 + row / 100 + index / 10, 0.9 - index / 100
            yield f"net{row}_x2{word} | - | - | {psnr:.3f} | {ssim:.4f} | 3x128x128"


def copies(rows: int) -> Iterator[str]:
    """Yield networks that all have the same numbers."""
    return (f"net{row}_x2 | 1.000 | 1.000 | 30.1234 | 0.9123 | -" for row in range(rows))


TABLES: dict[str, Callable[[int], Iterator[str]]] = {
    "family": family,
    "shapes": shapes,
    "precisions": precisions,
    "copies": copies,
}


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes, the best of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def measure(path: Path) -> dict[str, float]:
    """Return the seconds that each part of lint takes for the document at `path`."""

    def read() -> Subject:
        return gather(Request((path,), load_dataset)).subjects[0]

    subject = read()

    def join() -> object:
        return Subject(path=subject.path, document=subject.document, tables=subject.tables).pairs

    rules = {name: discovery.load(RULES, name) for name in discovery.names(RULES)}
    return {
        "reading the document": seconds(read),
        "joining its rows": seconds(join),
        **{
            name: seconds(lambda rule=rule: list(rule.check(subject)))
            for name, rule in rules.items()
        },
    }


def print_table(name: str, counts: Sequence[int]) -> None:
    """Print what each part takes for a table of each of `counts` rows."""
    taken = []
    with TemporaryDirectory() as folder:
        for count in counts:
            path = Path(folder, "README.md")
            lines = "".join(f"| {line} |\n" for line in TABLES[name](count))
            path.write_text(HEADER + lines, encoding="utf-8")
            taken.append(measure(path))
    print(f"\n{name}: {' / '.join(map(str, counts))} rows")
    for part, last in taken[-1].items():
        if last >= 1e-2:
            first = taken[0][part]
            grown = last / counts[-1] / (first / counts[0])
            times = " / ".join(f"{1000 * each[part]:.1f}" for each in taken)
            print(f"  {part}: {times} ms, {grown:.1f} times linear", flush=True)
    print(f"  all: {' / '.join(f'{sum(each.values()):.2f}' for each in taken)} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 1000, 2000, 4000], metavar="N")
    parser.add_argument("--quick", action="store_true", help="tables of 100 and 200 rows")
    args = parser.parse_args()
    for name in TABLES:
        print_table(name, [100, 200] if args.quick else args.rows)


if __name__ == "__main__":
    main()
