"""A small file in Plotly's place: most builds of these tests are never opened."""

import pytest

from sr_bench.report.html import build


@pytest.fixture(autouse=True)
def _small_plotly(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path_factory.getbasetemp() / "plotly.js"
    if not path.exists():
        path.write_text("// stands for Plotly")
    monkeypatch.setattr(build, "plotly_file", lambda: path)
