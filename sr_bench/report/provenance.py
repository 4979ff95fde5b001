"""Say how the int8 networks of a run were made: calibrated with what, computed how."""

from collections.abc import Sequence

from sr_bench.core.record import Record


def int8_lines(records: Sequence[Record]) -> list[str]:
    """Return a sentence for each int8 network of `records`."""
    return list(dict.fromkeys(_made(record) for record in records if "observer" in record.detail))


def shared_lines(records: Sequence[Record]) -> list[str]:
    """Return a sentence for each int8 network that was judged on images it was calibrated with."""
    return list(
        dict.fromkeys(
            f"{record.model} {record.precision} is calibrated with images that it is judged on:"
            f" {record.detail['calibration_shared']}"
            for record in records
            if "calibration_shared" in record.detail
        )
    )


def _made(record: Record) -> str:
    told = record.detail
    parts = [
        f"{record.model} {record.precision}: clip ranges by {told['observer']} from"
        f" {told['calibration_images']} images of {told['calibration_set']}"
    ]
    if "int8_share" in told:
        parts.append(f"{100 * float(str(told['int8_share'])):.1f} % of the MACs in int8")
    if "float_operators" in told:
        parts.append(f"in float, as they can't be quantised: {told['float_operators']}")
    parts += [str(told[key]) for key in ("int8_layers", "int8_kernel") if key in told]
    return "; ".join(parts)
