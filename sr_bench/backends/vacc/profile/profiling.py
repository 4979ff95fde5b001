"""Profile a network on the card: compile it, keep others off the die, and run vamp."""

from pathlib import Path
from tempfile import TemporaryDirectory

from sr_bench.backends.vacc.build.compile import compile_network, compiler_version
from sr_bench.backends.vacc.build.vdsp import vdsp_text
from sr_bench.backends.vacc.profile.latency import Latency
from sr_bench.backends.vacc.profile.vamp import run_vamp
from sr_bench.backends.vacc.rig import Rig
from sr_bench.backends.vacc.run.state import DeviceState
from sr_bench.core.device import CompilerInput, Shape


def profile(
    source: CompilerInput,
    shape: Shape,
    rig: Rig,
    *,
    instances: int = 1,
    processes: int = 1,
    batch: int = 1,
    iterations: int = 1024,
) -> Latency:
    """Return how fast `source` runs on the card, fed with 8-bit images; see `run_vamp`.

    Raises:
        NotRunError: The compiler or the profiler is not here, or the die is in use.
        DeviceError: One of them failed.
        BackendError: The network can't be compiled or fed with images.
    """
    operators = vdsp_text(shape, source.white)
    compiled = compile_network(source, shape, rig, version=compiler_version(rig))
    limits = rig.limits
    with (
        DeviceState().die(rig.device, wait_s=limits.wait_s, settle_s=limits.grace_s),
        TemporaryDirectory() as folder,
    ):
        path = Path(folder, "vdsp.json")
        path.write_text(operators)
        return run_vamp(
            compiled.prefix,
            shape,
            rig,
            path,
            instances=instances,
            processes=processes,
            batch=batch,
            iterations=iterations,
        )
