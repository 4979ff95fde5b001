"""Compare printed numbers by their digits, so that rounding is never taken for a difference."""

from decimal import Decimal

from sr_bench.core.claim import Claim

NOISE: dict[str, float] = {"psnr": 0.01, "ssim": 0.001}
"""What int8 may gain or lose by chance, in the metric's unit: another summation order alone moved
int8 networks of this project by 0.008 dB and 0.0008."""

CLEAR: dict[str, float] = {"psnr": 0.05, "ssim": 0.002}
"""From here on a difference needs a cause other than chance."""


def difference(a: Claim, b: Claim) -> Decimal:
    """Return `a` minus `b` as printed, in the metric's unit."""
    # In decimals: as floats 30.13 - 30.12 is not 0.01.
    return _number(a) - _number(b)


def excess(a: Claim, b: Claim) -> float:
    """Return how far `a` is above `b` at least, whatever was rounded away; 0 if it need not be."""
    hidden = (_step(a) + _step(b)) / 2  # at worst one was rounded up, the other down
    return max(0.0, float(difference(a, b) - hidden))


def bounds(claim: Claim) -> tuple[float, float]:
    """Return the least and the greatest number, in the metric's unit, that is printed like this."""
    half = _step(claim) / 2
    return float(_number(claim) - half), float(_number(claim) + half)


def decimals(claim: Claim) -> int:
    """Return how many digits follow the point."""
    return max(0, -int(Decimal(claim.text).as_tuple().exponent))


def gap(a: Claim, b: Claim) -> str:
    """Return how far apart two numbers are, with the printed digits."""
    return f"{abs(difference(a, b)):f}"


def signed(a: Claim, b: Claim) -> str:
    """Return `a` minus `b` with its sign and the printed digits."""
    return f"{difference(a, b):+f}"


def _number(claim: Claim) -> Decimal:
    return Decimal(claim.text).scaleb(claim.exponent)


def _step(claim: Claim) -> Decimal:
    return Decimal(1).scaleb(int(_number(claim).as_tuple().exponent))
