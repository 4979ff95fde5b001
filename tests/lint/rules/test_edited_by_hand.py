"""SRB113: numbers that somebody edited after an update had written what was measured."""

from pathlib import Path

import pytest

from sr_bench.lint.finding import Finding
from sr_bench.lint.run import lint
from tests.lint.pages import of, request
from tests.update_zoo import A8, A, Zoo, make_zoo, update


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Zoo:
    """Return a zoo of whose document an update wrote a number."""
    monkeypatch.chdir(tmp_path)
    zoo = make_zoo(tmp_path)
    update(zoo.session({A: 30.5, A8: 29.5}))
    return zoo


def found(zoo: Zoo) -> list[Finding]:
    return of(lint(request(zoo.readme)), "SRB113")


def test_what_an_update_wrote_and_what_none_wrote_pass(zoo: Zoo) -> None:
    assert "**30.50**" in zoo.text
    assert found(zoo) == []
    zoo.edit("29.50", "29.99")
    assert found(zoo) == []


def test_a_number_that_was_edited_is_named_with_what_was_measured(zoo: Zoo) -> None:
    zoo.edit("**30.50**", "**30.60**")
    zoo.edit("# Zoo\n", "# Zoo\n\nLines move.\n")
    (finding,) = found(zoo)
    assert (finding.source.line, finding.row) == (7, "A")
    assert "PSNR is printed as 30.60, and run 20261121T091430-b65233 measured 30.50" in (
        finding.message
    )


def test_the_newest_update_counts(zoo: Zoo) -> None:
    update(zoo.session({A: 30.7}))
    assert found(zoo) == []
    zoo.edit("**30.70**", "**30.50**")
    assert len(found(zoo)) == 1
