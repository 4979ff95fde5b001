"""Run the command line in this process, in a folder with the tiny zoo."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from sr_bench.cli import main
from tests import update_zoo
from tests.tiny_zoo import Zoo, make_zoo


@dataclass(frozen=True)
class Done:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.out)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """Return a zoo that no test may change."""
    return make_zoo(tmp_path_factory.mktemp("cli") / "my_zoo")


@pytest.fixture
def sr_bench(
    zoo: Zoo,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """Return a function that runs ``sr-bench`` beside the zoo, with a cache of the test's own."""
    monkeypatch.chdir(zoo.root.parent)

    def run(*args: object) -> Done:
        try:
            code = main([str(arg) for arg in args])
        except SystemExit as end:  # argparse ends the process itself
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run


@pytest.fixture
def draft(sr_bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> update_zoo.Zoo:
    """Return a zoo in the working directory, for the test to edit."""
    monkeypatch.chdir(tmp_path)
    return update_zoo.make_zoo(tmp_path)
