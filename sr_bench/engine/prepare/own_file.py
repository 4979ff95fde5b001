"""A user's own ONNX file as it is measured: float32 N x C x H x W, whatever it reads and gives."""

from pathlib import Path

from sr_bench.core.card import ModelCard
from sr_bench.core.precision import Precision
from sr_bench.engine.prepare.file_notes import notes_of
from sr_bench.engine.prepare.weights import weights_path
from sr_bench.errors import BackendError
from sr_bench.files.kept import Kept
from sr_bench.files.onnx_canonical import is_canonical, write_canonical
from sr_bench.files.onnx_card import Declared


def own_file(card: ModelCard, precision: Precision, kept: Kept, name: str) -> Path:
    """Return the file of `card`; where it must be changed, the one called `name` of `kept`.

    It may be one that the card gives for `precision`.

    Raises:
        BackendError: It can't be read, contradicts the card or leaves something open, or says that
            another observer than that of `precision` chose its ranges.
    """
    path = weights_path(card, None)
    if is_low := card.is_given(precision):
        _check_observer(path, precision)
    declared = Declared(card.input, card.output, is_low)
    if is_canonical(path, declared):
        return path
    return kept.file(name, lambda target: write_canonical(path, declared, target))


def _check_observer(path: Path, precision: Precision) -> None:
    made_by = notes_of(path).get("observer", "")
    if made_by not in ("", precision.calibration):
        msg = f"{path}: expected a file of {precision}, got one of int8_{made_by}"
        raise BackendError(msg)
