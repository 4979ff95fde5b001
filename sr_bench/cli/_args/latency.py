"""Print a profile of a device."""

from typing import TYPE_CHECKING

from sr_bench.cli._args.output import print_json

if TYPE_CHECKING:  # its package loads numpy, which --help does not wait for
    from sr_bench.backends.vacc.profile.latency import Latency, Spread


def show_latency(found: "Latency", *, as_json: bool) -> int:
    """Print `found`; return the exit code."""
    if as_json:
        print_json(found)
        return 0
    print(f"throughput      {found.throughput:g} images/s")
    for name, spread in (("end to end", found.end_to_end), ("model alone", found.model)):
        if spread:
            print(f"{name:15s} {_times(spread)}")
    for name, value, unit in (
        ("AI units", found.ai_utilise_percent, "% busy"),
        ("memory", found.memory_mb, "MB of the die"),
        ("power", found.power_w, "W of the card"),
        ("temperature", found.temperature_c, "degrees C"),
    ):
        if value is not None:
            print(f"{name:15s} {value:g} {unit}")
    clocks = ", ".join(f"{name} {mhz} MHz" for name, mhz in found.clocks_mhz.items())
    print(f"clocks          {clocks or 'not known: profiles of other clocks do not compare'}")
    return 0


def _times(spread: "Spread") -> str:
    named = {"avg": spread.avg_us, "min": spread.min_us, "max": spread.max_us}
    times = {**named, **spread.percentiles_us}
    return ", ".join(f"{name} {us / 1000:g} ms" for name, us in times.items() if us is not None)
