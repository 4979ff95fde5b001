"""Every command has help with an example and exit codes that a script can use."""

import json
import shlex
import subprocess
import sys

import pytest

from sr_bench import __version__, cli, discovery
from sr_bench.errors import NotRunError, OptionError, SrBenchError

COMMANDS = [name.replace("_", "-") for name in discovery.names("sr_bench.cli")]
HEAVY = ("numpy", "torch", "cv2", "onnx", "onnxruntime", "pandas", "PIL", "pydantic", "markdown_it")


def test_the_commands_are_those_that_are_documented() -> None:
    assert " ".join(COMMANDS) == (
        "agree approve audit-tolerance blame calibrate check compare cost doctor explain"
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


def test_the_version_is_printed(sr_bench) -> None:
    assert sr_bench("--version").out == f"sr-bench {__version__}\n"


@pytest.mark.parametrize("args", [[], ["dance"], ["cost"], ["cost", "m", "--no-such-option"]])
def test_a_wrong_command_line_ends_in_2(sr_bench, args: list[str]) -> None:
    result = sr_bench(*args)
    assert result.code == 2
    assert "usage: sr-bench" in result.err


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
