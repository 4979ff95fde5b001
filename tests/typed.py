"""Run what a user types in this process, in the working directory: seconds less for each line."""

import runpy
import shlex
import subprocess
import sys

import pytest

from sr_bench.cli import main


def run_line(line: str, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> str:
    """Run `line` and return what the terminal shows; pytester would forget what it imports."""
    program, *args = shlex.split(line, comments=True)
    if program == "pytest":
        with patch.context() as inner:
            for name in ("path", "meta_path"):
                inner.setattr(sys, name, [*getattr(sys, name)])
            assert pytest.main(args) < 2
    elif program == "sr-bench":
        assert main(args) < 2, capsys.readouterr().err
    elif program == "python":
        runpy.run_path(args[0], run_name="__main__")
    else:
        print(subprocess.check_output([program, *args], text=True), end="")
    return "".join(capsys.readouterr())
