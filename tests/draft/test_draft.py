import tomllib
from pathlib import Path

import onnx
import pytest

from sr_bench.cards.load import load_card
from sr_bench.core.precision import Precision
from sr_bench.draft.draft import Request, draft
from sr_bench.engine.plan.suite import load_suite
from sr_bench.errors import OptionError
from tests.draft.port import FLOAT, LINEAR, README, make_port, score
from tests.files.image_nets import image_net
from tests.tiny_zoo import nearest_x2

KNOWN = ("div2k_valid", "set5", "gopro_test")
HEADER = "| Models | Params(M) | PSNR(dB) | Shape |\n| --- | --- | --- | --- |\n"


def written(document: Path, **more: object) -> str:
    card = document.with_name("card.toml")
    card.write_text(draft(Request(document, card, datasets=KNOWN, **more)).text())
    return card.read_text()


def doubts(text: str) -> str:
    """Return the top of a card as one line."""
    return " ".join(text.partition("schema = 1")[0].replace("\n#", " ").split())


def table(folder: Path, rows: str, header: str = HEADER, more: str = "") -> Path:
    (folder / "README.md").write_text(f"# Net\n\n{header}{rows}\n{more}")
    return folder / "README.md"


def test_a_port_becomes_a_card_whose_choices_say_where_they_were_read(tmp_path: Path):
    text = written(make_port(tmp_path / "tinysr"))
    card = load_card(tmp_path / "tinysr" / "card.toml")
    model = card.models[0]

    assert [(each.name, each.row, each.scale) for each in card.models] == [
        ("tinysr_x2", "TinySR_x2", 2)
    ]
    assert (model.input.range, model.counted_shape) == ((0, 1), (3, 96, 64))
    assert model.built_calibration == Precision("int8_kl")
    evaluation = model.evaluations[0]
    assert (evaluation.dataset, evaluation.protocol.name) == ("div2k_valid", "tinysr_draft")
    choices = evaluation.protocol
    assert (choices.lr_resize, choices.input_shape) == ("cv2_area", (96, 64))
    assert (choices.gt_resize, choices.clip, choices.rounding) == ("cv2_area", True, "round")
    assert (
        'gt_resize = "cv2_area"  # of the ground truth (build_in/vdsp_params/vamp_eval.py:8)'
        in text
    )


def test_what_a_person_must_decide_stands_at_the_top(tmp_path: Path):
    text = written(make_port(tmp_path))
    head = text.partition("schema = 1")[0]

    for doubt in (
        "the network is not known",
        "gt_resize = cv2_area",
        "rounding = round",
        "the rows print int8_percentile, but",
    ):
        assert doubt in head
    assert all(line.startswith("#") for line in head.rstrip().split("\n"))


def test_a_script_that_notes_the_printed_number_decides(tmp_path: Path):
    noted = score(FLOAT, LINEAR, "mean psnr: 31.48219, mean ssim: 0.9031")
    text = written(make_port(tmp_path, vsx=noted))
    protocol = load_card(tmp_path / "card.toml").models[0].evaluations[0].protocol

    assert (protocol.rounding, protocol.gt_resize) == ("none", "cv2_linear")
    assert "31.482 dB is a result that build_in/vsx/python/vsx_inference.py" in text


def test_the_draft_collects_each_number_of_the_document(tmp_path: Path):
    written(make_port(tmp_path))

    assert sum(len(claims) for _, claims in load_suite(tmp_path / "card.toml").claims) == 6


def test_whole_images_and_squashed_ones_are_two_evaluations(tmp_path: Path):
    readme = README.replace("0.903 | 3x96x64", "0.903 | multi-shape")
    written(make_port(tmp_path, readme=readme))
    whole, squashed = load_card(tmp_path / "card.toml").models[0].evaluations

    assert (whole.precisions, whole.protocol.input_shape) == ((Precision.FP32,), None)
    assert (squashed.precisions, squashed.protocol.input_shape) == ((), (96, 64))


def test_a_published_network_is_given_with_its_hyper_parameters_and_counting_rule(tmp_path: Path):
    header = HEADER.replace("| PSNR", "| Flops(G) | PSNR").replace("| --- |\n", "| --- | --- |\n")
    document = table(tmp_path, "| LESRCNN_x2 | 0.626 | 44.459 | 29.763 | 3x128x128 |", header)
    written(document)
    model = load_card(tmp_path / "card.toml").models[0]

    assert (model.architecture, model.flops_rule) == ("lesrcnn", "thop_0_1_1")
    assert model.hyper == {"n_feats": 64, "multi_scale": False}


def test_a_users_onnx_file_is_named_from_the_cards_folder(tmp_path: Path):
    document = table(tmp_path, "| Net_x2 | 0.000009 | 30.1 | 3x16x16 |")
    nets = tmp_path / "nets"
    nets.mkdir()
    (nets / "net.onnx").write_bytes(nearest_x2().SerializeToString())
    text = written(document, onnx=(("net_x2", nets / "net.onnx"),))

    assert 'onnx = "nets/net.onnx"  # 9 parameters by count, 0.000009 M printed' in text
    assert load_card(tmp_path / "card.toml").models[0].onnx == tmp_path / "nets/net.onnx"


@pytest.mark.parametrize(
    ("rows", "files", "taken"),
    [
        (("Net_x2",), ("sr.onnx",), ["sr.onnx"]),
        (("Net_x2", "Other_x2"), ("net-x2.onnx", "third.onnx"), ["net-x2.onnx", None]),
        (("Net_x2",), ("a.onnx", "b.onnx"), [None]),
    ],
    ids=["alone", "by its name", "any of two"],
)
def test_an_onnx_file_beside_the_document_is_found(tmp_path: Path, rows, files, taken):
    document = table(tmp_path, "\n".join(f"| {row} | 0.000009 | 30.1 | 3x16x16 |" for row in rows))
    for file in files:
        (tmp_path / file).write_bytes(nearest_x2().SerializeToString())
    written(document)
    found = [model.onnx and model.onnx.name for model in load_card(tmp_path / "card.toml").models]
    assert found == taken


def test_an_onnx_file_of_other_parameters_is_taken_and_doubted(tmp_path: Path):
    document = table(tmp_path, "| Net_x2 | 1.5 | 30.1 | 3x16x16 |")
    (tmp_path / "net.onnx").write_bytes(nearest_x2().SerializeToString())
    text = written(document, onnx=(("", tmp_path / "net.onnx"),))

    assert 'onnx = "net.onnx"' in text
    assert "the document prints 1.5" in text


def test_an_onnx_file_that_is_none_stays_in_the_draft_with_the_reason(tmp_path: Path):
    document = table(tmp_path, "| Net_x2 | 1.5 | 30.1 | 3x16x16 |")
    (tmp_path / "net.onnx").write_text("no network")

    assert "net.onnx can't be counted" in written(document, onnx=(("", tmp_path / "net.onnx"),))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other", "--onnx other: the document has no such model; the valid ones are: a_x2, b_x2"),
        ("", "--onnx: expected NAME=FILE, got FILE alone; the models are: a_x2, b_x2"),
    ],
)
def test_an_onnx_file_of_no_model_is_refused(tmp_path: Path, name: str, message: str):
    document = table(tmp_path, "| A_x2 | 1.5 | 30.1 | - |\n| B_x2 | 1.5 | 30.1 | - |")

    with pytest.raises(OptionError, match=message):
        draft(Request(document, tmp_path / "card.toml", ((name, tmp_path / "x.onnx"),)))


@pytest.mark.parametrize(
    ("label", "scale"),
    [
        ("Net_x3", 3),
        ("net_2x", 2),
        ("NetMx4", 4),
        ("Net_x4plus", 4),
        ("Net", 1),
        ("res50_32x4d", 1),
        ("MobileNetV2_x2_0", 1),
    ],
)
def test_the_scale_is_read_from_the_label(tmp_path: Path, label: str, scale: int):
    text = written(table(tmp_path, f"| {label} | 1.5 | 30.1 | - |"))

    assert load_card(tmp_path / "card.toml").models[0].scale == scale
    assert ("no scale is named" in text) is (scale == 1)


def test_a_network_that_is_not_known_is_asked_for_with_the_keys_of_an_own_class(tmp_path: Path):
    header = "| Models | Params(M) | MACs(G) | PSNR(dB) |\n| --- | --- | --- | --- |\n"
    text = written(table(tmp_path, "| Net_x2 | 1.5 | 3.1 | 30.1 |", header))

    assert "- nothing says what shape its operations are counted on: set cost.shape" in doubts(text)
    commented = [
        f"{line[2:]}\n" for line in text.split("\n") if line.startswith("# ") and " = " in line
    ]
    assert [line.partition(" = ")[0] for line in commented] == [
        *("onnx", "architecture", "hyper", "code", "checkpoint", "dataset", "protocol")
    ]
    tomllib.loads("".join(commented))


def test_a_class_beside_the_document_stands_in_the_draft_to_be_uncommented(tmp_path: Path):
    text = "from torch.nn import Module\nclass Net(Module):\n    def __init__(self, scale): ..."
    (tmp_path / "nets.py").write_text(text)
    (tmp_path / "net.pth").touch()
    drafted = written(table(tmp_path, "| Net_x2 | 1.5 | 30.1 | 3x16x16 |"))
    assert "uncomment its lines below if it is nets:Net, else give --onnx" in doubts(drafted)
    lines = (
        'architecture = "nets:Net"',
        "hyper = { scale = 2 }",
        'checkpoint = { file = "net.pth" }',
    )
    assert [f"# {line}\n" in drafted for line in lines] == [True] * 3


def scaled(folder: Path, *rows: str) -> Path:
    """Write a document whose table has rows of one label, told apart by their scale."""
    header = "| Models | Scale | Params(M) | PSNR(dB) |\n| --- | --- | --- | --- |\n"
    return table(folder, "\n".join(rows), header)


def test_what_is_open_about_one_scale_of_a_row_names_that_scale(tmp_path: Path):
    document = scaled(tmp_path, "| Net | x2 | 0.000009 | 30.1 |", "| Net | x3 | 1.5 | 28.1 |")
    (tmp_path / "net.onnx").write_bytes(nearest_x2().SerializeToString())
    text = doubts(written(document, onnx=(("net_x2", tmp_path / "net.onnx"),)))

    assert "- Net x3: the network is not known" in text
    assert "- nothing names the images" in text  # of both


def test_a_network_is_compared_with_the_numbers_of_its_own_scale(tmp_path: Path):
    document = scaled(tmp_path, "| Net | x2 | 0.000009 | 30.1 |", "| Net | x3 | 1.5 | 28.1 |")
    (tmp_path / "net.onnx").write_bytes(nearest_x2().SerializeToString())
    text = written(document, onnx=(("Net", tmp_path / "net.onnx"),))

    assert "- Net x3: net.onnx has 9 parameters, the document prints 1.5 M" in doubts(text)
    assert text.count("9 parameters by count, 0.000009 M printed") == 1


def test_a_build_file_of_one_scale_says_nothing_of_another(tmp_path: Path):
    readme = README.replace("| Models |", "| Models | Scale |").replace("| :---: |", "|:-:|:-:|", 1)
    row = "| TinySR_x2 | x{} | 1.250 | 0.011 | 31.482 | 0.903 | - |"
    begin, _, _ = readme.partition("| TinySR_x2")
    rows = "\n".join(row.format(scale) for scale in (2, 4)).replace("TinySR_x2", "TinySR")
    document = make_port(tmp_path, readme=f"{begin}{rows}\n")
    build = tmp_path / "build_in/build"
    text = (build / "official_tinysr.yaml").read_text()
    (build / "official_tinysr.yaml").rename(build / "tinysr_x2.yaml")
    (build / "tinysr_x4.yaml").write_text(text.replace("96, 64", "48, 32"))
    written(document)

    models = load_card(tmp_path / "card.toml").models
    assert [(model.scale, model.counted_shape) for model in models] == [
        (2, (3, 96, 64)),
        (4, (3, 48, 32)),
    ]


def test_rows_of_one_label_are_bound_by_their_source(tmp_path: Path):
    header = "| Models | Source | PSNR(dB) |\n| --- | --- | --- |\n"
    document = table(tmp_path, "| Net | BasicSR | 30.1 |\n| Net | Official | 30.2 |", header)
    written(document)

    models = load_card(tmp_path / "card.toml").models
    assert [(each.name, each.row_source) for each in models] == [
        ("net", "BasicSR"),
        ("net_official", "Official"),
    ]


@pytest.mark.parametrize("label", ['a "b" \\ c', "模型", "x" * 300, "'''", "net #1", "a\x7fb"])
def test_labels_of_any_characters_are_bound(tmp_path: Path, label: str):
    written(table(tmp_path, f"| {label} | 1.5 | 30.1 | - |"))

    suite = load_suite(tmp_path / "card.toml")
    assert [len(claims) for _, claims in suite.claims] == [2]


def test_without_files_classic_sets_are_scored_as_papers_do_and_others_plainly(tmp_path: Path):
    header = "| Models | Dataset | PSNR(dB) |\n| --- | --- | --- |\n"
    document = table(tmp_path, "| Net_x2 | Set 5 | 30.1 |\n| Other_x2 | DIV2K | 30.2 |", header)
    text = written(document)

    first, second = load_card(tmp_path / "card.toml").models
    assert (first.evaluations[0].dataset, first.evaluations[0].protocol.name) == ("set5", "paper_y")
    assert second.evaluations[0].protocol.name == "native_rgb"
    assert tomllib.loads(text)["model"][1]["evaluation"][0]["printed"] == "DIV2K"
    assert "set5: the protocol is not said: paper_y is taken, as papers do" in text


def test_what_is_open_about_several_sets_is_said_once(tmp_path: Path):
    rows = "\n".join(f"| Net_x2 | {name} | 30.1 |" for name in ("Set5", "Set14", "Fields", "Roofs"))
    header = "| Models | Dataset | PSNR(dB) |\n| --- | --- | --- |\n"
    text = doubts(written(table(tmp_path, rows, header)))

    assert "- set5, set14: the protocol is not said: paper_y is taken" in text
    assert "- set14, fields, roofs: no dataset of this name is known here" in text


@pytest.mark.parametrize(
    ("more", "protocols"),
    [
        ("Evaluated on RGB channels.", {"basicsr_rgb"}),
        ("指标在 RGB 通道上计算", {"basicsr_rgb"}),
        ("Evaluated on the Y channel.", {"paper_y"}),
        ("PSNR is of luma, LPIPS of RGB channels.", {"paper_y", "native_rgb"}),
    ],
)
def test_a_document_that_speaks_of_one_colour_is_scored_in_it(
    tmp_path: Path, more: str, protocols: set[str]
):
    header = "| Models | Set5 (PSNR/SSIM) | DIV2K (PSNR/SSIM) |\n| --- | --- | --- |\n"
    written(table(tmp_path, "| Net_x2 | 35.77 / 0.944 | 34.6 / 0.937 |", header, more))

    evaluations = load_card(tmp_path / "card.toml").models[0].evaluations
    assert {evaluation.protocol.name for evaluation in evaluations} == protocols


def test_rows_of_two_shapes_in_fp32_have_an_evaluation_each(tmp_path: Path):
    rows = README.replace(
        "| TinySR_x2 **", "| TinySR_x2 | - | - | 30.9 | 0.8 | multi-shape |\n| TinySR_x2 **"
    )
    written(make_port(tmp_path, readme=rows))
    model = load_card(tmp_path / "card.toml").models[0]
    shapes = {
        claim.text: model.claimed_evaluation(
            claim.precision, "", claim.variant
        ).protocol.input_shape
        for _, claims in load_suite(tmp_path / "card.toml").claims
        for claim in claims
        if claim.metric == "psnr"
    }

    assert shapes == {"31.482": (96, 64), "30.9": None, "30.117": (96, 64)}


def test_what_only_a_device_or_a_calibration_tells_is_doubted(tmp_path: Path):
    header = "| Model | Precision | Device | PSNR (dB) |\n| --- | --- | --- | --- |\n"
    text = written(table(tmp_path, "| Net_x2 | w8a8 | Galaxy S25 | 29.3 |", header))

    assert "numbers on Galaxy S25: say under [model.devices]" in text
    assert "int8 without a calibration: name it under [model.int8]" in doubts(text)


def test_a_time_is_doubted_until_the_card_says_what_it_was_measured_on(tmp_path: Path):
    header = "| Model | Latency (ms) |\n| --- | --- |\n"
    text = written(table(tmp_path, "| Net_x2 | 3.1 |", header))

    assert "say under [model.latency] on which device and shape" in doubts(text)


def test_int8_rows_without_a_calibration_get_that_of_the_build_file(tmp_path: Path):
    written(make_port(tmp_path, readme=README.replace("vacc int8 percentile", "vacc int8")))

    assert load_card(tmp_path / "card.toml").models[0].printed_int8 == Precision("int8_kl")


def test_numbers_that_nothing_measures_are_bound_without_an_evaluation(tmp_path: Path):
    header = "| 模型 | 源码 | top1 | top5 | params(M) | input size |\n|---|---|---|---|---|---|\n"
    rows = "| resnet18 | [timm](u) | 69.76 | 89.08 | 11.69 | 3x224x224 |"
    text = written(table(tmp_path, rows, header))
    suite = load_suite(tmp_path / "card.toml")

    assert [claim.metric for _, claims in suite.claims for claim in claims][:2] == ["top1", "top5"]
    assert suite.card.models[0].evaluations == ()
    assert "value_range:" not in text


def test_numbers_that_are_not_read_are_ignored_with_their_reason_and_listed(tmp_path: Path):
    other = "\n| Run | PSRN(dB) |\n| --- | --- |\n| a | 30.12 |\n"
    text = written(table(tmp_path, "| Net_x2 | 1.5 | 30.1 | - |", more=other))

    assert "not read, so ignored below: " in doubts(text)
    assert "# [[table]]" in text
    assert [len(claims) for _, claims in load_suite(tmp_path / "card.toml").claims] == [2]


def test_of_two_rows_that_say_the_same_the_second_is_ignored_by_its_line(tmp_path: Path):
    rows = "| Net_x2 | 1.5 | 30.1 | - |\n| Net_x2 **fp16** | - | 30 | - |"
    text = written(table(tmp_path, f"{rows}\n| Net_x2 **fp16** | - | 29 | - |"))

    assert "second one beside line 6" in tomllib.loads(text)["ignore_rows"]["line 7"]
    claims = [claim for _, claims in load_suite(tmp_path / "card.toml").claims for claim in claims]
    assert [claim.text for claim in claims] == ["1.5", "30.1", "30"]


def test_a_table_that_is_ignored_is_named_by_what_no_table_that_is_read_is_called(tmp_path: Path):
    gallery = "\n<table><tr><td>x3 (27.53 dB)</td><td>x4</td></tr></table>\n"
    document = table(tmp_path, "| Net_x2 | 1.5 | 30.1 | - |\n", more=gallery)

    assert '[ignore_tables]\n"line 8" = "not read' in written(document)  # both are below Net
    assert [len(claims) for _, claims in load_suite(tmp_path / "card.toml").claims] == [2]


def test_without_a_word_about_images_no_dataset_is_guessed(tmp_path: Path):
    text = written(table(tmp_path, "| Net_x2 | 1.5 | 30.1 | - |"))

    assert "nothing names the images" in text
    assert load_card(tmp_path / "card.toml").models[0].evaluations == ()


def test_the_one_set_that_a_document_describes_is_taken_and_doubted(tmp_path: Path):
    text = written(table(tmp_path, "| Net_x2 | 1.5 | 30.1 | - |", more="## Datasets\n[GoPro](u)"))

    assert load_card(tmp_path / "card.toml").models[0].evaluations[0].dataset == "gopro_test"
    assert "gopro_test is taken; the document describes GoPro" in doubts(text)


def test_the_set_that_a_sentence_names_beside_a_row_is_taken(tmp_path: Path):
    more = (
        "Net_x1 was trained on GoPro; Net_x2 is of DIV2K.\n\n## Datasets\n[DIV2K](u)\n\n[GoPro](u)"
    )
    rows = "| Net_x1 | 1.5 | 30.1 | - |\n| Net_x2 | 1.5 | 30.1 | - |"
    written(table(tmp_path, rows, more=more))

    models = load_card(tmp_path / "card.toml").models
    assert [m.evaluations[0].dataset for m in models] == ["gopro_test", "div2k_valid"]


def test_a_document_without_a_models_row_is_refused_with_its_tables(tmp_path: Path):
    document = table(tmp_path, "", header="no table here")

    with pytest.raises(OptionError, match="no row of a model is read; it has no table"):
        draft(Request(document, tmp_path / "card.toml"))


def test_a_document_without_a_models_row_is_refused_with_tables_to_fill_in(tmp_path: Path):
    rows = "| 15 | 31.73 |\n| 25 | 29.23 |"
    document = table(tmp_path, rows, header="| Noise Level | Ours |\n| --- | --- |")

    with pytest.raises(OptionError, match=r'(?s)its tables:.*\[\[table\]\].*"Ours" = "\?"'):
        draft(Request(document, tmp_path / "card.toml"))


def test_a_document_whose_cells_are_no_numbers_is_refused_with_the_first_of_them(tmp_path: Path):
    document = table(tmp_path, "| Net_x2 | 30.1 or so |", "| Models | PSNR |\n| --- | --- |\n")

    with pytest.raises(OptionError, match=r"README.md:5:12: 30.1 or so: expected a number"):
        draft(Request(document, tmp_path / "card.toml"))


def test_what_an_onnx_file_says_of_its_images_stands_in_the_draft(tmp_path: Path):
    document = table(tmp_path, "| Net_x2 | 0.000036 | 30.1 | 3x16x16 |")
    onnx.save(image_net("hw", channels=1), tmp_path / "net.onnx")
    text = written(document, onnx=(("", tmp_path / "net.onnx"),))

    assert "36 parameters by count, 0.000036 M printed" in text
    assert "'x' (float32 h x w) has one channel; colour = 'y_full' is a guess" in doubts(text)
    model = load_card(tmp_path / "card.toml").models[0]
    assert (model.input.colour, model.output.colour) == ("y_full", "y_full")
    assert model.counted_shape == (1, 16, 16)


@pytest.mark.parametrize(("gives", "white"), [("uint8", 255.0), ("float32", 1.0)])
def test_the_ranges_of_a_draft_fit_a_file_that_reads_uint8(
    tmp_path: Path, gives: str, white: float
):
    document = table(tmp_path, "| Net_x2 | 0.000324 | 30.1 | 3x16x16 |")
    onnx.save(image_net("nhwc", "uint8", gives_dtype=gives), tmp_path / "net.onnx")
    assert "324 parameters by count" in written(document, onnx=(("", tmp_path / "net.onnx"),))
    model = load_card(tmp_path / "card.toml").models[0]
    assert (model.input.range, model.output.range) == ((0.0, 255.0), (0.0, white))


def test_a_guess_stands_in_the_draft_of_a_file_that_can_not_be_counted_too(tmp_path: Path):
    document = table(tmp_path, "| Net_x2 | 0.000036 | 30.1 | 3x16x16 |")
    onnx.save(image_net("hw", channels=1, dims=[24, 24]), tmp_path / "net.onnx")
    found = doubts(written(document, onnx=(("", tmp_path / "net.onnx"),)))

    assert "net.onnx can't be counted" in found
    assert "colour = 'y_full' is a guess" in found
