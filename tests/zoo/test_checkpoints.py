import os
import pickle
import re
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from sr_bench.core.card import Checkpoint, Hyper, ModelCard
from sr_bench.errors import CardError, CheckpointError
from sr_bench.zoo.build import build
from sr_bench.zoo.checkpoints import load_into, load_model, load_state
from tests.zoo import rcan
from tests.zoo.rcan import TRIMMED

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


def test_half_precision_weights_become_float32(tmp_path: Path) -> None:
    torch.save({"a": torch.tensor([0.5], dtype=torch.float16)}, tmp_path / "w.pth")
    state = load_state(tmp_path / "w.pth")
    assert state["a"].dtype == torch.float32
    assert state["a"].item() == 0.5


def test_averaged_weights_are_preferred_unless_the_card_names_the_others(tmp_path: Path) -> None:
    both = {"params": {"a": torch.zeros(1)}, "params_ema": {"a": torch.ones(1)}, "iter": 7}
    torch.save(both, tmp_path / "w.pth")
    assert load_state(tmp_path / "w.pth")["a"].item() == 1.0
    assert load_state(tmp_path / "w.pth", "params")["a"].item() == 0.0


def test_loading_a_model_leaves_the_seed_alone(tmp_path: Path) -> None:
    torch.save(build("edsr", EDSR, 2).state_dict(), tmp_path / "w.pth")
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    load_model(card(), tmp_path / "w.pth")
    assert torch.equal(torch.rand(1), expected)


def test_missing_unexpected_and_mis_shaped_parameters_are_all_listed() -> None:
    module = build("edsr", EDSR, 2)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    state = {**before, "tail.1.bias": torch.zeros(4), "extra": torch.zeros(1)}
    del state["sub_mean.weight"]
    with pytest.raises(CheckpointError) as caught:
        load_into(module, state, where="w.pth")
    message = str(caught.value)
    assert message.startswith("w.pth: 18 of 20 parameters fit OfficialEdsr; ")
    assert "1 missing: sub_mean.weight; 1 unexpected: extra; " in message
    assert "1 mis-shaped: tail.1.bias (4,) instead of (3,)" in message
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())


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
    with pytest.raises(CheckpointError, match=r"two entries are the parameter HRconv\.bias"):
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
    why = "pickle protocol 4" if kind == "pickle" else r"refused as unsafe.* could run code"
    with pytest.raises(CheckpointError, match=why):
        load_state(file)
    assert not trap.exists()


def test_a_pickled_module_is_refused_with_the_name_of_its_class(tmp_path: Path) -> None:
    torch.save(torch.nn.ReLU(), tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"unsafe.*torch\.nn\.modules\.activation\.ReLU"):
        load_state(tmp_path / "w.pth")


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
        ({"a": torch.zeros(1), "n": 3}, "expected n to be a tensor, got a int"),
        ({"a": torch.zeros(2, dtype=torch.int8)}, "got torch.int8"),
        ({"a": torch.tensor([1.0, float("nan")])}, "a holds NaN or infinite weights"),
        ({"a": torch.tensor([float("inf")])}, "a holds NaN or infinite weights"),
        ({"a": torch.eye(2).to_sparse()}, "holds more than tensors"),
    ],
)
def test_content_other_than_finite_floating_point_tensors_is_refused(
    content: object, fault: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=re.escape(fault)):
        load_state(tmp_path / "w.pth")


def test_an_entry_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    torch.save({"params": {"a": torch.zeros(1)}, "iter": 1}, tmp_path / "w.pth")
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match="entry 'net'; the file starts with: params, iter"):
        load_state(tmp_path / "w.pth", "net")
    with pytest.raises(CheckpointError, match="entry 'net'; the file starts with: a"):
        load_state(tmp_path / "w.safetensors", "net")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("", ("net",)),
        ("", ("g_ema",)),
        ("", ("model", "state_dict")),
        ("", ("state_dict", "generator")),
        ("ema.net", ("ema", "net")),
    ],
)
def test_weights_are_taken_from_the_entry_that_holds_them_however_it_is_called(
    key: str, path: tuple[str, ...], tmp_path: Path
) -> None:
    content: dict[str, object] = {"a": torch.ones(2), "steps": torch.tensor(7)}
    for name in reversed(path):
        content = {"epoch": 3, name: content, "optimizer": {"state": {0: {"b": torch.ones(1)}}}}
    torch.save(content, tmp_path / "w.pth")
    assert list(load_state(tmp_path / "w.pth", key)) == ["a"]


def test_weights_in_several_entries_are_refused_until_the_card_says_which(tmp_path: Path) -> None:
    networks = {"G": {"a": torch.ones(2)}, "D": {"b": torch.ones(2)}}
    torch.save(networks, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="entries G, D; say which by `key` in the card"):
        load_state(tmp_path / "w.pth")
    assert list(load_state(tmp_path / "w.pth", "D")) == ["b"]


def test_a_key_may_be_what_the_names_of_the_weights_start_with(tmp_path: Path) -> None:
    weights = {"generator.up.a": torch.ones(2), "discriminator.b": torch.ones(2)}
    save_file(weights, tmp_path / "w.SAFETENSORS")
    assert list(load_state(tmp_path / "w.SAFETENSORS", "generator")) == ["up.a"]


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "netG.", "module.model.", "x.y.z."])
def test_a_prefix_that_all_names_share_is_removed(prefix: str, tmp_path: Path) -> None:
    module = build("edsr", EDSR, 2)
    state = {f"{prefix}{name}": value for name, value in module.state_dict().items()}
    torch.save({**state, "n_averaged": torch.tensor(10)}, tmp_path / "w.pth")
    assert outputs_agree(module, load_model(card(), tmp_path / "w.pth"))


def test_counters_of_the_training_need_not_be_in_the_file() -> None:
    module = torch.nn.BatchNorm2d(3)
    state = {name: torch.full((3,), 2.0) for name in ("weight", "bias")}
    state |= {name: torch.ones(3) for name in ("running_mean", "running_var")}
    load_into(module, state, where="w.pth")
    assert module.weight[0].item() == 2.0


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
