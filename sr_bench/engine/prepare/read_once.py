"""The network that a session quantises, in several precisions and plans: read once."""

from functools import lru_cache
from pathlib import Path

from sr_bench.files.hashing import sha256_unchanged
from sr_bench.files.onnx_data import external_locations
from sr_bench.precision.network import Network, read_network


def network_in(path: Path, *, told: Path | None = None) -> Network:
    """Return what `read_network` returns, read once as long as the file stays.

    A file with data beside it is read each time: that may change while the file stays.

    Raises:
        BackendError: It is no network that can be quantised.
    """
    if external_locations(path):
        return read_network(path, told=told)
    return _network_in(path, told, sha256_unchanged(path))


@lru_cache(maxsize=1)  # reading folds, and counts multiplications: 3 s for RRDBNet
def _network_in(path: Path, told: Path | None, _digest: str) -> Network:
    return read_network(path, told=told)
