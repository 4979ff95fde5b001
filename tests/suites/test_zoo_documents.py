"""The suites of the zoo's other low-level documents: every number an item, and what it becomes."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from sr_bench.core.case import COST_METRICS, Case
from sr_bench.core.status import Status
from sr_bench.data.locate import load_dataset
from sr_bench.engine.bench import Bench
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import Suite, load_suite

NUMBERS = {
    "bicubic_plusplus": 12,
    "bsrgan": 24,
    "colorization_gpen": 5,
    "dipnet": 6,
    "drrn": 6,
    "ecbsr": 16,
    "fsrnet": 7,
    "gpen": 4,
    "msrn": 6,
    "ncnet": 6,
    "pairlie": 8,
    "pfsrnet": 8,
    "real_esrgan": 38,
    "sparnet": 11,
    "usuir": 10,
    "vdsr": 8,
}
"""What each document prints, counted by hand."""

GAPS = {"drrn": {"29.722"}, "ecbsr": {"0.221", "0.045"}}
"""Flops and Params that can't be right, as printed."""

ON_THE_CARD = Selection(backend="vacc")


@pytest.fixture(scope="module")
def suites(project_root: Path) -> dict[str, Suite]:
    return {name: load_suite(project_root / "suites" / name / "card.toml") for name in NUMBERS}


def costs(suite: Suite) -> list[Case]:
    return [case for case in plan(suite, ON_THE_CARD) if case.metric in COST_METRICS]


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_of_a_document_is_an_item_of_its_own(
    suites: Mapping[str, Suite], name: str
) -> None:
    cases = plan(suites[name], ON_THE_CARD)
    assert all(case.claim for case in cases)
    assert len({case.id for case in cases}) == len(cases) == NUMBERS[name]
    assert len(suites[name].printed) == NUMBERS[name]


def test_the_21_documents_of_the_zoo_are_256_items(project_root: Path) -> None:
    cards = [
        path for path in project_root.glob("suites/*/card.toml") if path.parent.name != "pocket"
    ]
    claims = [case.claim for card in cards for case in plan(load_suite(card), ON_THE_CARD)]
    assert len(cards) == 21
    assert len([claim for claim in claims if claim]) == 256


def test_every_flops_and_params_is_met_to_its_last_digit_or_is_a_known_gap(
    suites: Mapping[str, Suite], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SR_BENCH_CACHE", str(tmp_path))
    bench = Bench(ON_THE_CARD)
    for name, suite in suites.items():
        status = {
            case.claim.text: bench.evaluate(case, "", lambda *_: None).verdict.status
            for case in costs(suite)
            if case.claim
        }
        gaps = {text for text, each in status.items() if each is Status.KNOWN_GAP}
        assert gaps == GAPS.get(name, set())
        assert {status[text] for text in status.keys() - gaps} == {Status.MATCH}, name


@pytest.mark.parametrize(
    ("name", "metric", "text"),
    [
        ("drrn", "params", "29.722"),
        ("ecbsr", "flops", "0.221"),
        ("fsrnet", "psnr", "22.537"),
        ("ecbsr", "params", "0.045"),
        ("pairlie", "psnr", "18.498"),
        ("pairlie", "ssim", "0.748"),
        ("sparnet", "psnr", "28.42"),
    ],
)
def test_a_number_that_can_not_be_right_is_a_known_gap(
    suites: Mapping[str, Suite], name: str, metric: str, text: str
) -> None:
    cases = [case for case in plan(suites[name], ON_THE_CARD) if case.claim]
    (case,) = (c for c in cases if c.claim and (c.metric, c.claim.text) == (metric, text))
    gap = case.card.gap_for(metric, case.precision, case.dataset)
    assert gap is not None


@pytest.mark.parametrize("name", NUMBERS)
def test_every_model_is_evaluated_on_a_dataset_that_has_its_scale(
    suites: Mapping[str, Suite], name: str
) -> None:
    for model in suites[name].card.models:
        for evaluation in model.evaluations:
            assert model.scale in load_dataset(evaluation.dataset).scales


@pytest.mark.parametrize("name", NUMBERS)
def test_what_the_build_file_calibrated_by_is_what_the_labels_say(
    suites: Mapping[str, Suite], name: str
) -> None:
    for model, claims in suites[name].claims:
        labels = {claim.precision for claim in claims if claim.precision.calibration}
        assert model.built_calibration is None or labels <= {model.built_calibration}


@pytest.mark.official
@pytest.mark.parametrize("name", NUMBERS)
def test_the_table_is_byte_for_byte_that_of_the_zoo(
    name: str, project_root: Path, official_data: Path
) -> None:
    document = official_data.parent / "zoo" / f"{name}.md"
    if not document.is_file():
        pytest.skip(f"the zoo's own document is not at {document}")
    lines = document.read_bytes().splitlines(keepends=True)
    theirs = b"".join(line for line in lines if line.startswith(b"|"))
    assert theirs in (project_root / "suites" / name / "README.md").read_bytes()
