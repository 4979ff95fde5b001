"""The words that options of a session take."""

from typing import Literal

DeviceMode = Literal["auto", "require", "emulate"]
"""Use a device if one is ready and emulate it if not; fail if none is; emulate it always."""

KeepMode = Literal["off", "8bit", "16bit"]
GateMode = Literal["off", "warn", "fail"]
CacheMode = Literal["on", "refresh", "off"]
IsolateMode = Literal["auto", "model", "off"]
UpdateMode = Literal["failed", "missing", "all"]
"""Numbers that failed; cells without a number; both, and every judged number that prints anew."""
