"""``sr-bench cost``: operations and parameters of a model, by every counting rule."""

import argparse
from dataclasses import replace

from sr_bench import discovery
from sr_bench.cli._args.bare_file import countable_file
from sr_bench.cli._args.output import add_json_argument, print_json, print_table
from sr_bench.cli._args.suites import (
    add_suites_argument,
    add_trust_argument,
    find_model,
    load_suites,
)
from sr_bench.errors import OptionError

HELP = "count a model's parameters and operations; needs no weights"
EXAMPLE = "sr-bench cost edsr_baseline_x2 --shape 3x768x1024"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json_argument(parser)
    parser.add_argument("model", help="a model's name as sr-bench list prints it, or an ONNX file")
    parser.add_argument(
        "--shape", metavar="CxHxW", help="input shape (default: the card's, or the file's)"
    )
    add_suites_argument(parser)
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Count, and print the value by each rule."""
    from sr_bench.engine.measure.cost import count

    is_file = args.model.endswith(".onnx")
    card = countable_file(args) if is_file else find_model(load_suites(args.suites), args.model)
    card = replace(card, trusted=args.trust_code)
    shape = _shape(args.shape) if args.shape is not None else card.counted_shape
    counts = count(card, shape)
    flops_g = counts.flops_by_rule()
    if args.json:
        print_json(
            {
                "model": card.name,
                "shape": "x".join(map(str, shape)),
                "params": None if counts.unknown_params else counts.params,
                "macs": counts.macs,
                "flops_g": flops_g,
                "card_rule": card.flops_rule,
            }
        )
        return 0
    print(f"{card.name} at {'x'.join(map(str, shape))}")
    params = counts.unknown_params or f"{counts.params:,} ({counts.params / 1e6:.3f} M)"
    print(f"params  {params}")
    print(f"MACs    {counts.macs:,} ({counts.macs / 1e9:.3f} G)\n")
    rows = [
        [
            f"{value:.3f}",
            f"{name}{' *' * (name == card.flops_rule)}",
            discovery.load("sr_bench.cost.rules", name).DESCRIPTION,
        ]
        for name, value in flops_g.items()
    ]
    print_table(["Flops(G)", "rule (* the card's)", "what it counts"], rows)
    return 0


def _shape(text: str) -> tuple[int, int, int]:
    parts = text.lower().split("x")
    # Not isdigit, which int() does not follow: it takes superscripts.
    if len(parts) != 3 or not all(part.isdecimal() and int(part) for part in parts):
        msg = f"--shape {text}: expected channels x height x width, such as 3x768x1024"
        raise OptionError(msg)
    channels, height, width = map(int, parts)
    return channels, height, width
