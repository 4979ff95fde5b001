"""Sheets about one model are read: rows for each precision, and cells that name their metrics."""

import pytest

from sr_bench.document.claims import read
from sr_bench.document.tables import parse_document
from tests.reading import read_claims

_SHEET = """# owl sample

| About | Value |
|--|--|
| Source | [code](https://a.b/v1.5) |
| Input shape | [ (1,3,64,96) ] |
| INT8量化方式 | kl_divergence |
| FP16 精度 | {} |
| VACC INT8 精度(small) | {} |
"""


def _claims(fp16: str, int8: str = "-") -> list[str]:
    document = parse_document(_SHEET.format(fp16, int8), "zoo/README.md")
    assert not any(one.unread for one in read(document).printed)
    return [f"{one.precision} {one.metric} {one.text}" for one in read_claims(document)]


def test_a_sheet_tells_the_shape_and_the_calibration_of_its_numbers() -> None:
    fp16, int8 = read_claims(parse_document(_SHEET.format("PSNR: 30.1", "PSNR: 29"), "x.md"))
    assert (fp16.row, fp16.precision, fp16.shape) == ("owl sample", "fp16", "[ (1,3,64,96) ]")
    assert (int8.backend, int8.precision, int8.shape) == ("vacc", "int8_kl", fp16.shape)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("top1_rate: 55.6 top5_rate: 82", ["fp16 top1_rate 55.6", "fp16 top5_rate 82"]),
        ("{'recall': 0.75, 'hmean': 0.79}", ["fp16 recall 0.75", "fp16 hmean 0.79"]),
        ('Pose "mAP@.5:.95":60.1', ["fp16 pose_map_50_95 60.1"]),
        (
            'Boxes  "mAP@.5": - ;  Masks "mAP@.5":  40.8',
            ["fp16 masks_map_50 40.8"],
        ),
    ],
)
def test_each_number_of_a_cell_is_of_the_metric_that_stands_before_it(
    cell: str, expected: list[str]
) -> None:
    assert _claims(cell) == expected


def test_one_row_of_a_metric_among_those_of_other_things_is_enough() -> None:
    assert _claims("-", "'recall': 0.75") == ["int8_kl recall 0.75"]


def test_a_shape_that_models_across_do_not_share_is_none_of_all() -> None:
    text = "| Metric | owl | wren |\n|-|-|-|\n| Input size | 3x8x8 | 3x9x9 |\n| FPS | 5 | 6 |\n"
    assert [claim.shape for claim in read_claims(parse_document(text, "x.md"))] == ["", ""]


def test_the_size_of_what_goes_in_is_the_shape_and_that_of_what_comes_out_is_not() -> None:
    text = (
        "| Model | Input | Output | Output size | Device | Latency (ms) |\n|-|-|-|-|-|-|\n"
        "| owl | 640x360 | 1920x1080 | 8x8 | My board | 8.01 |\n"
    )
    (claim,) = read_claims(parse_document(text, "x.md"))
    assert (claim.metric, claim.shape, claim.device) == ("latency", "640x360", "My board")


def test_numbers_without_a_name_each_are_named_as_unread() -> None:
    document = parse_document(_SHEET.format('"Car@0.7":86.4/77.2/74.6', "-"), "x.md")
    assert [one.text for one in read(document).printed if one.unread] == [
        '"Car@0.7":86.4/77.2/74.6'
    ]
