"""The pairs on which the runtime promises are tried: every method on one model of each kind."""

from typing import Any

import torch
from torch import Tensor

import adapter_lib
from adapter_lib.spec.errors import AdapterLibError
from tests.adapter_lib.contract.methods import METHODS
from tests.adapter_lib.contract.pairs import few
from tests.adapter_lib.contract.refusals import is_expected
from tests.adapter_lib.zoo import MODELS

# One encoder, decoder, encoder-decoder and vision model.
KINDS = ("bert", "llama", "t5", "vit")


def pairs(families: tuple[str, ...], salt: str) -> list[tuple[str, str]]:
    """Every method with one of the families, another for each promise; in the whole run with all of them."""
    return [(family, method) for method in METHODS for family in few(families, f"{salt} {method}", 1)]


def prepared(family: str, method: str, *, head: bool = False, names: tuple[str, ...] = ("a",)) -> Any | None:
    """A tiny model with random adapters of a method; None where the method is refused, as expected, there."""
    tiny = MODELS[family]
    model: Any = adapter_lib.init(tiny.with_head() if head else tiny.build())
    try:
        for number, name in enumerate(names):
            model.add_adapter(name, METHODS[method].config)
            generator = torch.Generator().manual_seed(number)
            with torch.no_grad():
                for parameter in model.adapter_runtime.injection.trained(name):
                    parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    except AdapterLibError as error:
        if not is_expected("add", str(error)):
            raise
        return None
    return model


def first(model: Any, given: dict[str, Any]) -> Tensor:
    """The first output without gradients."""
    with torch.no_grad():
        output: Tensor = model(**given)[0]
    return output


def gradients(model: Any, given: dict[str, Any], name: str = "a") -> list[Tensor | None]:
    """The gradients of an adapter for the sum of squares of the output, with the same dropout each time."""
    model.zero_grad(set_to_none=True)
    torch.manual_seed(0)
    model(**given)[0].float().square().sum().backward()
    return [parameter.grad for parameter in model.adapter_runtime.injection.trained(name)]
