"""A long item shows that it is alive, past pytest's capturing and beside its lines."""

from types import SimpleNamespace

import pytest

from sr_bench.plugin import progress
from sr_bench.plugin.progress import CHANNEL, Progress, ProgressLine, cut

LINE = "my_zoo/tiny/card.toml .."


class Writer:
    """What pytest writes with: a screen whose text lies in rows, or a file."""

    def __init__(self, *, columns: int = 60) -> None:
        self.fullwidth = columns
        self.raw = ""
        self.counted = LINE

    @property
    def width_of_current_line(self) -> int:
        return len(self.counted.rpartition("\n")[2])

    def write(self, text: str, *, flush: bool) -> None:
        self.counted += text

    def write_raw(self, text: str, *, flush: bool = False) -> None:
        self.raw += text

    def rows(self) -> list[str]:
        """Return what a terminal shows in the end; the cursor must be where it was."""
        rows, row, column, text = [list(LINE)], 0, len(LINE), self.raw
        while text:
            command = next((prefix for prefix in COMMANDS if text.startswith(prefix)), "")
            text = text.removeprefix(command)
            if command == "\n":
                row += 1
                rows += [[]] * (row == len(rows))
            elif command == "\r":
                column = 0
            elif command == "\x1b[A":
                row -= 1
            elif command == "\x1b[K":
                del rows[row][column:]
            elif command == "\x1b[J":
                del rows[row][column:], rows[row + 1 :]
            elif command == "\x1b[":
                steps, _, text = text.partition("C")
                column += int(steps)
            else:
                rows[row][column : column + 1] = [text[0]]
                column, text = column + 1, text[1:]
        assert (row, column) == (0, len(LINE))
        return ["".join(row) for row in rows]


COMMANDS = ("\n", "\r", "\x1b[A", "\x1b[K", "\x1b[J", "\x1b[")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.delenv("TERM", raising=False)
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now.seconds)
    return now


def session(writer: Writer, *, isatty: bool = True, **plugins: object) -> SimpleNamespace:
    """Return the config of a session that writes with `writer`."""
    known = {"terminalreporter": SimpleNamespace(isatty=isatty), **plugins}
    manager = SimpleNamespace(getplugin=known.get)
    return SimpleNamespace(pluginmanager=manager, get_terminal_writer=lambda: writer)


def test_a_screen_shows_a_line_below_that_rewrites_itself_and_is_wiped(clock):
    writer = Writer()
    with ProgressLine(session(writer), "edsr_x2-fp32") as line:
        clock.seconds = 4.0
        line.update(2, 6, "0802")
        assert writer.rows() == [LINE, "  edsr_x2-fp32: 2/6 0802, about 8 s left"]
        clock.seconds = 5.0
        line.update(5, 6, "5")
        assert writer.rows() == [LINE, "  edsr_x2-fp32: 5/6 5, about 1 s left"]
    assert writer.rows() == [LINE]
    assert writer.counted == LINE


def test_it_is_cut_to_the_width_of_the_screen(clock):
    writer = Writer(columns=30)
    with ProgressLine(session(writer), "edsr_x2-fp32") as line:
        clock.seconds = 4.0
        line.update(2, 6, "0802")
        assert writer.rows()[1] == "  edsr_x2-fp32: 2/6 0802, ..."


@pytest.mark.parametrize("columns", [len(LINE), len(LINE) // 2])
def test_a_full_row_is_left_alone_as_the_cursor_may_be_in_the_next(clock, columns: int):
    writer = Writer(columns=columns)
    with ProgressLine(session(writer), "edsr_x2-fp32") as line:
        clock.seconds = 4.0
        line.update(2, 6, "0802")
    assert writer.raw == ""


def test_on_a_wrapped_line_the_cursor_returns_to_its_column(clock):
    writer = Writer(columns=20)
    with ProgressLine(session(writer), "edsr_x2-fp32") as line:
        clock.seconds = 4.0
        line.update(2, 6, "0802")
    assert f"\x1b[{len(LINE) - 20}C" in writer.raw


def test_a_log_gets_a_line_only_now_and_then(clock):
    writer = Writer()
    with ProgressLine(session(writer, isatty=False), "edsr_x2-fp32") as line:
        for second in range(1, 65):
            clock.seconds = float(second)
            line.update(second, 100, "a")
    assert writer.counted.splitlines() == [
        LINE,
        "  edsr_x2-fp32: 30/100 a, about 70 s left",
        "  edsr_x2-fp32: 60/100 a, about 40 s left",
    ]
    assert writer.raw == ""


def test_a_terminal_that_can_only_add_lines_is_a_log(clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "dumb")
    writer = Writer()
    with ProgressLine(session(writer), "edsr_x2-fp32") as line:
        clock.seconds = 40.0
        line.update(1, 2, "a")
    assert "\x1b" not in writer.raw + writer.counted
    assert writer.counted.count("1/2") == 1


def test_a_screen_is_written_to_a_few_times_a_second(clock):
    writer = Writer()
    with ProgressLine(session(writer), "edsr_x2-fp32") as line:
        for hundredth in range(100, 200):
            clock.seconds = hundredth / 100
            line.update(hundredth, 200, "a")
    assert writer.raw.count("edsr_x2") == 5


def test_a_short_item_shows_nothing(clock):
    writer = Writer()
    with ProgressLine(session(writer), "edsr_x2-fp32") as line:
        clock.seconds = 0.9
        line.update(1, 2, "a")
    assert writer.raw == ""


def test_names_cannot_steer_the_terminal(clock):
    writer = Writer()
    with ProgressLine(session(writer), "a\x1b[2Jb") as line:
        clock.seconds = 4.0
        line.update(2, 6, "c\nd")
        assert writer.rows()[1] == r"  a\x1b[2Jb: 2/6 c\nd, about 8 s left"


def test_without_a_terminal_nothing_is_written(clock):
    writer = Writer()
    with ProgressLine(session(writer, terminalreporter=None), "edsr_x2-fp32") as line:
        clock.seconds = 4.0
        line.update(2, 6, "0802")
    assert (writer.raw, writer.counted) == ("", LINE)


def test_a_process_without_a_terminal_sends_it_where_there_is_one(clock):
    sent: list[Progress] = []
    channel = SimpleNamespace(every_s=2.0, send=sent.append)
    config = session(Writer(), terminalreporter=None, **{CHANNEL: channel})
    with ProgressLine(config, "edsr_x2-fp32") as line:
        for second in (1.5, 2.5, 4.0):
            clock.seconds = second
            line.update(1, 3, "a")
    assert sent == [Progress("edsr_x2-fp32", 1, 3, 5.0, "a")]


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [("abc", 3, "abc"), ("abcd", 3, "..."), ("超a解", 5, "超a解"), ("超a解", 4, "..."),
     ("超a解像", 6, "超a..."), ("abcd", -1, "...")],
)  # fmt: skip
def test_wide_characters_take_two_columns(text: str, columns: int, shown: str):
    assert cut(text, columns) == shown
