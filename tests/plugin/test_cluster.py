"""A session on a cluster of this machine has the records of one without."""

import pytest

pytest.importorskip("distributed", reason="needs the extra sr-bench[cluster]")


def without_times(zoo) -> dict[str, dict[str, object]]:
    return {key: {**record, "seconds": 0, "cached": 0} for key, record in zoo.records().items()}


@pytest.mark.slow
def test_a_cluster_makes_the_records_of_one_process(run, zoo) -> None:
    run().assert_outcomes(passed=4, skipped=1)
    expected = without_times(zoo)
    result = run("--sr-cluster=local:2", "--sr-cache=refresh")
    result.assert_outcomes(passed=4, skipped=1)
    assert without_times(zoo) == expected
    assert {record["cached"] for record in zoo.records().values()} == {0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sr-cluster=local:2", "-n", "2"], "*--sr-cluster and -n don't go together*"),
        (["--sr-cluster=local:2", "--sr-isolate=model"], "*--sr-isolate=model don't go together*"),
        (["--sr-cluster=local:2", "--sr-record=out"], "*--sr-record don't go together*"),
    ],
)
def test_what_does_not_go_with_a_cluster_is_refused(run, options: list[str], message: str) -> None:
    result = run(*options)
    assert result.ret == 4
    result.stderr.fnmatch_lines([message])


@pytest.mark.slow
def test_ordering_by_risk_does_not_start_a_second_cluster(
    run, zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sr_bench.engine.elsewhere.cluster import client

    started, connected = [], client.connected

    def counted(address: str) -> object:
        started.append(address)
        return connected(address)

    monkeypatch.setattr(client, "connected", counted)
    run("--sr-cluster=local:1", "--sr-budget=1h").assert_outcomes(passed=4, skipped=1)
    assert started == ["local:1"]
