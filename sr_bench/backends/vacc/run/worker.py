"""Use the card's runtime in a process of its own, which may hang or crash without harm to ours.

`probe` and `runtime` run this file by its path, with any Python from 3.8 on that has vaststreamx
and numpy: it imports nothing of sr_bench. Calls of vaststreamx have the shapes that the public
callers use (Vastai/VastStreamX-Samples, Vastai/VastModelZOO), as no specification is published.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Sequence  # noqa: UP035 - for Python 3.8

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RefusedError(Exception):
    """Something is not as it must be; the message is meant for the user."""


class WrongOutputError(RefusedError):
    """The card's output is not an image of the declared shape."""


def main() -> int:
    """Run the command that the arguments name; return the exit status."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    probing = commands.add_parser("probe")
    probing.add_argument("status", type=Path, help="the file to write")
    probing.add_argument("--device", type=int, required=True)
    probing.add_argument("--proc", type=Path, default=Path("/proc"))
    probing.add_argument("--dev", type=Path, default=Path("/dev"))
    serving = commands.add_parser("serve")
    serving.add_argument("folder", type=Path, help="with job.json; for the arrays")
    serving.add_argument("channel", type=int, help="an inherited descriptor")
    arguments = parser.parse_args()
    # Or our own neighbours could be imported in place of the SDK's modules.
    here = str(Path(__file__).resolve().parent)
    sys.path[:] = [path for path in sys.path if path != here]
    faulthandler.enable()  # a crash then names the SDK's call in the log
    if arguments.command == "serve":
        # Or a process that the SDK starts could keep it open after we have crashed.
        os.set_inheritable(arguments.channel, False)
        return serve(arguments.folder, Connection(arguments.channel))
    return probe(arguments.status, arguments.device, arguments.proc, arguments.dev)


def probe(status: Path, device: int, proc: Path, dev: Path) -> int:
    """Go from the package up to the die; write to `status` the last step taken, and its error."""
    facts = {"step": "", "error": "", "sdk": "", "driver": "", "card_type": "", "dies": 0}

    def note(**news: Any) -> None:
        # After each step, as the next one may end the process.
        facts.update(news)
        write_whole(status, lambda path: path.write_text(json.dumps(facts)))

    try:
        _climb(note, device, proc, dev)
    except Exception as error:
        note(error=describe(error))
    return 0


def _climb(note: Callable[..., None], device: int, proc: Path, dev: Path) -> None:
    note(step="find")
    require(importlib.util.find_spec("vaststreamx"), "the package vaststreamx is not installed")
    # Wheels install without the card's libraries; importing one then fails, or crashes.
    note(step="import", sdk=_sdk_version())
    vsx = import_sdk()
    note(step="driver")
    # Not by lspci, whose published test takes any vendor's device of one id for the card.
    modules = proc / "modules"
    loaded = modules.read_text() if modules.exists() else ""
    require("vastai_pci" in loaded, f"no kernel module vastai_pci in {modules}")
    note(step="nodes")
    nodes = [path for name in ("vastai*", "vacc*", "vatools") for path in dev.glob(name)]
    require(nodes, f"no vastai*, vacc* or vatools in {dev}")
    note(step="device", driver=_driver_version(dev / "vastai0_version"))
    expect_zero(vsx.set_device(device), f"set_device({device})")
    note(step="cards")
    require(vsx.get_all_cards_count(), "get_all_cards_count() returned 0")
    cards = vsx.get_all_cards()
    types = sorted({str(card.card_type) for card in cards})
    note(step="done", card_type=", ".join(types), dies=sum(len(card.dies) for card in cards))


def import_sdk() -> Any:
    """Return the module vaststreamx; make sure that numpy is there too."""
    import numpy as np  # noqa: F401
    import vaststreamx as vsx  # type: ignore[import-not-found]

    return vsx


def _sdk_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("vaststreamx")
    except PackageNotFoundError:
        return ""


def _driver_version(node: Path) -> str:
    try:
        # Not blocking, or a driver without news could keep us waiting.
        descriptor = os.open(node, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return " ".join(os.read(descriptor, 200).decode(errors="replace").split())
        finally:
            os.close(descriptor)
    except OSError:
        return ""


@dataclass(frozen=True)
class OpenRequest:
    """What to open."""

    prefix: str
    """Path of the compiled model's three files, without the extension."""
    device: int
    shape: list[int]
    """NCHW of the input, with N = 1."""
    output_shape: list[int]
    """NCHW of the output."""
    operators: str
    """Path of the file that describes the preparation of images; empty: feed tensors."""


def serve(folder: Path, channel: Connection) -> int:
    """Open the job in `folder` when told to, then answer one image at a time until told no more.

    Whoever listens gets an object with a ``phase`` before each step that can take long:
    ``import``, ``load``, ``build``, ``ready``; for each image ``run`` and ``done``; ``error``.
    """

    def say(phase: str, **more: Any) -> None:
        channel.send_bytes(json.dumps(dict(more, phase=phase)).encode())

    try:
        if _next_command(channel):
            job = OpenRequest(**json.loads((folder / "job.json").read_text()))
            say("import")
            opened = Opened(import_sdk(), job, say)
            say("ready")
            while name := _next_command(channel):
                say("run")
                _answer(opened, folder, name)
                say("done")
    except Exception as error:
        say("error", message=describe(error), wrong_output=isinstance(error, WrongOutputError))
        return 1
    return 0


def _next_command(channel: Connection) -> str:
    try:
        return channel.recv_bytes().decode()
    except EOFError:
        return ""


def _answer(opened: Opened, folder: Path, name: str) -> None:
    import numpy as np

    output = opened.run(np.load(folder / f"{name}.in.npy"))

    def save(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, output)

    write_whole(folder / f"{name}.out.npy", save)


class Opened:
    """A model on the die, ready to run."""

    def __init__(self, vsx: Any, job: OpenRequest, say: Callable[[str], None]) -> None:
        self._vsx = vsx
        self._job = job
        # In the order of all public callers: die, model, operators, graph, stream.
        say("load")
        expect_zero(vsx.set_device(job.device), f"set_device({job.device})")
        model = vsx.Model(job.prefix, job.shape[0])
        got = list(model.input_shape[0])
        msg = f"expected a compiled model with input {job.shape}, got {got}; compile it again"
        require(got == job.shape, msg)
        say("build")
        operators = []
        if job.operators:
            operators = list(vsx.Operator.load_ops_from_json_file(job.operators))
            require(operators, f"no operator in {job.operators}")
        model_op = vsx.ModelOperator(model)
        graph = vsx.Graph()
        expect_zero(graph.add_operators(*operators, model_op), "Graph.add_operators")
        stream = vsx.Stream(graph, vsx.StreamBalanceMode.RUN)
        code = stream.register_operator_output(model_op)
        expect_zero(code, "Stream.register_operator_output")
        expect_zero(stream.build(), "Stream.build")
        self._stream = stream
        # Whether the stream keeps these alive itself is not published.
        self._kept = (model, operators, model_op, graph)

    def run(self, given: NDArray[Any]) -> NDArray[np.float32]:
        """Return the output for one image: uint8 (C, H, W), or float32 (1, C, H, W) as a tensor."""
        vsx, device, stream = self._vsx, self._job.device, self._stream
        if self._job.operators:
            _, height, width = given.shape
            image_format = vsx.ImageFormat.RGB_PLANAR
            image = vsx.create_image(given, image_format, width, height, device)
            outputs = stream.run_sync([image])
        else:
            outputs = stream.run_sync([[vsx.from_numpy(tile(given), device)]])
        return _checked(vsx.as_numpy(outputs[0][0]), self._job.output_shape)


def tile(array: NDArray[np.float32]) -> NDArray[np.float16]:
    """Return `array` (N, C, H, W) as the card reads a tensor: fp16, in blocks, zero padded.

    Blocks are of 4 channels x 8 rows x 8 columns, and lie (N, W/8, H/8, C/4): columns first.

    Source: ``get_activation_aligned`` in Vastai/VastModelZOO,
    ``cv/image_compress/elic/build_in/vsx/python/elic_base.py``.
    """
    import numpy as np

    n, c, h, w = array.shape
    padded = np.pad(array.astype(np.float16), ((0, 0), (0, -c % 4), (0, -h % 8), (0, -w % 8)))
    _, c, h, w = padded.shape
    blocks = padded.reshape(n, c // 4, 4, h // 8, 8, w // 8, 8).transpose(0, 5, 3, 1, 2, 4, 6)
    return np.ascontiguousarray(blocks).reshape(n, w // 8, h // 8, c // 4, 256)


def _checked(output: Any, shape: Sequence[int]) -> NDArray[np.float32]:
    import numpy as np

    array = np.asarray(output).astype(np.float32)
    got = list(array.shape)
    require(got == shape, f"expected an output of {shape}, got {got}", WrongOutputError)
    wrong = int(np.count_nonzero(~np.isfinite(array)))
    msg = f"{wrong} of {array.size} output values are NaN or infinite"
    require(wrong == 0, msg, WrongOutputError)
    return array


def require(
    condition: object, message: str, error: Callable[[str], Exception] = RefusedError
) -> None:
    """Raise `error` with `message` unless `condition` holds."""
    if not condition:
        raise error(message)


def expect_zero(code: Any, call: str) -> None:
    """Raise a RefusedError if `code` is a number other than 0; other types say nothing."""
    fine = not isinstance(code, int) or isinstance(code, bool) or code == 0
    require(fine, f"{call} failed, err code: {code}")


def describe(error: Exception) -> str:
    """Return one line about `error`; its class is of interest if it is not ours."""
    return str(error) if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}"


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Have `write` make a file under another name, then rename it to `path`."""
    part = path.with_name(path.name + ".part")
    write(part)
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
