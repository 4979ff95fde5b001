"""What torch says of a network that got another colour ends with the key to set."""

import numpy as np
import pytest
import torch

from sr_bench.backends.torch.session import open_module
from sr_bench.core.precision import Precision
from sr_bench.cost.module import count_built
from sr_bench.errors import BackendError
from sr_bench.text.raised import what_raised

LUMAS = "colour = 'y_float', 'y_rounded' or 'y_full' under [model.input]"


@pytest.mark.parametrize(("wants", "gets", "advice"), [(1, 3, LUMAS), (3, 1, "colour = 'rgb' or")])
def test_it_is_said_of_inputs_alone(wants: int, gets: int, advice: str) -> None:
    module = torch.nn.Conv2d(wants, 4, 3)
    shape = (gets, 8, 8)
    with pytest.raises(BackendError) as counted:
        count_built(lambda: torch.nn.Conv2d(wants, 4, 3), shape)
    with (
        open_module(module, Precision.FP32, threads=1) as session,
        pytest.raises(BackendError) as ran,
    ):
        session.run(np.zeros((1, *shape), np.float32))
    for raised in (counted, ran):
        assert f"; say what the network reads, {advice}" in str(raised.value)
        assert len(str(raised.value).splitlines()) == 1


def test_of_layers_within_nothing_is_said() -> None:
    said = "expected input[1, 64, 8, 8] to have {} channels, but got {} channels instead"
    for pair in ((3, 64), (32, 3), (3, 3)):
        assert "under [model.input]" not in what_raised(RuntimeError(said.format(*pair)))
