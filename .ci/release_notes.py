"""Print the notes of a release, its section of CHANGELOG.md: `release_notes.py v0.1.0`.

Exits with 1 and one line if the tag is not the version, or the section is absent or empty.
"""

import re
import sys
from pathlib import Path


def notes(tag: str, root: Path) -> str:
    """Return the section of the version that `tag` names in the project at `root`.

    Raises:
        ValueError: It is another version than the package's, or nothing is said about it.
    """
    source = (root / "sr_bench" / "__init__.py").read_text(encoding="utf-8")
    version = re.findall(r'^__version__ = "(.+)"$', source, re.MULTILINE)[0]
    if tag != f"v{version}":
        msg = f"tag {tag}: expected v{version}, as sr_bench/__init__.py says; move one of them"
        raise ValueError(msg)
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    _, *sections = re.split(r"^## ", changelog, flags=re.MULTILINE)
    titled = (section.partition("\n") for section in sections)
    told = {title.partition(" ")[0].strip("[]"): text.strip() for title, _, text in titled}
    if not told.get(version):
        msg = f"CHANGELOG.md: expected a section '## {version}' with what changed, got none"
        raise ValueError(msg)
    return told[version]


if __name__ == "__main__":
    try:
        print(notes(sys.argv[1], Path(__file__).resolve().parents[1]))
    except ValueError as fault:
        sys.exit(str(fault))
