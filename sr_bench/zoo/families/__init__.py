"""One module or package per architecture, named as a card's `architecture` says.

A family offers ``build(hyper, scale) -> nn.Module``, and where it needs to:

- ``size_multiple(hyper, scale) -> int`` (absent: 1);
- ``canonical_key(key) -> str``, which renames a parameter of a checkpoint to the name that the
  module uses (absent: names are used as they are);
- ``trained(hyper, scale) -> Foldable``, the network as it is in training, with branches or factors
  that are folded afterwards, whose checkpoints load too (absent: it is the same).
"""
