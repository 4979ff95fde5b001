"""One module or package per architecture, named as a card's `architecture` says.

A family offers ``build(hyper, scale) -> nn.Module``, and where it needs to:

- ``size_multiple(hyper, scale) -> int`` (absent: 1);
- ``canonical_key(key) -> str``, which renames a parameter of a checkpoint to the name that the
  module uses (absent: names are used as they are);
- ``training_state(hyper, scale) -> state`` and ``folded(hyper, state) -> state``, where checkpoints
  of the training hold branches that the module has folded: the former gives all that is in them
  on the meta device, by the module's names; the latter folds it.
"""
