"""``sr-bench doctor`` says what this machine can run, and what would be skipped and why."""

import shutil
from pathlib import Path

from sr_bench import discovery


def test_it_reports_environment_cache_and_devices(sr_bench, tmp_path: Path) -> None:
    result = sr_bench("doctor", "--suites", "my_zoo")
    assert (result.code, result.err) == (0, "")
    for start in ("python ", "cpu ", "packages ", f"cache     {tmp_path / 'cache'} (0.0 KB)"):
        assert f"\n{start}" in f"\n{result.out}"
    assert "backend   vacc" in result.out
    assert "EMULATED" in result.out


def test_json_holds_the_same(sr_bench, zoo, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file").write_bytes(b"12345")
    result = sr_bench("doctor", "--suites", "my_zoo", "--data", zoo.data, "--json")
    assert set(result.json["backends"]) == set(discovery.names("sr_bench.backends"))
    assert result.json["backends"]["vacc"]["emulated"] is True
    assert result.json["cache"] == {"folder": str(tmp_path / "cache"), "bytes": 5}
    assert result.json["would_skip"] == {}
    assert result.json["environment"]["packages"]["numpy"]


def test_what_is_absent_is_counted_with_what_to_do(sr_bench, project_root: Path) -> None:
    result = sr_bench("doctor", "--suites", project_root / "suites" / "realsr", "my_zoo", "--json")
    reasons = result.json["would_skip"]
    assert result.code == 0
    assert sum(reasons.values()) == 4
    assert any("DF2K.pth" in reason and "--sr-weights" in reason for reason in reasons)
    assert any("pair/dataset.toml" in reason for reason in reasons)


def test_what_claims_lack_is_said_once_with_what_makes_most_measurable(
    sr_bench, project_root: Path
) -> None:
    suites = (project_root / "suites" / name for name in ("lesrcnn", "rcan", "msrn"))
    result = sr_bench("doctor", "--suites", *suites)
    assert "12 of 36 claims can be measured here:" in result.out
    weights = "weights lesrcnn_x2.pth, lesrcnn_x4.pth and 4 more: give pytest --sr-weights=DIR"
    assert f"\n   12 x {weights}\n" in result.out
    assert result.out.count("sr-bench fetch div2k_valid") == 2  # lacking, and next
    *_, step = result.out.splitlines()
    assert step.startswith("  12 claims of 3 suites: sr-bench fetch div2k_valid; pytest --sr-we")
    (as_json,) = sr_bench("doctor", "--suites", project_root / "suites" / "msrn", "--json").json[
        "next"
    ]
    assert (as_json["claims"], as_json["suites"]) == (2, 1)


def test_lr_files_that_a_protocol_does_not_need_are_not_missed(
    sr_bench, zoo, tmp_path: Path
) -> None:
    root = tmp_path / "zoo"
    shutil.copytree(zoo.root, root)
    shutil.rmtree(root / "images" / "LR")
    card = root / "tiny" / "card.toml"
    protocol = '\n[protocol.made]\nlr_from = "hr"\nlr_resize = "pil_bicubic"\n'
    card.write_text(card.read_text().replace("native_rgb", "made") + protocol)
    result = sr_bench("doctor", "--suites", root, "--data", root / "images", "--json")
    assert result.json["would_skip"] == {}


def test_what_is_wrong_is_reported_as_a_fault(sr_bench, zoo, tmp_path: Path) -> None:
    shutil.copytree(zoo.data, tmp_path / "data")
    (tmp_path / "data" / "LR" / "b.png").unlink()
    result = sr_bench("doctor", "--suites", "my_zoo", "--data", tmp_path / "data")
    assert result.code == 1
    assert "1 x FAULT pair x2" in result.out


def test_a_faulty_card_is_reported_with_the_rest(sr_bench, tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text("schema = 1\n")
    result = sr_bench("doctor", "--suites", tmp_path)
    assert (result.code, result.err) == (1, "")
    assert "backend   torch" in result.out
    assert f"FAULT {tmp_path / 'card.toml'}: 1 fault\n  model: required" in result.out


def test_without_suites_the_rest_is_still_reported(sr_bench, tmp_path: Path) -> None:
    result = sr_bench("doctor", "--suites", tmp_path)
    assert result.code == 0
    assert "backend   torch" in result.out
    assert "no card.toml below" in result.out
