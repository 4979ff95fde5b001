"""Results that a text prints outside of tables are read with their place and precision."""

import pytest

from sr_bench.document.tables import parse_document
from sr_bench.lint.results import Result, read_results

METRICS = {"psnr": "psnr", "ssim": "ssim", "psnry": "psnr_y", "top1": "top1", "miou": "miou"}
METRICS |= {"meaniou": "miou", "map5095": "map_50_95", "map50": "map_50"}
AP = " Average Precision  (AP) @["


def results(text: str) -> tuple[Result, ...]:
    return read_results(parse_document(text, "page.md"), METRICS)


def numbers(text: str) -> list[str]:
    return [f"{one.metric} {one.text}" for one in results(text)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mean psnr: 20.4576, mean ssim:0.6169", ["psnr 20.4576", "ssim 0.6169"]),
        ("PSNR = 31.2 dB; SSIM = 0.91", ["psnr 31.2", "ssim 0.91"]),
        ("Average PSNR(dB): **31.25dB**.", ["psnr 31.25"]),
        ("{'psnr': 31.2, \"ssim\": 0.91}", ["psnr 31.2", "ssim 0.91"]),
        ("PSNR/SSIM: 31.2/0.91", ["psnr 31.2", "ssim 0.91"]),
        ("psnr: tensor(31.2)", ["psnr 31.2"]),
        ("psnr 31.2 ssim 0.91", ["psnr 31.2", "ssim 0.91"]),
        ("| psnr | 31.2 |", []),  # a table's row is the table's
        ("平均PSNR：31.2，SSIM：0.91", ["psnr 31.2", "ssim 0.91"]),  # noqa: RUF001
        ("PSNR-Y: 33.1", ["psnr_y 33.1"]),
        ("top1_rate: 79.303 top5_rate: 94.724", ["top1 79.303"]),
        ("validation pixAcc: 87.8, mIoU: 51.3%", ["miou 51.3"]),
        ("[VACC]:  top1_rate: 74.7 top5_rate: 92.27", ["top1 74.7"]),
        ("Mean IoU :       0.66619", ["miou 0.66619"]),
        (f"{AP} IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.386", ["map_50_95 0.386"]),
        (f"{AP} IoU=0.50      | area=   all | maxDets=100 ] = 0.581", ["map_50 0.581"]),
        (f"{AP} IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.215", []),
        ("epoch 3, loss: 0.21, lr = 1e-4", []),
        ("The PSNR of v1.2 rises", []),
        ("psnr: -0.31", []),  # a change, not a value
    ],
)
def test_a_number_behind_the_name_of_a_metric_is_a_result(line: str, expected: list[str]) -> None:
    assert numbers(line) == expected
    assert numbers(f"```\n{line}\n```") == expected


def test_a_result_stands_where_its_digits_do() -> None:
    text = "# x\r\n\r\n  mean psnr: 20.5\r\n"
    (result,) = results(text)
    assert (result.source.line, result.source.column, result.section) == (3, 14, 1)
    assert result.half_step == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("text", "dtype", "calibration"),
    [
        ("# fp16\npsnr: 30.1", "fp16", ""),
        ("```\n# int8 percentile\npsnr: 30.1\n```", "int8", "percentile"),
        ("run net_int8_max/mod\n\n```\npsnr: 30.1\n```", "int8", "max"),
        ("run net_int8/mod\n\npsnr: 30.1", "int8", ""),
        ("# int8\n\nfp16 psnr: 30.1", "fp16", ""),
        ("fp16 and int8:\n\npsnr: 30.1", "", ""),
        ("- fp16: build with it\n\n# results\n\npsnr: 30.1", "", ""),  # another section's words
        ("```\n# int8\nssim: 0.9\n```\n\npsnr: 30.1", "", ""),  # another block's comment
        ("float16 PSNR: 30.1", "fp16", ""),
        ("psnr: 30.1", "", ""),
    ],
)
def test_the_precision_is_what_the_nearest_words_of_the_section_say(
    text: str, dtype: str, calibration: str
) -> None:
    result = results(text)[-1]
    assert (result.dtype, result.calibration) == (dtype, calibration)


def test_the_words_beside_a_metrics_name_are_kept() -> None:
    assert [one.about for one in results("Set5 PSNR: 30.1, bicubic ssim: 0.8")] == [
        "set5",
        "bicubic",
    ]
