"""The file that tells the card how to turn an 8-bit image into the network's input.

Its form is that of the published ones for super-resolution (Vastai/VastModelZOO,
``cv/super_resolution/*/build_in/vdsp_params/*.json``). They are not used themselves: some hold
sizes of other models, and the operator then silently resamples.
"""

import json

from sr_bench.core.device import Shape
from sr_bench.errors import BackendError

_NORMALISATIONS = {1.0: "DIV255", 255.0: "EQUAL"}


def values_text(channels: int, white: float) -> str:
    """Return what a network of so many `channels` reads; `white` is as in `CompilerInput`."""
    values = (
        f"from 0 to {white:g}" if white else "that no white level alone makes (range, mean or std)"
    )
    return f"{channels} channel{'s' * (channels > 1)} of values {values}"


def vdsp_text(shape: Shape, white: float) -> str:
    """Return the file's text for images of exactly the network's input `shape`, NCHW.

    The six sizes are written although the official samples omit them (Vastai/VastStreamX-Samples,
    ``data/configs/edsr_bgr888.json``): files with sizes are published for both readers, runtime and
    profiler, files without for the runtime alone. As input and output are of one size, the resize
    that the operator always does changes nothing. Channels stay in the order that they come in,
    which is the network's: to the operator they are just three planes.

    Raises:
        BackendError: The network can't be fed images.
    """
    _, channels, height, width = shape
    if channels != 3 or white not in _NORMALISATIONS:
        msg = (
            "expected a network of 3 channels and values from 0 to 1 or 255 to feed the card with"
            f' images, got {values_text(channels, white)}; set feed = "tensor" in the card'
        )
        raise BackendError(msg)
    config = {
        "IimageFormat": "RGB_PLANAR",
        "IimageWidth": width,
        "IimageHeight": height,
        "OimageWidth": width,
        "OimageHeight": height,
        "IimageWidthPitch": width,
        "IimageHeightPitch": height,
        "NormaType": _NORMALISATIONS[white],
        "ColorCvtCode": "NO_CHANGE",
        "ResizeType": "BILINEAR_CV",
    }
    content = {"OpType": "FUSION_OP_RGB_RESIZE_CVTCOLOR_NORM_TENSOR", "OpConfig": config}
    return json.dumps(content, indent=4) + "\n"
