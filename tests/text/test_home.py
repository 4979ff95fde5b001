"""No path in a message or record names the user's home folder."""

import pytest

from sr_bench.text.home import without_home


@pytest.mark.parametrize(
    ("home", "text", "expected"),
    [
        ("/home/ann", "/home/ann/zoo: no", "~/zoo: no"),
        ("/home/ann", "'/home/ann' and /home/ann/x", "'~' and ~/x"),
        ("/home/ann", "/home/anna/zoo", "/home/anna/zoo"),
        ("/home/ann", "/home/ann.old/zoo", "/home/ann.old/zoo"),
        ("/", "/data/zoo", "/data/zoo"),
    ],
)
def test_the_home_folder_is_a_tilde(
    monkeypatch: pytest.MonkeyPatch, home: str, text: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", home)
    assert without_home(text) == expected
