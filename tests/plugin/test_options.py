"""Each option, flag or ini key, and what is refused."""

import pytest


@pytest.fixture
def shown(pytester, monkeypatch) -> list[str]:
    """The lines of ``pytest --help`` that are ours, in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = pytester.runpytest_inprocess("--help").stdout.lines
    start = next(i for i, line in enumerate(lines) if "(sr-bench)" in line)
    flags = lines[start : lines.index("", start)]
    key = next(i for i, line in enumerate(lines) if line.startswith("  sr_"))
    last = max(i for i, line in enumerate(lines) if line.startswith("  sr_"))
    end = next(i for i in range(last + 1, len(lines)) if not lines[i].startswith("   "))
    return [*flags, *lines[key:end]]


def test_help_is_short_and_starts_with_what_is_used_each_day(shown: list[str]):
    assert len(shown) <= 80
    flags = [line.split()[0].partition("=")[0] for line in shown if line.startswith("  --")]
    assert flags[:3] == ["--backend", "--sr-models", "--sr-datasets"]
    assert flags.index("--sr-update") < flags.index("--sr-device") < flags.index("--sr-replay")


def test_help_prints_a_default_only_where_there_is_one(shown: list[str]):
    text = " ".join(" ".join(shown).split())
    assert "without a card (default: onnxruntime) --sr-models" in text
    assert "MiB that kept results may take (default: 256)" in text
    assert "where your datasets are --sr-weights" in text


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--backend=tpu", "*--backend=tpu: expected one of mnn, ncnn, onnxruntime, openvino, *"),
        ("--sr-device=vacc", "*--sr-device=vacc: expected one of auto, require, emulate*"),
        ("--backend=replay", "*--backend=replay and --sr-replay=DIR*go together*"),
        ("--sr-replay=my_zoo", "*--backend=replay and --sr-replay=DIR*go together*"),
        (
            "--sr-precision=int4",
            "*--sr-precision=int4: expected one or more of fp32, fp16, int8_kl*",
        ),
        ("-osr_cache_size=0", "*sr_cache_size=0: expected a whole number of MiB above 0*"),
        ("--sr-limit=few", "*--sr-limit=few: expected a whole number*"),
        ("--sr-limit=-1", "*--sr-limit=-1: expected a whole number of images, 0 for all*"),
        ("--sr-data=no/such", "*--sr-data=*: expected a folder that is there*"),
        ("--sr-weights=no/such", "*--sr-weights=*: expected a folder that is there*"),
        ("--sr-report=pdf", "*--sr-report=pdf: expected one or more of markdown, html*"),
        ("--sr-models=huge_*", "*--sr-models=huge_*: no such model; *: tiny_x2*"),
        ("--sr-datasets=pairs", "*--sr-datasets=pairs: no such dataset; did you mean 'pair'?*"),
        ("--sr-datasets=pars_x2", "*--sr-datasets=pars_x2: no such dataset; *"),
    ],
)
def test_a_bad_value_is_refused_with_the_valid_ones(run, option: str, message: str):
    result = run(option)
    assert result.ret == 4
    result.stderr.fnmatch_lines([message])


def test_a_project_has_its_defaults_in_addopts_and_ini_keys(pytester, run, zoo):
    flags = "--backend=vacc --sr-precision=fp16 --sr-results-path=out"
    pytester.makeini(f"[pytest]\naddopts = {flags}\nsr_cache_dir = kept\n")
    run("--sr-precision=fp32").assert_outcomes(passed=4)
    assert (pytester.path / "out" / "latest.json").is_file()
    assert any((pytester.path / "kept").iterdir())


@pytest.mark.parametrize(
    ("option", "count"),
    [("--sr-models=tiny_*", 5), ("--sr-datasets=pair", 3), ("--sr-datasets=pair_x2", 3)],
)
def test_selections_narrow_what_is_collected(run, option: str, count: int):
    run(option, "--collect-only", "-q").stdout.fnmatch_lines([f"{count} tests collected*"])


def test_results_and_report_go_where_they_are_told(pytester, run):
    run("--sr-results-path=elsewhere", "--sr-report=none")
    assert (pytester.path / "elsewhere" / "latest.json").is_file()
    assert not (pytester.path / "elsewhere" / "tiny.md").exists()
    assert not (pytester.path / "reports").exists()
