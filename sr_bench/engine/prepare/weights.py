"""Find a model's weight file among the places where users keep them."""

from pathlib import Path

from sr_bench.core.card import ModelCard
from sr_bench.errors import CardError, NotRunError
from sr_bench.files.cache import cache_dir
from sr_bench.files.hashing import sha256_bytes, sha256_unchanged


def weights_path(card: ModelCard, given: Path | None) -> Path:
    """Return the weight file of `card`.

    Looked for in `given` (``--sr-weights``), its sub-folder of the family's name, beside the card,
    in the card's ``weights`` folder, then in the cache.

    Raises:
        NotRunError: It is in none of them; the message says what to do.
    """
    if card.onnx is not None:
        if card.onnx.is_file():
            return card.onnx
        msg = f"{card.onnx.name} is not in {card.onnx.parent.name}/: put the ONNX file there"
        raise NotRunError(msg)
    if not card.has_network:
        msg = f"{card.name}: the card gives no network: name it with architecture or onnx"
        raise NotRunError(msg)
    if not card.architecture:
        low = ", ".join(card.onnx_by_precision)
        msg = (
            f"{card.name}: this needs the fp32 network, and the card gives files of {low} alone:"
            " name the fp32 file with onnx"
        )
        raise NotRunError(msg)
    if card.checkpoint is None:
        msg = f"{card.name}: the card declares no checkpoint, so there is nothing to run"
        raise NotRunError(msg)
    file = card.checkpoint.file
    asked: tuple[Path, ...] = (given, given / card.family) if given else ()
    cached = cache_dir() / "weights" / card.family
    for folder in (*asked, card.folder, card.folder / "weights", cached):
        if (folder / file).is_file():
            return folder / file
    origin = f"; its authors publish it at {card.checkpoint.url}" if card.checkpoint.url else ""
    msg = f"weights {file} are not here: give their folder with --sr-weights=DIR{origin}"
    raise NotRunError(msg)


def network_digest(card: ModelCard, weights: Path) -> str:
    """Return the digest of the weight file, and of what an ONNX file keeps in others beside it.

    Raises:
        CardError: The ONNX file can't be read, or names a file that is not there.
    """
    if card.onnx is None:
        return sha256_unchanged(weights)
    digests = [sha256_unchanged(weights), *map(sha256_unchanged, external_files(weights))]
    # Of one file, the digest that its card declares.
    return digests[0] if len(digests) == 1 else sha256_bytes("|".join(digests).encode())


def external_files(path: Path) -> list[Path]:
    """Return the files beside the ONNX file at `path` that hold some of its weights.

    Raises:
        CardError: One is not there.
    """
    from sr_bench.files.onnx_data import external_locations  # onnx loads only when needed

    files = [path.parent / name for name in external_locations(path)]
    for file in files:
        if not file.is_file():
            msg = f"{path}: its weights are in {file.name}, which is not beside it"
            raise CardError(msg)
    return files
