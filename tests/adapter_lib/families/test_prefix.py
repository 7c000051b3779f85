"""What the tables say about prefixes, measured: which modules call transformers' attention interface."""

import copy
from typing import Any

import pytest
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from adapter_lib.families import FoundTower, list_families, paths, resolve
from tests.adapter_lib.families.observing import layer_calls, run
from tests.adapter_lib.zoo import MODELS

CALLED: list[nn.Module] = []


def _note(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Any:
    CALLED.append(module)
    eager = __import__(type(module).__module__, fromlist=["eager_attention_forward"]).eager_attention_forward
    return eager(module, query, key, value, *args, **kwargs)


@pytest.fixture(scope="module", autouse=True)
def _noting() -> Any:
    AttentionInterface.register("families_test", _note)
    yield
    ALL_ATTENTION_FUNCTIONS._global_mapping.pop("families_test")


def _attentions(tower: FoundTower) -> list[nn.Module]:
    found = [
        paths.find(layer, path) for layer in tower.layers for path in tower.table.layer.attentions().values()
    ]
    return [module for module in found if module is not None]


@pytest.mark.parametrize("name", MODELS)
def test_prefix_says_interface_exactly_where_the_interface_is_called(name: str) -> None:
    model = MODELS[name].build()
    towers = resolve(model).towers
    for module in [module for tower in towers for module in _attentions(tower)]:
        config = getattr(module, "config", None)
        if config is not None and hasattr(config, "_attn_implementation"):
            module.config = copy.copy(config)
            module.config._attn_implementation_internal = "families_test"
    CALLED.clear()
    if any(tower.table.layer.prefix == "interface" for tower in towers):
        run(name, model)
    for tower in towers:
        ran = [module for module in _attentions(tower) if _is_run(name, tower, module)]
        calls = [module in CALLED for module in ran]
        if tower.table.layer.prefix == "interface":
            assert ran
            assert all(calls)
        elif tower.table.layer.prefix is None:
            assert tower.table.layer.no_prefix.endswith(".")


def _is_run(name: str, tower: FoundTower, module: nn.Module) -> bool:
    """Cross-attention stands idle where a model is given nothing to attend to."""
    crossed = tower.table.layer.xattn
    if crossed is None or all(paths.find(layer, crossed) is not module for layer in tower.layers):
        return True
    calls = [call for call in layer_calls(name) if call.tower.table.role == tower.table.role]
    return any(call.ran(crossed) for call in calls)


def test_a_family_without_prefix_says_why() -> None:
    for family in list_families():
        assert family.prefix or family.no_prefix
