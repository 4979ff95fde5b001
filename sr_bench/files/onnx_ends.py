"""Find out how an ONNX file holds the image that it reads, and the one that it gives.

The file tells the type of elements and the sizes of axes; where it leaves those free, the shapes
that its layers take tell which axis holds channels. What nothing tells, its card must say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from google.protobuf.message import Message  # type: ignore[import-untyped]
from onnx import ModelProto, NodeProto, TypeProto

from sr_bench.core.network_io import NetworkEnd, NetworkInput, NetworkOutput
from sr_bench.errors import BackendError
from sr_bench.files.onnx_file import attributes, inferred, inputs, needed, reads, simplified
from sr_bench.files.onnx_image import End, ends
from sr_bench.files.validation import nearest
from sr_bench.text.printable import printable_line

_KINDS = ("float", "float16", "uint8")
_ORDERS = ("nchw", "nhwc", "chw", "hwc", "hw")
_CHANNELS = (1, 3)
_NO_SIDE = 4  # fixed sizes up to this one are of channels
_MOST_TRIED, _MOST_NAMED = 16, 8  # of outputs that may be images
_PROBE = {"n": 1, "h": 6720, "w": 13440}  # multiples of most windows; nothing is computed on it
VERBS = {"input": "reads", "output": "gives"}


@dataclass(frozen=True)
class ImageEnd:
    """How a network holds an image at its input or output."""

    end: End
    order: str
    """Of the axes: ``nchw``, ``nhwc``, ``chw``, ``hwc`` or ``hw``."""
    channels: int

    @property
    def sizes(self) -> Mapping[str, int]:
        """Size of each axis as the file has it, by its letter; 0 of a free one."""
        dims = self.end.dims if self.end.dims is not None else (0,) * len(self.order)
        known = (size if isinstance(size, int) else 0 for size in dims)
        return dict(zip(self.order, known, strict=True))

    @property
    def is_plain(self) -> bool:
        """Whether it is float32 N x C x H x W, and takes one image."""
        if self.order != "nchw" or self.end.kind != "float":
            return False
        return self.sizes["n"] in (0, 1) and (self.sizes["c"] or 3) == self.channels

    @property
    def can_be(self) -> bool:
        """Whether the sizes are those of such an image."""
        sides = all(not 0 < self.sizes[axis] <= _NO_SIDE for axis in "hw")
        return sides and self.sizes.get("c") in (None, 0, self.channels)

    @property
    def probe(self) -> tuple[int, ...]:
        """Sizes of the axes of one image that fits."""
        sides = {axis: self.sizes[axis] or _PROBE[axis] for axis in "hw"}
        return tuple({**_PROBE, "c": self.channels, **sides}[axis] for axis in self.order)


@dataclass(frozen=True)
class ImageNetwork:
    """An ONNX file of which one input and one output are images, and the rest is cut off."""

    model: ModelProto
    """`simplified`, of one input and one output."""
    reads: ImageEnd
    gives: ImageEnd
    is_plain: bool
    """Whether the file as it is reads and gives just these, as float32 N x C x H x W."""

    @property
    def size(self) -> tuple[int, int] | None:
        """The only height and width that it takes; None: others too, as far as the file says."""
        height, width = (self.reads.sizes[axis] for axis in "hw")
        return (height, width) if height and width else None

    @property
    def takes_one(self) -> bool:
        """Whether one image can be given where the file has several, as far as shapes tell."""
        several = self.reads.sizes.get("n", 0)
        if several in (0, 1) or not _shapes(self.model, (several, *self.reads.probe[1:])):
            return True
        dims = _dims(_shapes(self.model, self.reads.probe), self.gives.end.name)
        return bool(dims) and dims[0] in (0, 1)


def image_network(model: ModelProto, given: NetworkInput, gives: NetworkOutput) -> ImageNetwork:
    """Return `model`, which is changed, as a network from one image to another.

    `given` and `gives` are what its card says; here they only decide what the file leaves open.

    Raises:
        BackendError: It has no image at an end, or several, or nothing tells which axis is which;
            the message names the key of the card to set.
    """
    graph, whole = model.graph, (len(inputs(model)), len(model.graph.output))
    results = ends(model)[1]
    if not gives.name and 1 < len(results) <= _MOST_TRIED:
        named = [end for end in results if end.name]
        results = [end for end in named if _is_image(model, end, given, gives)] or results
    target = _chosen(results, gives.name, "output")
    _keep_only(graph.output, target)
    simplified(model)
    used = {target.name}.union(*map(reads, needed(graph.node, [target.name])))
    found = [end for end in ends(model)[0] if end.name in {*used, given.name}]
    source = _chosen(found, given.name, "input")
    if others := [str(end) for end in found if end != source]:
        msg = (
            f"the network reads {_listed(others, 'and')} beside the image {source}: export it with"
            " constants for those"
        )
        raise BackendError(msg)
    _keep_only(graph.input, source)
    start = _read_image(model, source, given)
    stop = _given_image(model, start, target, gives)
    return ImageNetwork(model, start, stop, whole == (1, 1) and start.is_plain and stop.is_plain)


def _keep_only(values: Sequence[Message], end: End) -> None:
    """Take from `values` all but the one of `end`."""
    for value in [each for each in values if each.name != end.name]:
        values.remove(value)  # type: ignore[attr-defined]


def _chosen(found: Sequence[End], name: str, key: str) -> End:
    """Return the end that is the image: the named one, or the only one that can be."""
    images = [end for end in found if _ways(end, None) and name in ("", end.name)]
    if len(images) == 1:
        return images[0]
    names = tuple(end.name for end in found)
    if name and name not in names:
        advice = printable_line(nearest(name, names[:_MOST_NAMED]))
        msg = f"name = {name!r} under [model.{key}]: the network has no such {key}; {advice}"
        raise BackendError(msg)
    said = f"the network {VERBS[key]} {_listed(list(map(str, found)), 'and') or 'nothing'}"
    if images:
        which = _listed([repr(end.name) for end in images], "or")
        msg = f"{said}: say which is the image, name = {which} under [model.{key}]"
        raise BackendError(msg)
    msg = (
        f"expected an image of 2 to 4 axes, as float32, float16 or uint8 of 1 or 3 channels; {said}"
    )
    raise BackendError(msg)


def _listed(parts: Sequence[str], joint: str) -> str:
    more = [f"{len(parts) - _MOST_NAMED} more"] if len(parts) > _MOST_NAMED else []
    return f" {joint} ".join([*parts[:_MOST_NAMED], *more])


def _ways(end: End, layout: str | None) -> list[ImageEnd]:
    """Return each way to read `end` as an image that its sizes and `layout` leave open."""
    axes = 4 if end.dims is None else len(end.dims)
    if end.kind not in _KINDS:
        return []
    orders = (each for each in _ORDERS if len(each) == axes and (not layout or each in layout))
    images = (
        ImageEnd(end, order, channels)
        for order in orders
        for channels in (_CHANNELS if "c" in order else (1,))
    )
    return [image for image in images if image.can_be]


def _read_image(model: ModelProto, source: End, given: NetworkInput) -> ImageEnd:
    ways = _ways(source, given.layout)
    if len(ways) > 1:
        ways = [image for image in ways if _takes(model, image)] or ways
    return _only(ways, source, given, "input")


def _given_image(model: ModelProto, start: ImageEnd, target: End, gives: NetworkOutput) -> ImageEnd:
    ways = _ways(target, gives.layout)
    if len(ways) > 1:
        dims = _dims(_shapes(model, start.probe), target.name)
        ways = [image for image in ways if _is_of(image, dims, start)] or ways
        # What nothing tells is as at the input.
        ways = [image for image in ways if image.order == start.order] or ways
    return _only(ways, target, gives, "output")


def _only(ways: Sequence[ImageEnd], end: End, said: NetworkEnd, key: str) -> ImageEnd:
    """Return the one of `ways`; where only the number of channels is open, as the card says."""
    file, table = f"the network {VERBS[key]} {end}", f"under [model.{key}]"
    if not ways:
        msg = f"the card says layout = {said.layout!r} {table}, but {file}"
        raise BackendError(msg)
    if len({image.order for image in ways}) > 1:
        msg = (
            f"{file}, and nothing tells which axis holds channels: say layout = 'nchw' or 'nhwc'"
            f" {table}"
        )
        raise BackendError(msg)
    return next((image for image in ways if image.channels == said.channels), ways[0])


def _is_image(model: ModelProto, end: End, given: NetworkInput, gives: NetworkOutput) -> bool:
    """Return whether the output `end` is an image, of the several that `model` gives."""
    copy = ModelProto()
    copy.CopyFrom(model)
    try:
        network = image_network(copy, given, replace(gives, name=end.name))
    except BackendError:
        return False
    dims = _dims(_shapes(copy, network.reads.probe), end.name)
    return any(_is_of(way, dims, network.reads) for way in _ways(end, gives.layout))


_Kinds = Mapping[str, TypeProto.Tensor]


def _shapes(model: ModelProto, shape: Sequence[int]) -> _Kinds:
    """Return the types of all values where `shape` is read; none if it does not fit."""
    try:
        return inferred(model, shape, strict=True)
    # A damaged file raises whatever the inference stumbles over.
    except Exception:
        return {}


def _takes(model: ModelProto, image: ImageEnd) -> bool:
    """Return whether the layers of `model` take `image` and make an image of it, by the shapes."""
    shapes, (target,) = _shapes(model, image.probe), ends(model)[1]
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    layers = [node for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")]
    fits = all(_fits(node, shapes, weights) for node in layers if len(node.input) > 1)
    dims = _dims(shapes, target.name)
    return bool(shapes) and fits and any(_is_of(way, dims, image) for way in _ways(target, None))


def _fits(node: NodeProto, shapes: _Kinds, weights: Mapping[str, tuple[int, ...]]) -> bool:
    """Return whether the convolution `node` is given the channels that it has weights for."""
    dims = _dims(shapes, node.input[0])
    weight = weights.get(node.input[1]) or _dims(shapes, node.input[1])
    if min(len(dims), len(weight)) < 2:
        return True
    groups = attributes(node).get("group", 1)
    channels = weight[0] if node.op_type == "ConvTranspose" else weight[1] * groups
    return 0 in (dims[1], channels) or dims[1] == channels


def _is_of(image: ImageEnd, dims: tuple[int, ...], start: ImageEnd) -> bool:
    """Return whether an output of `dims`, read as `image`, has the aspect of `start`.

    True if `dims` are not known.
    """
    if not dims:
        return True
    if len(dims) != len(image.order):
        return False
    sizes = dict(zip(image.order, dims, strict=True))
    given = dict(zip(start.order, start.probe, strict=True))
    is_same = sizes["h"] * given["w"] == sizes["w"] * given["h"]
    return is_same and sizes.get("c", 0) in (0, image.channels)


def _dims(shapes: _Kinds, name: str) -> tuple[int, ...]:
    """Return the sizes of the value `name`, 0 for those not known; none if nothing is."""
    if name not in shapes or not shapes[name].HasField("shape"):
        return ()
    return tuple(dim.dim_value for dim in shapes[name].shape.dim)
