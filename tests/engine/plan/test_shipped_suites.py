"""The five shipped cards bind the five shipped documents, number by number."""

import string
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from sr_bench.core.case import COST_METRICS, Case
from sr_bench.core.precision import Precision
from sr_bench.data.locate import load_dataset
from sr_bench.engine.bench import Bench
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import Suite, load_suite

FAMILIES = ("lesrcnn", "edsr", "esrgan", "rcan", "realsr")
ID_CHARACTERS = set(string.ascii_letters + string.digits + "_.+-")


@pytest.fixture(scope="module")
def suites(project_root: Path) -> dict[str, Suite]:
    return {name: load_suite(project_root / "suites" / name / "card.toml") for name in FAMILIES}


def cases(suites: dict[str, Suite], **options: object) -> list[Case]:
    return [case for suite in suites.values() for case in plan(suite, Selection(**options))]


def test_the_cards_bind_all_81_claims(suites: dict[str, Suite]) -> None:
    metrics = Counter(case.claim.metric for case in cases(suites) if case.claim)
    assert metrics == {"flops": 14, "params": 14, "psnr": 28, "ssim": 25}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_known_gap_is_about_a_printed_number(suites, family: str) -> None:
    for model, claims in suites[family].claims:
        printed = {
            (claim.metric, claim.precision, evaluation.dataset)
            for claim in claims
            if (evaluation := model.claimed_evaluation(claim.precision, claim.dataset))
        }
        gaps = [(gap.metric, gap.precision) for gap in model.known_gaps]
        assert len(gaps) == len(set(gaps))
        for gap in model.known_gaps:
            datasets = [
                dataset for *what, dataset in printed if what == [gap.metric, gap.precision]
            ]
            assert datasets, f"{model.id}: {gap}"
            assert gap.dataset in ("", *datasets)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_tolerance_is_about_a_printed_metric(suites, family: str) -> None:
    for model, claims in suites[family].claims:
        metrics = {claim.metric for claim in claims}
        assert model.tolerances.keys() | model.int8_tolerances.keys() <= metrics


@pytest.mark.parametrize("family", FAMILIES)
def test_every_model_names_its_weights_and_datasets_that_exist(suites, family: str) -> None:
    for model in suites[family].card.models:
        assert model.checkpoint
        assert model.checkpoint.file == Path(model.checkpoint.file).name
        assert model.evaluations
        for evaluation in model.evaluations:
            assert model.scale in load_dataset(evaluation.dataset).scales


def test_the_ids_of_all_suites_are_unique_and_greppable(suites: dict[str, Suite]) -> None:
    wide = cases(suites, backend="vacc", precisions=Precision.all())
    for chosen in (cases(suites), wide):
        ids = [case.id for case in chosen]
        assert len(ids) == len(set(ids))
        assert all(set(name) <= ID_CHARACTERS for name in ids)
    assert "edsr_baseline_x2-vacc-int8_percentile-div2k_valid_x2-psnr" in ids


def test_all_28_cost_claims_match_without_weights_and_network(
    suites: dict[str, Suite], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SR_BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", None)
    bench = Bench(Selection())
    counted = [case for case in cases(suites) if case.metric in COST_METRICS]
    statuses = Counter(
        bench.evaluate(case, "", lambda *_: None).verdict.status.value for case in counted
    )
    assert statuses == {"match": 28}


def test_counting_every_network_does_not_import_torchs_compiler(project_root: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from sr_bench.cards.load import load_card\n"
        "from sr_bench.engine.measure.cost import count\n"
        "for family in sys.argv[1:]:\n"
        "    for card in load_card(Path('suites', family, 'card.toml')).models:\n"
        "        count(card, (3, 32, 32))\n"
        "assert 'torch' in sys.modules\n"
        "assert 'torch._dynamo' not in sys.modules, 'it takes longer to import than to count'\n"
    )
    command = [sys.executable, "-c", script, *FAMILIES]
    result = subprocess.run(command, capture_output=True, text=True, cwd=project_root)
    assert (result.returncode, result.stderr) == (0, "")
