"""Rules about Flops and Params, on a network whose counts are known by hand.

EDSR with 8 features and 1 block at x2, per pixel of the input: 216 + 2 x 576 + 576 + 2304 + 4 x 216
= 5112 MACs, 8 + 16 + 8 + 32 + 12 = 76 outputs of biased convolutions; 4531 parameters. On
3x1000x1000 that is 5.112 G MACs, 10.224 G by 2 x MAC, 11.360 G by thop 0.1.1, 11.529 G by 0.0.31.
"""

from pathlib import Path

import pytest

from sr_bench.lint.finding import Severity
from sr_bench.lint.run import lint
from tests.lint.pages import CARD, codes, look, of, page, request, severities

MEGA = "3x1000x1000"


def net(flops: str, shape: str = MEGA, params: str = "0.004531") -> str:
    return page(f"Net | {flops} | {params} | - | - | {shape}")


@pytest.mark.parametrize("text", ["10.224", "10.22", "10"])
def test_the_usual_count_is_no_finding(tmp_path: Path, text: str) -> None:
    assert not codes(look(tmp_path, net(text), CARD))


@pytest.mark.parametrize(
    ("text", "severity", "words"),
    [
        ("11.360", Severity.WARNING, "1.111 (10/9) times 2 x MAC, which is 10.224 G on"),
        ("11.529", Severity.WARNING, "counted by thop_0_0_31"),
        ("5.112", Severity.NOTE, "0.5 (1/2) times 2 x MAC"),
    ],
)
def test_another_known_convention_is_named_with_its_ratio(
    tmp_path: Path, text: str, severity: Severity, words: str
) -> None:
    (finding,) = look(tmp_path, net(text), CARD).findings
    assert (finding.code, finding.severity) == ("SRB201", severity)
    assert words in finding.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("20.448", "or 2 times 2 x MAC"),
        ("12.000", "no known rule, shape or factor gives it"),
        ("40.896", "2 x MAC on 3x2000x2000 or 4 times 2 x MAC"),
        ("0.168", "2 x MAC on 3x128x128"),
        ("0.186", "the count by thop_0_1_1 on 3x128x128"),
        ("10.225", "1 times 2 x MAC on 3x1000x1000"),
    ],
)
def test_an_unexplained_count_is_shown_with_what_would_explain_it(
    tmp_path: Path, text: str, words: str
) -> None:
    (finding,) = look(tmp_path, net(text), CARD).findings
    assert (finding.code, finding.severity) == ("SRB202", Severity.ERROR)
    assert words in finding.message


def test_a_count_is_made_on_the_printed_shape(tmp_path: Path) -> None:
    assert not codes(look(tmp_path, net("20.448", "3x1000x2000"), CARD))
    (finding,) = look(tmp_path, net("10.224", "3x1000x3000"), CARD).findings
    assert "2 x MAC on 3x1000x1000" in finding.message


def test_a_shape_that_the_network_does_not_take_is_not_counted_on(tmp_path: Path) -> None:
    assert not codes(look(tmp_path, net("10.224", "1x1000x1000"), CARD))


def test_flops_without_a_shape_are_found_and_the_card_says_which(tmp_path: Path) -> None:
    for cell in ("-", "multi-shape"):
        (finding,) = look(tmp_path, net("10.224", cell), CARD).findings
        assert finding.code == "SRB203"
        assert "the number is of 3x1000x1000" in finding.message
    (tmp_path / "zoo" / "card.toml").unlink()
    (finding,) = look(tmp_path, net("10.224", "multi-shape")).findings
    assert finding.message.endswith("'multi-shape' is no shape")


def test_a_table_without_a_shape_column_is_left_alone(tmp_path: Path) -> None:
    text = page("Net | 10.224 | 0.004531", columns="Models | Flops(G) | Params(M)")
    assert not codes(look(tmp_path, text, CARD))


TWO = CARD + CARD.partition("schema = 1")[2].replace('"net"', '"two"').replace('"Net"', '"Two"')


@pytest.mark.parametrize(("second", "count"), [("11.529", 1), ("11.360", 0)])
def test_two_rules_in_one_document_are_found(tmp_path: Path, second: str, count: int) -> None:
    rows = (
        f"{name} | {flops} | - | - | - | {MEGA}"
        for name, flops in (("Net", "11.360"), ("Two", second))
    )
    findings = of(look(tmp_path, page(*rows), TWO), "SRB204")
    assert [finding.row for finding in findings] == ["Two"] * count


def test_one_network_by_two_rules_is_found_where_two_documents_are_looked_at(
    tmp_path: Path,
) -> None:
    for name, flops in (("a", "11.360"), ("b", "11.529")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "README.md").write_text(net(flops))
        (tmp_path / name / "card.toml").write_text(CARD)
    (finding,) = of(lint(request(tmp_path)), "SRB205")
    assert finding.source.path.endswith("b/README.md")
    assert "a/README.md is the same network" in finding.message
    assert not of(lint(request(tmp_path / "b")), "SRB205")
    (tmp_path / "b" / "README.md").write_text(net("11.360"))
    assert not of(lint(request(tmp_path)), "SRB205")
    # With another block it is another network, and another rule for that is no contradiction.
    (tmp_path / "b" / "card.toml").write_text(CARD.replace("n_resblocks = 1", "n_resblocks = 2"))
    (tmp_path / "b" / "README.md").write_text(net("14.124"))
    report = lint(request(tmp_path))
    assert "counted by thop_0_0_31" in of(report, "SRB201")[1].message
    assert not of(report, "SRB205")


def test_of_two_rules_that_agree_the_cards_is_named(tmp_path: Path) -> None:
    for rule in ("thop_0_1_1", "thop_0_0_31"):
        card = CARD.replace('"standard"', f'"{rule}"')
        (finding,) = look(tmp_path, net("0.19", "3x128x128"), card).findings
        assert finding.message.endswith(f"counted by {rule}")


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("44.459 | 0.626 | {} 3x128x128", "177.836 | 0.626 | {} 3x256x256", ""),
        ("44.459 | 0.626 | {} 3x128x128", "44.459 | 0.626 | {} 3x256x256", "equal, though"),
        ("44.459 | 0.626 | {} 3x128x128", "355.672 | 0.626 | {} 3x256x256", "2 times"),
        ("40.013 | 0.626 | {} 3x128x128", "44.459 | 0.626 | {} 3x128x128", "10/9 times"),
        ("44.459 | 0.626 | {} 3x128x128", "355.672 | 0.627 | {} 3x256x256", ""),
        ("44.459 | - | {} 3x128x128", "44.459 | - | {} 3x256x256", ""),
        ("44.459 | 0.626 | {} 3x128x128", "200.000 | 0.626 | {} 3x256x256", ""),
        ("0.1 | 0.626 | {} 3x128x128", "0.2 | 0.626 | {} 3x128x128", ""),  # too coarse to tell
        ("44.459 | 0.626 | {} 3x128x128", "355.672 | 0.626 | {} -", ""),
    ],
)
def test_rows_of_one_model_that_contradict_each_other_are_found_without_a_card(
    tmp_path: Path, first: str, second: str, words: str
) -> None:
    rows = (
        f"Net | {dataset} | {rest.format('')}"
        for dataset, rest in (("Set5", first), ("Set14", second))
    )
    columns = "Models | Dataset | Flops(G) | Params(M) | Shape"
    findings = of(look(tmp_path, page(*rows, columns=columns)), "SRB206")
    assert (words in findings[0].message) if words else not findings


def test_flops_of_a_classifier_that_are_a_thousand_off_are_said_to_be(tmp_path: Path) -> None:
    columns = "Model | top1 | Flops(G) | Params(M) | Shape"
    rows = ("low | 79.5 | 0.009 | 25.0 | 224", "high | 62.5 | 30.8 | 2.8 | 224")
    low, high = of(look(tmp_path, page(*rows, columns=columns)), "SRB209")
    assert low.message.endswith("; 1000 times as many would be usual")
    assert high.message.endswith("; 0.001 times as many would be usual")


def test_a_row_has_one_finding_however_many_rows_contradict_its_flops(tmp_path: Path) -> None:
    columns = "Models | Dataset | Flops(G) | Params(M) | Shape"
    sizes = [(10.0, 100), (20.0, 200), (30.0, 300), (80.0, 400)]
    rows = (f"Net | Set{n} | {flops} | 1.0 | 3x100x{n}" for flops, n in sizes)
    (finding,) = of(look(tmp_path, page(*rows, columns=columns)), "SRB206")
    assert "80.0 G on 3x100x400 beside 10.0 G on 3x100x100 in line 3: 2 times" in finding.message


@pytest.mark.parametrize(
    ("flops", "params", "shape", "words"),
    [
        ("200.000", "1.370", "3x256x256", ""),  # 2.2 for each parameter and pixel
        ("0.200", "1.370", "3x256x256", "1000 times as many would be usual"),
        ("60000", "1.370", "3x256x256", ""),  # as deep a recursion as nobody has built yet
        ("200000000", "1.370", "3x256x256", "1e-06 times as many"),
        ("0.1", "1.4", "64", ""),
        ("0.020", "1.400", "256", "0.00022 operations for each of 1.400 M Params"),
        ("0.0", "1.4", "3x256x256", ""),
        ("0.1", "0.0", "3x256x256", ""),
        ("0.200", "1.370", "multi-shape", ""),
    ],
)
def test_flops_are_held_against_params_and_pixels(
    tmp_path: Path, flops: str, params: str, shape: str, words: str
) -> None:
    text = page(f"Any | {flops} | {params} | 30.0 | - | {shape}")
    findings = of(look(tmp_path, text), "SRB209")
    assert (words in findings[0].message) if words else not findings
    without_images = page(
        f"Any | {flops} | {params} | {shape}", columns="Model | Flops(G) | Params(M) | Shape"
    )
    many = float(flops) > 1e4
    assert len(of(look(tmp_path, without_images), "SRB209")) == many


@pytest.mark.parametrize(("metric", "count"), [("top1", 1), ("mIoU", 0)])
def test_networks_that_classify_have_fewer_operations(
    tmp_path: Path, metric: str, count: int
) -> None:
    rows = ("Net | 30.850 | 2.830 | 224 | 62.5", "Big | 8.2 | 25.6 | [1, 3, 224, 224] | 76.1")
    text = page(*rows, columns=f"Model | Flops(G) | Params(M) | input size | {metric}")
    assert [one.row for one in of(look(tmp_path, text), "SRB209")] == ["Net"] * count


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("0.004531", None),
        ("0.0045", None),
        ("0.005", None),
        ("0.004", Severity.WARNING),  # 0.004531 cut off
        ("0.00453", None),
        ("0.006", Severity.ERROR),
        ("0.003", Severity.ERROR),
    ],
)
def test_params_that_were_cut_off_or_are_others_are_found(
    tmp_path: Path, text: str, severity: Severity | None
) -> None:
    report = look(tmp_path, net("10.224", params=text), CARD)
    assert severities(report, "SRB207") == ([severity] if severity else [])


def test_params_without_biases_are_told_to_be_so(tmp_path: Path) -> None:
    report = look(tmp_path, net("10.224", params="0.004464"), CARD)
    (finding,) = (each for each in report.findings if each.code == "SRB207")
    assert finding.message.endswith("; printed is 4,464 of its 4,531, without the biases")


@pytest.mark.parametrize(
    ("text", "slack", "severity"),
    [
        ("0.006", "0.001", None),  # 0.004531 is 0.000969 below 0.0055
        ("0.006", "0.0009", Severity.ERROR),
        ("0.003", "0.0011", None),
        ("0.003", "0.0006", Severity.WARNING),  # within it of what is cut off
        ("0.003", "0.0005", Severity.ERROR),
    ],
)
def test_params_within_the_slack_of_the_card_are_no_finding(
    tmp_path: Path, text: str, slack: str, severity: Severity | None
) -> None:
    card = f"{CARD}tolerance.params = {{ slack = {slack}, reason = 'other counts' }}\n"
    report = look(tmp_path, net("10.224", params=text), card)
    assert severities(report, "SRB207") == ([severity] if severity else [])


def test_params_that_the_card_calls_truncated_are_still_cut_off(tmp_path: Path) -> None:
    card = f"{CARD}tolerance.params = {{ digits = 'truncated' }}\n"
    report = look(tmp_path, net("10.224", params="0.004"), card)
    assert severities(report, "SRB207") == [Severity.WARNING]


def test_a_networks_params_are_told_in_the_unit_of_the_print(tmp_path: Path) -> None:
    text = page("Net | 5.0 | -", columns="Models | Params(K) | PSNR")
    (finding,) = of(look(tmp_path, text, CARD), "SRB207")
    assert "the network has 4,531, which is 4.5 K" in finding.message


_OF_SOURCES = [
    ("A", "one", "1.250"),
    ("B", "one", "2.625"),
    ("A", "two", "1.2"),
    ("B", "two", "2.6"),
]


def test_params_with_other_decimals_than_the_rest_are_noted(tmp_path: Path) -> None:
    rows = [f"N{text} | - | {text} | - | - | -" for text in ("0.626", "0.7740", "1.370")]
    (finding,) = of(look(tmp_path, page(*rows)), "SRB208")
    assert "0.7740 M have 4 decimals, other rows 3" in finding.message
    assert not of(look(tmp_path, page(rows[0], rows[2])), "SRB208")


def test_params_of_two_sources_may_have_other_decimals(tmp_path: Path) -> None:
    rows = [f"{name} | {source} | {text}" for name, source, text in _OF_SOURCES]
    columns = "Model | Source | Params(M)"
    assert not of(look(tmp_path, page(*rows, columns=columns)), "SRB208")
    (finding,) = of(look(tmp_path, page(*rows, "C | one | 3.5", columns=columns)), "SRB208")
    assert "3.5 M have 1 decimal, other rows 3" in finding.message


def test_a_network_that_cannot_be_counted_is_left_alone(tmp_path: Path) -> None:
    absent = 'schema = 1\n[[model]]\nname = "n"\nrow = "Net"\nscale = 2\nonnx = "absent.onnx"\n'
    assert not codes(look(tmp_path, net("1.0"), absent))
