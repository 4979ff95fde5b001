"""What a weight file consists of on disk, and its digest."""

from pathlib import Path

NCNN = ".param"
"""How the text file of ncnn ends; the weights are beside it in a ``.bin``."""


def weight_files(path: Path) -> tuple[Path, ...]:
    """Return the file at `path` and what belongs to it; they need not exist.

    >>> [file.name for file in weight_files(Path("x4.param"))]
    ['x4.param', 'x4.bin']
    """
    if path.suffix.lower() != NCNN:
        return (path,)
    upper = path.with_suffix(".BIN")
    return path, upper if upper.is_file() else path.with_suffix(".bin")
