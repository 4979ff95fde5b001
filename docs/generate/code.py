"""What modules say of themselves: options, commands, protocols, metrics, rules and the like."""

import argparse
import ast
import inspect
from collections.abc import Iterator
from enum import StrEnum
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from docs.generate.markdown import code, prose, sentence, table
from sr_bench import discovery
from sr_bench.cards.protocol_files import load_protocol, protocol_names
from sr_bench.core.device import Failure
from sr_bench.core.metric import image_metrics, metric_infos
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.status import Status
from sr_bench.engine.plan.option import Option, options_of
from sr_bench.engine.plan.options import Selection
from sr_bench.lint.run import rules
from sr_bench.plugin.settings import Settings


def flags() -> str:
    """Return the table of pytest's flags, those of every day first."""
    return _options("flag", [one for one in _declared() if one.is_flag], "=")


def ini_keys() -> str:
    """Return the table of keys of pytest's ini file."""
    return _options("ini key", [one for one in _declared() if not one.is_flag], " = ")


def commands() -> str:
    """Return a section for each command of ``sr-bench``, with its arguments."""
    return "\n\n".join(
        section
        for name in discovery.names("sr_bench.cli")
        for section in _command(f"sr-bench {name.replace('_', '-')}", name)
    )


def named_protocols() -> str:
    """Return the table of the protocols that come along."""
    head = ("name", "LR", "ground truth", "output", "border", "compared")
    return table(head, (_protocol(load_protocol(name)) for name in protocol_names()))


def statuses() -> str:
    """Return the table of statuses: what pytest makes of each, and what it means."""
    return table(("status", "pytest", "meaning"), _members(Status, apart=True))


def device_failures() -> str:
    """Return the table of the classes of a device's failures."""
    return table(("class", "meaning"), _members(Failure))


def lint_rules() -> str:
    """Return the table of lint's rules."""
    told = ((rule.title, rule.meaning, rule.advice) for rule in rules())
    rows = (
        (rule.code, rule.severity.value, *map(prose, texts))
        for rule, texts in zip(rules(), told, strict=True)
    )
    return table(("code", "severity", "what is wrong", "why it matters", "what to do"), rows)


def metrics() -> str:
    """Return the table of metrics, with what headers of documents call them."""
    scored = image_metrics()
    rows = [
        (
            code(name),
            _about("sr_bench.metrics", name) if name in scored else info.title,
            info.unit,
            {True: "higher", False: "lower", None: ""}[info.higher_is_better],
            ", ".join(map(code, info.headers)),
        )
        for name, info in sorted(metric_infos().items())
    ]
    return table(("name", "what it is", "unit", "better", "headers of tables"), rows)


def observers() -> str:
    """Return the table of calibrations."""
    package = "sr_bench.precision.observers"
    rows = [
        (code(f"int8_{name}"), _synonyms(package, name), _about(package, name))
        for name in _ours(package)
    ]
    return table(("precision", "also called", "clip ranges"), rows)


def backends() -> str:
    """Return the table of backends."""
    return _modules("backend", "sr_bench.backends")


def architectures() -> str:
    """Return the table of architectures."""
    return _modules("architecture", "sr_bench.zoo.families")


def counting_rules() -> str:
    """Return the table of counting rules."""
    package = "sr_bench.cost.rules"
    rows = ((code(name), discovery.load(package, name).DESCRIPTION) for name in _ours(package))
    return table(("rule", "what is counted"), rows)


def _declared() -> list[Option[object]]:
    both = (*options_of(Selection).values(), *options_of(Settings).values())
    return sorted(both, key=lambda one: one.rare)


def _options(head: str, options: list[Option[object]], sign: str) -> str:
    rows = (
        (code(sign.join(filter(None, (one.name, one.metavar)))), prose(one.help), code(one.default))
        for one in options
    )
    return table((head, "what it does", "default"), rows)


def _command(called: str, name: str) -> Iterator[str]:
    module = discovery.load("sr_bench.cli", name)
    parser = argparse.ArgumentParser(prog=called)
    module.add_arguments(parser)
    yield f"## {called}\n\n{_upper(module.HELP)}.\n\n```\n{module.EXAMPLE}\n```"
    yield from _arguments(parser)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the table of arguments, and a section for each command below."""
    actions = [one for one in parser._actions if not isinstance(one, argparse._HelpAction)]
    plain = [one for one in actions if not isinstance(one, argparse._SubParsersAction)]
    if plain:
        shown = argparse.HelpFormatter("")._expand_help  # with the default in its place
        rows = ((_spelled(one), prose(shown(one)), _value(one)) for one in plain)
        yield table(("argument", "what it does", "value"), rows)
    for below in (one for one in actions if isinstance(one, argparse._SubParsersAction)):
        for name, inner in below.choices.items():
            yield f"### {parser.prog} {name}\n\n{_upper(str(inner.description))}."
            yield from _arguments(inner)


def _spelled(action: argparse.Action) -> str:
    if action.option_strings:
        return ", ".join(map(code, action.option_strings))
    many = action.nargs in ("*", "+")
    return code(str(action.metavar or action.dest) + (" ..." if many else ""))


def _value(action: argparse.Action) -> str:
    if action.choices:
        return ", ".join(map(code, map(str, action.choices)))
    if not action.option_strings or action.nargs == 0:
        return ""
    return code(str(action.metavar or action.dest.upper()))


def _protocol(rule: EvalProtocol) -> tuple[str, ...]:
    lr = "files" if rule.lr_from == "files" else "from HR"
    if rule.lr_resize and rule.input_shape:
        lr += f", {rule.lr_resize} to {rule.input_shape[0]}x{rule.input_shape[1]}"
    output = rule.rounding if rule.clip else f"{rule.rounding}, not clipped"
    compared = rule.colour + (", SSIM of the last image" * (rule.ssim_aggregation != "mean"))
    return code(rule.name), lr, rule.gt_resize or "-", output, str(rule.border), compared


def _members(cls: type[StrEnum], *, apart: bool = False) -> Iterator[tuple[str, ...]]:
    """Yield each member with the docstring below it; if `apart`, its first sentence by itself."""
    (tree,) = ast.parse(inspect.getsource(cls)).body
    for member, below in pairwise(tree.body):
        if isinstance(member, ast.Assign) and isinstance(below, ast.Expr):
            text = prose(ast.literal_eval(below.value))
            first, _, rest = text.partition(". ")
            told = (_lower(first), rest) if apart else (text,)
            yield code(str(cls[member.targets[0].id])), *told


def _modules(head: str, package: str) -> str:
    return table((head, "what it is"), ((code(n), _about(package, n)) for n in _ours(package)))


def _ours(package: str) -> list[str]:
    """Return the names in `package` that no other package adds."""
    added = {point.name for point in discovery.third_party(package)}
    return [name for name in discovery.names(package) if name not in added]


def _about(package: str, name: str) -> str:
    origin = find_spec(f"{package}.{name}").origin  # not imported: some need torch
    return prose(sentence(ast.get_docstring(ast.parse(Path(origin).read_text("utf-8"))) or ""))


def _synonyms(package: str, name: str) -> str:
    return ", ".join(map(code, getattr(discovery.load(package, name), "SYNONYMS", ())))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
