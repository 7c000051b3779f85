"""The list of defects, and the models that they are shown on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from tests.interop.adapters_cases.composition import MEMBERS
from tests.interop.adapters_cases.families import FAMILIES, Family
from tests.interop.adapters_cases.peer import adapters
from tests.interop.adapters_cases.running import bare
from tests.interop.recording import ADAPTER_NOISE, add_noise, as_double, attempted, seed_of

Measure = Callable[[], float | str]


@dataclass(frozen=True)
class Defect:
    """What was done, what a sound library would give, and the run that measures."""

    sentence: str
    expected: float | str
    measure: Measure


DEFECTS: dict[str, Defect] = {}


def defect(name: str, sentence: str, expected: float | str) -> Callable[[Measure], Measure]:
    """Register a measurement under `name`."""

    def register(measure: Measure) -> Measure:
        DEFECTS[name] = Defect(sentence, expected, measure)
        return measure

    return register


def measure_all() -> dict[str, dict[str, float | str]]:
    """Run every measurement; an exception is itself the result."""
    return {
        name: {"sentence": found.sentence, "expected": found.expected, "number": _measured(found)}
        for name, found in sorted(DEFECTS.items())
    }


def _measured(found: Defect) -> float | str:
    number = attempted(found.measure)
    return number if isinstance(number, str) else float(f"{number:.4g}")


def family(name: str) -> Family:
    """The family of that name."""
    return next(found for found in FAMILIES if found.name == name)


def inputs(name: str, variant: str = "plain") -> dict[str, torch.Tensor]:
    """What the family is fed."""
    return as_double(family(name).variants(family(name).config())[variant])


def model(name: str, attention: str = "eager", **configs: Any) -> Any:
    """The family's model in float64 with noised adapters by name; a name alone stands for a member."""
    made = bare(family(name), attention)
    for adapter, config in configs.items():
        add(made, adapter, config)
    return made.double().eval()


def convolved_deberta() -> Any:
    """DeBERTa-v2 as its large checkpoints are: with a convolution beside the first layer."""
    config = family("deberta-v2").config()
    config.conv_kernel_size, config.conv_act = 3, "gelu"
    return adapters.AutoAdapterModel.from_config(config).double().eval()


def add(made: Any, adapter: str, config: Any, seed: str = "") -> None:
    """Add one adapter with noise on its parameters."""
    before = set(dict(made.named_parameters()))
    torch.manual_seed(seed_of(seed or adapter))
    made.add_adapter(adapter, config)
    new = {key: value for key, value in made.named_parameters() if key not in before}
    add_noise(new, ADAPTER_NOISE, seed or adapter)
    made.double().eval()


def member(name: str) -> Any:
    """A member's configuration."""
    return MEMBERS[name]()


def hidden(made: Any, given: dict[str, torch.Tensor], setup: Any = None) -> torch.Tensor:
    """The last hidden state with this setup active."""
    made.set_active_adapters(setup)
    with torch.no_grad():
        return made(**given)["last_hidden_state"]


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest absolute difference."""
    return float((one - other).detach().abs().max())


def states(rows: int = 3, tokens: int = 7, width: int = 32) -> torch.Tensor:
    """Random states in float64."""
    return torch.randn((rows, tokens, width), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
