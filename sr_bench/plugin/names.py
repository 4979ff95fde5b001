"""Names: those of items, and those in the options that nothing has, which are refused at once."""

from collections.abc import Sequence

from sr_bench.core.case import Case
from sr_bench.core.claim import split_scale
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import Suite
from sr_bench.errors import OptionError
from sr_bench.files.validation import nearest
from sr_bench.text.printable import printable_line


def item_name(case: Case) -> str:
    """Return the name of the item of `case`; parts of its id are free text of a document."""
    return printable_line(case.id)


def check_names(selection: Selection, suites: Sequence[Suite]) -> None:
    """Check the models and datasets of `selection` against the collected `suites`.

    Raises:
        OptionError: A model pattern fits no collected model, or there is no such dataset.
    """
    models = tuple(model.name for suite in suites for model in suite.card.models)
    for pattern in selection.models:
        if not any(Selection(models=(pattern,)).wants_model(name) for name in models):
            msg = f"--sr-models={pattern}: no such model; {nearest(pattern, models)}"
            raise OptionError(msg)
    if not selection.datasets:
        return
    # Brings the image libraries along.
    from sr_bench.data.locate import known_datasets, manifest_folders

    of_suites = (folder for suite in suites for folder in suite.card.manifest_folders)
    known = known_datasets((*of_suites, *manifest_folders(selection.data)))
    for name in selection.datasets:
        if name not in known and split_scale(name)[0] not in known:
            msg = f"--sr-datasets={name}: no such dataset; {nearest(name, known)}"
            raise OptionError(msg)
