"""What a device's own compiler is given: the network in fp32, a plan, and images as levels."""

from pathlib import Path

from sr_bench.core.card import ModelCard
from sr_bench.core.device import CompilerInput
from sr_bench.core.precision import Precision
from sr_bench.engine.prepare.calibration import CalibrationSet
from sr_bench.files.kept import Kept


def compiler_input(
    card: ModelCard, precision: Precision, onnx: Path, images: CalibrationSet | None, kept: Kept
) -> CompilerInput:
    """Return it for the network of `card`, which is in the file `onnx`, in a low `precision`.

    Raises:
        BackendError: The network can't be read.
        CardError: The card skips a layer that the network doesn't have.
    """
    from sr_bench.engine.prepare.int8 import skipped  # onnx loads only when a network is made

    rule = card.usual_protocol
    given = card.input.with_white(rule.input_range)
    return CompilerInput(
        name=card.id,
        onnx=onnx,
        precision=precision,
        plan=card.device,
        scale=card.network_scale,
        white=given.range[1] if given.is_scaled_only else 0.0,
        channel_order="bgr" if given.is_bgr(rule.channel_order) else "rgb",
        skip_layers=skipped(onnx, card),
        calibration=images.levels() if images else (),
        calibration_digest=images.digest if images else "",
        kept_in=kept.place,
        since=kept.since,
    )
