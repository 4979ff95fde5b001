"""What the keys of YAML files of results mean, as a table's headers would say it."""

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from sr_bench.core.metric import metric_infos
from sr_bench.core.precision import Precision
from sr_bench.document.spelling import compact, words

_HEADERS: Final = MappingProxyType(
    {
        "Model": """model models modelname network networkname networks name method arch
        architecture component components""",
        "Dataset": """dataset datasets datasetname validationdata valdata evaldataset evaldata
        testset testdata testdataset benchmark""",
        "Metric": "metric metrics metricname evalmetric metrictype type",
        "Scale": "scale upscale scalefactor upscalefactor upscaling",
        "Precision": "precision precisions dtype datatype quantization bits",
        "Device": "device devices devicename devicemetric performancemetrics chipset hardware",
        "Runtime": "runtime runtimes backend engine targetruntime",
        "Shape": "shape inputshape inputsize inputresolution resolution",
        "Value": """fullprecisionresult result value score reference referencevalue torchmetric
        partialtorchmetric partialmetric""",
        "OPS": "operations ops",
        "Params": "parameters params numberofparameters numparams nparams",
        "Inference time (ms)": "inferencetimemilliseconds inferencetimems latencyms",
        "Inference time (us)": "inferencetime inferencetimemicroseconds",
        "Peak memory (MB)": "estimatedpeakmemoryrangemb",
    }
)
_BY_KEY: Final = MappingProxyType(
    {key: header for header, keys in _HEADERS.items() for key in keys.split()}
)
STRUCTURE: Final = words(
    """info details technical_details results result evaluation evaluations accuracy performance
    benchmarks test tests val validation training train metadata common quality cost costs"""
)
"""Keys of mappings that say nothing of what they hold."""
LABELS: Final = frozenset(
    {"Model", "Dataset", "Metric", "Scale", "Precision", "Device", "Runtime", "Shape"}
)
"""Headers of what tells rows apart."""
_SETTINGS: Final = re.compile(
    r"threshold|range|mean|std|weight|_rate|momentum|version|samples|count|index|seed|opset|epoch"
    r"|iter|decay|beta|sigma|anchor|_thr|top_?k$|constrain|nms|border|required|(?:batch|crop|patch|input|image|kernel|set)_?size"
    r"|^(?:min|max|lr|learning.*)$"
)
_SETTING_BLOCKS: Final = words(
    """preprocessing postprocessing launchers adapter normalization_params hyperparameters
    optimizer scheduler tool_versions"""
)
_PRECISION: Final = words(
    "float float32 fp32 float16 fp16 bf16 w8a8 w8a16 w4a16 w4a8 int8 int4 uint8"
)
_RUNTIME: Final = re.compile(
    r"(?:precompiled)?(tflite|litert|qnn|qairt|onnx|ort\b|torch|pytorch|tensorrt|trt|openvino|coreml|ncnn|vacc|mnn"
    r"|rknn|tvm)\w*"
)
_DATASET: Final = re.compile(
    r"(set\d+|b(?:sds?)?\d{2,3}|cbsds?\d+|urban\d+|manga\d+|div2k|flickr2k|df2k|kodak|mcmaster|sidd"
    r"|gopro|reds|vid4|vimeo|udm\d+|celeba|ffhq|realsr|drealsr|lol|imagenet|coco)\w*"
)
_SCALE: Final = re.compile(r"x[2-9]|[2-9]x|x1[0-6]")


@lru_cache(maxsize=1024)  # a file repeats its keys
def header(key: str) -> str:
    """Return the header that says what `key` does: a word of ours, or the key itself."""
    return _BY_KEY.get(compact(key), key)


@lru_cache(maxsize=1024)
def kind_of(key: str) -> str:
    """Return which of `LABELS` a key is a value of, as in ``w8a8: {tflite: ...}``; or nothing."""
    word = compact(key)
    if word in _PRECISION or Precision.named(key):
        return "Precision"
    if _SCALE.fullmatch(word):
        return "Scale"
    if _DATASET.fullmatch(word):
        return "Dataset"
    if word in metric_infos():
        return "Metric"
    return "Runtime" if _RUNTIME.fullmatch(word) else ""


def is_setting(key: str) -> bool:
    """Tell whether a number of this key sets something, and is no result."""
    return bool(_SETTINGS.search(key.lower()))


def holds_settings(key: str) -> bool:
    """Tell whether all numbers below this key are settings: how a result is made."""
    return compact(key) in _SETTING_BLOCKS
