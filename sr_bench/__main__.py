"""``python -m sr_bench``: the command line, where no script is on the path."""

import sys

from sr_bench.cli import main

sys.exit(main())
