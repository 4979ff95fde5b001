"""The image sets of a session: located and paired once for all models."""

from pathlib import Path

from sr_bench.core.card import ModelCard
from sr_bench.data.dataset import Split
from sr_bench.data.locate import load_dataset
from sr_bench.data.pairing import LrFrom
from sr_bench.data.source import ImageSet, open_dataset


class ImageSets:
    """Opens datasets.

    Args:
        given: The user's ``--sr-data``.
        folders: Further folders of manifests, searched after the one beside the model's suite and
            before the project's own.
    """

    def __init__(self, given: Path | None, folders: tuple[Path, ...]) -> None:
        self._given = given
        self._folders = folders
        self._opened: dict[tuple[object, ...], ImageSet] = {}

    def of(
        self, card: ModelCard, slug: str, lr_from: LrFrom, *, calibration: bool = False
    ) -> ImageSet:
        """Return the images of the dataset `slug` for `card`: its scale counts, and its folder.

        Raises:
            SrBenchError: There is no such dataset, or its files are absent or don't fit.
        """
        folders = (card.folder.parent / "datasets", *self._folders)
        key = (slug, folders, card.scale, lr_from, calibration)
        if key not in self._opened:
            dataset = load_dataset(slug, folders)
            crops = dataset.crops is not None
            split: Split = "calibration" if calibration and crops else "evaluation"
            self._opened[key] = open_dataset(
                dataset, scale=card.scale, given=self._given, split=split, lr_from=lr_from
            )
        return self._opened[key]
