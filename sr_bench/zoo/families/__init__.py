"""One package per architecture; the folder name is what a card's `architecture` says.

A family offers ``build(hyper, scale) -> nn.Module``, and where it needs to:
``size_multiple(hyper, scale) -> int`` (absent: 1) and ``canonical_key(key) -> str``, which renames a
parameter of a checkpoint to the name that the module uses (absent: names are used as they are).
"""
