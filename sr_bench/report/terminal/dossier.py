"""Show a dossier: what the error looks like, which layers make it, and which plan would pass."""

from collections.abc import Iterator

from sr_bench.core.dossier import SILENT_DB, Dossier, LayerBlame, Remedy
from sr_bench.report.terminal.tables import plain_table

_LAYERS_SHOWN = 8


def dossier_lines(dossier: Dossier) -> list[str]:
    """Return the lines that explain a low precision's error."""
    lines = [f"why: {sign}" for sign in dossier.signs]
    if lines and dossier.layers:
        lines.append("")
    if dossier.layers:
        lines += [*_ranking(dossier), "", _remedy(dossier.remedy)]
    return [*lines, f"(searched for {dossier.seconds:.0f} s of {dossier.limit_s:g} s)"]


def _ranking(dossier: Dossier) -> Iterator[str]:
    estimated = sum(layer.estimated for layer in dossier.layers)
    tried, planned = len(dossier.layers) - estimated, dossier.layers_planned
    found = [f"{estimated} of {planned} were estimated from their own error"] if estimated else []
    found += [f"{tried} of {planned} were tried"] if tried or not estimated else []
    yield (
        f"layers by the noise they make, on {dossier.image!r} ({dossier.worst_db:.2f} dB with all"
        f" of them); {', '.join(found)}"
    )
    yield from plain_table(
        ("layer", "MACs", "alone in int8", "gain if left in float"),
        [_row(layer) for layer in dossier.layers[:_LAYERS_SHOWN]],
        left=(0,),
    )


def _row(layer: LayerBlame) -> list[str]:
    gain = "-" if layer.gain_db is None else f"{layer.gain_db:+.2f} dB"
    about = "about " if layer.estimated else ""
    alone = f"{about}{layer.alone_db:.2f} dB" if layer.alone_db < SILENT_DB else "no noise"
    return [layer.layer, f"{100 * layer.share:.1f} %", alone, gain]


def _remedy(remedy: Remedy | None) -> str:
    if remedy is None:
        return "no plan that passes was found in this time"
    keep = ", ".join(f'"{name}"' for name in remedy.keep)
    measured = f"at least {remedy.worst_db:.2f} dB on {remedy.images} images"
    predicted = f"about {remedy.worst_db:.1f} dB on the worst image, by the layers' errors"
    return (
        f"{'would pass' if remedy.images else 'not tried, for want of time'}: {remedy.key} ="
        f" [{keep}], with {100 * remedy.int8_share:.1f} % of the MACs in int8:"
        f" {measured if remedy.images else predicted}"
    )
