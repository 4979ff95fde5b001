"""A card.toml becomes model cards, or every fault of it is listed with its key."""

from pathlib import Path

import pytest

from sr_bench.cards.load import load_card
from sr_bench.core.card import Evaluation, KnownGap, Tolerance, Waiver
from sr_bench.core.checkpoint import Checkpoint
from sr_bench.core.device import DevicePlan, Failure, KnownFailure
from sr_bench.core.ignored import Ignored
from sr_bench.core.int8 import Gate, Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.errors import CardError

MODEL = '[[model]]\nname = "m"\nrow = "M"\nscale = 2\narchitecture = "edsr"\n'
CARD = "schema = 1\n" + MODEL
FULL = (
    'schema = 1\ndocument = "table.md"\nignore_rows = { Old = "gone" }\n'
    + MODEL
    + """
source = "Official"
value_range = 255
hyper = { form = "official", n_feats = 64, res_scale = 0.1 }
cost = { rule = "thop_0_0_31", shape = "3x24x32" }
[model.checkpoint]
file = "m.pth"
key = "params"
[[model.evaluation]]
dataset = "set5"
protocol = "paper_y"
precisions = ["fp32"]
[[model.evaluation]]
dataset = "set5"
protocol = "ours"
claimed = false
[model.tolerance.psnr]
slack = 0.01
reason = "two libraries"
[[model.known_gap]]
metric = "ssim"
precision = "kl int8"
reason = "one image"
[protocol.ours]
base = "paper_y"
border = 7
"""
)


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        (tmp_path / "zoo").mkdir(exist_ok=True)
        path = tmp_path / "zoo" / "card.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_everything_that_a_card_declares_is_read(write) -> None:
    path = write(FULL)
    suite = load_card(path)
    (model,) = suite.models
    assert (suite.family, suite.document) == ("zoo", path.parent / "table.md")
    assert suite.ignored == Ignored(rows={"Old": "gone"})
    assert (model.id, model.row, model.row_source) == ("zoo/m", "M", "Official")
    assert model.hyper == {"form": "official", "n_feats": 64, "res_scale": 0.1}
    assert model.checkpoint == Checkpoint("m.pth", key="params")
    assert (model.input.range, model.output.range, model.scale) == ((0, 255), (0, 255), 2)
    assert (model.flops_rule, model.counted_shape) == ("thop_0_0_31", (3, 24, 32))
    assert model.tolerances == {"psnr": Tolerance(0.01, "two libraries")}
    assert model.known_gaps == (KnownGap("ssim", Precision("int8_kl"), "one image"),)


INT8 = """
[model.int8]
calibration = "paris"
count = 5
shared_images = true
activations = "symmetric"
rounding = "nearest"
channels = "given"
skips = "int8"
percentile = 99.9
keep = ["head", "tail.*"]
tolerance = { psnr = { slack = 0.02, reason = "rounding" } }

[model.gate]
min_fidelity_db = 45
max_drop_db = 0.1
max_drop_ssim = 0.0
"""


def test_how_a_card_quantises_is_read(write) -> None:
    (model,) = load_card(write(FULL + INT8)).models
    assert model.int8 == Int8Plan(
        "paris", 5, True, "symmetric", "nearest", "int8", 99.9, ("head", "tail.*"), channels="given"
    )
    assert model.gate == Gate(45.0, 0.1, 0.0)
    assert model.tolerance_for("psnr", Precision("int8_kl")) == Tolerance(0.02, "rounding")
    assert model.tolerance_for("psnr", Precision.FP16) == Tolerance(0.01, "two libraries")
    assert model.tolerance_for("ssim", Precision("int8_kl")) == Tolerance()


def test_a_card_that_says_nothing_has_the_default_plan_and_no_gate(write) -> None:
    (model,) = load_card(write(FULL)).models
    assert (model.int8, model.gate) == (Int8Plan(), None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("percentile = 99.9", "percentile = 101", "percentile"),
        ("count = 5", "count = -1", "count"),
        ('"symmetric"', '"odd"', "activations"),
        ("min_fidelity_db = 45", "min_fidelity_db = -1", "min_fidelity_db"),
        ("max_drop_ssim = 0.0", "", "max_drop_ssim"),
        ("keep =", "kepe =", "did you mean 'keep'"),
    ],
)
def test_a_wrong_plan_or_gate_is_refused(write, old: str, new: str, message: str) -> None:
    assert old in INT8
    with pytest.raises(CardError, match=message):
        load_card(write(FULL + INT8.replace(old, new)))


def test_a_protocol_of_the_card_starts_from_a_named_one(write) -> None:
    paper, ours = load_card(write(FULL)).models[0].evaluations
    assert (paper.protocol.name, ours.protocol.name) == ("paper_y", "ours")
    assert ours.protocol.choices() == paper.protocol.choices() | {"border": 7}
    assert (paper.precisions, paper.claimed, ours.claimed) == ((Precision.FP32,), True, False)


def test_a_users_onnx_file_lies_beside_the_card(write) -> None:
    path = write(CARD.replace('architecture = "edsr"', 'onnx = "m.onnx"'))
    (model,) = load_card(path).models
    assert model.onnx == path.resolve().parent / "m.onnx"
    assert (model.architecture, model.checkpoint) == ("", None)


def test_a_class_of_ones_own_takes_lists_and_tables(write) -> None:
    text = CARD.replace('"edsr"', '"nets.pan:PAN"') + "code = { trust = true }\n"
    (model,) = load_card(write(text + "hyper = { a = [[1, 2.5], []], b = { c = 'd' } }")).models
    assert (model.own_class, model.code.trust, model.trusted) == ("nets.pan:PAN", True, False)
    assert model.hyper == {"a": [[1, 2.5], []], "b": {"c": "d"}}


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ('"nets.pan:"', "expected MODULE:CLASS, such as nets.pan:PAN, got 'nets.pan:'"),
        ('"../nets:PAN"', "expected MODULE:CLASS"),
        ('"nets:1"', "expected MODULE:CLASS"),
        ('"nets.pan.PAN"', "expected MODULE:CLASS"),
        ('"code.pan:PAN"', "'code' is a module of Python itself: give yours another name"),
        ('"edsr"\ncode = { trust = true }', "code.trust goes with a class of yours"),
        ('"nets:PAN"\ntrusted = true', "trusted: unknown key"),
    ],
)
def test_a_class_that_cannot_be_meant_is_refused(key: str, message: str, write) -> None:
    with pytest.raises(CardError, match=message):
        load_card(write(CARD.replace('"edsr"', key)))


def test_every_wrong_key_is_listed_with_the_nearest_valid_one(write) -> None:
    text = (
        CARD + 'rwo = "M"\nscael = 2\n[model.chekpoint]\nfile = "m"\n[protocl.ours]\nborder = 1\n'
    )
    with pytest.raises(CardError) as caught:
        load_card(write(text))
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("card.toml: 4 faults")
    assert sorted(line.strip() for line in lines[1:]) == [
        "model[0].chekpoint: unknown key; did you mean 'checkpoint'?",
        "model[0].rwo: unknown key; did you mean 'row'?",
        "model[0].scael: unknown key; did you mean 'scale'?",
        "protocl: unknown key; did you mean 'protocol'?",
    ]


def test_wrong_values_missing_keys_and_unknown_keys_are_listed_together(write) -> None:
    text = 'schema = 1\n[[model]]\nname = "m"\nrow = "M"\nscale = "two"\nrules = 1\n'
    text += '[[model]]\nname = "n"\nscale = 4\narchitecture = "edsr"\n'
    text += "[model.tolerance.psnr]\nslack = 0.5\n"
    with pytest.raises(CardError) as caught:
        load_card(write(text))
    message = str(caught.value)
    for fault in (
        "model[0].scale: expected a valid integer (got 'two')",
        "model[0].rules: unknown key",
        "model[1].row: required, but absent",
        "model[1].tolerance.psnr: slack = 0.5 needs a reason",
    ):
        assert fault in message


def test_every_unknown_name_is_listed_with_the_nearest_valid_one(write) -> None:
    text = CARD.replace('"edsr"', '"esdr"')
    text += 'cost = { rule = "thop_0_0_13" }\n'
    text += 'evaluation = [{ dataset = "d", protocol = "paper_x" }]\n'
    text += "[protocol.ours]\nboarder = 1\n[protocol.theirs]\nbase = 'paper_z'\n"
    text += "[protocol.paper_y]\nborder = 1\n"
    with pytest.raises(CardError) as caught:
        load_card(write(text))
    message = str(caught.value)
    assert "card.toml: 6 faults" in message
    for fault in (
        "model[0] 'm': architecture: unknown name 'esdr'; did you mean 'edsr'?"
        " (a class of yours: MODULE:CLASS, such as nets.pan:PAN)",
        "model[0] 'm': cost.rule: unknown name 'thop_0_0_13'; did you mean 'thop_0_0_31'?",
        "model[0] 'm': unknown protocol 'paper_x'; did you mean 'paper_y'?",
        "boarder: unknown key; did you mean 'border'?",
        "protocol.theirs: base: unknown protocol 'paper_z'; did you mean 'paper_y'?",
        "protocol.paper_y: this protocol is installed",
    ):
        assert fault in message


def test_a_name_nothing_is_near_to_is_refused_with_all_valid_ones(write) -> None:
    with pytest.raises(CardError, match=r"the valid ones are: .*edsr, .*lesrcnn, .*rcan"):
        load_card(write(CARD.replace('"edsr"', '"zzz"')))


def test_two_models_of_one_name_and_two_of_one_row_are_refused(write) -> None:
    with pytest.raises(CardError) as caught:
        load_card(write(CARD + MODEL))
    assert "2 faults" in str(caught.value)
    assert "model name 'm' is used 2 times" in str(caught.value)
    assert "row 'M' is bound 2 times" in str(caught.value)


def test_rows_of_one_label_are_told_apart_by_their_source(write) -> None:
    other = MODEL.replace('"m"', '"n"')
    text = CARD + 'source = "A"\n' + other + 'source = "B"\n'
    assert [model.row_source for model in load_card(write(text)).models] == ["A", "B"]
    with pytest.raises(CardError, match="row 'M' of source 'A' is bound 2 times"):
        load_card(write(text.replace('"B"', '"A"')))


@pytest.mark.parametrize(
    ("text", "message"),
    [("[[model]", "not valid TOML"), ("", "schema: required, but absent")],
)
def test_what_is_not_a_card_is_named(write, text: str, message: str) -> None:
    with pytest.raises(CardError, match=rf"card\.toml.*(\n.*)*{message}"):
        load_card(write(text))


def test_an_absent_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"card\.toml: can't be read"):
        load_card(tmp_path / "card.toml")


def test_an_evaluation_without_a_list_is_for_every_precision(write) -> None:
    text = CARD + 'evaluation = [{ dataset = "d", protocol = "native_rgb" }]\n'
    (evaluation,) = load_card(write(text)).models[0].evaluations
    assert isinstance(evaluation, Evaluation)
    assert all(evaluation.covers(precision) for precision in Precision.all())


VACC = """
[model.gate]
min_fidelity_db = 48.0
max_drop_db = 0.1
max_drop_ssim = 0.005
[model.vacc]
skip = ["head.*"]
per_channel = false
calibrate_range = 0.9999
feed = "tensor"
shape = "720x1280"
options = { enable_graph_partition = true, data_type = 0 }
gate = { min_fidelity_db = 38.0, max_drop_db = 0.5, max_drop_ssim = 0.01 }
[[model.vacc.known_failure]]
failure = "device-oom"
precision = "int8 max"
reason = "too large"
source = "README.md"
before_sdk = "2.0"
"""


def test_what_a_card_declares_for_the_device_is_read(write) -> None:
    (model,) = load_card(write(CARD + VACC)).models
    assert model.device == DevicePlan(
        skip=("head.*",),
        per_channel=False,
        calibrate_range=0.9999,
        feed="tensor",
        shape=(720, 1280),
        options={"enable_graph_partition": True, "data_type": 0},
        known_failures=(
            KnownFailure(
                Failure.DEVICE_OOM, "too large", Precision("int8_max"), "README.md", "2.0"
            ),
        ),
        gate=Gate(38.0, 0.5, 0.01),
    )
    assert model.gate_on("vacc") == Gate(38.0, 0.5, 0.01)
    assert model.gate_on("onnxruntime") == Gate(48.0, 0.1, 0.005)


def test_without_a_gate_of_its_own_a_device_has_that_of_all_backends(write) -> None:
    (model,) = load_card(write(CARD + VACC.replace("gate = {", "#"))).models
    assert model.gate_on("vacc") == Gate(48.0, 0.1, 0.005)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"device-oom"', '"oom"', "failure: expected 'crashed', 'device-oom', 'timeout'"),
        ('"720x1280"', '"720"', "shape: expected height x width, such as 720x1280"),
        ('before_sdk = "2.0"', 'before_sdk = "two"', "before_sdk: expected a version such as 2.8"),
        ("skip =", "skips =", "skips: unknown key; did you mean 'skip'?"),
    ],
)
def test_a_fault_of_the_device_table_is_named(write, old: str, new: str, message: str) -> None:
    with pytest.raises(CardError) as caught:
        load_card(write(CARD + VACC.replace(old, new)))
    assert message in str(caught.value)


def test_several_models_may_have_no_row(write) -> None:
    rowless = MODEL.replace('row = "M"', 'row = ""')
    card = CARD + rowless.replace('"m"', '"n"') + rowless.replace('"m"', '"o"')
    assert [model.row for model in load_card(write(card)).models] == ["M", "", ""]


def test_the_waivers_of_a_card_are_read_and_cover_what_they_name(write) -> None:
    text = '\n[[waive]]\ncode = "SRB103"\nrow = "M"\nreason = "known"\n'
    row_waiver, any_row = load_card(write(CARD + text + text.replace('row = "M"', ""))).waivers
    assert row_waiver == Waiver("SRB103", "known", "M")
    assert (row_waiver.covers("SRB103", "M"), any_row.covers("SRB103", "N")) == (True, True)
    assert not row_waiver.covers("SRB103", "N")
    assert not row_waiver.covers("SRB104", "M")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("SRB103", "SRB1", r"waive\[0\]\.code: expected a rule's code, such as SRB103"),
        ('"known"', '" "', r"waive\[0\]\.reason: expected words"),
        ("reason", "why", r"waive\[0\]\.reason: required"),
    ],
)
def test_a_wrong_waiver_is_refused(write, old: str, new: str, message: str) -> None:
    text = '\n[[waive]]\ncode = "SRB103"\nreason = "known"\n'
    with pytest.raises(CardError, match=message):
        load_card(write(CARD + text.replace(old, new)))


def test_the_calibration_of_a_build_file_is_read(write) -> None:
    built = '[model.vacc]\nbuilt_calibration = "{}"\n'
    (model,) = load_card(write(CARD + built.format("kl_divergence"))).models
    assert model.built_calibration is Precision("int8_kl")
    assert load_card(write(CARD)).models[0].built_calibration is None
    with pytest.raises(CardError, match="unknown precision 'int8 best'"):
        load_card(write(CARD + built.format("best")))


@pytest.mark.parametrize("shape", ["1000000x8x8", "3x1000000x8", "3x8x" + "9" * 5000])
def test_a_shape_that_no_image_has_is_refused(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "card.toml"
    path.write_text(CARD + f'cost = {{ shape = "{shape}" }}\n')
    with pytest.raises(CardError, match=r"cost\.shape: expected channels x height x width"):
        load_card(path)


OWN = 'schema = 1\n[[model]]\nname = "m"\nrow = "M"\nscale = 2\n'
LOW = '[model.onnx_by_precision]\nint8_kl = "k.onnx"\n'
GATE = "[model.gate]\nmin_fidelity_db = 40\nmax_drop_db = 1\nmax_drop_ssim = 1\n"


def test_files_of_low_precisions_lie_beside_the_card_by_precision(write) -> None:
    path = write(OWN + '[model.onnx_by_precision]\nfp16 = "h.onnx"\n"int8 percentile" = "p.onnx"')
    (model,) = load_card(path).models
    assert model.onnx is None
    assert model.onnx_by_precision == {
        Precision("fp16"): path.parent / "h.onnx",
        Precision("int8_percentile"): path.parent / "p.onnx",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LOW.replace("int8_kl", "int8_kk"), "unknown precision 'int8_kk'"),
        (LOW.replace("int8_kl", "fp32"), "fp32: the key onnx names the fp32 file"),
        (LOW + 'int8_max = "k.onnx"', "name one file twice"),
        ('onnx = "k.onnx"\n' + LOW, "name one file twice"),
        (LOW + GATE, "a gate compares with fp32, and the card gives no such network"),
        (LOW.replace("k.onnx", " "), "expected words"),
    ],
)
def test_a_wrong_file_of_a_low_precision_is_refused(write, text: str, message: str) -> None:
    with pytest.raises(CardError, match=message):
        load_card(write(OWN + text))
