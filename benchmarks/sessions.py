"""Whole pytest sessions, each a process of its own: their wall time, CPU time and peak memory."""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from memory import PEAK

_CODE = f"import sys, pytest\nstatus = pytest.main(sys.argv[1:])\n{PEAK}\nsys.exit(status)"
_CHANGING = ("SR_BENCH_", "PYTEST_", "GITHUB_", "PYTHONDONTWRITE")
"""Beginnings of variables that would change what a session does."""
PLAIN = ("-p", "no:sr_bench.plugin")
"""Options of a session that does not load the plugin."""


@dataclass(frozen=True)
class Usage:
    """What a session took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class Folder:
    """Where sessions run; they share compiled modules, which the first session makes."""

    root: Path

    @property
    def reports(self) -> Path:
        """Where a session writes its results."""
        return self.root / "reports"

    def session(self, *options: object, cache: str = "cache", status: int = 0) -> Usage:
        """Run pytest with `options`, which must end in `status`, and the cache folder `cache`.

        Nothing is left of the reports of earlier sessions, whose history would be read.
        """
        shutil.rmtree(self.reports, ignore_errors=True)
        fixed = ("-q", "-p", "no:cacheprovider", f"--rootdir={self.root}", *map(str, options))
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        result = subprocess.run(
            [sys.executable, "-c", _CODE, *fixed],
            cwd=self.root,
            env=self._environment(cache),
            capture_output=True,
            text=True,
            check=False,
        )
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if result.returncode != status:
            output = (result.stdout + result.stderr)[-3000:]
            sys.exit(f"pytest {' '.join(fixed)}: ended in {result.returncode}\n{output}")
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Usage(wall, cpu, float(result.stdout.splitlines()[-1]) / 1024)

    def _environment(self, cache: str) -> Mapping[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith(_CHANGING)}
        folders = {
            "SR_BENCH_CACHE": str(self.root / cache),
            "PYTHONPYCACHEPREFIX": str(self.root / "compiled"),
        }
        return kept | folders


def in_turns(
    folder: Folder, ways: Mapping[str, Sequence[object]], rounds: int
) -> list[dict[str, Usage]]:
    """Run a session of each way, `rounds` times, every other time from the last to the first."""
    usages = []
    for turn in range(rounds):
        names = list(ways) if turn % 2 == 0 else list(ways)[::-1]
        usages.append({name: folder.session(*ways[name]) for name in names})
    return usages
