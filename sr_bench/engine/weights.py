"""Find a model's weight file among the places where users keep them."""

from pathlib import Path

from sr_bench.core.card import ModelCard
from sr_bench.errors import NotRunError
from sr_bench.files.cache import cache_dir


def weights_path(card: ModelCard, given: Path | None) -> Path:
    """Return the weight file of `card`.

    Looked for in `given` (``--sr-weights``), its sub-folder of the family's name, beside the card,
    in the card's ``weights`` folder, then in the cache.

    Raises:
        NotRunError: It is in none of them; the message says what to do.
    """
    if card.onnx is not None:
        return _present(card.onnx)
    if card.checkpoint is None:
        msg = f"{card.name}: the card declares no checkpoint, so there is nothing to run"
        raise NotRunError(msg)
    file = card.checkpoint.file
    for folder in _folders(card, given):
        if (folder / file).is_file():
            return folder / file
    origin = f"; its authors publish it at {card.checkpoint.url}" if card.checkpoint.url else ""
    msg = f"weights {file} are not here: give their folder with --sr-weights=DIR{origin}"
    raise NotRunError(msg)


def _folders(card: ModelCard, given: Path | None) -> tuple[Path, ...]:
    asked = (given, given / card.family) if given else ()
    return (*asked, card.folder, card.folder / "weights", cache_dir() / "weights" / card.family)


def _present(onnx: Path) -> Path:
    if not onnx.is_file():
        msg = f"{onnx.name} is not in {onnx.parent.name}/: put the ONNX file there"
        raise NotRunError(msg)
    return onnx
