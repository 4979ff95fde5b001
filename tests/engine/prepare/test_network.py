"""From a card to an artefact: cached by content, and every faulty weight file is named."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import sr_bench.export.to_onnx
from sr_bench.core.backend import PRECISION_KEY, Form
from sr_bench.core.card import ModelCard
from sr_bench.core.checkpoint import Checkpoint
from sr_bench.core.precision import Precision
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.prepare.network import prepare
from sr_bench.errors import CacheWarning, CardError, CheckpointError, NotRunError
from sr_bench.files.hashing import sha256_file
from sr_bench.files.kept import Kept, Spare
from tests.ends import ends

FP32, FP16 = Precision.FP32, Precision.FP16


def exported(card: ModelCard, precision: Precision = FP32) -> Path:
    path = prepare(card, precision, None).artefact().onnx
    assert path is not None
    return path


def run(path: Path, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def test_the_exported_file_computes_what_the_module_does(edsr: ModelCard) -> None:
    artefact = prepare(edsr, FP32, None).artefact()
    x = np.random.default_rng(1).random((1, 3, 9, 7), np.float32) * 255
    expected = artefact.load_module()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(run(artefact.onnx, x), expected, atol=1e-4 * 255)


def test_a_backend_of_modules_gets_a_fresh_one_each_time_and_no_file(
    edsr: ModelCard, cache: Path
) -> None:
    artefact = prepare(edsr, FP32, None, form=Form.MODULE).artefact()
    first, second = artefact.load_module(), artefact.load_module()
    assert artefact.onnx is None
    assert first is not second
    assert not (cache / "onnx").exists()


def test_an_export_is_made_once_for_one_content(
    edsr: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = exported(edsr)
    monkeypatch.setattr(sr_bench.export.to_onnx, "export_onnx", None)
    assert exported(replace(edsr, name="other", row="Other")) == first


def test_other_weights_of_the_same_name_are_exported_anew(edsr: ModelCard) -> None:
    first = exported(edsr)
    path = edsr.folder / "small.pth"
    state = {name: 2 * value for name, value in torch.load(path).items()}
    torch.save(state, path)
    assert exported(edsr) != first


def test_a_cached_export_needs_no_torch(edsr: ModelCard) -> None:
    expected = exported(edsr)
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from sr_bench.core.card import ModelCard\n"
        "from sr_bench.core.checkpoint import Checkpoint\n"
        "from sr_bench.core.network_io import NetworkInput, NetworkOutput\n"
        "from sr_bench.core.precision import Precision\n"
        "from sr_bench.engine.prepare.network import prepare\n"
        f"card = ModelCard('n', 'f', Path({str(edsr.folder)!r}), 'R', '', 2, 'edsr',"
        f" hyper={edsr.hyper!r}, checkpoint=Checkpoint('small.pth'),"
        f" input={edsr.input!r}, output={edsr.output!r})\n"
        "print(prepare(card, Precision.FP32, None).artefact().onnx)\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stderr, done.stdout.strip()) == ("", str(expected))


def test_fp16_is_made_from_the_fp32_file_and_says_so(edsr: ModelCard, cache: Path) -> None:
    half = onnx.load(exported(edsr, FP16))
    assert {entry.key: entry.value for entry in half.metadata_props}[PRECISION_KEY] == "fp16"
    assert len(list((cache / "onnx").glob("*.onnx"))) == 2
    x = np.random.default_rng(1).random((1, 3, 6, 6), np.float32) * 255
    full, rounded = run(exported(edsr), x), run(exported(edsr, FP16), x)
    assert 0 < np.abs(full - rounded).max() < 1.0


def test_absent_weights_are_not_run(edsr: ModelCard) -> None:
    (edsr.folder / "small.pth").unlink()
    with pytest.raises(NotRunError, match=r"small\.pth are not here.*--sr-weights"):
        prepare(edsr, FP32, None)


def test_weights_are_taken_from_the_given_folder(edsr: ModelCard, tmp_path: Path) -> None:
    (edsr.folder / "small.pth").rename(tmp_path / "small.pth")
    assert prepare(edsr, FP32, tmp_path).weights == tmp_path / "small.pth"


@pytest.mark.parametrize("form", [Form.ONNX, Form.MODULE])
def test_a_wrong_digest_is_an_error_even_if_the_file_was_exported_before(
    edsr: ModelCard, form: Form
) -> None:
    exported(edsr)
    wrong = replace(edsr, checkpoint=Checkpoint("small.pth", sha256="0" * 64))
    with pytest.raises(CheckpointError, match=r"expected sha256 0{64}, got"):
        load_weights(wrong, form)


def load_weights(card: ModelCard, form: Form) -> None:
    artefact = prepare(card, FP32, None, form=form).artefact()
    if form is Form.MODULE:
        artefact.load_module()


def test_the_right_digest_is_accepted(edsr: ModelCard) -> None:
    digest = sha256_file(edsr.folder / "small.pth")
    load_weights(replace(edsr, checkpoint=Checkpoint("small.pth", sha256=digest)), Form.ONNX)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda data: b"", "the file is empty"),
        (lambda data: data[: len(data) // 2], "truncated perhaps"),
        (lambda data: b"<html>", "not a torch file"),
    ],
)
def test_a_corrupt_file_is_named_and_nothing_is_cached(
    edsr: ModelCard, cache: Path, content, message: str
) -> None:
    path = edsr.folder / "small.pth"
    path.write_bytes(content(path.read_bytes()))
    with pytest.raises(CheckpointError, match=rf"small\.pth.*{message}"):
        exported(edsr)
    assert not cache.exists()


def test_weights_of_another_architecture_list_what_does_not_fit(edsr: ModelCard) -> None:
    wider = replace(edsr, hyper=edsr.hyper | {"n_feats": 8})
    with pytest.raises(CheckpointError, match=r"small\.pth \(card small/small_x2\).*mis-shaped"):
        exported(wider)


def test_a_wrong_hyper_parameter_is_a_fault_of_the_card(edsr: ModelCard) -> None:
    with pytest.raises(CardError, match=r"n_feat: unknown key; did you mean 'n_feats'"):
        exported(replace(edsr, hyper=edsr.hyper | {"n_feat": 8}))


def test_an_unusable_cache_is_told_and_the_network_made_elsewhere(
    edsr: ModelCard, cache: Path
) -> None:
    cache.write_text("a file where a folder should be")
    kept = Kept(cache, Spare("one"))
    with pytest.warns(CacheWarning, match="the cache can't be used: cannot write") as told:
        first, again = (prepare(edsr, FP32, None, kept=kept).onnx() for _ in range(2))
    assert first == again
    assert first.is_file()
    assert len(told.list) == 1


@pytest.mark.parametrize("form", [Form.ONNX, Form.MODULE])
def test_a_users_onnx_file_is_used_as_it_is_and_is_not_a_module(shared_zoo, form: Form) -> None:
    card = load_suite(shared_zoo.suite / "card.toml").card.models[0]
    artefact = prepare(card, FP32, None, form=form).artefact()
    file = card.onnx if form is Form.ONNX else None
    assert (artefact.onnx, artefact.load_module) == (file, None)


def test_the_digest_changes_with_all_that_can_change_the_output(edsr: ModelCard) -> None:
    variants = [
        edsr,
        replace(edsr, hyper=edsr.hyper | {"res_scale": 0.5}),
        replace(edsr, checkpoint=Checkpoint("small.pth", key="params")),
        replace(edsr, scale=4),
    ]
    digests = {prepare(card, FP32, None).digest for card in variants}
    digests |= {prepare(edsr, FP16, None).digest}
    assert len(digests) == len(variants) + 1
    renamed = replace(
        edsr,
        name="other",
        row="Other",
        **ends(1.0),
    )
    assert prepare(renamed, FP32, None).digest == prepare(edsr, FP32, None).digest
