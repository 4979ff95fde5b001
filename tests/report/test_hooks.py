"""What others add to the report: columns and sections, and one clear line where they fail."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from pluggy import PluginManager

from sr_bench import discovery
from sr_bench.errors import OptionError, SrBenchError
from sr_bench.report import hooks
from sr_bench.report.hooks import Additions, Column, Section, installed_hooks, register_installed
from tests.report.html.zoo import past_session, scored

RECORD = scored("m", "fp32", "psnr")


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes a plug-in of these functions an installed one."""

    def install(**functions: object) -> None:
        plugin = ModuleType("acme")
        vars(plugin).update(functions)
        monkeypatch.setattr(hooks, "names", lambda group: ("acme",))
        monkeypatch.setattr(hooks, "load", lambda group, name: plugin)

    return install


def additions(tmp_path: Path) -> Additions:
    return Additions(installed_hooks(), past_session(tmp_path, [RECORD]))


def test_without_plug_ins_nothing_is_added(tmp_path: Path) -> None:
    assert discovery.names(hooks.GROUP) == ()
    found = additions(tmp_path)
    assert (found.titles, found.cells(RECORD), found.sections([RECORD], "index")) == ((), (), ())


def test_columns_and_sections_of_an_installed_package_are_added(install, tmp_path: Path) -> None:
    def pytest_sr_report_columns() -> list[Column]:
        return [Column("upper", lambda record: record.model.upper())]

    def pytest_sr_report_sections(records: object, page: str) -> list[Section] | None:
        return [Section(page, (str(len(records)),))] if page == "model" else None

    install(
        pytest_sr_report_columns=pytest_sr_report_columns,
        pytest_sr_report_sections=pytest_sr_report_sections,
    )
    found = additions(tmp_path)
    assert (found.titles, found.cells(RECORD)) == (("upper",), ("M",))
    assert found.sections([RECORD], "model") == (Section("model", ("1",)),)
    assert found.sections([RECORD], "index") == ()


def test_a_package_that_pytest_knows_already_is_registered_once(install) -> None:
    install()
    manager = PluginManager("pytest")
    for _ in range(2):
        register_installed(manager)
    assert len(manager.get_plugins()) == 1


def test_a_column_that_fails_is_named_with_its_line(install, tmp_path: Path) -> None:
    install(pytest_sr_report_columns=lambda: [Column("ratio", lambda record: 1 // 0)])
    expected = r"the column 'ratio' failed at .*test_hooks\.py:\d+ \(ZeroDivisionError"
    with pytest.raises(SrBenchError, match=expected):
        additions(tmp_path).cells(RECORD)


@pytest.mark.parametrize("answer", [["text"], 3])
def test_an_answer_of_another_kind_is_refused(install, tmp_path: Path, answer: object) -> None:
    install(pytest_sr_report_sections=lambda: answer)
    with pytest.raises(SrBenchError, match="pytest_sr_report_sections"):
        additions(tmp_path).sections([RECORD], "index")


@pytest.mark.parametrize("report", [installed_hooks, lambda: register_installed(of_pytest())])
@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ({"pytest_sr_report_colums": lambda: []}, "unknown hook 'pytest_sr_report_colums'"),
        ({"pytest_sr_report_columns": lambda run: []}, r"Argument\(s\) {'run'} are declared"),
    ],
)
def test_a_hook_of_ours_that_there_is_not_is_refused_with_and_without_pytest(
    install, hook: dict[str, object], said: str, report: Callable[[], object]
) -> None:
    install(**hook)
    with pytest.raises(OptionError, match=said):
        report()


def of_pytest() -> PluginManager:
    manager = pytest.PytestPluginManager()
    manager.add_hookspecs(hooks)
    return manager
