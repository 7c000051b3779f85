"""Who the parameters on a model belong to: adapters, learned blocks, heads."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from adapter_lib.methods import learning_rate_of
from adapter_lib.model import AdapterModel
from adapter_lib.spec.composition import LearnedBlock
from adapter_lib.spec.configs import MethodConfig


@dataclass(frozen=True)
class Owner:
    """An adapter, a learned block or a head, with all its parameters, frozen ones included.

    kind: `adapter`, `fuse`, `route` or `head`. config: None for a head. is_active: it acts in the next call.
    """

    kind: str
    name: str
    config: MethodConfig | None
    parameters: tuple[nn.Parameter, ...]
    is_active: bool

    def trained(self) -> list[nn.Parameter]:
        """The parameters that training changes now."""
        return [parameter for parameter in self.parameters if parameter.requires_grad]

    def own_rate(self) -> float | None:
        """The learning rate that its method is shipped with; the lowest of a union's. None for a head."""
        return None if self.config is None else learning_rate_of(self.config)

    def __str__(self) -> str:
        kinds = {"fuse": "fusion"}
        return f"the {kinds.get(self.kind, self.kind)} {self.name!r}"


def owners_of(model: AdapterModel) -> Iterator[Owner]:
    """All that adapters, learned blocks and heads own, in the order in which they were added."""
    runtime = model.adapter_runtime
    injection, block = runtime.injection, runtime.injection.block
    acting = () if block is None else block.names()
    for name, config in injection.configs.items():
        yield Owner("adapter", name, config, tuple(injection.parameters(name)), name in acting)
    nodes = () if block is None else block.blocks()
    learned = {(node.kind, node.key()) for node in nodes if isinstance(node, LearnedBlock)}
    for (kind, key), (config, _) in injection.blocks.items():
        parts = injection.block_parts(kind, key).values()
        parameters = tuple(parameter for part in parts for parameter in part.parameters())
        yield Owner(kind, key, config, parameters, (kind, key) in learned)
    for name in runtime.heads.names():
        parameters = tuple(runtime.heads.get(name).parameters())
        yield Owner("head", name, None, parameters, name in runtime.active_heads)
