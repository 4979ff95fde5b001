"""A long item shows that it is alive, past pytest's capturing."""

from types import SimpleNamespace

import pytest

from sr_bench.plugin import progress
from sr_bench.plugin.progress import ProgressLine


class Terminal:
    """What pytest's reporter offers, on a screen or into a file."""

    def __init__(self, *, isatty: bool) -> None:
        self.isatty = isatty
        self.text = ""
        self.currentfspath: str | None = "card.toml"

    def write(self, text: str, *, flush: bool) -> None:
        self.text += text


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now.seconds)
    return now


def line(terminal: Terminal) -> ProgressLine:
    plugins = {"terminalreporter": terminal, "capturemanager": None}
    manager = SimpleNamespace(getplugin=plugins.get)
    return ProgressLine(SimpleNamespace(pluginmanager=manager), "edsr_x2-fp32")


def test_a_screen_line_rewrites_itself_and_is_wiped(clock):
    terminal = Terminal(isatty=True)
    with line(terminal) as progress_line:
        clock.seconds = 4.0
        progress_line.update(2, 6, "0802")
    assert terminal.text.startswith("\r  edsr_x2-fp32: 2/6 0802, about 8 s left")
    assert terminal.text.endswith("\r")
    assert terminal.currentfspath is None


def test_a_log_gets_a_line_only_now_and_then(clock):
    terminal = Terminal(isatty=False)
    with line(terminal) as progress_line:
        for second in range(1, 65):
            clock.seconds = float(second)
            progress_line.update(second, 100, "image")
    assert [text.split(":")[1].split()[0] for text in terminal.text.split("\n\n")] == [
        "30/100",
        "60/100",
    ]


def test_a_short_item_shows_nothing(clock):
    terminal = Terminal(isatty=True)
    with line(terminal) as progress_line:
        clock.seconds = 0.9
        progress_line.update(1, 2, "a")
    assert terminal.text == ""
