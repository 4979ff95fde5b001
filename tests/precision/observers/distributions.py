"""Tensors such as super-resolution networks hold, and some that they should not."""

import numpy as np

SIZE = 40_000


def _samples() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    normal, laplace = rng.normal(size=SIZE), rng.laplace(size=SIZE)
    return {
        "normal": normal,
        "laplace": laplace,
        "half_normal": np.maximum(rng.normal(size=SIZE), 0),
        "half_laplace": np.maximum(rng.laplace(0.1, 0.3, SIZE), 0),
        "negative": -np.abs(rng.normal(3, 1, SIZE)),
        "bimodal": np.where(rng.random(SIZE) < 0.5, rng.normal(-3, 0.5), rng.normal(3, 0.3))
        + rng.normal(0, 0.4, SIZE),
        "uniform": rng.uniform(-1, 1, SIZE),
        "heavy_tails": rng.standard_t(3, SIZE),
        "outliers": np.concatenate([normal, rng.normal(0, 15, 40)]),
        "one_outlier": np.concatenate([laplace, [400.0] * 4]),
        "lopsided": rng.gamma(2, 1, SIZE) - 0.3,
    }


SAMPLES = {
    name: np.random.default_rng(3).permutation(values).astype(np.float32)
    for name, values in _samples().items()
}
"""By name; one dimension, float32, in no order."""
