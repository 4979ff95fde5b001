"""Show which ways of scoring reproduce a printed number, in full or in a few lines."""

from sr_bench.core.forensics import Candidate, Forensics
from sr_bench.core.metric import metric_info, with_unit
from sr_bench.report.terminal.scoring_words import as_protocol, in_words
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.printable import counted, printable_line, some

_NAMES_SHOWN = 3
_SUMMED_UP = 3  # ways that a failure text has room for
_INDENT = 11 * " "  # below the text after "forensics"

_ANY = "as some as simple would give any number nearby"


def forensics_lines(result: Forensics) -> list[str]:
    """Return all that was found out about a number, for ``sr-bench explain-number``."""
    number = _asked(result)
    ways = f"{result.tried:,} ways of scoring {counted(result.images, 'image')}"
    notes = [f"note: {note}" for note in result.notes]
    if len(result.scales) > 1:
        scales = ", ".join(f"x{scale}" for scale in result.scales)
        notes.append(f"note: no scale was given; borders that follow it were tried for {scales}")
    if not result.matches:
        head = f"not explained: none of {ways} gives {number}"
        return [f"{head}; the nearest:" if result.nearest else head, *_misses(result, "  "), *notes]
    fit = f"{result.fits} of {ways} give {number}"
    shown = [way for way in result.matches if way.weight != "chance"]
    if not shown:
        return [f"not explained: {fit}, {_ANY}", *notes]
    left = result.fits - len(shown)
    rows = [[_value(result, way), way.digits, f"{way.chance:.3f}", _words(way)] for way in shown]
    return [
        f"{shown[0].weight}: {fit}",
        "",
        *plain_table(("value", "digits", "chance", "scored by"), rows, left=(1, 3)),
        *([f"and {left} less likely, or of the same value as one above"] if left else []),
        *_declared(shown, result.metric),
        "",
        "chance: which part of the numbers nearby ways as simple would give by mere accident",
        *notes,
    ]


def forensics_summary(result: Forensics) -> list[str]:
    """Return one to five lines for a failure text."""
    tried = f"{result.tried:,} ways of scoring the images"
    if not result.matches:
        head = f"forensics  not explained: none of {tried} gives the claim"
        return [f"{head}; the nearest:" if result.nearest else head, *_misses(result, _INDENT)]
    weight = result.matches[0].weight
    if weight == "chance":
        return [f"forensics  not explained: {result.fits} of {tried} give the claim, {_ANY}"]
    # What explains a number leaves no room for what could be chance.
    least = result.matches[0].chance
    ways = [
        way
        for way in result.matches
        if way.weight == weight and (weight != "explained" or way.chance == least)
    ][:_SUMMED_UP]
    head = "explained by" if weight == "explained" else f"{weight}: {result.fits} of {tried}, as"
    return [
        f"forensics  {head}",
        *(
            f"{_INDENT}{_words(way)}: {with_unit(_value(result, way), result.metric)}"
            f" {way.digits}, by chance {way.chance:.3f}"
            for way in ways
        ),
    ]


def _asked(result: Forensics) -> str:
    number = with_unit(printable_line(result.text), result.metric)
    others = [
        f"{each.metric.upper()} {with_unit(printable_line(each.text), each.metric)}"
        + f" on {printable_line(each.where)}" * bool(each.where)
        for each in result.beside
    ]
    beside = f" beside {', '.join(others)}" if others else ""
    return f"{result.metric.upper()} {number}{beside}"


def _declared(shown: list[Candidate], metric: str) -> list[str]:
    """Return the line that tells how a card declares the first way, if it stands out and can be."""
    way = shown[0]
    alone = way.weight == "explained" or len(shown) == 1
    keys = as_protocol(way, metric) if way.changes and alone else ""
    return [f"as a card's protocol: {keys}"] if keys else []


def _misses(result: Forensics, indent: str) -> list[str]:
    claimed = float(result.text)
    return [
        f"{indent}{_words(way)}: {with_unit(_value(result, way), result.metric)}"
        f" ({way.value - claimed:+.{_decimals(result.text)}f})"
        for way in result.nearest
    ]


def _words(way: Candidate) -> str:
    names = printable_line(some(way.protocols, _NAMES_SHOWN))
    words = f"{names}, but {in_words(way.scoring, way.changes)}" if way.changes else names
    for other in way.beside:
        own = tuple(
            name
            for name in other.changes
            if name not in way.changes or getattr(way.scoring, name) != getattr(other.scoring, name)
        )
        if own:
            metric = "ssim" if other.scoring.window else "psnr"
            words += f"; {metric_info(metric).title} {in_words(other.scoring, own)}"
    return words


def _value(result: Forensics, way: Candidate) -> str:
    """Return what `way` gives, with two decimals more than printed."""
    values = [f"{way.value:.{_decimals(result.text)}f}"]
    for asked, other in zip(result.beside, way.beside, strict=False):
        values.append(f"{other.value:.{_decimals(asked.text)}f}")
    return ", ".join(values)


def _decimals(text: str) -> int:
    return len(text.partition(".")[2]) + 2
