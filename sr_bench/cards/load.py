"""Read a card.toml into model cards; say everything that is wrong with it at once."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sr_bench import discovery
from sr_bench.cards.network_io import protocol_faults
from sr_bench.cards.protocol_files import load_protocol, parse_protocol, protocol_names
from sr_bench.cards.schema import CardTable, EvaluationTable, ModelTable, PlanTable
from sr_bench.core.card import Evaluation, ModelCard, SuiteCard
from sr_bench.core.device import DevicePlan
from sr_bench.core.fields import narrowed
from sr_bench.core.ignored import Ignored
from sr_bench.core.int8 import Int8Plan
from sr_bench.core.latency import LatencyPlan
from sr_bench.core.protocol import EvalProtocol
from sr_bench.document.told import spelling_faults
from sr_bench.errors import CardError
from sr_bench.files.toml import read_toml
from sr_bench.files.validation import listed, nearest, validate

_ARCHITECTURES = "sr_bench.zoo.families"
_AS_CLASS = "MODULE:CLASS, such as nets.pan:PAN"
_CLASS = re.compile(r"(?!\d)\w+(\.(?!\d)\w+)*:(?!\d)\w+(\.(?!\d)\w+)*")


def load_card(path: Path) -> SuiteCard:
    """Return what the card.toml at `path` declares.

    Raises:
        CardError: The file can't be read, or has faults; each is listed with its key.
    """
    table = validate(CardTable, read_toml(path, CardError), where=str(path), error=CardError)
    protocols, faults = _own_protocols(table)
    faults += _faults(table, protocols)
    if faults:
        raise CardError(listed(faults, where=str(path)))
    # Resolved, as its name is the family's: "." has none.
    folder = path.resolve().parent
    return SuiteCard(
        path=path,
        family=folder.name,
        document=path.parent / table.document,
        models=tuple(_model(model, folder, protocols) for model in table.model),
        ignored=Ignored(table.ignore_columns, table.ignore_rows, table.ignore_tables),
        told=table.told,
        waivers=table.waivers,
    )


def load_int8_plan(path: Path) -> Int8Plan:
    """Return the plan in a TOML file that holds a card's table ``[model.int8]`` alone.

    Raises:
        CardError: The file can't be read, or has faults; each is listed with its key.
    """
    table = validate(PlanTable, read_toml(path, CardError), where=str(path), error=CardError)
    return narrowed(Int8Plan, table.model.int8)


def _own_protocols(table: CardTable) -> tuple[dict[str, EvalProtocol], list[str]]:
    """Return the protocols that the card declares, and what is wrong with the others."""
    protocols, faults = {}, []
    for name, fields in table.protocol.items():
        if name in protocol_names():
            faults.append(f"protocol.{name}: this protocol is installed; give yours another name")
            continue
        try:
            protocols[name] = parse_protocol(name, fields, where=f"protocol.{name}")
        except CardError as cause:
            faults.append(str(cause).replace("\n", "\n  "))  # itself a list, a level deeper here
    return protocols, faults


def _faults(table: CardTable, own: dict[str, EvalProtocol]) -> Iterator[str]:
    """Yield what the schema alone can't see: names that don't exist, and doubles."""
    for index, model in enumerate(table.model):
        where = f"model[{index}] {model.name!r}"
        yield from (f"{where}: {fault}" for fault in _architecture_faults(model))
        yield from _unknown(f"{where}: cost.rule", model.cost.rule, "sr_bench.cost.rules")
        # Those that are declared and faulty are told of already.
        known = (*protocol_names(), *table.protocol)
        for name in dict.fromkeys(evaluation.protocol for evaluation in model.evaluation):
            if name not in known:
                yield f"{where}: unknown protocol {name!r}; {nearest(name, known)}"
            elif name in own or name in protocol_names():
                factor = model.scale if model.input.enlarged else 1
                faults = protocol_faults(*model.ends, _protocol(name, own), factor)
                yield from (f"{where}: protocol {name!r}: {fault}" for fault in faults)
    for index, told in enumerate(table.told):
        yield from (f"table[{index}] {told.name!r}: {fault}" for fault in spelling_faults(told))
    names = Counter(model.name for model in table.model)
    yield from (f"model name {name!r} is used {n} times" for name, n in names.items() if n > 1)
    rows = Counter((model.row, model.row_source, model.scale) for model in table.model if model.row)
    for (row, source, scale), n in rows.items():
        if n > 1:
            of = f" of source {source!r}" if source else ""
            yield f"row {row!r}{of} is bound {n} times at scale {scale}"


def _architecture_faults(model: ModelTable) -> Iterator[str]:
    name = model.architecture
    if not set(":./") & set(name):
        if name:
            for fault in _unknown("architecture", name, _ARCHITECTURES):
                yield f"{fault} (a class of yours: {_AS_CLASS})"
        if model.code.trust:
            yield 'code.trust goes with a class of yours, such as architecture = "nets.pan:PAN"'
    elif not _CLASS.fullmatch(name):
        yield f"architecture: expected {_AS_CLASS}, got {name!r}"
    elif (first := re.split("[.:]", name)[0]) in sys.stdlib_module_names:
        yield f"architecture: {first!r} is a module of Python itself: give yours another name"


def _unknown(where: str, name: str, package: str) -> Iterator[str]:
    valid = discovery.names(package)
    if name not in valid:
        yield f"{where}: unknown name {name!r}; {nearest(name, valid)}"


def _model(table: ModelTable, folder: Path, protocols: dict[str, EvalProtocol]) -> ModelCard:
    reads, gives = table.ends
    return narrowed(
        ModelCard,
        table,
        input=reads,
        output=gives,
        family=folder.name,
        folder=folder,
        onnx=folder / table.onnx if table.onnx else None,
        onnx_by_precision={key: folder / name for key, name in table.onnx_by_precision.items()},
        evaluations=tuple(_evaluation(item, protocols) for item in table.evaluation),
        flops_rule=table.cost.rule,
        counted_shape=table.cost.shape or (reads.channels, *(reads.size or (256, 256))),
        int8=narrowed(Int8Plan, table.int8),
        int8_tolerances=table.int8.tolerance,
        printed_int8=table.int8.observer,
        device=narrowed(DevicePlan, table.vacc),
        latency=table.latency or LatencyPlan(),
        built_calibration=table.vacc.built_calibration,
    )


def _evaluation(table: EvaluationTable, protocols: dict[str, EvalProtocol]) -> Evaluation:
    return narrowed(Evaluation, table, protocol=_protocol(table.protocol, protocols))


def _protocol(name: str, own: dict[str, EvalProtocol]) -> EvalProtocol:
    return own.get(name) or load_protocol(name)
