"""The documents that a command names are found, each with the card behind it."""

from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.errors import OptionError
from sr_bench.lint.gather import gather
from sr_bench.lint.run import lint
from tests.lint.pages import CARD, codes, page, request

TEXT = page("Net | 11.360 | 0.004531 | - | - | 3x1000x1000")


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a suite, the suite's document elsewhere, and one without a card."""
    monkeypatch.chdir(tmp_path)
    for name in ("suites/net", "copy", "alone"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "README.md").write_text(
            TEXT if name != "alone" else page("Else | - | 1 | 1 | - | -")
        )
    (tmp_path / "suites" / "net" / "card.toml").write_text(CARD)
    return tmp_path


def bound(*paths: str, **more: object) -> list[tuple[str, str, bool]]:
    subjects = gather(request(*map(Path, paths), **more)).subjects
    return [(doc.path, str(doc.card.path) if doc.card else "", doc.waivable) for doc in subjects]


SUITE = ("suites/net/README.md", "suites/net/card.toml", True)


@pytest.mark.usefixtures("zoo")
@pytest.mark.parametrize("name", ["suites", "suites/net/card.toml", "suites/net/README.md"])
def test_a_suite_is_found_by_its_folder_its_card_and_its_document(name: str) -> None:
    assert bound(name) == [SUITE]


@pytest.mark.usefixtures("zoo")
def test_a_document_that_is_named_twice_is_looked_at_once() -> None:
    Path("link").symlink_to("suites")
    assert bound("suites", "suites/net/README.md", "./suites/net", "link") == [SUITE]


@pytest.mark.usefixtures("zoo")
def test_a_document_with_a_suites_rows_gets_its_card_and_the_report_says_so() -> None:
    named = request(Path("copy/README.md"), Path("alone/README.md"), suites=Path("suites"))
    gathered = gather(named)
    assert [(doc.card is not None, doc.waivable) for doc in gathered.subjects] == [
        (True, False),
        (False, False),
    ]
    (notice,) = gathered.notices
    assert notice.startswith("copy/README.md: bound by suites/net/card.toml")
    assert codes(lint(named)) == ["SRB201"]
    assert not codes(lint(replace(named, cards=False)))


@pytest.mark.usefixtures("zoo")
def test_that_the_code_of_a_user_was_not_run_is_said() -> None:
    card = Path("suites/net/card.toml")
    own = '\narchitecture = "nets:Net"\ncode = { trust = true }\n'
    card.write_text(card.read_text().replace('\narchitecture = "edsr"\n', own))
    (notice,) = gather(request(card)).notices
    assert notice.endswith("this would run nets:Net: allow it with --trust-code")
    assert not gather(request(card, trust_code=True)).notices


def test_rows_in_another_precision_or_two_fitting_cards_bind_nothing(zoo: Path) -> None:
    more = TEXT + "| Net **fp16** | - | - | - | - | - |\n"
    (zoo / "copy" / "README.md").write_text(more)
    assert bound("copy/README.md", suites=Path("suites")) == [("copy/README.md", "", False)]
    (zoo / "copy" / "README.md").write_text(TEXT)
    (zoo / "suites" / "twin").mkdir()
    for name in ("README.md", "card.toml"):
        (zoo / "suites" / "twin" / name).write_text((zoo / "suites" / "net" / name).read_text())
    assert bound("copy/README.md", suites=Path("suites")) == [("copy/README.md", "", False)]


@pytest.mark.usefixtures("zoo")
def test_without_cards_even_the_one_beside_is_left_out() -> None:
    assert bound("suites/net/README.md", cards=False) == [("suites/net/README.md", "", False)]


@pytest.mark.usefixtures("zoo")
def test_a_card_that_is_named_binds_the_document() -> None:
    card = Path("suites/net/card.toml")
    assert bound("copy/README.md", card=card) == [("copy/README.md", str(card), False)]
    assert bound("suites/net/README.md", card=card) == [SUITE]
    with pytest.raises(OptionError, match=r"binds no row of alone/README\.md; its rows are: Net"):
        bound("alone/README.md", card=card)
    with pytest.raises(OptionError, match="got no file"):
        bound("copy/README.md", card=Path("none.toml"))


@pytest.mark.usefixtures("zoo")
def test_a_folder_without_cards_stands_for_its_documents() -> None:
    assert bound("alone") == [("alone/README.md", "", False)]
    Path("alone/README.md").unlink()
    with pytest.raises(OptionError, match=r"alone: expected a card\.toml"):
        bound("alone")


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (b"\xff", "1:1", "expected UTF-8"),
        (None, "1:1", "No such file"),
    ],
)
def test_a_damaged_document_is_one_finding_at_its_place_and_the_others_are_looked_at(
    zoo: Path, content: bytes | None, place: str, words: str
) -> None:
    path = zoo / "suites" / "net" / "README.md"
    path.unlink() if content is None else path.write_bytes(content)
    for first in ("suites", "suites/net/README.md"):
        report = lint(request(Path(first), Path("alone/README.md")))
        assert codes(report) == ["SRB001"]
        (finding,) = report.findings
        assert str(finding.source) == f"suites/net/README.md:{place}"
        assert words in finding.message
        assert finding.source.path not in finding.message
        assert len(report.documents) == 2


@pytest.mark.parametrize(
    ("card", "place", "words"),
    [
        (CARD.replace("scale", "scales"), "1:1", "did you mean 'scale'?"),
        (CARD + "x = = 1", "12:5", "not valid TOML"),
        (CARD.replace('"Net"', '"Nat"'), "1:1", "the document has no row 'Nat'"),
    ],
)
def test_a_faulty_card_is_a_finding_and_its_document_is_looked_at_without_it(
    zoo: Path, card: str, place: str, words: str
) -> None:
    (zoo / "suites" / "net" / "card.toml").write_text(card)
    (zoo / "suites" / "net" / "README.md").write_text(TEXT.replace("| 3x1000x1000", "| many"))
    report = lint(request(Path("suites")))
    assert codes(report) == ["SRB001", "SRB203"]
    fault = next(finding for finding in report.findings if finding.code == "SRB001")
    assert str(fault.source) == f"suites/net/card.toml:{place}"
    assert words in fault.message


def test_what_is_wrong_with_the_only_document_of_a_folder_is_said(zoo: Path) -> None:
    (zoo / "alone" / "README.md").write_bytes(b"# \xe9")
    (subject,) = gather(request(Path("alone"))).subjects
    assert "expected UTF-8" in subject.faults[0].message


def test_models_of_several_scales_share_a_row_and_each_has_the_numbers_of_its_scale(zoo) -> None:
    head = "| Models | Flops(G) | PSNR x2 | PSNR x3 |\n|---|---|---|---|\n"
    (zoo / "suites/net/README.md").write_text(head + "| Net | 1.0 | 33.1 | 30.1 |\n")
    models = (f'[[model]]\nname = "n{n}"\nrow = "Net"\nscale = {n}\n' for n in (3, 2))
    (zoo / "suites/net/card.toml").write_text("schema = 1\n" + "".join(models))
    (subject,) = gather(request(Path("suites"))).subjects
    named = {entry.scale: subject.model(entry).name for entry in subject.entries}
    assert named == {0: "n3", 2: "n2", 3: "n3"}
