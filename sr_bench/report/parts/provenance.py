"""Say how the int8 networks of a run were made: calibrated with what, computed how."""

from collections.abc import Sequence

from sr_bench.core.detail import Detail
from sr_bench.core.device import Profile
from sr_bench.core.record import Record
from sr_bench.report.parts.speed import slower_lines

INTERVAL = (
    f"interval: by two readings of the card's int8 arithmetic, {Profile.TVM} (measured) and"
    f" {Profile.FINE}; nobody has published what the card does"
)
"""Says what stands in the column of that name."""


def device_lines(records: Sequence[Record]) -> list[str]:
    """Return what must be known about the device of `records`, and of their speed on it.

    Each sentence stands once.
    """
    adapter = (record.detail.adapter for record in records if record.detail.adapter)
    warned = (
        f"{record.model} {record.precision}: {record.detail.warning}"
        for record in records
        if record.detail.warning
    )
    cpus = (record.detail.measured_on for record in records if record.detail.measured_on)
    measured = (f"measured on {cpu}" for cpu in cpus)
    return [*dict.fromkeys([*adapter, *warned, *measured]), *slower_lines(records)]


def lr_lines(records: Sequence[Record]) -> list[str]:
    """Return a sentence for each dataset of `records` whose LR was made, not read from files.

    And for each network whose size images were cut or padded to.
    """
    made = {(record.dataset, record.detail.lr_made_by): None for record in records}
    fits = {(record.model, record.detail.input_fit): None for record in records}
    return [
        *(f"LR of {dataset} made from HR by {rule}" for dataset, rule in made if rule),
        *(f"{model}: images are {fit}" for model, fit in fits if fit),
    ]


def int8_lines(records: Sequence[Record]) -> list[str]:
    """Return a sentence for each int8 network of `records`."""
    int8 = (record for record in records if record.detail.observer or record.detail.integer_share)
    return list(dict.fromkeys(map(_sentence, int8)))


def shared_lines(records: Sequence[Record]) -> list[str]:
    """Return a sentence for each network that is not what a reader takes it for.

    It was judged on images that it was calibrated with, the card gives a file for it, or names the
    calibration that the document does not; or its weights are not those of their authors.
    """
    shared = (
        f"{record.model} {record.precision} is calibrated with images that it is judged on:"
        f" {record.detail.calibration_shared}"
        for record in records
        if record.detail.calibration_shared
    )
    given = (
        f"{record.model} {record.precision}: {why}"
        for record in records
        for why in (record.detail.printed_as, record.detail.given_file, record.detail.weights)
        if why
    )
    return list(dict.fromkeys((*given, *shared)))


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
    return f"{record.model} {record.precision}: {'; '.join(int8_parts(record.detail))}"


def int8_parts(detail: Detail) -> list[str]:
    """Return what is known about how a low precision was made, and how it is computed."""
    parts = []
    if detail.observer:
        # What a file of ranges says of its origin may be edited, or left out.
        known = detail.calibration_images and detail.calibration_set
        origin = f" from {detail.calibration_images} images of {detail.calibration_set}"
        parts.append(f"clip ranges by {detail.observer}{origin if known else ''}")
    if detail.int8_share:
        parts.append(f"{_percent(detail.int8_share)} of the MACs in int8")
    if detail.integer_share:
        parts.append(
            f"{_percent(detail.integer_share)} of the MACs in integers on plain onnxruntime"
        )
    if detail.float_operators:
        parts.append(f"in float, as they can't be quantised: {detail.float_operators}")
    if detail.int8_rules:
        parts.append(f"by the rules {detail.int8_rules}")
    parts += filter(None, (detail.int8_layers, detail.int8_kernel))
    return parts


def _percent(share: str) -> str:
    try:
        return f"{100 * float(share):.1f} %"
    except ValueError:
        return share
