"""Say how the int8 networks of a run were made: calibrated with what, computed how."""

from collections.abc import Sequence

from sr_bench.core.device import Profile
from sr_bench.core.record import Record

INTERVAL = (
    f"interval: by two readings of the card's int8 arithmetic, {Profile.TVM} (measured) and"
    f" {Profile.FINE}; nobody has published what the card does"
)
"""Says what stands in the column of that name."""


def device_lines(records: Sequence[Record]) -> list[str]:
    """Return what must be known about the device of `records`, each sentence once."""
    adapter = (record.detail.adapter for record in records if record.detail.adapter)
    warned = (
        f"{record.model} {record.precision}: {record.detail.warning}"
        for record in records
        if record.detail.warning
    )
    cpus = (record.detail.measured_on for record in records if record.detail.measured_on)
    return list(dict.fromkeys([*adapter, *warned, *(f"measured on {cpu}" for cpu in cpus)]))


def lr_lines(records: Sequence[Record]) -> list[str]:
    """Return a sentence for each dataset of `records` whose LR was made, not read from files."""
    made = {(record.dataset, record.detail.lr_made_by): None for record in records}
    return [f"LR of {dataset} made from HR by {rule}" for dataset, rule in made if rule]


def int8_lines(records: Sequence[Record]) -> list[str]:
    """Return a sentence for each int8 network of `records`."""
    return list(dict.fromkeys(_sentence(record) for record in records if record.detail.observer))


def shared_lines(records: Sequence[Record]) -> list[str]:
    """Return a sentence for each int8 network that was judged on images it was calibrated with."""
    return list(
        dict.fromkeys(
            f"{record.model} {record.precision} is calibrated with images that it is judged on:"
            f" {record.detail.calibration_shared}"
            for record in records
            if record.detail.calibration_shared
        )
    )


def cached_lines(records: Sequence[Record]) -> list[str]:
    """Return how many images' results were there already; nothing if none."""
    # Records of several metrics share a run over the images, which counts once.
    runs = {
        (record.family, record.model, record.precision, record.dataset, record.protocol): record
        for record in records
        if record.measurement
    }
    scored = [run for run in runs.values() if run.measurement and run.measurement.images]
    cached = sum(record.cached for record in scored)
    if not cached:
        return []
    total = sum(len(record.measurement.images) for record in scored if record.measurement)
    return [
        f"results of {cached} of {total} images were there: the same content was measured before"
        " (--sr-cache=refresh measures again)"
    ]


def _sentence(record: Record) -> str:
    detail = record.detail
    parts = [f"{record.model} {record.precision}: clip ranges by {detail.observer}"]
    # What a file of ranges says of its origin may be edited, or left out.
    if detail.calibration_images and detail.calibration_set:
        parts[0] += f" from {detail.calibration_images} images of {detail.calibration_set}"
    if detail.int8_share:
        parts.append(f"{_percent(detail.int8_share)} of the MACs in int8")
    if detail.float_operators:
        parts.append(f"in float, as they can't be quantised: {detail.float_operators}")
    if detail.int8_rules:
        parts.append(f"by the rules {detail.int8_rules}")
    parts += filter(None, (detail.int8_layers, detail.int8_kernel))
    return "; ".join(parts)


def _percent(share: str) -> str:
    try:
        return f"{100 * float(share):.1f} %"
    except ValueError:
        return share
