"""The image sets of a session: located and paired once for all models."""

from dataclasses import replace
from pathlib import Path

from sr_bench.core.card import ModelCard
from sr_bench.core.protocol import LrSource
from sr_bench.data.locate import load_dataset, manifest_folders
from sr_bench.data.source import ImageSet, open_dataset


class ImageSets:
    """Opens datasets.

    Args:
        given: The user's ``--sr-data``.
        folders: Further folders of manifests, searched after those of the model's suite and
            before the project's own.
    """

    def __init__(self, given: Path | None, folders: tuple[Path, ...]) -> None:
        self._given = given
        self._folders = (*manifest_folders(given), *folders)
        self._opened: dict[tuple[object, ...], ImageSet] = {}

    def of(
        self,
        card: ModelCard,
        slug: str,
        lr_from: LrSource,
        *,
        calibration: bool = False,
    ) -> ImageSet:
        """Return the images of the dataset `slug` for `card`: its scale counts, and its folder.

        To calibrate a network of equal size with a dataset without pairs of equal size, they are
        HR alone.

        Raises:
            SrBenchError: There is no such dataset, or its files are absent or don't fit.
        """
        folders = (*card.manifest_folders, *self._folders)
        # Two suites may have a dataset of one name.
        key = (slug, folders, card.scale, lr_from, calibration)
        if key not in self._opened:
            dataset = load_dataset(slug, folders)
            unpaired = calibration and card.scale == 1 and 1 not in dataset.scales
            images = open_dataset(
                dataset,
                scale=dataset.scales[0] if unpaired else card.scale,
                given=self._given,
                # Only crops are split in two; of whole images each set is either.
                split="calibration" if calibration and dataset.crops else "evaluation",
                lr_from="hr" if unpaired else lr_from,
            )
            self._opened[key] = replace(images, scale=card.scale)
        return self._opened[key]
