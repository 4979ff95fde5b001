"""The documentation as a site: `make docs` builds it into build/site, which opens from disk.

The sources are those of the whole repository, so that a link leads to the same place on GitHub and
on the site: to another page, or to a file that is copied along.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

_ROOT = Path(__file__).parents[1]

project = "sr-bench"
html_title = "sr-bench"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_site"]  # index.html at the top leads to docs/
html_copy_source = False
html_show_copyright = False
extensions = ["myst_parser", "sphinx.ext.githubpages"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "suites/pocket/README.md"]
exclude_patterns = [  # or all that is kept in them is looked through
    each.name for each in _ROOT.iterdir() if each.is_dir() and each.name not in ("docs", "suites")
]
smartquotes = False  # or -- of options becomes a dash
highlight_language = "text"  # of blocks that name none
pygments_dark_style = "github-dark"
myst_heading_anchors = 6  # as GitHub names them
suppress_warnings = ["toc.not_included"]  # the READMEs

_NAVIGATION = {
    "Tutorials": (
        "docs/tutorials/own-onnx",
        "docs/tutorials/own-class",
        "docs/tutorials/lint-a-readme",
        "docs/tutorials/*",
    ),
    "How-to guides": (
        "docs/how-to/own-zoo",
        "docs/how-to/own-images",
        "docs/how-to/weights",
        "docs/how-to/readme-tables",
        "docs/how-to/lint",
        "docs/how-to/nightly",
        "docs/how-to/quantise",
        "docs/how-to/gate",
        "docs/how-to/report",
        "docs/how-to/history",
        "docs/how-to/github",
        "docs/how-to/papers",
        "docs/how-to/*",
    ),
    "Reference": (
        "docs/reference/options",
        "docs/reference/commands",
        "docs/reference/card",
        "docs/reference/dataset",
        "docs/reference/statuses",
        "docs/reference/*",
    ),
    "Explanation": (
        "docs/explanation/why-numbers-differ",
        "docs/explanation/quantisation",
        "docs/explanation/gates",
        "docs/explanation/how-it-compares",
        "docs/explanation/*",
    ),
    "Project": ("CHANGELOG", "CONTRIBUTING"),
}
"""What leads to each page that is there; a `*` is all others of the folder."""

_LOADS = re.compile(
    r"""<(?:script|img|iframe|link(?! rel="(?:next|prev|canonical)"))\b[^>]*?
                        \b(?:src|href)=["'](?:https?:)?//""",
    re.VERBOSE,
)


def setup(app: Sphinx) -> None:
    """Let the first page have the navigation, which GitHub would show as a block of code."""
    app.connect("source-read", _add_navigation)
    app.connect("build-finished", _check_self_contained)


def _add_navigation(_app: Sphinx, page: str, source: list[str]) -> None:
    if page == root_doc:
        for caption, entries in _NAVIGATION.items():
            files = (path for entry in entries for path in sorted(_ROOT.glob(f"{entry}.md")))
            pages = dict.fromkeys(f"/{path.relative_to(_ROOT).with_suffix('')}" for path in files)
            if pages:
                head = f"```{{toctree}}\n:hidden:\n:caption: {caption}\n"
                source[0] += "\n\n" + "\n".join([head, *pages, "```"])


def _check_self_contained(app: Sphinx, failed: Exception | None) -> None:
    if failed is None:
        for page in Path(app.outdir).rglob("*.html"):
            if loads := _LOADS.search(page.read_text("utf-8")):
                msg = f"{page}: a page must load nothing from another host, got {loads[0]!r}"
                raise SphinxError(msg)
