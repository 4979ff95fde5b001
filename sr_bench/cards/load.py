"""Read a card.toml into model cards; say everything that is wrong with it at once."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from sr_bench import discovery
from sr_bench.cards.protocol_files import load_protocol, parse_protocol, protocol_names
from sr_bench.cards.schema import (
    CardTable,
    CheckpointTable,
    EvaluationTable,
    GateTable,
    Int8Table,
    ModelTable,
    ToleranceTable,
    VaccTable,
)
from sr_bench.core.card import (
    Checkpoint,
    Evaluation,
    KnownGap,
    ModelCard,
    SuiteCard,
    Tolerance,
    Waiver,
)
from sr_bench.core.device import DevicePlan, Failure, KnownFailure
from sr_bench.core.int8 import Gate, Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.errors import CardError
from sr_bench.files.validation import listed, nearest, read_toml, validate

_ARCHITECTURES = "sr_bench.zoo.families"


def load_card(path: Path) -> SuiteCard:
    """Return what the card.toml at `path` declares.

    Raises:
        CardError: The file can't be read, or has faults; each is listed with its key.
    """
    table = validate(CardTable, read_toml(path, CardError), where=str(path), error=CardError)
    protocols, faults = _own_protocols(table)
    faults += _faults(table)
    if faults:
        raise CardError(listed(faults, where=str(path)))
    folder = path.resolve().parent
    return SuiteCard(
        path=path,
        family=folder.name,
        document=path.parent / table.document,
        models=tuple(_model(model, folder, protocols) for model in table.model),
        ignored_rows=tuple(table.ignore_rows),
        waivers=tuple(Waiver(one.code, one.reason, one.row) for one in table.waive),
    )


def _own_protocols(table: CardTable) -> tuple[dict[str, EvalProtocol], list[str]]:
    """Return the protocols that the card declares, and what is wrong with the others."""
    protocols, faults = {}, []
    for name, fields in table.protocol.items():
        if name in protocol_names():
            faults.append(f"protocol.{name}: this is a protocol of sr-bench; call yours otherwise")
            continue
        try:
            protocols[name] = parse_protocol(name, fields, where=f"protocol.{name}")
        except CardError as cause:
            faults.append(str(cause).replace("\n", "\n  "))
    return protocols, faults


def _faults(table: CardTable) -> Iterator[str]:
    """Yield what the schema alone can't see: names that don't exist, and doubles."""
    protocols = (*protocol_names(), *table.protocol)
    for index, model in enumerate(table.model):
        where = f"model[{index}] {model.name!r}"
        if model.architecture:
            yield from _unknown(f"{where}: architecture", model.architecture, _ARCHITECTURES)
        yield from _unknown(f"{where}: cost.rule", model.cost.rule, "sr_bench.cost.rules")
        for evaluation in model.evaluation:
            if evaluation.protocol not in protocols:
                advice = nearest(evaluation.protocol, protocols)
                yield f"{where}: unknown protocol {evaluation.protocol!r}; {advice}"
    names = Counter(model.name for model in table.model)
    yield from (f"model name {name!r} is used {n} times" for name, n in names.items() if n > 1)
    rows = Counter((model.row, model.source) for model in table.model if model.row)
    for (row, source), n in rows.items():
        if n > 1:
            yield f"row {row!r}{f' of source {source!r}' if source else ''} is bound {n} times"


def _unknown(where: str, name: str, package: str) -> Iterator[str]:
    valid = discovery.names(package)
    if name not in valid:
        yield f"{where}: unknown name {name!r}; {nearest(name, valid)}"


def _model(table: ModelTable, folder: Path, protocols: dict[str, EvalProtocol]) -> ModelCard:
    channels, height, width = map(int, table.cost.shape.split("x"))
    return ModelCard(
        name=table.name,
        family=folder.name,
        folder=folder,
        row=table.row,
        row_source=table.source,
        scale=table.scale,
        architecture=table.architecture,
        hyper=table.hyper,
        onnx=folder / table.onnx if table.onnx else None,
        checkpoint=_checkpoint(table.checkpoint),
        value_range=table.value_range,
        evaluations=tuple(_evaluation(item, protocols) for item in table.evaluation),
        flops_rule=table.cost.rule,
        counted_shape=(channels, height, width),
        tolerances=_tolerances(table.tolerance),
        int8_tolerances=_tolerances(table.int8.tolerance),
        known_gaps=tuple(
            KnownGap(
                gap.metric, Precision.parse(gap.precision), gap.reason, gap.dataset, gap.source
            )
            for gap in table.known_gap
        ),
        int8=_int8(table.int8),
        gate=_gate(table.gate),
        device=_device(table.vacc),
        built_calibration=_built(table.vacc),
    )


def _gate(table: GateTable | None) -> Gate | None:
    return Gate(**table.model_dump()) if table else None


def _built(table: VaccTable) -> Precision | None:
    return Precision(table.built_calibration) if table.built_calibration else None


def _device(table: VaccTable) -> DevicePlan:
    height, _, width = table.shape.partition("x")
    return DevicePlan(
        skip=tuple(table.skip),
        per_channel=table.per_channel,
        calibrate_range=table.calibrate_range,
        feed=table.feed,
        shape=(int(height), int(width)) if table.shape else None,
        options=table.options,
        known_failures=tuple(
            KnownFailure(
                Failure(one.failure),
                one.reason,
                Precision.parse(one.precision) if one.precision else None,
                one.source,
                one.before_sdk,
            )
            for one in table.known_failure
        ),
        gate=_gate(table.gate),
    )


def _tolerances(tables: Mapping[str, ToleranceTable]) -> dict[str, Tolerance]:
    return {
        metric: Tolerance(table.slack, table.reason, table.digits)
        for metric, table in tables.items()
    }


def _int8(table: Int8Table) -> Int8Plan:
    return Int8Plan(**table.model_dump(exclude={"keep", "tolerance"}), keep=tuple(table.keep))


def _checkpoint(table: CheckpointTable | None) -> Checkpoint | None:
    return Checkpoint(**table.model_dump()) if table else None


def _evaluation(table: EvaluationTable, protocols: dict[str, EvalProtocol]) -> Evaluation:
    return Evaluation(
        dataset=table.dataset,
        protocol=protocols.get(table.protocol) or load_protocol(table.protocol),
        claimed=table.claimed,
        precisions=tuple(map(Precision.parse, table.precisions)),
    )
