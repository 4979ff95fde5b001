"""Items carry markers by what they are about; ``pytest --markers`` says what each means."""

import re
import shutil

import pytest

from sr_bench.errors import OptionError
from sr_bench.plugin.markers import marker_name
from tests.tiny_zoo import Zoo


@pytest.mark.parametrize(
    ("name", "marker"),
    [
        ("int8_max", "int8_max"),
        ("real-sr.v2", "real_sr_v2"),
        ("2x faces (old)", "2x_faces__old_"),
        ("_wip", "x_wip"),
        ("", "x"),
        ("skip", "skip_"),
        ("not", "not_"),
        ("gate", "gate_"),
        ("超解像", "超解像"),
    ],
)
def test_a_marker_is_an_identifier_that_means_nothing_else(name: str, marker: str) -> None:
    assert marker_name(name) == marker


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("claim", 5),
        ("not claim", 4),
        ("claim and fp16", 1),
        ("psnr and fp32 and pair", 1),
        ("my_zoo_2_0 and ssim", 3),
    ],
)
def test_markers_select_by_kind_and_by_identifiers(
    pytester: pytest.Pytester, zoo: Zoo, expression: str, count: int
) -> None:
    zoo.suite.rename(zoo.root / "my-zoo 2.0")
    options = ("--sr-precision=fp32,fp16,int8_max", "--strict-markers", "-q", "--collect-only")
    result = pytester.runpytest_inprocess(
        "my_zoo", f"--sr-data={zoo.data}", *options, "-m", expression
    )
    found = re.search(r"(\d+)/\d+ tests collected|no tests collected", result.stdout.str())
    assert int(found[1] or 0) == count


def test_markers_are_listed_with_what_they_mean(pytester: pytest.Pytester, zoo: Zoo) -> None:
    shutil.copytree(zoo.root / "datasets" / "pair", zoo.root / "datasets" / "my-faces.v2")
    result = pytester.runpytest_inprocess("--markers", "my_zoo/tiny")
    result.stdout.fnmatch_lines(
        [
            f"@pytest.mark.{line} (sr-bench)"
            for line in (
                "claim: a number that a document prints",
                "gate: whether a low precision is close enough to fp32",
                "psnr: numbers of PSNR, in dB",
                "fp16: numbers in fp16",
                "int8_percentile: numbers in int8, calibrated by percentile",
                "my_faces_v2: numbers on the dataset my-faces.v2",
                "pair: numbers on the dataset pair",
                "set5: numbers on the dataset set5",
            )
        ],
    )


def test_tests_of_others_may_use_the_kinds_where_markers_are_strict(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.gate\ndef test_mine(): pass")
    result = pytester.runpytest_inprocess("--strict-markers", "-m", "gate")
    result.assert_outcomes(passed=1)


def test_a_marker_that_the_user_declared_is_not_declared_again(
    pytester: pytest.Pytester, run
) -> None:
    pytester.makeini("[pytest]\nmarkers =\n    psnr(db): mine\n    claim: mine too")
    lines = run("--markers").stdout.lines
    assert [line for line in lines if re.match(r"@pytest\.mark\.(psnr|claim)\b", line)] == [
        "@pytest.mark.psnr(db): mine",
        "@pytest.mark.claim: mine too",
    ]


def test_a_metric_that_declares_nothing_is_refused_in_one_line(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OptionError("metric 'mine': expected INFO")  # noqa: EM101

    monkeypatch.setattr("sr_bench.core.metric.metric_infos", refuse)
    result = pytester.runpytest_inprocess("--markers")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: metric 'mine': expected INFO"])
