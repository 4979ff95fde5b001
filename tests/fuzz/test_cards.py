"""Cards and protocols that nobody wrote with care are read, or each fault is reported."""

import os
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr_bench.cards.load import load_card
from sr_bench.cards.protocol_files import parse_protocol
from sr_bench.core.card import SuiteCard
from sr_bench.errors import CardError, SrBenchError
from sr_bench.update.remove_gap import remove_gap
from tests.fuzz.bytes_inputs import broken, fresh, fuzzed
from tests.fuzz.inputs import ROOT, changed, toml_file, values, writable_text

SHIPPED = tuple(path.read_bytes() for path in sorted(ROOT.glob("suites/*/card.toml")))
assert SHIPPED

_CARD = tomllib.loads(
    """
schema = 1
document = "README.md"
ignore_rows = { EDSR = "why" }
ignore_columns = { FPS = "why" }
ignore_tables = { "Set | PSNR" = "why" }
waive = [{ code = "SRB103", row = "Tiny", reason = "why" }]
protocol.mine = { base = "native_rgb", border = 3 }

[[model]]
name = "tiny_x2"
row = "Tiny"
source = "here"
scale = 2
architecture = "edsr"
hyper = { n_feats = 4, res_scale = 1.0, form = "official", plain = true }
checkpoint = { file = "tiny.pth", url = "https://example.org/tiny.pth", sha256 = "" }
value_range = 255.0
cost = { rule = "standard", shape = "3x128x128" }
evaluation = [{ dataset = "set5", protocol = "mine", precisions = ["fp32", "int8 max"] }]
tolerance = { psnr = { slack = 0.1, reason = "because", digits = "truncated" } }
known_gap = [{ metric = "psnr", precision = "fp16", reason = "unknown" }]
int8 = { count = 8, keep = ["a"], percentile = 99.9 }
gate = { min_fidelity_db = 40.0, max_drop_db = 0.1, max_drop_ssim = 0.01 }

[model.vacc]
shape = "720x1280"
options = { a = 1, b = true, c = "x" }
known_failure = [{ failure = "timeout", reason = "r", precision = "fp16", before_sdk = "2.8" }]
"""
)


def _use(card: SuiteCard, text: str) -> None:
    for index, model in enumerate(card.models):
        assert model.name.isascii()
        assert max(model.counted_shape) < 10**6
        with suppress(OSError, ValueError):  # no file may have such a name
            (model.folder / model.name).exists()
        if model.known_gaps:
            with suppress(CardError):
                remove_gap(text, index, 0, path=card.path)


def _load(path: Path) -> None:
    with suppress(CardError):
        _use(load_card(path), path.read_text(encoding="utf-8-sig"))


def test_the_card_that_is_changed_here_has_no_fault(tmp_path: Path) -> None:
    card = load_card(fresh(tmp_path, "card.toml", toml_file(_CARD)))
    assert card.models[0].known_gaps
    assert card.models[0].device.known_failures


@fuzzed
@given(changed(_CARD))
def test_any_value_in_a_card_is_taken_or_refused(tmp_path: Path, table: dict[str, object]) -> None:
    _load(fresh(tmp_path, "card.toml", toml_file(table)))


@fuzzed
@given(broken(*SHIPPED, toml_file(_CARD)))
def test_cards_with_broken_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    _load(fresh(tmp_path, "card.toml", data))


@fuzzed
@given(
    st.text("[]{}.=\"'\n#,-_:+eE0123456789xabTZ\\", max_size=80)
    | st.builds(
        str.__mul__, st.sampled_from(("[", "{a=", "a.", "[[", "9", "'", "\n")), st.just(6000)
    )
)
def test_any_text_in_the_place_of_a_card_is_read_or_refused(tmp_path: Path, text: str) -> None:
    _load(fresh(tmp_path, "card.toml", text.encode()))


@fuzzed
@given(
    st.dictionaries(
        st.sampled_from(("base", "border", "colour", "clip", "input_shape", "lr_from"))
        | writable_text,
        values,
        max_size=4,
    )
)
def test_any_protocol_is_taken_or_refused(table: dict[str, object]) -> None:
    with suppress(CardError):
        parse_protocol("mine", table, where="card.toml: protocol.mine")


@pytest.mark.parametrize("kind", ["loop", "folder", "device", "pipe", "nowhere"])
def test_a_card_or_document_must_be_a_file(tmp_path: Path, kind: str) -> None:
    from sr_bench.document.tables import read_document

    path = tmp_path / "card.toml"
    match kind:
        case "loop":
            path.symlink_to(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(path)
    for read in (load_card, read_document):
        with pytest.raises(SrBenchError, match=r"card\.toml"):
            read(path)
