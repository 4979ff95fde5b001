"""The tutorials, followed word for word from an empty folder: each shows what is really printed.

`pytest tests/docs/test_tutorials.py --refresh-transcripts` writes what is printed now into them.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.typed import run_line

pytestmark = pytest.mark.slow

TUTORIALS = sorted((Path(__file__).parents[2] / "docs" / "tutorials").glob("*.md"))

_STEP = re.compile(r"(?:^`([\w./]+)`\n\n)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""A fence, with the path above it if it is a file to write: sh to type, text that is printed."""

_OF_THE_MACHINE = re.compile(r"^(platform|benchmark:|rootdir:|plugins:) .*\n", re.MULTILINE)
_SECONDS = re.compile(r"(=+ )?(\d+ \w+.* in )[\d.]+s( =+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"[-+]?\d+\.\d+")
_CLOSE = 0.002
"""Of another processor, the last digit may differ."""


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_shows_what_its_reader_sees(
    page: Path,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pytestconfig: pytest.Config,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def typed(line: str) -> str:
        if line.startswith("pip install"):  # which the tests have behind them
            return ""
        shown = _OF_THE_MACHINE.sub("", run_line(line, capsys, monkeypatch))
        return shown.replace(str(tmp_path), "~/zoo")

    written = page.read_text(encoding="utf-8")
    seen = follow(written, typed)
    if pytestconfig.getoption("refresh_transcripts"):
        page.write_text(seen, encoding="utf-8")
        return
    (words, numbers), (others, shown) = _parted(seen), _parted(written)
    assert words == others, "see --refresh-transcripts"
    assert numbers == pytest.approx(shown, abs=_CLOSE)


def follow(page: str, typed: Callable[[str], str]) -> str:
    """Do each step of `page`, and return it with what each prints in place of what it shows."""
    printed: list[str] = []

    def step(match: re.Match[str]) -> str:
        path, language, text = match.groups()
        if path:
            Path(path).parent.mkdir(exist_ok=True)
            Path(path).write_text(text, encoding="utf-8")
        elif language == "sh":
            printed[:] = [typed(line) for line in text.splitlines()]
        elif language == "text":
            return f"```text\n{''.join(printed).strip()}\n```"
        return match[0]

    return _STEP.sub(step, page)


def _parted(text: str) -> tuple[str, list[float]]:
    """Return `text` without numbers, dates and the length of its lines, and the numbers."""
    plain = _DATE.sub("today", _SECONDS.sub(r"\2s", text))
    words = re.sub(r" +|-{3,}|={3,}|_{3,}", " ", _NUMBER.sub("#", plain))
    return words, [float(number) for number in _NUMBER.findall(plain)]
