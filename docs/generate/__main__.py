"""Write what code says into the pages below docs/: `python -m docs.generate`, or `make reference`.

A page holds `<!-- generated: NAME -->` and `<!-- end -->`; what stands between them is replaced.
"""

import re
from collections.abc import Callable
from pathlib import Path

from docs.generate import code, keys

_BLOCK = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(\n<!-- end -->)", re.DOTALL)
_DOCS = Path(__file__).parents[1]

BLOCKS: dict[str, Callable[[], str]] = {
    "architectures": code.architectures,
    "backends": code.backends,
    "card": keys.card,
    "commands": code.commands,
    "counting-rules": code.counting_rules,
    "dataset": keys.dataset,
    "device-failures": code.device_failures,
    "flags": code.flags,
    "ini-keys": code.ini_keys,
    "lint-rules": code.lint_rules,
    "metrics": code.metrics,
    "named-protocols": code.named_protocols,
    "observers": code.observers,
    "protocol": keys.protocol,
    "statuses": code.statuses,
}


def pages() -> list[Path]:
    """Return every page that has something generated."""
    return [page for page in sorted(_DOCS.rglob("*.md")) if _BLOCK.search(page.read_text("utf-8"))]


def generated(text: str) -> str:
    """Return the `text` of a page with its generated blocks made anew."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{BLOCKS[block[2]]()}\n{block[3]}", text)


def main() -> None:
    """Rewrite the pages that are out of date, and name them."""
    for page in pages():
        text = page.read_text("utf-8")
        if (new := generated(text)) != text:
            page.write_text(new, encoding="utf-8")
            print(page.relative_to(_DOCS.parent))


if __name__ == "__main__":
    main()
