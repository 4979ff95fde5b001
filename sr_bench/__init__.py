"""Every number in a super-resolution model zoo's README is a test."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - pip refuses to install it, but a clone may be tried
    raise SystemExit("sr-bench needs Python 3.11 or newer, this is " + sys.version.split()[0])

__all__ = ["__version__"]

__version__ = "0.1.0"

# When onnxruntime is imported it looks up its maker's hosts and writes a device id and a database
# into the home, unless this is set before. Every process imports this file first; those that it
# starts inherit the variable. `disable_telemetry_events()` would be too late.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
