"""A failed item says its numbers first, in the terminal and in JUnit, with and without workers."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.int8_zoo import make_int8_zoo
from tests.tiny_zoo import Zoo

NAMES = {f"sr_{name}" for name in ("model", "metric", "dataset", "precision", "backend")}
NAMES |= {f"sr_{name}" for name in ("claimed", "source", "measured", "status", "device", "failure")}


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the terminal as narrow as they are, on no server."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stale(zoo: Zoo) -> str:
    """Claim an SSIM that is wrong; return the headline of its item."""
    zoo.write_table(ssim=f"{zoo.ssim + 0.1:.4f}")
    line = (zoo.suite / "README.md").read_text().splitlines()[4]
    cell = f"{zoo.ssim + 0.1:.4f}"
    place = f"my_zoo/tiny/README.md:5:{line.index(cell) + 1}"
    return f"{cell} -> {zoo.ssim:.4f} differs ({place})"


def properties(path: Path) -> dict[str, dict[str, str]]:
    cases = ElementTree.parse(path).iter("testcase")
    return {
        case.attrib["name"]: {p.attrib["name"]: p.attrib["value"] for p in case.iter("property")}
        for case in cases
    }


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("options", [(), ("-q", "-rA", "--tb=short"), ("-n1",)])
def test_heading_and_summary_say_the_numbers_first(
    pytester: pytest.Pytester, run, stale: str, options: tuple[str, ...]
) -> None:
    lines = run("--sr-precision=fp32", "--junitxml=junit.xml", *options).stdout.lines
    node = "my_zoo/tiny/card.toml::tiny_x2-fp32-pair_x2-ssim"
    assert f"{f' {stale} ':_^80}" in lines
    assert f"FAILED {stale} {node}" in lines
    values = properties(pytester.path / "junit.xml")["tiny_x2-fp32-pair_x2-ssim"]
    assert values.keys() == NAMES
    assert values["sr_status"] == "differs"


@pytest.mark.usefixtures("narrow")
def test_a_line_for_each_failure_and_each_item_says_them_too(run, stale: str) -> None:
    numbers = stale.partition(" (")[0]
    result = run("-v", "--tb=line", "-k", "fp32 and ssim")
    result.stdout.fnmatch_lines(
        [
            f"*::tiny_x2-fp32-pair_x2-ssim FAILED {stale}*",
            f"my_zoo/tiny/README.md:5: {numbers}: tiny_x2 fp32 SSIM on pair_x2",
        ]
    )


def test_a_server_s_log_has_one_line_for_each_failure(
    run, stale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    lines = run("-k", "fp32 and ssim").stdout.lines
    start = next(i for i, line in enumerate(lines) if "short test summary" in line)
    node = "my_zoo/tiny/card.toml::tiny_x2-fp32-pair_x2-ssim"
    assert lines[start + 1] == f"FAILED {stale} {node}"
    assert lines[start + 2].startswith("=")


def test_junit_says_what_each_item_was_about_and_how_it_ended(
    pytester: pytest.Pytester, run, stale: str, zoo: Zoo
) -> None:
    run("--junitxml=junit.xml", "--sr-precision=fp32,fp16,int8_max")
    of = properties(pytester.path / "junit.xml")
    assert all(values.keys() == NAMES for values in of.values())
    statuses = [values["sr_status"] for values in of.values()]
    assert {"match", "differs", "not_run", "new"} <= set(statuses)
    ssim = of["tiny_x2-fp32-pair_x2-ssim"]
    assert ssim["sr_measured"].startswith(f"{zoo.ssim:.4f}"[:5])
    del ssim["sr_measured"]
    assert ssim == {
        "sr_model": "tiny_x2",
        "sr_metric": "ssim",
        "sr_dataset": "pair_x2",
        "sr_precision": "fp32",
        "sr_backend": "onnxruntime",
        "sr_claimed": stale.partition(" ")[0],
        "sr_source": stale.rpartition("(")[2].rstrip(")"),
        "sr_status": "differs",
        "sr_device": "cpu",
        "sr_failure": "",
    }
    assert of["tiny_x2-vacc-fp16-pair_x2-psnr"]["sr_measured"] == ""


def test_junit_has_gates_faults_and_timings_too(pytester: pytest.Pytester) -> None:
    zoo = make_int8_zoo(pytester.path / "my_zoo")
    zoo.write_card(limit=60.0)
    options = ("--sr-precision=fp32,int8_max", "--sr-latency", "--sr-explain=0", "-k", "not ssim")
    quick = ("--benchmark-min-rounds=1", "--benchmark-max-time=0", "--benchmark-warmup=off")
    result = pytester.runpytest_inprocess(
        "my_zoo", f"--sr-data={zoo.data}", *options, *quick, "--junitxml=junit.xml"
    )
    result.stdout.fnmatch_lines(["*_ *dB < 60 dB fidelity: loss (my_zoo/res/card.toml) _*"])
    of = properties(pytester.path / "junit.xml")
    statuses = {values["sr_metric"]: values["sr_status"] for values in of.values()}
    assert statuses == {"fidelity": "loss", "latency": "new", "psnr": "new"}


def test_junit_stays_valid_whatever_a_document_holds(
    pytester: pytest.Pytester, zoo: Zoo, run
) -> None:
    zoo.write_table(psnr="99.000")
    zoo.suite.rename(zoo.root / "a<&\"']]>ü")
    run("--junitxml=junit.xml", "--sr-precision=fp32")
    values = properties(pytester.path / "junit.xml")["tiny_x2-fp32-pair_x2-psnr"]
    assert values["sr_source"].startswith("my_zoo/a<&\"']]>ü/README.md:5:")


def test_an_item_that_never_ran_says_what_it_was_about(pytester: pytest.Pytester, run) -> None:
    pytester.makeconftest(
        "import pytest\n@pytest.fixture(autouse=True)\ndef broken(): raise OSError('no cable')"
    )
    run("--junitxml=junit.xml", "-k", "ssim")
    values = properties(pytester.path / "junit.xml")["tiny_x2-fp32-pair_x2-ssim"]
    assert values["sr_model"] == "tiny_x2"
    assert "sr_status" not in values


def test_a_fault_of_another_plug_in_speaks_for_itself(pytester: pytest.Pytester, run) -> None:
    pytester.makeconftest(
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True)\n"
        "def pytest_runtest_call():\n"
        "    yield\n"
        "    raise OSError('no cable')"
    )
    result = run("-k", "fp32 and ssim", "--tb=line")
    result.stdout.fnmatch_lines(["*conftest.py:5: OSError: no cable"])
    result.stdout.no_fnmatch_line("FAILED * -> *")
