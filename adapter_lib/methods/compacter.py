"""Compacter and Compacter++; the equations stand at `CompacterConfig`."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from adapter_lib.engine import Shared, register
from adapter_lib.methods.bottleneck import Bottleneck, Maps
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import CompacterConfig, Shapes

_RULES = ("rule", "rule_left", "rule_right")
_WEIGHTS = ("weight", "left", "right")


class SharedPhm(Shared):
    """The A that all maps of an adapter share, and perhaps the B of its down maps and of its up maps."""

    config: CompacterConfig

    def initialise(self) -> None:
        _start(self, self.config)

    def trained(self) -> Iterator[nn.Parameter]:
        return _trained(self, self.config)


class Compacter(Bottleneck):
    """A bottleneck with parameterised hypercomplex maps."""

    config: CompacterConfig

    def make_maps(self, shapes: Shapes, like: Tensor) -> None:
        register(self, {name: s for name, s in shapes.items() if name.startswith(("down.", "up."))}, like)

    def initialise(self) -> None:
        _start(self, self.config)

    def trained(self) -> Iterator[nn.Parameter]:
        return _trained(self, self.config)

    def maps(self) -> Maps:
        down, up = self._matrix("down"), self._matrix("up")
        return Maps(down, self._tensor("down", "bias"), up, self._tensor("up", "bias"))

    def _matrix(self, name: str) -> Tensor:
        """Hᵀ [out, in]."""
        weight = _product(*(self._tensor(name, key) for key in _WEIGHTS))
        rule = _product(*(self._tensor(name, key) for key in _RULES))
        rows, columns = rule.shape[1] * weight.shape[1], rule.shape[2] * weight.shape[2]
        return torch.einsum("iab,icd->bdac", rule, weight).reshape(columns, rows)

    def _tensor(self, name: str, key: str) -> Tensor | None:
        """A tensor of down or up, wherever it is: the map's own, shared by all such maps, or by all maps."""
        own = getattr(self._modules.get(name), key, None)
        if own is None and self.shared is not None:
            own = getattr(getattr(self.shared, name, None), key, getattr(self.shared, key, None))
        found: Tensor | None = own
        return found


def _product(whole: Tensor | None, left: Tensor | None, right: Tensor | None) -> Tensor:
    """The tensor itself, or what its two factors give."""
    if whole is not None:
        return whole
    if left is None or right is None:
        raise TypeError("A hypercomplex map has neither a tensor nor its two factors.")
    return left @ right


def _trained(module: nn.Module, config: CompacterConfig) -> Iterator[nn.Parameter]:
    for name, parameter in module.named_parameters():
        if config.learn_phm or _key(name) not in _RULES:
            yield parameter


def _start(module: nn.Module, config: CompacterConfig) -> None:
    for name, parameter in module.named_parameters():
        key = _key(name)
        if key in _RULES:
            _start_rule(parameter, config)
        elif key in _WEIGHTS and parameter.dim() == 3:
            _start_weight(parameter, config)
        elif key == "bias" and name.startswith(("down.", "up.")):
            nn.init.zeros_(parameter)


def _start_rule(rule: Tensor, config: CompacterConfig) -> None:
    if config.phm_c_init == "normal":
        nn.init.normal_(rule, std=config.phm_init_range)
    else:
        nn.init.uniform_(rule, -1, 1)


def _start_weight(weight: Tensor, config: CompacterConfig) -> None:
    """Every one of the n matrices as one of its own."""
    for matrix in weight:
        if config.hypercomplex_nonlinearity == "glorot-uniform":
            nn.init.xavier_uniform_(matrix)
        elif config.hypercomplex_nonlinearity == "glorot-normal":
            nn.init.xavier_normal_(matrix)
        else:
            nn.init.normal_(matrix, std=0.01)


def _key(name: str) -> str:
    return name.rpartition(".")[2]


register_method(
    Method(
        name="compacter",
        config=CompacterConfig,
        part=Compacter,
        shared=SharedPhm,
        presets=("compacter", "compacter++"),
        summary="Bottlenecks whose maps are sums of Kronecker products, mostly shared between the layers.",
        paper="https://arxiv.org/abs/2106.04647",
        learning_rate=3e-3,
    )
)
