"""Tell a table of results from any other: by what its header names, in any case and language."""

import re
from collections.abc import Iterable
from typing import Final

from sr_bench.core.metric import metric_infos
from sr_bench.document.cell import Cell
from sr_bench.document.grids import Grid
from sr_bench.document.spelling import compact, folded, has_digit, has_number, words

# Parts of a header, without blanks and signs: long enough to stand in no other word.
_PARTS: Final = words(
    """psnr ssim lpips niqe brisque pieapp musiq clipiqa vmaf fsim ergas rmse miou fps flops flop
    gmac multadd multiadd madds param latency throughput runtime inferencetime imagenet cityscapes
    set5 set12 set14 b100 bsd100 bsds100 bsd68 cbsd68 urban100 manga109 div2k df2k flickr2k kodak24
    mcmaster sidd gopro vid4 vimeo udm10 reds4 celeba ffhq dataset benchmark accuracy top1 top5
    network algorithm backbone architecture int8 int4 fp16 fp32 bf16 float16 float32 w8a8
    模型 方法 算法 网络 数据集 精度 参数 计算量 信噪比 结构相似 延迟 延时 耗时 时间 帧率 量化 指标
    准确率 速度 倍数 性能 显存 モデル 手法 データセット 모델 데이터셋 정확도 модел метод точност
    modell modele modelo methode metodo datensatz genauigkeit jeudedonnees precisao"""
)
# Whole words.
_WORDS: Final = words(
    """acc ade20k ap ap50 ap75 ar arch auc backend bicubic cer cifar coco dists dsc dtype err error
    f1 fid gflop gflops gops hd95 iou kid kitti loss mac macs mae map mean memory method methods
    metric metrics mem ms mse model models mos mpi mrr nme nrmse nyu odm ops params pi pck pq
    precision quantization recall rouge sam scale score sec seconds snr speed time tops voc wer
    bleu dice r2 mape"""
)
# What a first column names in a table that has its models or datasets across.
_ROWS: Final = words(
    """psnr ssim msssim lpips fid niqe flops gflops macs gmacs params mparams latency fps set5 set14
    b100 bsd100 urban100 manga109 div2k fp32 fp16 int8 bf16 map miou top1 top5"""
)
_NETWORK: Final = re.compile(
    r"[A-Za-z0-9+-]{0,40}?(?:SR|CNN|Net|GAN|[Ff]ormer|YOLO|VGG|[A-Z]DN)[A-Za-z0-9+-]{0,40}"
)
# Decimals of these are no results.
_INNOCENT: Final = re.compile(
    "version|package|librar|software|depend|requirement|option|default|price|release|date|changelog"
    "|版本|依赖|日期"
)
_DECIMALS: Final = re.compile(r"\W*[0-9]*[.,][0-9]{2,}(\W+[0-9]*[.,][0-9]{2,})*\W*(dB)?\W*")
_DECIBEL: Final = re.compile(r"[0-9]\s?dB\b", re.IGNORECASE)
_FEW: Final = 2


def looks_like_results(grid: Grid, names: Iterable[str] = ()) -> bool:
    """Tell whether `grid` prints numbers and names what results are about.

    Args:
        grid: Any table.
        names: Labels of models that the document has elsewhere.
    """
    cells = [cell for row in grid.rows for cell in row]
    if not any(has_number(cell.plain) for cell in cells):
        return False
    if any(_DECIBEL.search(cell.plain) for cell in cells):
        return True
    models = {name.casefold() for name in names}
    headers = [cell.plain for cell in grid.header]
    if any(names_result(text) or text.casefold() in models for text in headers):
        return True
    # A second row of headers, or metrics and datasets down the first column.
    second = [*grid.rows[0], *(row[0] for row in grid.rows if row)]
    if any(compact(cell.plain).removesuffix("db") in _ROWS for cell in second):
        return True
    return not any(_INNOCENT.search(folded(text)) for text in headers) and _mostly_decimals(cells)


def names_result(text: str) -> bool:
    """Tell whether a header says what results are of."""
    letters = compact(text)
    names = re.split(r"[^\w+-]+", text)
    if any(part in letters for part in _PARTS) or any(map(_NETWORK.fullmatch, names)):
        return True
    parts = set(re.split(r"[\W_]+", folded(text)))
    return not parts.isdisjoint({*_WORDS, *metric_infos()})


def _mostly_decimals(cells: Iterable[Cell]) -> bool:
    """Tell whether most cells with a digit are decimals: a header may be of any language."""
    texts = [cell.plain for cell in cells if has_digit(cell.plain)]
    decimals = list(filter(_DECIMALS.fullmatch, texts))
    return len(decimals) >= _FEW and 2 * len(decimals) >= len(texts)
