"""Lint finds the known faults of the shipped tables, and no others."""

import shutil
from pathlib import Path

import pytest

from sr_bench.lint.run import Report, lint
from tests.lint.pages import codes, of, request

SEEDS = ("edsr", "esrgan", "lesrcnn", "rcan", "realsr")


def test_the_shipped_suites_have_no_open_finding_and_no_idle_waiver(project_root: Path) -> None:
    report = lint(request(project_root / "suites"))
    assert report.open == ()
    assert len(report.documents) == len([*project_root.glob("suites/*/card.toml")])
    assert len(report.findings) > 40


def test_the_pocket_suite_has_no_warning_even_without_its_waivers(project_root: Path) -> None:
    report = lint(request(project_root / "suites" / "pocket"))
    assert {(note.code, note.severity.value) for note in report.findings} == {("SRB106", "note")}
    assert all("vacc-emulated int8" in note.message for note in report.findings)


@pytest.fixture(scope="module")
def seeds(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Return the report on copies of the documents, which the shipped cards bind."""
    folder = tmp_path_factory.mktemp("seeds")
    for name in SEEDS:
        shutil.copy(project_root / "suites" / name / "README.md", folder / f"{name}.md")
    paths = sorted(folder.glob("*.md"))
    return lint(request(*paths, suites=project_root / "suites"))


def test_rows_by_two_counting_rules_are_found_and_waived_with_a_reason(project_root: Path) -> None:
    report = lint(request(project_root / "suites" / "bsrgan"))
    (finding,) = of(report, "SRB204")
    assert (finding.row, bool(finding.waived)) == ("BSRGAN_x2", True)


def places(report: Report, code: str) -> list[tuple[str, str]]:
    return [(Path(finding.source.path).stem, finding.row) for finding in of(report, code)]


def test_a_copy_of_a_document_gets_the_cards_facts_but_not_its_waivers(seeds: Report) -> None:
    assert len(seeds.notices) == 5
    assert seeds.open == seeds.findings


@pytest.mark.parametrize(
    ("anomaly", "code", "expected"),
    [
        (4, "SRB102", [("rcan", "RCAN")]),
        (5, "SRB101", [("edsr", "EDSR_Mx2"), ("esrgan", "ESRGAN_x4")]),
        (
            6,
            "SRB105",
            [("edsr", f"EDSR_{name}") for name in ("x2", "baseline_x2", "baseline_x4")],
        ),
        (9, "SRB107", [("rcan", "RCAN2")]),
        (10, "SRB207", [("rcan", "RCAN"), ("rcan", "RCAN2")]),
        (10, "SRB208", [("lesrcnn", "LESRCNN_x4")]),
        (
            11,
            "SRB203",
            [
                *(("edsr", f"EDSR_{name}") for name in ("x2", "baseline_x2", "baseline_x4")),
                ("rcan", "RCAN"),
            ],
        ),
        (13, "SRB108", [("lesrcnn", "LESRCNN_x2"), ("lesrcnn", "LESRCNN_x4")]),
        (2, "SRB204", [("rcan", "RCAN2"), ("rcan", "RCAN")]),
        (2, "SRB205", [("realsr", "DF2K")]),
    ],
)
def test_the_known_anomalies_are_found_and_nothing_else_by_their_rules(
    seeds: Report, anomaly: int, code: str, expected: list[tuple[str, str]]
) -> None:
    assert places(seeds, code) == expected, f"anomaly {anomaly}"


def test_every_flops_number_is_ten_ninths_of_the_usual(seeds: Report) -> None:
    findings = of(seeds, "SRB201")
    assert len(findings) == 14
    assert all("(10/9) times 2 x MAC" in finding.message for finding in findings)


def test_an_edited_number_is_found(project_root: Path, tmp_path: Path) -> None:
    text = (project_root / "suites" / "esrgan" / "README.md").read_text(encoding="utf-8")
    (tmp_path / "esrgan.md").write_text(text.replace("653.675", "653.657"), encoding="utf-8")
    report = lint(request(tmp_path / "esrgan.md", suites=project_root / "suites"))
    assert "SRB202" in codes(report)
