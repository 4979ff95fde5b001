"""Find a model's weight file among the places where users keep them."""

from pathlib import Path

from sr_bench.core.card import ModelCard
from sr_bench.errors import CardError, NotRunError
from sr_bench.files.cache import cache_dir
from sr_bench.files.hashing import sha256_bytes, sha256_unchanged
from sr_bench.files.packages import packaged_file
from sr_bench.files.weight_files import weight_files

# What a path in a package means where its suffix is not given, the first that is there.
_SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".param")


def weights_path(card: ModelCard, given: Path | None) -> Path:
    """Return the weight file of `card`.

    Looked for in `given` (``--sr-weights``), its sub-folder of the family's name, beside the card,
    in the card's ``weights`` folder, then in the cache, then in the package that the card names.

    Raises:
        NotRunError: It is in none of them; the message says what to do.
        CardError: The package is installed, but has no such file.
    """
    if card.onnx and card.onnx.is_file():
        return card.onnx
    if card.onnx or card.checkpoint is None or not card.architecture:
        raise NotRunError(_nothing_to_run(card))
    checkpoint = card.checkpoint
    asked: tuple[Path, ...] = (given, given / card.family) if given else ()
    cached = cache_dir() / "weights" / card.family
    folders = (*asked, card.folder, card.folder / "weights", cached)
    for folder in folders:
        if checkpoint.file and (folder / checkpoint.file).is_file():
            return folder / checkpoint.file
    origin = f"; its authors publish it at {checkpoint.url}" if checkpoint.url else ""
    wanted = "give their folder with --sr-weights=DIR"
    if checkpoint.package:
        try:
            return packaged_file(checkpoint.package, checkpoint.path, folders, _SUFFIXES)
        except NotRunError as cause:
            wanted = f"{cause}, or {wanted}" if checkpoint.file else str(cause)
    msg = f"weights {checkpoint.name} are not here: {wanted}{origin}"
    raise NotRunError(msg)


def _nothing_to_run(card: ModelCard) -> str:
    """Return why `card` names no checkpoint of an architecture and no ONNX file that is there."""
    if card.onnx:
        return f"{card.onnx.name} is not in {card.onnx.parent.name}/: put the ONNX file there"
    if not card.has_network:
        return f"{card.name}: the card gives no network: name it with architecture or onnx"
    if not card.architecture:
        low = ", ".join(card.onnx_by_precision)
        return (
            f"{card.name}: this needs the fp32 network, and the card gives files of {low} alone:"
            " name the fp32 file with onnx"
        )
    return f"{card.name}: the card declares no checkpoint, so there is nothing to run"


def network_digest(card: ModelCard, weights: Path) -> str:
    """Return the digest of the weight file, and of what it keeps in others beside it.

    Raises:
        CardError: The ONNX file can't be read, or names a file that is not there.
    """
    more = external_files(weights) if card.onnx else weight_files(weights)[1:]
    digests = [sha256_unchanged(weights), *map(sha256_unchanged, more)]
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
