"""Every command has help with an example and exit codes that a script can use."""

import io
import json
import shlex
import subprocess
import sys

import pytest

from sr_bench import __version__, cli, discovery
from sr_bench.errors import NotRunError, OptionError, SrBenchError
from tests.tiny_zoo import Zoo

COMMANDS = [name.replace("_", "-") for name in discovery.names("sr_bench.cli")]
HEAVY = ("numpy", "torch", "cv2", "onnx", "onnxruntime", "pandas", "PIL", "pydantic", "markdown_it")


def test_the_commands_are_those_that_are_documented() -> None:
    assert " ".join(COMMANDS) == (
        "agree approve audit-tolerance blame calibrate check clean compare cost demo doctor explain"
        " explain-number export fetch history init lint list plan quantize report schema score"
        " update vacc"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(sr_bench, command: str) -> None:
    result = sr_bench(command, "--help")
    assert (result.code, result.err) == (0, "")
    assert f"example: sr-bench {command} " in " ".join(result.out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_each_example_is_a_valid_command_line(command: str) -> None:
    module = discovery.load("sr_bench.cli", command.replace("-", "_"))
    example = module.EXAMPLE.partition(" > ")[0]
    args = cli._parser().parse_args(shlex.split(example)[1:])
    assert args.run is module.run


def test_help_lists_the_commands_and_imports_nothing_heavy() -> None:
    script = (
        "import sys, json\nfrom sr_bench.cli import main\n"
        "for args in (['--help'], *([c, '--help'] for c in sys.argv[1:])):\n"
        "    try: main(args)\n"
        "    except SystemExit as end: assert end.code == 0\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))\n"
    )
    command = [sys.executable, "-c", script, *COMMANDS]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout.splitlines()[-1]) == []
    for name in COMMANDS:
        assert f"\n    {name}" in result.stdout


def test_a_folder_without_its_option_is_answered_with_it(sr_bench) -> None:
    result = sr_bench("list", "my_zoo")
    assert result.code == 2
    assert (
        result.err
        == "sr-bench: list: no argument 'my_zoo' is known; did you mean --suites my_zoo?\n"
    )


def test_the_version_is_printed(sr_bench) -> None:
    assert sr_bench("--version").out == f"sr-bench {__version__}\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "the following arguments are required: COMMAND; see sr-bench --help"),
        ("lnit", "COMMAND 'lnit' is unknown; did you mean 'lint'?"),
        ("explian", "COMMAND 'explian' is unknown; did you mean 'explain'?"),
        ("vacc yml", "vacc: COMMAND 'yml' is unknown; did you mean 'yaml'?"),
        ("lint --fail-on=warn x", "lint: --fail-on 'warn' is unknown; did you mean 'warning'?"),
        ("cost", "cost: the following arguments are required: model; see sr-bench cost --help"),
        ("init --onx=a README.md", "init: no option '--onx' is known; did you mean '--onnx'?"),
        ("init a b", "init: no argument 'b' is known; see sr-bench init --help"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line_with_the_nearest_word(
    sr_bench, line: str, told: str
) -> None:
    result = sr_bench(*line.split())
    assert (result.code, result.out, result.err) == (2, "", f"sr-bench: {told}\n")


def test_a_word_that_is_near_to_none_lists_the_commands(sr_bench) -> None:
    told = f"COMMAND 'xyz' is unknown; the valid ones are: {', '.join(COMMANDS)}"
    assert sr_bench("xyz").err == f"sr-bench: {told}\n"


def test_the_package_is_a_command_too() -> None:
    command = [sys.executable, "-m", "sr_bench", "--version"]
    assert subprocess.check_output(command, text=True) == f"sr-bench {__version__}\n"


def test_an_old_python_is_told_which_one_is_needed() -> None:
    script = "import sys; sys.version_info = (3, 10, 1); sys.version = '3.10.1 x'; import sr_bench"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stderr == "sr-bench needs Python 3.11 or newer, this is 3.10.1\n"
    assert result.returncode == 1


def test_a_terminal_without_unicode_shows_all_else(
    sr_bench, monkeypatch: pytest.MonkeyPatch, zoo: Zoo
) -> None:
    screen = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(screen, encoding="ascii"))
    assert sr_bench("list", "--suites", zoo.root).code == 0
    sys.stdout.flush()
    assert b"psnr psnr(db) \\u5cf0" in screen.getvalue()


def test_a_path_that_can_not_be_looked_at_is_told_in_one_line(sr_bench) -> None:
    result = sr_bench("demo", "a" * 300)
    assert (result.code, result.out) == (1, "")
    assert result.err.endswith("a: the name is too long: choose a shorter one\n")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SrBenchError("a fault"), 1),
        (OptionError("a wrong option"), 2),
        (NotRunError("absent"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_the_exit_code_distinguishes_faulty_wrong_and_absent(
    sr_bench, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def run(_args: object) -> int:
        raise error

    monkeypatch.setattr(discovery.load("sr_bench.cli", "schema"), "run", run)
    result = sr_bench("schema")
    assert (result.code, result.out) == (code, "")
    assert result.err == (f"sr-bench: {error}\n" if str(error) else "")
