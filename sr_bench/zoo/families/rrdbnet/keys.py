"""The three ways in which checkpoints of RRDBNet name its parameters."""

import re

_RULES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        # ESRGAN before the renaming: positions in nested sequences.
        (r"model\.0\.", "conv_first."),
        (r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"RRDB_trunk.\1.RDB\2.conv\3."),
        # The convolution behind the blocks; names of blocks hold an RDB.
        (r"model\.1\.sub\.\d+\.(?=(weight|bias)$)", "trunk_conv."),
        (r"model\.3\.", "upconv1."),
        (r"model\.6\.", "upconv2."),
        (r"model\.8\.", "HRconv."),
        (r"model\.10\.", "conv_last."),
        # BasicSR.
        (r"body\.(\d+)\.rdb(\d)\.", r"RRDB_trunk.\1.RDB\2."),
        (r"conv_body\.", "trunk_conv."),
        (r"conv_up1\.", "upconv1."),
        (r"conv_up2\.", "upconv2."),
        (r"conv_hr\.", "HRconv."),
    )
)


def canonical_key(key: str) -> str:
    """Return ESRGAN's present name of the parameter that a checkpoint calls `key`.

    Source: xinntao/ESRGAN 73e9b63, ``transfer_RRDB_models.py`` (old to new); BasicSR 8d56e3a,
    ``rrdbnet_arch.py``.

    >>> canonical_key("model.1.sub.4.RDB2.conv5.0.bias")
    'RRDB_trunk.4.RDB2.conv5.bias'
    >>> canonical_key("conv_hr.weight")
    'HRconv.weight'
    """
    for pattern, name in _RULES:
        if match := pattern.match(key):
            return match.expand(name) + key[match.end() :]
    return key
