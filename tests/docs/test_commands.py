"""What pages and the README tell to type, and is not run, can be typed: commands, options, keys."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate import code
from sr_bench import cli, discovery

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^ *```(?:sh)?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_TYPED = re.compile(r"^ *(?:\$ )?(sr-bench [a-z].*)$", re.MULTILINE)
_OF_THE_SHELL = re.compile(r" (?:\|\||[>|#;]).*")
_NAMED = re.compile(r"`sr-bench ([a-z][a-z-]+)")
_OPTION = re.compile(r"(?<![\w-])--sr-[a-z][a-z-]*")


def commands(text: str) -> Iterator[str]:
    """Yield each `sr-bench` command of a page's blocks, without what the shell does with it."""
    for block in _FENCE.findall(text):
        for line in _TYPED.findall(block.replace("\\\n", " ")):
            yield _OF_THE_SHELL.sub("", line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_tells_to_type_can_be_typed(page: Path):
    text = page.read_text("utf-8")
    for line in commands(text):
        assert cli._parser().parse_args(shlex.split(line)[1:]), line
    there = {name.replace("_", "-") for name in discovery.names("sr_bench.cli")}
    assert set(_NAMED.findall(text)) <= there
    assert set(re.findall(r"-o (sr_\w+)", text)) <= set(re.findall(r"sr_\w+", code.ini_keys()))
    # One command has an option of its own that begins like those of pytest.
    assert set(_OPTION.findall(text)) <= {"--sr-name", *_OPTION.findall(code.flags())}
