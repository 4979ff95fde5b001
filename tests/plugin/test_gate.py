"""Gates in pytest: what a loss does and prints, and how it compares with an earlier session."""

import json

import pytest

from tests.int8_zoo import Int8Zoo, make_int8_zoo


@pytest.fixture
def int8_zoo(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Int8Zoo:
    monkeypatch.setenv("SR_BENCH_CACHE", str(pytester.path / "cache"))
    return make_int8_zoo(pytester.path / "my_zoo")


@pytest.fixture
def run(pytester: pytest.Pytester, int8_zoo: Int8Zoo):
    def run(*args: str) -> pytest.RunResult:
        options = (f"--sr-data={int8_zoo.data}", "--sr-precision=int8_max", *args)
        return pytester.runpytest_inprocess("my_zoo", *options)

    return run


def test_a_precision_within_the_limits_passes(run) -> None:
    result = run("-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*res_x2-int8_max-judged_x2-fidelity PASSED*"])
    result.stdout.fnmatch_lines(["*fidelity on judged_x2*within"])


def test_a_loss_fails_with_its_dossier(run, int8_zoo: Int8Zoo) -> None:
    int8_zoo.write_card(limit=60.0)
    result = run()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "res_x2 int8_max fidelity on judged_x2",
            "verdict    loss: less faithful to fp32 than 60 dB: 3 of 3 images; *",
            "fidelity to fp32 *>= 60 dB*loss",
            "in the border ring *>= 60 dB*loss",
            "PSNR drop *within",
            "layers by the noise they make, on *; 5 of 5 were estimated from their own error",
            "rerun      pytest my_zoo/res/card.toml::res_x2-int8_max-judged_x2-fidelity *",
        ]
    )


def test_gates_are_selected_by_their_marker(run) -> None:
    result = run("-m", "gate", "--collect-only", "-q", "--strict-markers")
    result.stdout.fnmatch_lines(["*::res_x2-int8_max-judged_x2-fidelity", "1/3 tests collected*"])


def test_a_loss_may_only_warn(run, int8_zoo: Int8Zoo) -> None:
    int8_zoo.write_card(limit=60.0)
    result = run("--sr-gate=warn", "--sr-explain=0", "-Wdefault")
    result.assert_outcomes(passed=3, warnings=1)
    result.stdout.fnmatch_lines(
        ["*GateWarning: res_x2-int8_max-judged_x2-fidelity: less faithful to fp32 than 60 dB*"]
    )


def test_a_gate_with_nothing_to_judge_is_told(pytester: pytest.Pytester, int8_zoo: Int8Zoo) -> None:
    said = "gate of res_x2: no low precision is measured; name some: --sr-precision=fp32,*"
    plain = pytester.runpytest_inprocess("my_zoo", "--collect-only")
    plain.stdout.fnmatch_lines([said])
    chosen = ("--sr-gate=off", "--sr-precision=fp32", "--sr-precision=int8_max")
    for option in chosen:
        told = pytester.runpytest_inprocess("my_zoo", "--collect-only", option)
        told.stdout.no_fnmatch_line("gate of *")


def test_gates_may_be_off(run, int8_zoo: Int8Zoo) -> None:
    int8_zoo.write_card(limit=60.0)
    run("--sr-gate=off").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--sr-gate=maybe", "*--sr-gate=maybe: expected one of off, warn, fail*"),
        ("--sr-compare=gone.json", "*'gone.json'*"),
        (
            "--sr-explain=-1",
            "*--sr-explain=-1: expected a whole number of seconds, 0 for no search*",
        ),
        (
            "-osr_calibration_memory=0",
            "*sr_calibration_memory=0: expected a whole number of MiB*",
        ),
    ],
)
def test_wrong_options_are_refused(run, option: str, message: str) -> None:
    result = run(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_a_known_gap_excuses_a_loss_and_must_go_once_it_closes(run, int8_zoo: Int8Zoo) -> None:
    gap = '[[model.known_gap]]\nmetric = "fidelity"\nprecision = "int8_max"\nreason = "odd card"\n'
    int8_zoo.write_card(limit=60.0)
    card = int8_zoo.suite / "card.toml"
    card.write_text(card.read_text() + gap)
    run().assert_outcomes(passed=2, xfailed=1)
    int8_zoo.write_card()
    card.write_text(card.read_text() + gap)
    result = run()
    result.assert_outcomes(passed=2, failed=1)
    message = "*the gate passes: remove the known gap from the card (odd card)*"
    result.stdout.fnmatch_lines([message])


def test_a_run_is_compared_with_an_earlier_one(
    run, int8_zoo: Int8Zoo, pytester: pytest.Pytester
) -> None:
    int8_zoo.write_card(plan='keep = ["tail", "up"]')
    run().assert_outcomes(passed=3)
    (pytester.path / "reports" / "latest.json").rename(pytester.path / "before.json")
    run("--sr-compare=before.json").assert_outcomes(passed=3)
    detail = json.loads((pytester.path / "reports" / "latest.json").read_text())["records"]
    (gate,) = (record["detail"] for record in detail if record["metric"] == "fidelity")
    assert [comparison["metric"] for comparison in gate["compared"]] == ["psnr", "ssim", "fidelity"]
    assert {comparison["status"] for comparison in gate["compared"]} == {"within"}
    int8_zoo.write_card()  # everything in int8: worse, though within the card's limits
    result = run("--sr-compare=before.json", "--sr-explain=0")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "verdict    loss: against the earlier record: fidelity drops by * on average*",
            "against the earlier run, fidelity:",
        ]
    )


def test_what_rises_is_worse_than_in_an_earlier_run_where_lower_is_better(
    run, int8_zoo: Int8Zoo, pytester: pytest.Pytester
) -> None:
    table = "| Models | PSNR(dB) | MAE |\n|---|---|---|\n| Res | 10.0 | 9.0 |\n"
    (int8_zoo.suite / "README.md").write_text(table)
    before = pytester.path / "before.json"

    def measured(plan: str, *options: str) -> tuple[dict[str, float], float]:
        int8_zoo.write_card(plan=plan)
        run("--sr-explain=0", *options)
        latest = (pytester.path / "reports" / "latest.json").rename(before)
        records = json.loads(latest.read_text())["records"]
        (gate,) = (record["detail"] for record in records if record["metric"] == "fidelity")
        (mae,) = (record["measurement"]["value"] for record in records if record["metric"] == "mae")
        losses = {row["metric"]: row["drop"]["mean"] for row in gate.get("compared", ())}
        return losses, mae

    _, first = measured('keep = ["tail", "up"]')
    losses, second = measured("", "--sr-compare=before.json")
    assert list(losses) == ["psnr", "ssim", "mae", "fidelity"]
    assert losses["mae"] == pytest.approx(second - first)
    assert losses["mae"] != 0
