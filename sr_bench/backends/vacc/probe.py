"""Find out whether the card's SDK is installed, without importing it."""

from enum import StrEnum
from importlib.util import find_spec


class SdkState(StrEnum):
    """What is known about the card's SDK."""

    NO_SDK = "no-sdk"
    SDK_FOUND = "sdk-found"


def probe_sdk() -> SdkState:
    """Return whether the SDK's Python package is there; importing it may touch the card."""
    return SdkState.SDK_FOUND if find_spec("vaststreamx") else SdkState.NO_SDK
