"""A case is measured and judged; its faults become its verdict, and each run happens once."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sr_bench import discovery
from sr_bench.backends import onnxruntime
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.checkpoint import Checkpoint
from sr_bench.core.claim import Claim, Source
from sr_bench.core.codec import decode, encode
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import Record, Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.imaging.files import read_image, write_png
from sr_bench.metrics import psnr, ssim
from tests.ends import ends

NATIVE = Evaluation("pair", EvalProtocol("native"))


class Sessions:
    """Counts how often a backend opened a session, and how many images it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = self.runs = 0
        backend = discovery.load("sr_bench.backends", "onnxruntime")
        monkeypatch.setattr(backend, "open_session", self._counting(backend.open_session))

    def _counting(self, open_session):
        def open_counted(artefact, **how):
            self.opened += 1
            session = open_session(artefact, **how)
            run = session.run

            def run_counted(lr):
                self.runs += 1
                return run(lr)

            session.run = run_counted
            return session

        return open_counted


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    return Sessions(monkeypatch)


def evaluate(bench: Bench, case: Case) -> Record:
    return bench.evaluate(case, f"card.toml::{case.id}", lambda *_: None)


def bench_of(zoo, **options: object) -> Bench:
    return Bench(Selection(**({"data": zoo.data} | options)))


def cases_of(zoo, **options: object) -> dict[str, Case]:
    suite = load_suite(zoo.suite / "card.toml")
    return {case.id: case for case in plan(suite, Selection(**options))}


def psnr_case(zoo, **options: object) -> Case:
    return cases_of(zoo, **options)["tiny_x2-fp32-pair_x2-psnr"]


def case_of(card: ModelCard, metric: str = "psnr", backend: str = "torch") -> Case:
    return Case(card, metric, Precision.FP32, backend, NATIVE)


def statuses(zoo, **options: object) -> Counter[str]:
    bench = bench_of(zoo, **options)
    cases = cases_of(zoo, backend=options.get("backend", "onnxruntime")).values()
    return Counter(evaluate(bench, case).verdict.status.value for case in cases)


def test_a_true_table_matches_and_a_devices_row_is_not_run(shared_zoo) -> None:
    assert statuses(shared_zoo) == {"match": 4, "not_run": 1}


def test_a_record_holds_all_that_is_known_about_the_case(shared_zoo) -> None:
    case = psnr_case(shared_zoo)
    record = evaluate(bench_of(shared_zoo), case)
    assert (record.case_id, record.node_id) == (case.id, f"card.toml::{case.id}")
    assert (record.family, record.model, record.metric) == ("tiny", "tiny_x2", "psnr")
    assert (record.precision, record.dataset, record.protocol) == ("fp32", "pair_x2", "native_rgb")
    assert (record.backend, record.device) == ("onnxruntime", "cpu")
    assert record.measurement.value == pytest.approx(shared_zoo.psnr, abs=1e-9)
    assert [score.image for score in record.measurement.images] == ["a", "b"]
    assert (record.measurement.unit, record.measurement.planned) == ("dB", 2)
    assert len(record.fingerprint) == 64
    assert record.seconds > 0


def test_psnr_and_ssim_share_one_inference_of_each_image(shared_zoo, sessions: Sessions) -> None:
    bench, cases = bench_of(shared_zoo), cases_of(shared_zoo)
    psnr = evaluate(bench, cases["tiny_x2-fp32-pair_x2-psnr"])
    ssim = evaluate(bench, cases["tiny_x2-fp32-pair_x2-ssim"])
    assert (sessions.opened, sessions.runs) == (1, 2)
    assert ssim.measurement.value == pytest.approx(shared_zoo.ssim, abs=1e-6)
    assert psnr.fingerprint != ssim.fingerprint


def raise_on(image: Path, score: Callable[..., float]) -> Callable[..., float]:
    """Return `score`, with a fault for one ground truth."""
    pixels = read_image(image)

    def scored(sr, hr, **how):
        if np.array_equal(hr, pixels):
            msg = "boom\nbang"
            raise ValueError(msg)
        return score(sr, hr, **how)

    return scored


def test_a_metric_that_raises_is_an_error_and_the_others_are_judged(
    zoo, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [cases_of(zoo)[f"tiny_x2-fp32-pair_x2-{metric}"] for metric in ("psnr", "ssim")]
    with monkeypatch.context() as patched:
        patched.setattr(psnr, "score", raise_on(zoo.data / "HR" / "b.png", psnr.score))
        for _session in range(2):
            bench = bench_of(zoo)
            broken, ssim = (evaluate(bench, case) for case in cases)
            assert (broken.verdict.status, ssim.verdict.status) == (Status.ERROR, Status.MATCH)
            assert broken.verdict.sentence.startswith(
                r"image b: psnr: its score raised ValueError('boom\nbang') in test_bench.py, line "
            )
            assert broken.measurement is None
    assert (sessions.runs, ssim.cached) == (3, 1)
    mended = evaluate(bench_of(zoo), cases[0])
    assert (mended.verdict.status, mended.cached, sessions.runs) == (Status.MATCH, 1, 4)
    assert evaluate(bench_of(zoo), cases[0]).cached == 2


def test_an_image_that_no_metric_can_score_ends_the_run(
    zoo, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for metric in (psnr, ssim):
        monkeypatch.setattr(metric, "score", raise_on(zoo.data / "HR" / "a.png", metric.score))
    record = evaluate(bench_of(zoo, threads=1), psnr_case(zoo))
    assert record.verdict.sentence.startswith("tiny_x2 on a: psnr: its score raised ValueError")


def test_cost_needs_no_images_and_no_session(shared_zoo, sessions: Sessions) -> None:
    bench = Bench(Selection())
    cases = [case for case in cases_of(shared_zoo).values() if case.evaluation is None]
    records = [evaluate(bench, case) for case in cases]
    assert [record.verdict.status for record in records] == [Status.MATCH, Status.MATCH]
    assert {record.device for record in records} == {""}
    assert sessions.opened == 0


def test_an_error_of_a_run_is_the_verdict_of_all_its_cases_and_is_not_tried_again(
    zoo, sessions: Sessions
) -> None:
    truncate(zoo.data / "HR" / "b.png")
    bench, cases = bench_of(zoo), cases_of(zoo)
    records = [evaluate(bench, cases[f"tiny_x2-fp32-pair_x2-{m}"]) for m in ("psnr", "ssim")]
    assert [record.verdict.status for record in records] == [Status.ERROR, Status.ERROR]
    assert all("b.png" in record.verdict.sentence for record in records)
    assert all(record.measurement is None and not record.fingerprint for record in records)
    assert records[0].verdict.claimed == pytest.approx(zoo.psnr, abs=1e-3)
    assert sessions.opened == 1


def truncate(image: Path) -> None:
    """Leave the header, by which images are paired, and half of the pixels."""
    data = image.read_bytes()
    image.write_bytes(data[: len(data) // 2])


def test_the_home_folder_is_in_no_record(zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(zoo.root.parent))
    monkeypatch.chdir(zoo.root.parent)
    (zoo.data / "HR" / "b.png").write_bytes(b"broken")
    bench = bench_of(zoo)
    for case in plan(load_suite(Path("my_zoo/tiny/card.toml")), Selection()):
        text = json.dumps(encode(evaluate(bench, case)))
        assert str(zoo.root.parent) not in text
    assert "~/my_zoo/images" in evaluate(bench, psnr_case(zoo)).verdict.sentence


def test_a_home_at_the_root_of_all_paths_leaves_them_readable(
    zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/")
    (zoo.data / "HR" / "b.png").write_bytes(b"broken")
    record = evaluate(bench_of(zoo), psnr_case(zoo))
    assert str(zoo.data / "HR" / "b.png") in record.verdict.sentence


def test_a_limited_run_is_shown_and_never_judged(shared_zoo) -> None:
    record = evaluate(bench_of(shared_zoo, limit=1), psnr_case(shared_zoo))
    assert record.verdict.status is Status.NOT_RUN
    assert record.verdict.measured is not None
    assert record.measurement.partial


def test_a_claim_about_the_card_is_never_judged_by_an_emulated_number(shared_zoo) -> None:
    case = cases_of(shared_zoo, backend="vacc")["tiny_x2-vacc-fp16-pair_x2-psnr"]
    record = evaluate(bench_of(shared_zoo, backend="vacc"), case)
    assert (record.verdict.status, record.device) == (Status.NOT_RUN, "emulated")
    assert record.verdict.measured == pytest.approx(shared_zoo.psnr, abs=0.01)
    assert "emulated value shown, not judged" in record.verdict.sentence
    assert record.verdict.tolerance is None


@pytest.mark.parametrize(
    ("word", "backend", "message"),
    [
        ("vacc", "onnxruntime", "rerun with --backend=vacc"),
        ("vacc-emulated", "torch", "rerun with --backend=vacc"),
        ("other", "vacc", "this row claims an other number"),
    ],
)
def test_a_row_about_another_backend_is_not_run(
    shared_zoo, sessions: Sessions, word: str, backend: str, message: str
) -> None:
    case = cases_of(shared_zoo)["tiny_x2-vacc-fp16-pair_x2-psnr"]
    about = replace(case, claim=replace(case.claim, backend=word), backend=backend)
    record = evaluate(bench_of(shared_zoo, backend=backend), about)
    assert record.verdict.status is Status.NOT_RUN
    assert message in record.verdict.sentence
    assert sessions.opened == 0


def test_a_precision_that_the_backend_lacks_is_not_run(
    shared_zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "precisions", lambda _: (Precision.FP32, Precision.FP16))
    case = replace(psnr_case(shared_zoo), claim=None, precision=Precision("int8_kl"))
    record = evaluate(bench_of(shared_zoo), case)
    assert record.verdict.status is Status.NOT_RUN
    assert "does not offer int8_kl here, only fp32, fp16; rerun with --b" in record.verdict.sentence


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        (
            {"evaluation": Evaluation("paris", EvalProtocol("p"))},
            Status.ERROR,
            "unknown dataset 'paris'; did you mean 'pair'",
        ),
        ({"evaluation": Evaluation("set5", EvalProtocol("p"))}, Status.NOT_RUN, "fetch set5"),
    ],
)
def test_what_cannot_be_measured_says_why(
    shared_zoo, change: dict[str, object], status: Status, message: str
) -> None:
    case = replace(psnr_case(shared_zoo), claim=None, **change)
    record = evaluate(bench_of(shared_zoo), case)
    assert record.verdict.status is status
    assert message in record.verdict.sentence
    commands = [part.command for part in record.detail.missing]
    assert commands == (["sr-bench fetch set5"] if status is Status.NOT_RUN else [])
    assert decode(Record, json.loads(json.dumps(encode(record)))) == record


def test_a_record_says_by_which_rule_its_lr_was_made(shared_zoo) -> None:
    rule = EvalProtocol("made", lr_from="hr", lr_resize="cv2_area")
    given = psnr_case(shared_zoo)
    made = replace(given, claim=None, evaluation=replace(given.evaluation, protocol=rule))
    assert evaluate(bench_of(shared_zoo), made).detail.lr_made_by == "cv2_area"
    assert evaluate(bench_of(shared_zoo), given).detail.lr_made_by == ""


@pytest.mark.parametrize("backend", ["torch", "onnxruntime"])
@pytest.mark.parametrize(
    ("break_it", "status", "message"),
    [
        (lambda path: path.unlink(), Status.NOT_RUN, "give their folder with --sr-weights"),
        (lambda path: path.write_bytes(b""), Status.ERROR, "the file is empty"),
        (lambda path: path.write_bytes(path.read_bytes()[:900]), Status.ERROR, "truncated"),
    ],
)
def test_missing_weights_are_not_run_and_corrupt_ones_an_error(
    edsr: ModelCard, shared_zoo, backend: str, break_it, status: Status, message: str
) -> None:
    break_it(edsr.folder / "small.pth")
    bench = Bench(Selection(backend=backend, data=shared_zoo.data), (shared_zoo.root / "datasets",))
    record = evaluate(bench, case_of(edsr, backend=backend))
    assert record.verdict.status is status
    assert message in record.verdict.sentence


def test_weights_of_a_wrong_digest_are_an_error_even_where_their_results_are_kept(
    edsr: ModelCard, shared_zoo
) -> None:
    declared = replace(edsr, checkpoint=Checkpoint("small.pth", sha256="0" * 64))

    def measure(card: ModelCard) -> Record:
        selection = Selection(backend="torch", data=shared_zoo.data)
        return evaluate(Bench(selection, (shared_zoo.root / "datasets",)), case_of(card))

    assert measure(edsr).verdict.status is Status.NEW
    assert measure(edsr).cached == 2
    record = measure(declared)
    assert record.verdict.status is Status.ERROR
    assert "expected sha256" in record.verdict.sentence


def test_two_zoos_of_the_same_names_do_not_answer_for_each_other(zoo, tmp_path: Path) -> None:
    other = replace(zoo, root=tmp_path / "other" / "my_zoo")
    shutil.copytree(zoo.root, other.root)
    manifest = other.root / "datasets" / "pair" / "dataset.toml"
    manifest.write_text(manifest.read_text().replace("HR/", "HR2/").replace("LR/", "LR2/"))
    card = other.suite / "card.toml"
    card.write_text(card.read_text().replace("3x1000x1000", "3x500x500"))
    for kind in ("HR", "LR"):
        (zoo.data / f"{kind}2").mkdir()
        for stem, source in ("ab", "ba"):  # the same names, exchanged
            shutil.copy(zoo.data / kind / f"{source}.png", zoo.data / f"{kind}2" / f"{stem}.png")
    bench = bench_of(zoo)
    psnr = [evaluate(bench, psnr_case(tree)).measurement.images for tree in (zoo, other)]
    assert [score.value for score in psnr[0]] == [score.value for score in reversed(psnr[1])]
    flops = [evaluate(bench, flops_case(tree)).measurement.value for tree in (zoo, other)]
    assert flops[0] == 4 * flops[1]


def test_a_verdict_names_the_shape_on_which_a_printed_count_would_be_right(zoo) -> None:
    card = zoo.suite / "card.toml"
    card.write_text(card.read_text().replace("3x1000x1000", "3x500x500"))
    verdict = evaluate(bench_of(zoo), flops_case(zoo)).verdict
    assert verdict.status is Status.DIFFERS
    assert 'prints 2 x MAC on 3x1000x1000 (set cost.rule = "standard", ' in verdict.sentence


def flops_case(zoo) -> Case:
    return next(case for case in cases_of(zoo).values() if case.metric == "flops")


def fingerprint(zoo, case: Case, **options: object) -> str:
    record = evaluate(bench_of(zoo, backend=case.backend, **options), case)
    assert record.fingerprint, record.verdict.sentence
    return record.fingerprint


def test_the_fingerprint_changes_with_all_that_can_change_the_number(zoo) -> None:
    case = replace(psnr_case(zoo), claim=None)
    protocol = case.evaluation.protocol
    prints = [
        fingerprint(zoo, case),
        fingerprint(zoo, replace(case, precision=Precision.FP16)),
        fingerprint(zoo, replace(case, backend="vacc")),
        fingerprint(zoo, case, limit=1),
        fingerprint(
            zoo,
            replace(
                case,
                card=replace(
                    case.card,
                    **ends(255.0),
                ),
            ),
        ),
        fingerprint(zoo, replace(case, evaluation=Evaluation("pair", replace(protocol, border=2)))),
    ]
    hr = zoo.data / "HR" / "a.png"
    write_png(hr, read_image(hr) ^ 1)
    prints.append(fingerprint(zoo, case))
    onnx = zoo.suite / "tiny.onnx"
    onnx.write_bytes(onnx.read_bytes() + b"\x12\x01x")  # another producer's name
    prints.append(fingerprint(zoo, case))
    assert len(set(prints)) == len(prints)


def test_the_fingerprint_does_not_change_with_what_cannot(zoo) -> None:
    case = psnr_case(zoo)
    source = Source("README.md", 1, 1)
    claim = Claim("psnr", "1.0", "Tiny", "", Precision.FP32, "", "", "", source)
    renamed = replace(case.evaluation.protocol, name="other", source="elsewhere")
    prints = {
        fingerprint(zoo, case),
        fingerprint(zoo, case, threads=1),
        fingerprint(zoo, case, allow_better=True, models=("tiny*",)),
        fingerprint(zoo, replace(case, claim=claim)),
        fingerprint(zoo, replace(case, evaluation=Evaluation("pair", renamed))),
        fingerprint(zoo, replace(case, card=replace(case.card, name="n", row="R"))),
    }
    assert len(prints) == 1


class Elsewhere:
    """A bench on another processor than this session's."""

    cpu = "Other CPU"

    def __init__(self, worker) -> None:
        self._worker = worker

    def __getattr__(self, name: str) -> object:
        return getattr(self._worker, name)


def test_a_record_says_which_processor_measured_unless_it_is_the_sessions_own(zoo):
    case = cases_of(zoo)["tiny_x2-fp32-pair_x2-psnr"]
    assert evaluate(bench_of(zoo), case).detail.measured_on == ""
    bench = bench_of(zoo)
    bench._runs.executor = Elsewhere(bench._runs.here)
    assert evaluate(bench, case).detail.measured_on == "Other CPU"


def test_a_metric_asked_for_later_is_measured_again_and_the_first_stay(
    shared_zoo, sessions: Sessions
) -> None:
    case = psnr_case(shared_zoo)
    mae = replace(case, metric="mae", claim=None)
    bench = bench_of(shared_zoo)
    first, added = evaluate(bench, case), evaluate(bench, mae)
    assert (sessions.runs, added.cached) == (4, 0)
    again = bench_of(shared_zoo)
    assert evaluate(again, mae).cached == evaluate(again, case).cached == 2
    assert evaluate(again, case).measurement == first.measurement
    assert evaluate(again, case).fingerprint == first.fingerprint
    assert sessions.runs == 4


def test_all_that_is_announced_is_measured_by_one_inference(shared_zoo, sessions: Sessions) -> None:
    case = psnr_case(shared_zoo)
    cases = [replace(case, metric=name, claim=None) for name in ("psnr", "mae", "ssim_y", "fid")]
    bench = bench_of(shared_zoo)
    bench.announce(cases)
    verdicts = [evaluate(bench, case).verdict for case in cases]
    assert [verdict.status for verdict in verdicts] == [*[Status.NEW] * 3, Status.NOT_RUN]
    assert "compares sets of images" in verdicts[-1].sentence
    assert sessions.runs == 2
