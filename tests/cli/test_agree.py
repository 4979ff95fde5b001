"""agree: one file on several runtimes, judged against the card's limit or the command's."""

from pathlib import Path

import pytest

from tests.engine.agree.conftest import Add, from_relu_on, runtime
from tests.int8_zoo import Int8Zoo, make_int8_zoo

__all__ = ["runtime"]  # the fixture


@pytest.fixture
def agree(sr_bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Add):
    """Return what runs the command on a zoo where tract gives half a level more."""
    monkeypatch.chdir(tmp_path)
    zoo: Int8Zoo = make_int8_zoo(tmp_path / "my_zoo")
    runtime("tract", from_relu_on)
    card = zoo.suite / "card.toml"
    card.write_text(f"{card.read_text()}\n[model.agree]\nmin_db = 60\n")

    def run(*more: object, backends: str = "onnxruntime,tract"):
        places = ("--suites", zoo.root, "--data", zoo.data)
        return sr_bench("agree", "res_x2", "--backends", backends, *places, *more)

    return run


def test_it_shows_the_matrix_the_pairs_and_the_layer(agree) -> None:
    done = agree("--limit", "2")
    assert done.code == 0
    head, _, _, _, matrix, *_ = done.out.splitlines()
    assert head.startswith("res/res_x2 fp32 on judged_x2, 2 images: onnxruntime ")
    assert matrix.split() == ["onnxruntime", "-", "60.2"]
    assert "onnxruntime - tract 60.2 60.2 " in " ".join(done.out.split())
    assert "begin to part at 'relu': " in done.out
    assert done.out.endswith(
        "within: onnxruntime and tract are 60.2 dB apart, the card allows 60 dB\n"
    )


def test_too_far_apart_exits_with_1_and_tells_programs(agree) -> None:
    done = agree("--min-db", "61", "--seconds", "0", "--json")
    assert done.code == 1
    assert done.json["status"] == "loss"
    assert done.json["pairs"][0]["images"][0]["max_levels"] == pytest.approx(0.5, rel=1e-2)
    assert done.json["partings"] == []


def test_the_page_shows_where_they_differ(agree, tmp_path: Path) -> None:
    page = tmp_path / "agree.html"
    assert agree("--seconds", "0", "--html", page).code == 0
    text = page.read_text()
    assert text.count("data:image/webp;base64,") == 2
    assert "onnxruntime minus tract around grey, times 64; 0.50 levels at most" in text


@pytest.mark.parametrize(
    ("backends", "told"),
    [
        ("onnxruntime", "expected two names or more"),
        ("onnxruntime,tracts", "unknown name 'tracts'; did you mean 'tract'?"),
    ],
)
def test_a_wrong_list_of_backends_is_a_usage_error(agree, backends: str, told: str) -> None:
    done = agree(backends=backends)
    assert done.code == 2
    assert told in done.err


@pytest.mark.parametrize("option", [("--min-db", "0"), ("--limit", "-1"), ("--limit", "x")])
def test_a_wrong_number_is_a_usage_error(agree, option: tuple[str, str]) -> None:
    done = agree(*option)
    assert done.code == 2
    assert option[0] in done.err


def test_a_card_may_not_ask_for_nothing(agree, tmp_path: Path) -> None:
    card = tmp_path / "my_zoo" / "res" / "card.toml"
    card.write_text(card.read_text().replace("min_db = 60", "min_db = 0"))
    done = agree()
    assert done.code == 1
    assert "min_db" in done.err
