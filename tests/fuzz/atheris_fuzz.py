"""Let coverage steer the fuzzing of a parser, where atheris is installed.

Run as ``python tests/fuzz/atheris_fuzz.py PARSER [-runs=N] [-max_total_time=SECONDS]``; what stands
after the parser is libFuzzer's. An input that raises anything but our errors ends the run, and is
left beside you as ``crash-<digest>``; one that hangs as ``timeout-<digest>``: code that reports its
coverage is many times slower than it is otherwise.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["sr_bench", "markdown_it", "tomllib", "json"]):
    from sr_bench.errors import SrBenchError
    from tests.fuzz import test_cards, test_document, test_history, test_manifest, test_ranges
    from tests.fuzz.bytes_inputs import fresh
    from tests.fuzz.inputs import json_file, toml_file

Parser = Callable[[Path, bytes], None]


def document(folder: Path, data: bytes) -> None:
    test_document._use(test_document.read_document(fresh(folder, "README.md", data)))


def label(folder: Path, data: bytes) -> None:
    test_document.read_label(data.decode(errors="replace"), where="x.md:1:1")


def card(folder: Path, data: bytes) -> None:
    test_cards._load(fresh(folder, "card.toml", data))


def manifest(folder: Path, data: bytes) -> None:
    fresh(folder, "dataset.toml", data)
    test_manifest._load(folder)


def run(folder: Path, data: bytes) -> None:
    test_history._read_run(fresh(folder, "latest.json", data))


def history(folder: Path, data: bytes) -> None:
    (folder / test_history.HISTORY).mkdir(exist_ok=True)
    fresh(folder / test_history.HISTORY, test_history.INDEX, data)
    test_history._read_history(folder)


def ledger(folder: Path, data: bytes) -> None:
    test_history.read_ledger(fresh(folder, "ledger.jsonl", data))


def ranges(folder: Path, data: bytes) -> None:
    test_ranges._load(fresh(folder, "ranges.json", data))


PARSERS: dict[str, Parser] = {
    kind.__name__: kind for kind in (document, label, card, manifest, run, history, ledger, ranges)
}


def seeds() -> Mapping[str, tuple[bytes, ...]]:
    """Return valid files to begin with, by parser."""
    ledger_line = {"schema_version": 2, **asdict(test_history._LINE)}
    return {
        "document": test_document.SHIPPED,
        "label": tuple(text.encode() for text in test_document._LABELS),
        "card": (*test_cards.SHIPPED, toml_file(test_cards._CARD)),
        "manifest": (*test_manifest.SHIPPED, toml_file(test_manifest._CROPS)),
        "run": (test_history.files_of_a_run()[".json"],),
        "history": (test_history.files_of_a_run()[test_history.INDEX],),
        "ledger": (json_file(ledger_line) + b"\n",),
        "ranges": (json_file(test_ranges._RANGES),),
    }


def main(name: str, options: list[str]) -> None:
    parser = PARSERS[name]
    with TemporaryDirectory() as folder:
        corpus, place = Path(folder) / "corpus", Path(folder) / "place"
        corpus.mkdir()
        place.mkdir()
        for number, data in enumerate(seeds()[name]):
            fresh(corpus, f"{number}", data)

        def once(data: bytes) -> None:
            with suppress(SrBenchError):
                parser(place, data)

        atheris.Setup([sys.argv[0], "-timeout=20", *options, str(corpus)], once)
        atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in PARSERS:
        sys.exit(f"usage: atheris_fuzz.py PARSER [-runs=N]; the parsers are: {', '.join(PARSERS)}")
    main(sys.argv[1], sys.argv[2:])
