"""What one forward pass costs, as exact integers that every counting rule can be built from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from sr_bench import discovery


@dataclass(frozen=True)
class CostCount:
    """Operations of one forward pass on one image, and the parameters of the network.

    Convolutions and linear layers are counted. Products of two activations (attention),
    activations, pixel shuffles and interpolation are not multiply-accumulates of a layer.
    """

    conv_macs: int
    """Multiply-accumulates of convolutions, transposed ones included."""
    linear_macs: int
    """Multiply-accumulates of linear layers."""
    subclass_macs: int
    """Multiply-accumulates of layers whose type derives from a convolution or linear class, and of
    the functions of these, such as ``torch.nn.functional.conv2d``, that a forward calls itself.

    Kept apart because thop looks layers up by their exact type and so overlooks these. An ONNX
    file knows no classes: there it is 0 and the layer is among the others.
    """
    transposed_surplus: int
    """What thop counts for transposed convolutions above their multiply-accumulates: it takes
    every output element to see the whole kernel."""
    conv_bias_outputs: int
    """Output elements of convolutions that have a bias."""
    leaky_relu_elements: int
    """Elements that pass through a LeakyReLU."""
    prelu_elements: int
    """Elements that pass through a PReLU."""
    batch_norm_elements: int
    """Elements that pass through a batch normalisation."""
    norm_ops: int
    """Operations of batch, instance and layer normalisation as thop counts them since its version
    0.1: 2 an element, 4 with factors and offsets."""
    adaptive_pool_ops: int
    """Additions and divisions of adaptive average pooling."""
    params: int
    """Elements of all parameters; a shared one counts once."""
    late_params: int
    """Those of PReLUs, layer and instance normalisation, which thop sees since its version 0.1."""
    unseen_params: int
    """Those of layers of other types, which it overlooks: of derived classes and users' own."""
    bias_params: int = 0
    """Biases of convolutions and linear layers, which some documents leave out."""
    unknown_params: str = ""
    """Why `params` may be too few, in one sentence; empty if all are told."""

    @classmethod
    def of(cls, tally: Mapping[str, int], unknown_params: str = "") -> Self:
        """Return the counts of `tally`, by name; 0 where it has none."""
        counts = {field.name: tally.get(field.name, 0) for field in fields(cls)[:-1]}
        return cls(**counts, unknown_params=unknown_params)

    @property
    def macs(self) -> int:
        """All multiply-accumulates."""
        return self.conv_macs + self.linear_macs + self.subclass_macs

    def by(self, rule: str) -> tuple[int, float]:
        """Return the operations as the counting `rule` counts them, and the Flops in G.

        Raises:
            OptionError: There is no such rule.
        """
        module = discovery.load("sr_bench.cost.rules", rule)
        return module.ops(self), module.flops_g(self)

    def flops_by_rule(self) -> dict[str, float]:
        """Return the Flops in G by every counting rule, in the order of their names."""
        return {rule: self.by(rule)[1] for rule in discovery.names("sr_bench.cost.rules")}

    def macs_by(self, rule: str) -> int:
        """Return the multiply-accumulates as the tool of the counting `rule` prints them.

        A rule that doesn't say has no count of its own: then it is all of them.

        Raises:
            OptionError: There is no such rule.
        """
        module = discovery.load("sr_bench.cost.rules", rule)
        return int(module.macs(self)) if hasattr(module, "macs") else self.macs

    def params_by(self, rule: str) -> int:
        """Return the parameters as the tool of the counting `rule` prints them.

        A rule that doesn't say overlooks none.

        Raises:
            OptionError: There is no such rule.
        """
        module = discovery.load("sr_bench.cost.rules", rule)
        return int(module.params(self)) if hasattr(module, "params") else self.params
