import argparse
import os
import pickle
import re
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from sr_bench.core.card import Hyper, ModelCard
from sr_bench.core.checkpoint import Checkpoint
from sr_bench.errors import CardError, CheckpointError
from sr_bench.zoo.build import build
from sr_bench.zoo.checkpoints import load_network
from tests.zoo import rcan
from tests.zoo.rcan import TRIMMED
from tests.zoo.reading import fit_of, load_state, told_of
from tests.zoo.weights import load_model

State = dict[str, Tensor]

EDSR: Hyper = {
    "form": "official",
    "n_feats": 4,
    "n_resblocks": 2,
    "res_scale": 0.1,
    "rgb_range": 255.0,
}
RCAN: Hyper = {**rcan.RCAN, "n_resgroups": 2, "n_resblocks": 2, "n_feats": 4, "reduction": 2}
BASICSR: Hyper = {"form": "basicsr", "mean_shift": "tensor"}
RRDBNET: Hyper = {"n_feats": 4, "n_blocks": 2, "growth": 2, "res_scale": 0.2}
LESRCNN: Hyper = {"n_feats": 4, "multi_scale": False}

NETWORKS = [
    *(("edsr", {**EDSR, "form": form}, s) for form in ("official", "basicsr") for s in range(1, 5)),
    *(("rcan", {**RCAN, **form}, s) for form in ({}, BASICSR) for s in (2, 3, 4, 8)),
    ("rcan", {**RCAN, **TRIMMED, "mean_shift": "plain"}, 2),
    ("rcan", {**RCAN, **TRIMMED, **BASICSR}, 2),
    ("rrdbnet", RRDBNET, 4),
    *(
        ("lesrcnn", {**LESRCNN, "multi_scale": many}, s)
        for many in (False, True)
        for s in (2, 3, 4)
    ),
]


def card(
    architecture: str = "edsr", hyper: Hyper = EDSR, scale: int = 2, **checkpoint: str
) -> ModelCard:
    return ModelCard(
        name="tiny",
        family="zoo",
        folder=Path(),
        row="",
        row_source="",
        scale=scale,
        architecture=architecture,
        hyper=hyper,
        checkpoint=Checkpoint(file="weights", **checkpoint),
    )


def outputs_agree(given: torch.nn.Module, loaded: torch.nn.Module) -> bool:
    x = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return torch.equal(given.eval()(x), loaded(x))


@pytest.mark.parametrize(("architecture", "hyper", "scale"), NETWORKS)
def test_every_network_round_trips_through_a_torch_file(
    architecture: str, hyper: Hyper, scale: int, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    module = build(architecture, hyper, scale)
    torch.save(module.state_dict(), tmp_path / "weights.pth")
    loaded = load_model(card(architecture, hyper, scale), tmp_path / "weights.pth")
    assert outputs_agree(module, loaded)
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())


def old_esrgan(state: State) -> State:
    """Name a two-block RRDBNet's parameters as ESRGAN did before its renaming."""
    rules = {
        r"^conv_first": "model.0",
        r"^RRDB_trunk\.(\d)\.(RDB\d\.conv\d)": r"model.1.sub.\1.\2.0",
        r"^trunk_conv": "model.1.sub.2",
        r"^upconv1": "model.3",
        r"^upconv2": "model.6",
        r"^HRconv": "model.8",
        r"^conv_last": "model.10",
    }
    return renamed(state, rules)


def basicsr_rrdb(state: State) -> State:
    """Name an RRDBNet's parameters as BasicSR does."""
    rules = {
        r"^RRDB_trunk\.(\d)\.RDB(\d)": r"body.\1.rdb\2",
        r"^trunk_conv": "conv_body",
        r"^upconv(\d)": r"conv_up\1",
        r"^HRconv": "conv_hr",
    }
    return renamed(state, rules)


def renamed(state: State, rules: dict[str, str]) -> State:
    for pattern, name in rules.items():
        state = {re.sub(pattern, name, key): value for key, value in state.items()}
    return state


@pytest.mark.parametrize("naming", [dict, old_esrgan, basicsr_rrdb])
@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("wrapper", ["", "params", "params_ema", "state_dict", "model"])
def test_an_rrdbnet_loads_under_every_name_prefix_and_wrapper(
    naming: type[dict[str, Tensor]], prefix: str, wrapper: str, tmp_path: Path
) -> None:
    module = build("rrdbnet", RRDBNET, 4)
    state = {prefix + key: value for key, value in naming(module.state_dict()).items()}
    torch.save({wrapper: state} if wrapper else state, tmp_path / "weights.pth")
    loaded = load_model(card("rrdbnet", RRDBNET, 4), tmp_path / "weights.pth")
    assert outputs_agree(module, loaded)


def test_safetensors_and_files_from_before_the_zip_format_load(tmp_path: Path) -> None:
    module = build("edsr", EDSR, 2)
    save_file(module.state_dict(), tmp_path / "new.safetensors")
    torch.save(module.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for name in ("new.safetensors", "old.pth"):
        assert outputs_agree(module, load_model(card(), tmp_path / name))


@pytest.mark.parametrize(("kind", "said"), [("float16", "fp16"), ("bfloat16", "bf16")])
def test_half_precision_weights_become_float32_and_the_record_says_so(
    kind: str, said: str, tmp_path: Path
) -> None:
    module = build("edsr", EDSR, 2)
    half = {name: value.to(getattr(torch, kind)) for name, value in module.state_dict().items()}
    torch.save(half, tmp_path / "w.pth")
    loaded, notes = load_network(card(), tmp_path / "w.pth")
    assert notes == {"weights": f"weights rounded to {said} by their packager"}
    state = loaded.state_dict()
    assert all(torch.equal(state[name], value.float()) for name, value in half.items())


def test_averaged_weights_are_preferred_unless_the_card_names_the_others(tmp_path: Path) -> None:
    both = {"params": {"a": torch.zeros(2)}, "params_ema": {"a": torch.ones(2)}, "iter": 7}
    torch.save(both, tmp_path / "w.pth")
    assert fit_of(tmp_path / "w.pth").entry == "params_ema"
    assert fit_of(tmp_path / "w.pth", "params").entry == "params"
    assert told_of(tmp_path / "w.pth") == (
        "weights of entry params_ema; left out params (1 tensors), iter"
    )


def test_loading_a_model_leaves_the_seed_alone(tmp_path: Path) -> None:
    torch.save(build("edsr", EDSR, 2).state_dict(), tmp_path / "w.pth")
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    load_model(card(), tmp_path / "w.pth")
    assert torch.equal(torch.rand(1), expected)


def test_missing_unexpected_and_mis_shaped_parameters_are_all_listed(tmp_path: Path) -> None:
    state = build("edsr", EDSR, 2).state_dict()
    state |= {"tail.1.bias": torch.zeros(4), "extra": torch.zeros(1)}
    del state["sub_mean.weight"]
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(CheckpointError) as caught:
        load_model(card(), tmp_path / "w.pth")
    message = str(caught.value)
    assert "w.pth (card zoo/tiny): 18 of 20 parameters fit OfficialEdsr; " in message
    assert "1 missing: sub_mean.weight; 1 unexpected: extra; " in message
    assert "1 mis-shaped: tail.1.bias (4,) instead of (3,)" in message


def test_weights_of_another_architecture_are_refused_with_counts_and_some_names(
    tmp_path: Path,
) -> None:
    torch.save(build("rrdbnet", RRDBNET, 4).state_dict(), tmp_path / "w.pth")
    with pytest.raises(CheckpointError) as caught:
        load_model(card(), tmp_path / "w.pth")
    message = str(caught.value)
    assert "w.pth (card zoo/tiny): 0 of 20 parameters fit OfficialEdsr; 20 missing: " in message
    assert "72 unexpected: HRconv.bias, " in message
    assert " and 64 more" in message
    assert len(message) < 900


def test_weights_of_another_scale_are_refused(tmp_path: Path) -> None:
    torch.save(build("edsr", EDSR, 4).state_dict(), tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"2 unexpected: tail\.0\.2\.bias"):
        load_model(card(scale=2), tmp_path / "w.pth")


def test_a_parameter_under_two_names_is_refused(tmp_path: Path) -> None:
    state = build("rrdbnet", RRDBNET, 4).state_dict()
    state["conv_hr.bias"] = state["HRconv.bias"]
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(
        CheckpointError, match=r"1 twice in the file: HRconv\.bias \(conv_hr\.bias\)"
    ):
        load_model(card("rrdbnet", RRDBNET, 4), tmp_path / "w.pth")


class _Harmful:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", ["zip", "legacy", "pickle"])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run_it(
    kind: str, tmp_path: Path
) -> None:
    trap, file = tmp_path / "ran", tmp_path / "w.pth"
    content = {"params": {"a": _Harmful(trap)}}
    if kind == "pickle":
        file.write_bytes(pickle.dumps(content, protocol=4))
    else:
        torch.save(content, file, _use_new_zipfile_serialization=kind == "zip")
    with pytest.raises(CheckpointError, match=r"refused as unsafe.* could run code.*mkdir"):
        load_state(file)
    assert not trap.exists()


def test_a_module_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="0 of 20 parameters fit OfficialEdsr"):
        load_model(card(), tmp_path / "w.pth")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_truncated_file_is_one_clear_error(kind: str, share: float, tmp_path: Path) -> None:
    file = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    state = {"a": torch.ones(50, 50)}
    if kind == "safetensors":
        save_file(state, file)
    else:
        torch.save(state, file, _use_new_zipfile_serialization=kind == "zip")
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError, match="truncated perhaps"):
        load_state(file)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the file is empty; download it again"),
        (b"<html>404</html>", "not a torch file: it starts with b'<htm'"),
        (b"PK\x03\x04 and no more", "can't be read"),
    ],
)
def test_a_file_without_weights_is_one_clear_error(
    content: bytes, fault: str, tmp_path: Path
) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=re.escape(fault)):
        load_state(tmp_path / "w.pth")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.pth: expected a weight file"):
        load_state(tmp_path / "none.pth")


def test_a_file_that_may_not_be_read_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Simulated: root may read any file.
    def refuse(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    (tmp_path / "w.pth").write_bytes(b"abc")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CheckpointError, match=r"can't be read \(Permission denied\)"):
        load_state(tmp_path / "w.pth")


def test_a_file_with_another_digest_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"abc")
    actual = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(CheckpointError, match=f"expected sha256 {'0' * 64}, got {actual}"):
        load_state(tmp_path / "w.pth", sha256="0" * 64)


def test_the_digest_that_the_card_declares_is_checked(tmp_path: Path) -> None:
    torch.save(build("edsr", EDSR, 2).state_dict(), tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="expected sha256"):
        load_model(card(sha256="0" * 64), tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ([torch.zeros(1)], "expected tensors by name, got a list"),
        ({"a": 3}, "expected tensors by name, got none; the file starts with: a"),
        ({"a": torch.eye(2).to_sparse()}, "holds more than tensors"),
    ],
)
def test_content_without_tensors_by_name_is_refused(
    content: object, fault: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=re.escape(fault)):
        fit_of(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (torch.zeros(3, dtype=torch.int8), "expected tail.1.bias to be floating point, got torch"),
        (torch.tensor([1.0, float("nan"), 1.0]), "tail.1.bias holds NaN or infinite weights"),
        (torch.tensor([1.0, float("inf"), 1.0]), "tail.1.bias holds NaN or infinite weights"),
        (3, "1 missing: tail.1.bias"),
    ],
)
def test_weights_other_than_finite_floating_point_tensors_are_refused(
    value: object, fault: str, tmp_path: Path
) -> None:
    torch.save({**build("edsr", EDSR, 2).state_dict(), "tail.1.bias": value}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=re.escape(fault)):
        load_model(card(), tmp_path / "w.pth")


def test_an_entry_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    torch.save({"params": {"a": torch.zeros(1)}, "iter": 1}, tmp_path / "w.pth")
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match="entry 'net'; the file starts with: params, iter"):
        fit_of(tmp_path / "w.pth", "net")
    with pytest.raises(CheckpointError, match="entry 'net'; the file starts with: a"):
        fit_of(tmp_path / "w.safetensors", "net")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("", ("net",)),
        ("", ("g_ema",)),
        ("", ("model", "state_dict")),
        ("", ("state_dict", "generator", "module")),
        ("ema.net", ("ema", "net")),
        ("ema", ("ema", "net")),
    ],
)
def test_weights_are_taken_from_the_entry_that_holds_them_however_it_is_called(
    key: str, path: tuple[str, ...], tmp_path: Path
) -> None:
    content: dict[str, object] = {"a": torch.ones(2), "steps": torch.tensor(7)}
    for name in reversed(path):
        content = {"epoch": 3, name: content, "optimizer": {"state": {0: {"b": torch.ones(1)}}}}
    torch.save(content, tmp_path / "w.pth")
    fit = fit_of(tmp_path / "w.pth", key)
    assert fit.entry == ".".join(path)
    assert fit.counters == ["steps"]


@pytest.mark.parametrize("wrapped", [list, tuple])
def test_weights_are_found_in_a_list(wrapped: type, tmp_path: Path) -> None:
    torch.save(wrapped([{"a": torch.ones(2)}, 3]), tmp_path / "w.pth")
    assert told_of(tmp_path / "w.pth") == "weights of entry 0; left out 1"


def test_of_a_pair_of_networks_the_one_that_fits_is_taken_and_the_other_one_told(
    tmp_path: Path,
) -> None:
    torch.save({"G": {"a": torch.ones(2)}, "D": {"b": torch.ones(2)}}, tmp_path / "w.pth")
    assert told_of(tmp_path / "w.pth") == "weights of entry G; left out D (1 tensors)"


@pytest.mark.parametrize("names", [("model", "ema_model"), ("state_dict", "model_ema")])
def test_weights_that_fit_twice_are_refused_until_the_card_says_which(
    names: tuple[str, str], tmp_path: Path
) -> None:
    save_file({f"{name}.a": torch.ones(2) for name in names}, tmp_path / "w.safetensors")
    both = f"entries {min(names)} and {max(names)}|entries {max(names)} and {min(names)}"
    with pytest.raises(CheckpointError, match=f"weights of Net are in the ({both}); say which"):
        fit_of(tmp_path / "w.safetensors")
    assert fit_of(tmp_path / "w.safetensors", names[1]).entry == names[1]


def test_a_key_may_be_what_the_names_of_the_weights_start_with(tmp_path: Path) -> None:
    weights = {"generator.a": torch.ones(2), "discriminator.a": torch.ones(2)}
    save_file(weights, tmp_path / "w.SAFETENSORS")
    assert fit_of(tmp_path / "w.SAFETENSORS", "generator").entry == "generator"


def test_a_safetensors_file_is_known_by_its_content(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "w.ckpt")
    assert list(load_state(tmp_path / "w.ckpt")) == ["a"]


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "netG.", "module.model.", "x.y.z."])
def test_a_prefix_that_all_names_share_is_removed(prefix: str, tmp_path: Path) -> None:
    module = build("edsr", EDSR, 2)
    state = {f"{prefix}{name}": value for name, value in module.state_dict().items()}
    torch.save({**state, "n_averaged": torch.tensor(10)}, tmp_path / "w.pth")
    assert outputs_agree(module, load_model(card(), tmp_path / "w.pth"))


class BatchNormed(torch.nn.Module):
    """A network with what is no floating-point parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(3)
        self.register_buffer("index", torch.arange(6).reshape(2, 3))
        self.register_buffer("passing", torch.ones(9), persistent=False)


def test_counters_of_the_training_need_not_be_in_the_file(tmp_path: Path) -> None:
    state = BatchNormed().state_dict()
    del state["norm.num_batches_tracked"]
    torch.save(state, tmp_path / "w.pth")
    assert not fit_of(tmp_path / "w.pth", net=BatchNormed()).faults


def test_a_module_that_was_saved_whole_holds_what_its_state_dict_would(tmp_path: Path) -> None:
    net = BatchNormed()
    net.norm.weight.data.fill_(2.0)
    torch.save({"net": net, "opt": argparse.Namespace(scale=2)}, tmp_path / "w.pth")
    assert load_state(tmp_path / "w.pth").keys() == {f"net.{name}" for name in net.state_dict()}
    assert torch.equal(load_state(tmp_path / "w.pth")["net.norm.weight"], torch.full((3,), 2.0))
    fit = fit_of(tmp_path / "w.pth", net=BatchNormed())
    assert (fit.entry, fit.faults) == ("net", [])


def test_an_object_beside_the_weights_is_told_with_its_class(tmp_path: Path) -> None:
    content = {"net": {"a": torch.ones(2)}, "opt": argparse.Namespace(scale=2), "epoch": 3}
    torch.save(content, tmp_path / "w.pth")
    assert told_of(tmp_path / "w.pth") == (
        "weights of entry net; left out epoch, opt (argparse.Namespace)"
    )


class Tied(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(2, 2, bias=False)
        self.second = self.first


def test_a_shared_parameter_may_be_in_the_file_once(tmp_path: Path) -> None:
    save_file({"second.weight": torch.ones(2, 2)}, tmp_path / "w.safetensors")
    assert not fit_of(tmp_path / "w.safetensors", net=Tied()).faults


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["zip", "old"])
def test_any_protocol_of_pickle_is_read(protocol: int, kind: str, tmp_path: Path) -> None:
    state = OrderedDict(a=torch.arange(6.0).reshape(2, 3).t(), b=torch.tensor([True, False]))
    state["c"] = state["a"][1:]  # of the same storage
    torch.save(
        {"params": state, "opt": argparse.Namespace(path=Path("a"), best=np.float64(3))},
        tmp_path / "w.pth",
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=kind == "zip",
    )
    read = load_state(tmp_path / "w.pth")
    assert {name.removeprefix("params."): value.tolist() for name, value in read.items()} == {
        name: value.tolist() for name, value in state.items()
    }


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize("kind", ["f4", ">f4", "f8", "f2"])
def test_arrays_of_numpy_are_tensors_too(kind: str, protocol: int, tmp_path: Path) -> None:
    given = np.asfortranarray(np.arange(6).reshape(2, 3)).astype(kind)
    torch.save({"a": given, "b": given.T}, tmp_path / "w.pth", pickle_protocol=protocol)
    read = load_state(tmp_path / "w.pth")
    assert [read["a"].tolist(), read["b"].tolist()] == [given.tolist(), given.T.tolist()]


def test_tensors_with_a_type_that_old_torch_lacks_are_read(tmp_path: Path) -> None:
    torch.save({"a": torch.tensor([1, 60000], dtype=torch.uint16)}, tmp_path / "w.pth")
    assert load_state(tmp_path / "w.pth")["a"].tolist() == [1, 60000]


def test_a_torchscript_archive_and_a_numpy_file_are_named_as_such(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "w.pt", "w") as archive:  # torch.jit.script is deprecated
        for record in ("data.pkl", "constants.pkl", "code/__torch__.py"):
            archive.writestr(f"net/{record}", b"")
    np.savez(tmp_path / "w.npz", a=np.ones(2))
    with pytest.raises(CheckpointError, match=r"TorchScript archive.*save torch\.jit\.load"):
        load_state(tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=r"zip file without data\.pkl.*by torch\.save"):
        load_state(tmp_path / "w.npz")


def test_a_card_with_its_own_onnx_file_has_no_network_to_load(tmp_path: Path) -> None:
    onnx = replace(card(), architecture="", onnx=tmp_path / "net.onnx")
    with pytest.raises(CardError, match=r"zoo/tiny names no architecture.*net\.onnx"):
        load_model(onnx, tmp_path / "w.pth")
