"""A metric declares itself; what can't be told apart, or says nothing, is refused."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType

import pytest

from sr_bench import discovery
from sr_bench.core.metric import (
    MetricInfo,
    image_metrics,
    is_measured,
    metric_headers,
    metric_info,
    metric_infos,
    not_computed,
    with_unit,
)
from sr_bench.errors import OptionError

ACME = MetricInfo("Acme", "", False, 2, 1, headers=("acme",))
Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that makes these the only metrics of images."""

    def install(**members: object) -> None:
        modules = {name: ModuleType(name) for name in members}
        for name, info in members.items():
            modules[name].INFO = info
        monkeypatch.setattr(discovery, "names", lambda package: tuple(modules))
        monkeypatch.setattr(discovery, "load", lambda package, name: modules[name])

    metric_infos.cache_clear()
    metric_headers.cache_clear()
    yield install
    metric_infos.cache_clear()
    metric_headers.cache_clear()


def test_a_header_means_the_metric_that_declares_it(install: Install) -> None:
    install(acme=ACME)
    headers = metric_headers()
    assert [headers[name] for name in ("flops(g)", "params(m)", "acme")] == [
        *("flops", "params", "acme")
    ]


def test_two_metrics_with_one_header_are_refused(install: Install) -> None:
    install(acme=ACME, other=replace(ACME, title="Other"))
    with pytest.raises(OptionError, match="'acme' and 'other' both declare the header 'acme'"):
        metric_infos()


@pytest.mark.parametrize("name", ["flops", "fidelity", "latency", "My_Metric", "a-b"])
def test_a_name_that_is_taken_or_malformed_is_refused(install: Install, name: str) -> None:
    install(**{name: ACME})
    with pytest.raises(OptionError, match=f"metric '{name}': expected a name of lower-case"):
        metric_infos()


@pytest.mark.parametrize("info", [None, {"unit": ""}, MetricInfo])
def test_a_module_without_a_declaration_is_refused(install: Install, info: object) -> None:
    install(acme=info)
    with pytest.raises(OptionError, match="'acme': expected INFO, a MetricInfo, in acme, got"):
        metric_infos()


def test_a_metric_of_sets_is_not_computed_and_says_why(install: Install) -> None:
    install(acme=replace(ACME, compares="sets"))
    assert not_computed("acme").startswith("Acme compares sets of images")


def test_a_metric_whose_needs_are_absent_says_what_to_do(install: Install) -> None:
    install(acme=ACME)
    assert not_computed("acme") == ""
    discovery.load("", "acme").absent = lambda: "pip install acme"
    assert not_computed("acme") == "Acme can't be computed here: pip install acme"


def test_a_metric_of_history_that_is_no_longer_installed_has_no_unit() -> None:
    assert with_unit("1.5", "of_a_package_that_is_gone") == "1.5"


def test_headers_are_spelled_as_columns_are_compared() -> None:
    for header in metric_headers():
        assert header == "".join(header.split()).lower()


def test_shipped_metrics_declare_what_they_score_and_import_nothing_heavy() -> None:
    code = (
        "import sys; from sr_bench.core.metric import metric_infos; metric_infos();"
        " print({'numpy', 'cv2', 'torch', 'scipy'} & set(sys.modules))"
    )
    proc = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert proc.stdout.strip() == "set()"
    for name in image_metrics():
        scores = callable(getattr(discovery.load("sr_bench.metrics", name), "score", None))
        assert scores is (metric_info(name).compares == "pairs")


def test_of_a_metric_that_nothing_measures_nobody_knows_which_way_is_better() -> None:
    info = metric_info("map_50")
    assert (info.title, info.unit, info.higher_is_better) == ("map_50", "", None)
    assert not is_measured("map_50")
    assert is_measured("macs")
