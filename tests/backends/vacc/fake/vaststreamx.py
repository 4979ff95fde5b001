"""A stand-in for the card's runtime that refuses every use that no public caller shows.

It has the names, argument counts, keywords and enum members of ``vsx_contract.json`` only, and
insists on the order of calls and on the layouts. It tells nothing of a card's accuracy or speed:
it enlarges what the model operator received to the nearest pixel, or runs the ONNX file that
``mod.params`` holds.

FAKE_VSX is a JSON object of a model's folder name, or ``*``, to what happens: ``hang``,
``stubborn`` (a hang that ignores SIGTERM), ``segfault``, ``fault``, ``oom``, ``nan``, ``shape``,
``none``, ``broken``, or a number that a call returns; before it ``grandchild+`` or ``fork+`` for
another process; after ``@`` the call, ``run_sync`` if none is given. Before it hangs, and when a
fork has lost its parent, it makes the file FAKE_HANGS.
"""

import ctypes as _ctypes
import enum as _enum
import functools as _functools
import json as _json
import os as _os
import pathlib as _pathlib
import signal as _signal
import subprocess as _subprocess
import time as _time

import numpy as _np

_CONTRACT = _json.loads(
    (_pathlib.Path(__file__).parent.parent / "vsx_contract.json").read_text(encoding="utf-8")
)
_PLANS = _json.loads(_os.environ.get("FAKE_VSX", "{}"))
_DEVICE = []  # the id that set_device was called with


class _MisuseError(BaseException):
    """The caller does what no public caller does; not an Exception, lest it be handled."""


def _require(condition, message):
    if not condition:
        raise _MisuseError(message)


def _as_recorded(name, bound=0):
    """Refuse a call whose positional count or keywords no public caller has."""
    shapes = [(call["pos"], sorted(call["kw"])) for call in _CONTRACT["calls"][name]]

    def decorate(function):
        @_functools.wraps(function)
        def checked(*args, **kwargs):
            count = len(args) - bound
            fits = any(
                keywords == sorted(kwargs)
                and (count >= 1 if positional.startswith("*") else count == int(positional))
                for positional, keywords in shapes
            )
            _require(fits, f"{name}: no public caller passes {count} + {sorted(kwargs)}")
            return function(*args, **kwargs)

        return checked

    return decorate


def _plan(call, model=""):
    """Return what is to happen at `call`."""
    what, _, where = str(_PLANS.get(model, _PLANS.get("*", ""))).partition("@")
    return what if (where or "run_sync") == call else ""


def _hang():
    if "FAKE_HANGS" in _os.environ:
        _pathlib.Path(_os.environ["FAKE_HANGS"]).touch()
    _ctypes.PyDLL(None).sleep(600)  # keeps the interpreter's lock


def _happen(call, model=""):
    before, _, what = ("+" + _plan(call, model)).rpartition("+")
    if before == "+grandchild":
        _subprocess.Popen(["sleep", "600"], close_fds=False)
    parent = _os.getpid()
    if before == "+fork" and _os.fork() == 0:
        while _os.getppid() == parent:
            _time.sleep(0.01)
        _hang()
    if what == "stubborn":
        _signal.signal(_signal.SIGTERM, _signal.SIG_IGN)
    if what in ("hang", "stubborn"):
        _hang()
    if what == "segfault":
        _ctypes.string_at(0)
    if what == "fault":
        msg = "run err, err code: 803012, vafwER_MCU_ERROR_LMCU0"
        raise Exception(msg)
    if what == "oom":
        _ctypes.CDLL(None).printf(b"malloc dlc memory faild, flag:1\n")
        _hang()
    return int(what) if what.lstrip("-").isdigit() else 0


for _name, _members in _CONTRACT["enums"].items():
    if _name in ("ImageFormat", "StreamBalanceMode"):
        globals()[_name] = _enum.Enum(_name, sorted(_members))

_happen("import")
if _plan("import") == "broken":
    msg = "libvaccrt.so: cannot open shared object file: No such file or directory"
    raise ImportError(msg)


@_as_recorded("set_device")
def set_device(device_id):
    code = _happen("set_device")
    if code == 0:
        _DEVICE[:] = [device_id]
    return code


@_as_recorded("get_all_cards_count")
def get_all_cards_count():
    return 0 if _plan("cards") == "none" else 1


class _Die:
    def __init__(self, device_id):
        self.device_id = device_id


class _Card:
    uuid = "00000000-fake"
    card_type = "FAKE-16G"
    dies = [_Die(0), _Die(1)]


@_as_recorded("get_all_cards")
def get_all_cards():
    return [_Card()] * get_all_cards_count()


class _Image:
    def __init__(self, array, image_format, width, height):
        self.array = array
        self.format, self.width, self.height = image_format, width, height


class _Tensor:
    def __init__(self, array):
        self.array = array
        self.shape = array.shape


@_as_recorded("create_image")
def create_image(array, format, width, height, device_id):
    _require([device_id] == _DEVICE, f"image for device {device_id}, set was {_DEVICE}")
    _require(format is globals()["ImageFormat"].RGB_PLANAR, f"{format} is not supported here")
    _require(array.dtype == _np.uint8, f"an image is uint8, not {array.dtype}")
    shape = (3, height, width)
    _require(array.shape == shape, f"a planar image is CHW: {shape}, not {array.shape}")
    return _Image(array.copy(), format, width, height)


@_as_recorded("from_numpy")
def from_numpy(array, device_id):
    _require([device_id] == _DEVICE, f"tensor for device {device_id}, set was {_DEVICE}")
    _require(array.flags["C_CONTIGUOUS"], "the array is not contiguous")
    return _Tensor(array.copy())


@_as_recorded("as_numpy")
def as_numpy(tensor):
    _require(isinstance(tensor, _Tensor), f"not a tensor: {tensor!r}")
    return tensor.array


class Operator:
    def __init__(self, content):
        kind = "FUSION_OP_RGB_RESIZE_CVTCOLOR_NORM_TENSOR"
        _require(content["OpType"] == kind, f"{content['OpType']} is not supported here")
        self._config = content["OpConfig"]

    @staticmethod
    @_as_recorded("Operator.load_ops_from_json_file")
    def load_ops_from_json_file(path):
        content = _json.loads(_pathlib.Path(path).read_text())
        return [Operator(content)] if _plan("load_ops") != "none" else []

    def _prepare(self, image, shape):
        config = self._config
        _require(config["IimageFormat"] == image.format.name, "another format than the file's")
        _require(config["ColorCvtCode"] == "NO_CHANGE", "the channels would be swapped")
        sizes = [(config[f"{side}imageWidth"], config[f"{side}imageHeight"]) for side in "IO"]
        sizes += [(config["IimageWidthPitch"], config["IimageHeightPitch"])]
        sizes += [(image.width, image.height), (shape[3], shape[2])]
        _require(len(set(sizes)) == 1, f"the image would be resampled: {sizes}")
        divisor = {"EQUAL": 1.0, "DIV255": 255.0}[config["NormaType"]]
        return (image.array[None] / divisor).astype(_np.float16)


class Model:
    @_as_recorded("Model", bound=1)
    def __init__(self, prefix, batch_size):
        _require(_DEVICE, "Model before set_device")
        _require(batch_size == 1, f"batch size {batch_size} is not supported here")
        files = [_pathlib.Path(f"{prefix}.{kind}") for kind in ("json", "so", "params")]
        if not all(path.is_file() for path in files):
            msg = f"load model failed: {prefix}"
            raise RuntimeError(msg)
        self._name = _pathlib.Path(prefix).parent.name
        code = _happen("Model", self._name)
        if code:
            msg = f"vacl_load_model error, ret: {code}."
            raise RuntimeError(msg)
        self._facts = _json.loads(files[0].read_text())
        self._onnx = files[2].read_bytes()

    @property
    def input_shape(self):
        return [self._facts["input_shape"]]

    @property
    def output_shape(self):
        return [self._facts["output_shape"]]

    batch_size = max_batch_size = input_count = output_count = 1

    def _infer(self, given):
        """Return the output for fp16 NCHW, both."""
        if not self._onnx:
            scale = self._facts["scale"]
            return given.repeat(scale, 2).repeat(scale, 3)
        import onnxruntime as _onnxruntime

        session = _onnxruntime.InferenceSession(self._onnx, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return session.run(None, {name: given.astype(_np.float32)})[0].astype(_np.float16)


class ModelOperator:
    @_as_recorded("ModelOperator", bound=1)
    def __init__(self, model):
        _require(isinstance(model, Model), f"not a Model: {model!r}")
        self._model = model


class Graph:
    @_as_recorded("Graph", bound=1)
    def __init__(self):
        self._operators = ()

    @_as_recorded("Graph.add_operators", bound=1)
    def add_operators(self, *operators):
        _require(not self._operators, "add_operators called twice")
        *before, last = operators
        _require(isinstance(last, ModelOperator), "the last operator is not the model's")
        _require(all(isinstance(op, Operator) for op in before), f"not operators: {before}")
        self._operators = operators
        return _happen("add_operators", last._model._name)


class Stream:
    @_as_recorded("Stream", bound=1)
    def __init__(self, graph, balance_mode):
        _require(graph._operators, "the graph has no operators yet")
        _require(isinstance(balance_mode, globals()["StreamBalanceMode"]), f"{balance_mode!r}")
        *self._before, self._last = graph._operators
        self._name = self._last._model._name
        self._registered = self._built = self._closed = False

    @_as_recorded("Stream.register_operator_output", bound=1)
    def register_operator_output(self, operator):
        _require(not self._built, "register_operator_output after build")
        _require(operator is self._last, "not the model's operator")
        self._registered = True

    @_as_recorded("Stream.build", bound=1)
    def build(self):
        _require(self._registered, "build before register_operator_output")
        _require(not self._built, "build called twice")
        self._built = True
        return _happen("build", self._name)

    @_as_recorded("Stream.close_input", bound=1)
    def close_input(self):
        self._closed = True

    @_as_recorded("Stream.run_sync", bound=1)
    def run_sync(self, inputs):
        _require(self._built, "run_sync before build")
        if self._closed:
            msg = "the stream's input is closed"
            raise ValueError(msg)
        _require(isinstance(inputs, list) and len(inputs) == 1, "inputs: a list with one sample")
        _happen("run_sync", self._name)
        model = self._last._model
        output = model._infer(self._receive(inputs[0], model.input_shape[0]))
        if _plan("run_sync", self._name) == "nan":
            output[0, 0, 0, 0] = _np.nan
        if _plan("run_sync", self._name) == "shape":
            output = output[:, :, :-1]
        return [[_Tensor(output)]]

    def _receive(self, sample, shape):
        """Return what the model operator is given, as fp16 NCHW of the model's input shape."""
        if self._before:
            _require(isinstance(sample, _Image), f"not an image: {sample!r}")
            return self._before[0]._prepare(sample, shape)
        _require(isinstance(sample, list) and len(sample) == 1, "a sample is a list of tensors")
        return _untile(sample[0].array, shape)


def _untile(tiled, shape):
    """Undo the layout, element by element as the vendor's own loop makes it."""
    n, c, h, w = shape
    expected = (n, -(-w // 8), -(-h // 8), -(-c // 4), 256)
    _require(tiled.shape == expected, f"a tensor of {shape} is {expected}, not {tiled.shape}")
    _require(tiled.dtype == _np.float16, f"a tensor is float16, not {tiled.dtype}")
    array = _np.empty(shape, _np.float16)
    for i, k, y, x in _np.ndindex(*shape):
        place = (k % 4) * 64 + (y % 8) * 8 + x % 8
        array[i, k, y, x] = tiled[i, x // 8, y // 8, k // 4, place]
    used = _np.count_nonzero(array)
    _require(_np.count_nonzero(tiled) == used, "the padding is not zero")
    return array


del _name, _members


def __getattr__(name):
    msg = f"no public caller uses vaststreamx.{name}, or the fake has no need of it"
    raise AttributeError(msg)
