"""Images that gates leave out are named once, in the terminal and in the combined page."""

from dataclasses import replace

from sr_bench.core.detail import Detail
from sr_bench.core.gate import Drop, GateImage, GateVerdict
from sr_bench.core.int8 import Gate
from sr_bench.core.record import Record, Status
from sr_bench.report.parts.flat import flat_lines
from tests.report.records import record
from tests.report.sessions import closing


def gated(*left_out: int, dataset: str = "set5_x2") -> Record:
    images = tuple(GateImage(name, 54.0, 54.0, 53.0, 0.1, 0.0) for name in ("white", "a", "black"))
    drop = Drop(0.1, 0.0, 0.2, 0.1, (9.0, 0.1, 8.0), left_out)
    gate = GateVerdict(Status.WITHIN, "", Gate(45.0, 0.1, 0.005), (), drop, drop, images)
    base = record(None, 54.0, metric="fidelity", status=Status.WITHIN)
    return replace(base, dataset=dataset, detail=Detail(gate=gate))


def test_gates_that_leave_out_the_same_images_have_one_line() -> None:
    why = "left out, with PSNR of 48.131 dB or more or SSIM of 0.99858 or more in one of the two"
    records = [gated(0, 2), gated(0, 2), gated(0), gated(0, dataset="set14_x2"), gated(), record()]
    assert flat_lines(records) == [
        f"mean drops of 2 gates on set5_x2: {why}: white, black",
        f"mean drops of 1 gate on set5_x2: {why}: white",
        f"mean drops of 1 gate on set14_x2: {why}: white",
    ]


def test_the_terminal_names_them_also_where_the_gate_passes() -> None:
    assert any("left out" in line and "white" in line for line in closing([gated(0)]))
    assert not any("left out" in line for line in closing([gated()]))
