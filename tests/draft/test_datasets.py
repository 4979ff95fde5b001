import pytest

from sr_bench.draft.datasets import by_folders, by_name, clauses_about, in_prose, named_beside
from sr_bench.draft.found import Found, Origin

KNOWN = ("div2k_valid", "set5", "bsd100", "gopro_test")


def folder(path: str, choice: str = "hr_folder") -> Found:
    return Found(choice, path, "eval.py:3", Origin.EVALUATION, "--gt_dir")


@pytest.mark.parametrize(
    ("printed", "slug"),
    [
        ("Set 5", "set5"),
        ("DIV2K", "div2k_valid"),
        ("DIV2K_valid", "div2k_valid"),
        ("B100", "bsd100"),
        ("GoPro", "gopro_test"),
        ("CelebAMask-HQ", "celebamask_hq"),
        ("数据", "my_images"),
    ],
)
def test_a_printed_name_becomes_the_slug_of_a_known_set_or_a_new_one(printed, slug):
    assert by_name(printed, 2, KNOWN).slug == slug


def test_a_card_says_what_is_printed_only_where_it_differs():
    assert by_name("SET5", 2, KNOWN).printed == ""
    assert by_name("div2k_valid_x2", 2, KNOWN).printed == ""
    assert by_name("B100", 2, KNOWN).printed == "B100"


@pytest.mark.parametrize(
    ("path", "prose", "slug"),
    [
        ("/data/SR/DIV2K/DIV2K_valid_HR", [], "div2k_valid"),
        ("/data/Set5_BMP/hr", ["Set5"], "set5"),
        ("./eval/Portraits/hq", ["CelebAMask-HQ"], "celebamask_hq"),
        ("/x/Helen_test/HR", ["FFHQ", "Helen"], "helen"),
        ("D:\\sets\\Night\\high", [], "night"),
    ],
)
def test_the_folders_of_scripts_name_the_images(path, prose, slug):
    guess = by_folders((folder(path),), prose, "Portraits", KNOWN)

    assert guess is not None
    assert guess.slug == slug
    assert "eval.py:3" in guess.why


def test_without_scripts_the_first_set_that_the_document_describes_is_taken():
    guess = by_folders((), ["Set5", "DIV2K"], "Net", KNOWN)

    assert guess is not None
    assert (guess.slug, guess.sure) == ("set5", False)
    assert by_folders((), [], "Net", KNOWN) is None


def test_a_row_that_is_called_like_a_set_is_of_it():
    guess = by_folders((), ["UIEB", "RUIE"], "ruie", KNOWN)

    assert guess is not None
    assert (guess.slug, guess.sure) == ("ruie", True)


def test_sections_about_datasets_are_searched_and_no_others():
    text = (
        "# Net\n[Set14](u)\n## 测评数据集说明\n[DIV2K数据集](u) is\n- [GoPro](u)\n## Deploy\n[a](u)"
    )

    assert in_prose(text) == ("DIV2K", "GoPro")


def test_a_clause_that_names_a_row_and_one_set_is_about_both():
    text = "Net_x1, trained on GoPro; Net_x2 is of DIV2K.\n| Net_x2 | GoPro |"

    prose = ["DIV2K", "GoPro"]
    clauses = clauses_about(text, prose)

    assert named_beside(clauses, "Net_x1", prose) == "GoPro"
    assert named_beside(clauses, "Net_x2", prose) == "DIV2K"
    assert named_beside(clauses, "Net", prose) == ""
