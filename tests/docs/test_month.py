"""Of a month of nights each planted event is found on its night, with its cause; nothing else is.

The test lives through 8 nights, each event and its mending; the script does the 30 of the page.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_each_event_is_found_on_its_night_and_nothing_on_another(project_root: Path) -> None:
    script = [sys.executable, str(project_root / "benchmarks" / "month.py"), "--quick"]
    done = subprocess.run(script, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
    assert "4 issues in 8 nights; 0 faults" in done.stdout
    page = (project_root / "docs" / "how-to" / "nightly.md").read_text("utf-8")
    calendar = re.findall(r"^ +\d+ .* 1  (.*)$", done.stdout, re.MULTILINE)
    for title in calendar:
        assert undated(title) in undated(page)


def undated(text: str) -> str:
    return re.sub(r"since [\d-]+|1\.0(\.1)?", "", text)
