from pathlib import Path

import pytest

from sr_bench.cards.load import load_card
from tests.draft.port import make_port
from tests.tiny_zoo import nearest_x2


def test_a_folder_gets_a_card_beside_its_document(sr_bench, tmp_path: Path):
    make_port(tmp_path / "tinysr")
    done = sr_bench("init", tmp_path / "tinysr")

    assert done.code == 0
    assert "card.toml: 1 model of" in done.out
    assert "to decide, as the top of the card lists:\n- " in done.out
    assert "A session has 6 numbers to test: pytest" in done.out
    assert load_card(tmp_path / "tinysr" / "card.toml").models[0].row == "TinySR_x2"


def test_the_command_to_go_on_with_can_be_pasted(sr_bench, tmp_path: Path):
    make_port(tmp_path / "my zoo")

    assert f"pytest '{tmp_path}/my zoo/card.toml'" in sr_bench("init", tmp_path / "my zoo").out


def test_of_a_folders_readmes_the_markdown_one_is_taken(sr_bench, tmp_path: Path):
    make_port(tmp_path)
    (tmp_path / "README.html").write_text("<table></table>")

    assert "1 model of" in sr_bench("init", tmp_path).out
    assert load_card(tmp_path / "card.toml").document.name == "README.md"


def test_a_card_that_is_there_stays_as_it_is(sr_bench, tmp_path: Path):
    make_port(tmp_path)
    (tmp_path / "card.toml").write_text("mine")
    done = sr_bench("init", tmp_path / "README.md")

    assert (done.code, done.out) == (2, "")
    assert "a card is there already" in done.err
    assert (tmp_path / "card.toml").read_text() == "mine"


def test_another_place_gets_a_card_that_finds_the_document(sr_bench, tmp_path: Path):
    make_port(tmp_path / "zoo" / "tinysr")
    card = tmp_path / "cards" / "card.toml"
    done = sr_bench("init", tmp_path / "zoo" / "tinysr", "--out", card)

    assert done.code == 0
    assert load_card(card).document.resolve() == tmp_path / "zoo" / "tinysr" / "README.md"


def test_a_folder_as_the_other_place_gets_a_card_of_the_usual_name(sr_bench, tmp_path: Path):
    make_port(tmp_path / "tinysr")
    (tmp_path / "cards").mkdir()

    assert sr_bench("init", tmp_path / "tinysr", "--out", tmp_path / "cards").code == 0
    assert (tmp_path / "cards" / "card.toml").is_file()


def test_a_network_on_the_command_line_is_that_of_the_model(sr_bench, tmp_path: Path):
    make_port(tmp_path)
    (tmp_path / "net.onnx").write_bytes(nearest_x2().SerializeToString())
    done = sr_bench("init", tmp_path, "--onnx", "tinysr_x2=net.onnx")  # beside the document

    assert done.code == 0
    assert load_card(tmp_path / "card.toml").models[0].onnx == tmp_path / "net.onnx"


def test_a_dataset_that_sessions_would_find_is_known(sr_bench, tmp_path: Path):
    suite = tmp_path / "zoo" / "net"
    suite.mkdir(parents=True)
    (suite / "README.md").write_text(
        "| Model | Dataset | PSNR |\n|-|-|-|\n| net_x2 | Lane | 30.1 |\n"
    )
    (tmp_path / "zoo" / "lane").mkdir()
    (tmp_path / "zoo" / "lane" / "dataset.toml").write_text("scales = [2]")
    done = sr_bench("init", suite)

    assert "is known here" not in done.out
    assert load_card(suite / "card.toml").models[0].evaluations[0].dataset == "lane"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "expected a document or a folder with a README.md, got nothing there"),
        (["."], "expected a README.md in this folder, got none"),
        (["zoo", "--out", "mine.toml"], "expected a folder that exists, or a card.toml"),
        (["zoo", "--onnx", "a=no.onnx"], "expected NAME=FILE with a file that exists"),
        (["zoo", "--onnx", "a=zoo/README.md"], "--onnx a: the document has no such model"),
    ],
)
def test_what_can_not_be_drafted_is_said_in_one_line(
    sr_bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    make_port(tmp_path / "zoo")
    done = sr_bench("init", *arguments)

    assert done.code == 2
    assert message in done.err
    assert not list(tmp_path.rglob("card.toml"))
