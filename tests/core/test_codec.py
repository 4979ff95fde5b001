"""Records survive the way to disk and back."""

import json
import math

import pytest

from sr_bench.core.claim import Claim, Source
from sr_bench.core.codec import decode, encode
from sr_bench.core.precision import Precision
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict

CLAIM = Claim(
    "psnr", "30.10", "M", "", Precision.INT8_KL, "vacc", "3x8x8", "", Source("README.md", 7, 22)
)
RECORD = Record(
    case_id="m-int8_kl-set5_x2-psnr",
    node_id="suites/m/card.toml::m-int8_kl-set5_x2-psnr",
    family="m",
    model="m",
    metric="psnr",
    precision="int8_kl",
    dataset="set5_x2",
    backend="vacc",
    device="emulated",
    protocol="paper_y",
    fingerprint="ab" * 32,
    verdict=Verdict(Status.BETTER, "stale", 31.0, 30.1, 0.005),
    claim=CLAIM,
    measurement=Measurement(
        "psnr", "dB", 31.0, (ImageScore("a", math.inf),), 1, notes={"x": math.inf}
    ),
    seconds=1.25,
)


def test_a_record_survives_json() -> None:
    text = json.dumps(encode(RECORD), allow_nan=False)
    assert decode(Record, json.loads(text)) == RECORD


def test_infinity_is_spelled_out() -> None:
    assert encode(-math.inf) == "-inf"
    assert decode(ImageScore, {"image": "a", "value": "inf"}).value == math.inf


def test_nan_is_refused() -> None:
    with pytest.raises(TypeError, match="NaN"):
        encode({"value": math.nan})


@pytest.mark.parametrize("data", [{"no_such": 1}, {"case_id": "x"}, [1], None])
def test_what_is_no_record_is_named(data: object) -> None:
    with pytest.raises(TypeError, match=r"Record"):
        decode(Record, data)
