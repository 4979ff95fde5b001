"""``sr-bench vacc``: what a VACC card's owner does by hand; ``vamc`` and ``vamp`` are its tools."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.networks import add_network_arguments, prepare_network, read_precision
from sr_bench.cli._args.output import add_json_argument, print_result
from sr_bench.errors import OptionError

if TYPE_CHECKING:  # these load much, which --help must not wait for
    from sr_bench.backends.vacc.profile.vamp import Latency, Spread
    from sr_bench.core.card import ModelCard
    from sr_bench.core.device import CompilerInput, Shape

HELP = "compile for, profile on, or clear a VACC card by hand"
EXAMPLE = "sr-bench vacc yaml pocket_edsr_x2 --precision int8_kl --out build"

_CLEAR = "let a model run again that was running when the host froze"
_VAMP = "compile a network and profile it with vamp: throughput, latency, power"
_VAMP_LOG = "read a log of vamp, of any version whose output is known"
_YAML = "print the build file for vamc; with --out write all that it needs"

_SIZE = re.compile(r"([1-9]\d*)x([1-9]\d*)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands and their arguments."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    network = "pocket_edsr_x2 --precision int8_kl"
    for name, act, declare, summary, example in (
        ("clear", _clear, _declare_clear, _CLEAR, "'edsr/*'"),
        ("vamp", _vamp, _declare_vamp, _VAMP, f"{network} --instances 2"),
        ("vamp-log", _vamp_log, _declare_vamp_log, _VAMP_LOG, "run.log --json"),
        ("yaml", _yaml, _declare_yaml, _YAML, f"{network} --out build"),
    ):
        epilog = f"example: sr-bench vacc {name} {example}"
        command = commands.add_parser(name, help=summary, description=summary, epilog=epilog)
        command.set_defaults(act=act)  # `run` is this module's, which main calls
        declare(command)


def run(args: argparse.Namespace) -> int:
    """Do what the chosen command says."""
    return int(args.act(args))


def _declare_clear(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="family/model, or a pattern of such names")


def _clear(args: argparse.Namespace) -> int:
    from sr_bench.backends.vacc.run.state import DeviceState

    cleared = DeviceState().clear(args.model)
    print("\n".join(cleared) if cleared else f"nothing that matches {args.model} is quarantined")
    return 0


def _declare_yaml(parser: argparse.ArgumentParser) -> None:
    _declare_input(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write build.yaml, network.onnx and the calibration images there;"
        " then: cd DIR && vamc compile build.yaml",
    )


def _yaml(args: argparse.Namespace) -> int:
    from sr_bench.backends.vacc.build.compile import plan_build
    from sr_bench.backends.vacc.build.vamc_yaml import build_text

    print(build_text(plan_build(*_read_input(args), args.out)), end="")
    return 0


def _declare_vamp(parser: argparse.ArgumentParser) -> None:
    _declare_input(parser)
    for name, usual, what in (
        ("instances", 1, "copies of the network on each die"),
        ("processes", 1, "processes that feed them"),
        ("batch", 1, "images in one run"),
        ("iterations", 1024, "runs"),
    ):
        parser.add_argument(
            f"--{name}", type=int, default=usual, metavar="N", help=f"{what} (default: {usual})"
        )
    add_json_argument(parser)


def _vamp(args: argparse.Namespace) -> int:
    from sr_bench.backends.vacc.profile.vamp import Load, profile
    from sr_bench.backends.vacc.rig import read_rig

    load = Load(args.instances, args.processes, args.batch, args.iterations)
    return _show(profile(*_read_input(args), read_rig(), load), as_json=args.json)


def _declare_vamp_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("log", type=Path, help="a file that holds what vamp printed")
    add_json_argument(parser)


def _vamp_log(args: argparse.Namespace) -> int:
    from sr_bench.backends.vacc.profile.vamp import parse_vamp

    try:
        text = args.log.read_text(encoding="utf-8", errors="replace")  # a stray byte hides nothing
    except OSError as cause:
        msg = f"{args.log}: can't be read ({cause.strerror}); expected what vamp printed"
        raise OptionError(msg) from cause
    return _show(parse_vamp(text, where=str(args.log)), as_json=args.json)


def _declare_input(parser: argparse.ArgumentParser) -> None:
    add_network_arguments(parser, precision=None)
    parser.add_argument(
        "--shape",
        metavar="HxW",
        help="of the input (default: the card's vacc.shape, its protocol's, or that of its Flops)",
    )


def _read_input(args: argparse.Namespace) -> "tuple[CompilerInput, Shape]":
    """Return what the compiler is given for the network, and the NCHW shape of its input.

    Raises:
        OptionError: The network, the precision or the shape is not valid.
        NotRunError: The weights or the calibration images are not here.
    """
    from dataclasses import replace

    from sr_bench.core.backend import Form

    precision = read_precision(args)
    prepared = replace(prepare_network(args, precision), form=Form.SOURCE)  # vamc makes int8
    height, width = _size(args.shape, prepared.card)
    return prepared.source(), (1, prepared.card.input.channels, height, width)


def _size(given: str | None, card: "ModelCard") -> tuple[int, int]:
    if given is None:
        fixed = [side * card.input_scale for side in card.usual_protocol.input_shape or ()]
        height, width = card.device.shape or fixed or card.counted_shape[1:]
        return height, width
    size = _SIZE.fullmatch(given)
    if size is None:
        msg = f"--shape {given}: expected height x width, such as 720x1280"
        raise OptionError(msg)
    return int(size[1]), int(size[2])


def _show(latency: "Latency", *, as_json: bool) -> int:
    """Print a profile; return the exit code."""
    lines = [f"throughput      {latency.throughput:g} images/s"]
    for name, spread in (("end to end", latency.end_to_end), ("model alone", latency.model)):
        if spread:
            lines.append(f"{name:15s} {_times(spread)}")
    for name, value, unit in (
        ("AI units", latency.ai_utilise_percent, "% busy"),
        ("memory", latency.memory_mb, "MB of the die"),
        ("power", latency.power_w, "W of the card"),
        ("temperature", latency.temperature_c, "degrees C"),
    ):
        if value is not None:
            lines.append(f"{name:15s} {value:g} {unit}")
    clocks = ", ".join(f"{name} {mhz} MHz" for name, mhz in latency.clocks_mhz.items())
    lines.append(f"clocks          {clocks or 'not known: profiles of other ones do not compare'}")
    print_result(latency, lines, as_json=as_json)
    return 0


def _times(spread: "Spread") -> str:
    named = {"avg": spread.avg_us, "min": spread.min_us, "max": spread.max_us}
    times = {**named, **spread.percentiles_us}
    return ", ".join(f"{name} {us / 1000:g} ms" for name, us in times.items() if us is not None)
