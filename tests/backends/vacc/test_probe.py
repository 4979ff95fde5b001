"""The vacc backend tells whether the card's SDK is there, and that it imitates it either way."""

from importlib.machinery import ModuleSpec

import pytest

from sr_bench.backends import vacc
from sr_bench.backends.vacc.probe import SdkState, probe_sdk


def test_without_the_sdk_the_note_says_so() -> None:
    assert probe_sdk() is SdkState.NO_SDK
    assert "SDK is not installed" in vacc.describe().note


def test_with_the_sdk_the_numbers_are_still_called_emulated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = ModuleSpec("vaststreamx", None)
    monkeypatch.setattr("sr_bench.backends.vacc.probe.find_spec", lambda name: spec)
    assert probe_sdk() is SdkState.SDK_FOUND
    info = vacc.describe()
    assert info.emulated
    assert "does not drive the card" in info.note
