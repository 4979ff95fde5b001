"""The dossier in a terminal: signs, the layers that matter, and what would pass."""

from dataclasses import replace

from sr_bench.core.codec import decode, encode
from sr_bench.core.dossier import SILENT_DB, Dossier, LayerBlame, Remedy
from sr_bench.report.terminal.dossier import dossier_lines

LAYERS = (
    LayerBlame("tail.0", 0.227, 57.912, 1.58),
    LayerBlame("body.1", 0.057, 72.3, None, estimated=True),
    LayerBlame("mean", 0.001, SILENT_DB, None, estimated=True),
)
REMEDY = Remedy(("head.0", "tail.0"), 0.766, 55.04, 12)
DOSSIER = Dossier("baby", 43.2, ("the error is odd",), LAYERS, 15, REMEDY, 12.4, 30.0)


def test_every_part_of_a_dossier_is_shown() -> None:
    assert dossier_lines(DOSSIER) == [
        "why: the error is odd",
        "",
        "layers by the noise they make, on 'baby' (43.20 dB with all of them);"
        " 2 of 15 were estimated from their own error, 1 of 15 were tried",
        "layer      MACs    alone in int8    gain if left in float",
        "-------  ------  ---------------  -----------------------",
        "tail.0   22.7 %         57.91 dB                 +1.58 dB",
        "body.1    5.7 %   about 72.30 dB                        -",
        "mean      0.1 %         no noise                        -",
        "",
        'would pass: keep = ["head.0", "tail.0"], with 76.6 % of the MACs in int8:'
        " at least 55.04 dB on 12 images",
        "(searched for 12 s of 30 s)",
    ]


def test_a_missing_remedy_is_stated() -> None:
    lines = dossier_lines(replace(DOSSIER, remedy=None))
    assert "no plan that passes was found in this time" in lines


def test_a_remedy_that_was_not_tried_says_so() -> None:
    predicted = Remedy(("head.0",), 0.766, 55.04, 0)
    assert (
        'not tried, for want of time: keep = ["head.0"], with 76.6 % of the MACs in int8:'
        " about 55.0 dB on the worst image, by the layers' errors"
    ) in dossier_lines(replace(DOSSIER, remedy=predicted))


def test_a_precision_without_layers_shows_the_signs_only() -> None:
    plain = replace(DOSSIER, layers=(), remedy=None)
    assert dossier_lines(plain) == ["why: the error is odd", "(searched for 12 s of 30 s)"]


def test_a_dossier_survives_a_record() -> None:
    assert decode(Dossier, encode(DOSSIER)) == DOSSIER
