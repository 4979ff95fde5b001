"""What a card tells of a table that its document's words alone don't say."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Meanings = Mapping[str, str]


@dataclass(frozen=True)
class ToldTable:
    """Which table it is, and what its columns and rows mean: see docs/reference/tables.md."""

    heading: str = ""
    """The heading above; with `line` and `header` all that are given must fit."""
    line: int = 0
    """Of the table's first line, 1-based; 0: any."""
    header: str = ""
    """The header row: ``Method | Set5 | Set14``."""
    columns: Meanings = field(default_factory=dict)
    """By header: ``model``, ``psnr @ Set5 x2``, ``ignore: of the paper`` ..."""
    rows: Meanings = field(default_factory=dict)
    """By the text of a row's first cell: as columns, where rows name metrics or datasets."""
    model: str = ""
    """That all numbers are of which no column and no row names one."""
    metric: str = ""
    """Likewise; several for cells such as ``37.8/0.96``: ``psnr/ssim``."""
    dataset: str = ""
    """Likewise."""
    scale: int = 0
    """Likewise; 0: none."""
    precision: str = ""
    """Likewise, such as ``int8 kl``."""

    @property
    def name(self) -> str:
        """As messages call it."""
        line = f"line {self.line}" if self.line else ""
        return self.header or self.heading or line
