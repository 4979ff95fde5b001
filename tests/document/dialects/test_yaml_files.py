"""Results in YAML files are rows of what leads to them; no tag or alias does anything."""

import pytest

from sr_bench.document.claims import read
from sr_bench.document.mirror import mirror, replace_numbers
from sr_bench.document.printed import unread_numbers
from sr_bench.document.splice import splice_cells, spliced
from sr_bench.document.tables import Document, parse_document
from sr_bench.errors import DocumentError
from tests.reading import read_claims

NETWORK = """\
base: [base/net.yaml]
network: {network_name: net_x2}
parser:
  mean_list: [0.5, 0.5]
info:
  input_shape: 80x60x1
  operations: 1.5G
  parameters: 0.25M
  validation_data: BSD100
  eval_metric: PSNR
  full_precision_result: 31.25
  source: https://example.org/2022-08-02
"""
NUMERICS = """\
metrics:
- dataset_name: bsd300
  metric_name: Peak Signal-to-Noise Ratio (PSNR)
  metric_range:
    min: 0.0
  num_partial_samples: 100
  partial_torch_metric: 29.5
  device_metric:
    Phone S9:
      w8a8:
        tflite: {partial_metric: "28.5"}
      float:
        onnx: {partial_metric: 29.25}
"""


def _rows(text: str, path: str = "zoo/net/x.yaml") -> list[dict[str, str]]:
    document = parse_document(text, path)
    for cell in (cell for grid in document.grids for cell in grid.cells):
        assert document.text[cell.start : cell.end] == cell.text
    return [
        {above.plain: cell.plain for above, cell in zip(grid.header, row, strict=True)}
        for grid in document.grids
        for row in grid.rows
    ]


def test_a_network_file_is_a_row() -> None:
    assert _rows(NETWORK) == [
        {
            "Model": "net_x2",
            "Shape": "80x60x1",
            "Dataset": "BSD100",
            "Metric": "PSNR",
            "OPS": "1.5G",
            "Params": "0.25M",
            "Value": "31.25",
        }
    ]


def test_numbers_of_devices_are_rows_of_the_model_of_the_folder() -> None:
    name = "Peak Signal-to-Noise Ratio (PSNR)"
    common = {"Model": "net", "Dataset": "bsd300", "Metric": name}
    device = {**common, "Device": "Phone S9"}
    assert _rows(NUMERICS, "zoo/net/numerics.yaml") == [
        {**common, "Value": "29.5"},
        {**device, "Precision": "w8a8", "Runtime": "tflite", "Value": "28.5"},
        {**device, "Precision": "float", "Runtime": "onnx", "Value": "29.25"},
    ]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            "Models:\n- Name: A\n  Results:\n  - Dataset: Set5\n"
            "    Metrics: {PSNR: 30.5, SSIM: 1.0}\n",
            [{"Model": "A", "Dataset": "Set5", "PSNR": "30.5", "SSIM": "1.0"}],
        ),
        (
            "A_x2:\n  Set5: {psnr: 37.5}\n  Set14: {psnr: 33.5}\n  lr: 0.001\n",
            [
                {"Model": "A_x2", "Dataset": d, "psnr": v}
                for d, v in (("Set5", "37.5"), ("Set14", "33.5"))
            ],
        ),
        ("models: [{name: A, more: {psnr: 30.5}}]", [{"Model": "A", "psnr": "30.5"}]),
        ("A: {psnr: {set5: 30.5}}", [{"Model": "A", "Metric": "psnr", "set5": "30.5"}]),
        ("A: {quality: .5}", [{"Model": "A", "quality": ".5"}]),
        (
            "A: {psnr: <b>30.5</b>, ssim: 1_5}",
            [{"Model": "A", "psnr": "<b>30.5</b>", "ssim": "1_5"}],
        ),
        (
            "name: A\ndatasets:\n- name: Set5\n  metrics:\n  - {type: psnr, reference: 29.5}\n",
            [{"Model": "A", "Dataset": "Set5", "Metric": "psnr", "Value": "29.5"}],
        ),
        (
            "precisions: {float: {components: {A: {performance_metrics: {Phone: {tflite:"
            " {inference_time_milliseconds: 2.5, estimated_peak_memory_range_mb: {min: 1, max: 9},"
            " layer_counts: {total: 3}}}}}}}}",
            [
                {
                    **{"Precision": "float", "Model": "A", "Device": "Phone", "Runtime": "tflite"},
                    **{"Inference time (ms)": "2.5", "min Peak memory (MB)": "1"},
                    "Peak memory (MB)": "9",
                }
            ],
        ),
        (
            "models:\n- name: A\n  launchers: [{inputs: [{name: '0', value: x4.png}]}]\n"
            "  datasets:\n  - name: Set5\n    metrics:\n"
            "    - {type: psnr, scale_border: 4, reference: {mean: 29.5}}\n",
            [{"Model": "A", "Dataset": "Set5", "Metric": "psnr", "Value": "29.5"}],
        ),
        (
            "Models:\n- Name: A\n  Metadata: {Architecture: Net50, Params: 2.5M}\n  Results:\n"
            "  - Dataset: Words\n    Metrics: {h-mean: 0.75, loss rate: 12.5%}\n",
            [
                {"Model": "A", "Params": "2.5M"},
                {"Model": "A", "Dataset": "Words", "h-mean": "0.75", "loss rate": "12.5%"},
            ],
        ),
        (
            "models:\n- name: A\n  launchers: [{framework: tf, adapter: {thing: 0.5}}]\n"
            "  datasets:\n  - name: Set5\n    postprocessing: [{min_confidence: 0.25}]\n"
            "    metrics:\n    - {type: coco_precision, top_k: 5, reference: 0.75}\n"
            "    - {name: F1, type: mean_f1, reference: {hat: 0.5, bag: 0.25}}\n",
            [
                {"Model": "A", "Runtime": "tf", "Dataset": "Set5"} | row
                for row in (
                    {"Metric": "coco_precision", "Value": "0.75"},
                    {"Metric": "F1", "hat F1": "0.5", "bag F1": "0.25"},
                )
            ],
        ),
        (
            "psnr: {A: 30.5, B: 31.5}",
            [{"Metric": "psnr", "Model": m, "Value": v} for m, v in (("A", "30.5"), ("B", "31.5"))],
        ),
        (
            "name: A\nteacher:\n  metrics: {psnr: 31.5}\nmetrics: {psnr: 30.5}\n"
            "inference time (ms):\n- {value: 2.5, hardware: Board}\n",
            [
                {"Model": "A", "Part": "teacher", "psnr": "31.5"},
                {"Model": "A", "psnr": "30.5"},
                {"Model": "A", "Metric": "inference time (ms)", "Device": "Board", "Value": "2.5"},
            ],
        ),
        (
            "A:\n  psnr: |\n    30.5\n  ssim: !!str >-\n\n    0.75\n  lpips: |2\n    0.1\n    0.2",
            [{"Model": "A", "psnr": "30.5", "ssim": "0.75", "lpips": "0.1 0.2"}],
        ),
        (
            "zoo: {x4: {A: {psnr: 30.5}, B: {psnr: 31.5, latency_ms: {fp16: 2.5}}}}",
            [
                {"Scale": "x4", "Model": "A", "psnr": "30.5"},
                {"Scale": "x4", "Model": "B", "psnr": "31.5"},
                {"Scale": "x4", "Model": "B", "Metric": "latency_ms", "fp16": "2.5"},
            ],
        ),
        (
            "psnr: {Set5: {A: 30.5, B: 31.5}}",
            [
                {"Metric": "psnr", "Dataset": "Set5", "Model": m, "Value": v}
                for m, v in (("A", "30.5"), ("B", "31.5"))
            ],
        ),
        ("train: {lr: 0.001, batch_size: 16, iters: 500.0}\nname: A\n", []),
    ],
)
def test_results_are_found_wherever_they_stand(text: str, rows: list[dict[str, str]]) -> None:
    assert _rows(text) == rows


def test_tags_and_aliases_do_nothing() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a]\n" for n in range(30))
    text = f"{bomb}psnr: !!python/object/apply:os.system 30.5\nx: !!float &c '31.5'\nssim: *c\n"
    document = parse_document(text, "x.yaml")
    assert [cell.text for cell in document.grids[0].rows[0]] == ["", "30.5", "31.5"]


def _first(document: Document, text: str) -> str:
    cell = next(cell for grid in document.grids for cell in grid.cells if cell.text == text)
    return splice_cells(document, {cell: "28.125"})


def test_a_number_is_replaced_inside_its_quotes_and_after_a_mark() -> None:
    for text in (NUMERICS, "\ufeff" + NUMERICS.replace("\n", "\r\n")):
        document = parse_document(text, "x.yaml")
        for number in ("28.5", "29.25"):
            assert _first(document, number) == text.replace(number, "28.125")


def test_tables_that_share_lines_are_mirrored_once() -> None:
    document = parse_document(NUMERICS, "net/numerics.yaml")
    lines = NUMERICS.splitlines()
    assert len(document.grids) == 2
    assert mirror(read(document), {}).splitlines() == lines[1:]


def test_a_number_on_a_line_of_its_own_is_replaced_there() -> None:
    text = "A:\n  psnr: |\n    30.5  \n\n  ssim: >-\n    0.75 or so\n"
    reading = read(parse_document(text, "x.yaml"))
    (psnr,) = read_claims(reading.document)
    assert (psnr.source.line, psnr.source.column) == (3, 5)
    assert replace_numbers(reading, {psnr.source: "31.25"}) == text.replace("30.5", "31.25")
    assert [number.source.line for number in unread_numbers(reading.printed)] == [6]


def test_rows_of_launchers_and_teachers_are_told_apart() -> None:
    one = "- name: A\n  launchers: [{framework: %s}]\n  psnr: %s\n"
    text = f"models:\n{one % ('tf', 30.5)}{one % ('onnx', 31.5)}"
    text += "- name: B\n  metrics: {psnr: 32.5}\n  teacher: {metrics: {psnr: 33.5}}\n"
    reading = read(parse_document(text, "x.yaml"))
    claims = read_claims(reading.document)
    assert [(claim.row, claim.backend, claim.variant, claim.text) for claim in claims] == [
        ("A", "tf", "", "30.5"),
        ("A", "onnx", "", "31.5"),
        ("B", "", "", "32.5"),
        ("B", "", "teacher", "33.5"),
    ]
    assert not unread_numbers(reading.printed)


def test_a_number_keeps_marks_that_stand_without_quotes() -> None:
    text = "A:\n  params: 1,592 K\n  flops: 1'592\n  psnr: \u221230.2\n"
    reading = read(parse_document(text, "x.yaml"))
    params, flops, psnr = (claim.source for claim in read_claims(reading.document))
    assert replace_numbers(reading, {params: "1592", flops: "1592", psnr: "-30.2"}) == text
    assert replace_numbers(reading, {params: "1601"}) == text.replace("1,592", "1,601")


def test_what_is_no_number_is_quoted_where_yaml_needs_it() -> None:
    document = parse_document("psnr: 30.5\n", "x.yaml")
    cell = document.grids[0].rows[0][1]
    assert spliced(document, {cell: "-"}) == "psnr: '-'\n"
    assert spliced(document, {cell: "not run"}) == "psnr: not run\n"
    with pytest.raises(DocumentError, match=r"x\.yaml:1:7: expected an edit that keeps"):
        splice_cells(document, {cell: "-"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", r"x\.yaml:3:2: expected YAML: "),
        ("a: b: c\n", r"x\.yaml:1:5: expected YAML: mapping values"),
        ("a: \x00\n", r"x\.yaml:1:4: expected YAML: "),
        ("[" * 90, r"x\.yaml:1:50: expected YAML of at most 50 levels"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        parse_document(text, "x.yaml")
