"""Images that no mean drop counts: named once for all gates that leave out the same ones."""

from collections.abc import Iterable

from sr_bench.core.case import IMAGE_METRICS
from sr_bench.core.record import Record
from sr_bench.text.printable import counted


def flat_lines(records: Iterable[Record]) -> list[str]:
    """Return a line for each set of images that gates of `records` leave out, with the reason."""
    gates: dict[tuple[str, str], int] = {}
    for record in records:
        if gate := record.detail.gate:
            names = [image.image for image in gate.images]
            if without := gate.psnr.without(IMAGE_METRICS, names):
                key = (record.dataset, without)
                gates[key] = gates.get(key, 0) + 1
    return [
        f"mean drops of {counted(count, 'gate')} on {dataset}: {without}"
        for (dataset, without), count in gates.items()
    ]
