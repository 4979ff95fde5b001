"""Each option, its ini key, and what is refused."""

import pytest

ALL = [
    "--backend=NAME",
    "--sr-device=",
    "--sr-record=",
    "--sr-replay=",
    "--sr-models=",
    "--sr-datasets=",
    "--sr-precision=",
    "--sr-limit=",
    "--sr-data=",
    "--sr-weights=",
    "--sr-results-path=",
    "--sr-report=",
    "--sr-allow-better",
]


def test_help_lists_every_option_with_its_ini_key(pytester):
    text = pytester.runpytest_inprocess("--help").stdout.str()
    assert [option for option in ALL if option not in text] == []
    keys = [option.split("=")[0].removeprefix("--").replace("-", "_") for option in ALL[1:]]
    assert [key for key in ["sr_backend", *keys] if f"{key} (" not in text] == []


def test_help_prints_a_default_only_where_there_is_one(pytester):
    text = " ".join(pytester.runpytest_inprocess("--help").stdout.str().split())
    assert "(default: onnxruntime; ini: sr_backend)" in text
    assert "(default: 256; ini: sr_cache_size)" in text
    for key in ("update", "reason", "compare", "threads", "models", "data", "budget", "cluster"):
        assert f"(ini: sr_{key})" in text


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


def test_ini_keys_are_the_defaults(pytester, run, zoo):
    pytester.makeini("[pytest]\nsr_backend = vacc\nsr_precision = fp32\nsr_results_path = out\n")
    run().assert_outcomes(passed=4)
    assert (pytester.path / "out" / "latest.json").is_file()


def test_the_command_line_beats_the_ini_key(pytester, run):
    pytester.makeini("[pytest]\nsr_precision = fp16\n")
    run("--sr-precision=fp32").assert_outcomes(passed=4)


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
