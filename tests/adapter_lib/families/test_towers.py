"""What a tower's table says about the tower as a whole: its embeddings, its last norm, its mask."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adapter_lib.families import FoundTower, Resolved, paths, resolve
from tests.adapter_lib.families.observing import first, first_input, hooked, inputs_of, resolved_of, run
from tests.adapter_lib.zoo import MODELS
from tests.adapter_lib.zoo.spreading import spread


def _first_output(name: str, model: nn.Module, module: nn.Module) -> Tensor:
    seen: list[Tensor] = []
    with hooked(module.register_forward_hook(lambda m, args, out: seen.append(first(out).clone()))):
        run(name, model)
    return seen[0]


def _inputs(name: str, model: nn.Module, module: nn.Module) -> list[Tensor]:
    seen: list[Tensor] = []

    def take(module: nn.Module, args: Any, kwargs: Any) -> None:
        given = first_input(args, kwargs)
        assert given is not None
        seen.append(given.clone())

    with hooked(module.register_forward_pre_hook(take, with_kwargs=True)):
        run(name, model)
    return seen


@pytest.mark.parametrize("name", spread(MODELS))
def test_the_embedding_is_the_first_hidden_state(name: str) -> None:
    model, resolved = resolved_of(name)
    for tower in resolved.towers:
        if tower.table.embed is None:
            assert tower.table.no_embed.endswith(".")
            continue
        embed = paths.find(resolved.base, tower.table.embed)
        assert embed is not None, tower.table.embed
        embedded = _first_output(name, model, embed)
        entering = _inputs(name, model, tower.layers[0])[0]
        candidates = (
            [embedded] if embedded.shape == entering.shape else _projected(resolved, embedded, entering)
        )
        assert any(torch.equal(candidate, entering) for candidate in candidates)


def _projected(resolved: Resolved, embedded: Tensor, entering: Tensor) -> list[Tensor]:
    """What the model's linear maps make of embeddings that are narrower than its layers."""
    sizes = embedded.shape[-1], entering.shape[-1]
    maps = [module for module in resolved.base.modules() if isinstance(module, nn.Linear)]
    with torch.no_grad():
        return [module(embedded) for module in maps if (module.in_features, module.out_features) == sizes]


@pytest.mark.parametrize("name", spread(MODELS))
def test_the_last_norm_takes_what_the_last_layer_gives(name: str) -> None:
    model, resolved = resolved_of(name)
    for tower in resolved.towers:
        norm = paths.find(resolved.base, tower.table.norm) if tower.table.norm is not None else None
        if norm is None:
            assert tower.table.norm is None or name in ("esm", "videomae"), "the norm is not there"
            continue
        given = _inputs(name, model, norm)
        given_last = _first_output(name, model, _last_layer(tower))
        assert any(torch.equal(one, given_last) for one in given), tower.table.norm


def _last_layer(tower: FoundTower) -> nn.Module:
    return tower.layers[-1]


@pytest.mark.parametrize("name", spread(MODELS))
def test_the_stack_gets_the_attention_mask(name: str) -> None:
    """Where tokens are read, what runs the tower is handed the mask as it was given: [rows, tokens]."""
    model, resolved = resolved_of(name)
    given = inputs_of(name)
    for tower in resolved.towers:
        stack = paths.find(resolved.base, tower.table.stack)
        assert stack is not None
        assert set(tower.layers) <= set(stack.modules())
        if tower.table.tokens is None or "attention_mask" not in given:
            continue
        if tower.table.role == "decoder" and "decoder_input_ids" in given:
            continue  # it has no mask of its own here
        masks = _arguments(name, model, stack)
        assert any(
            isinstance(mask, Tensor) and mask.dim() == 2 and mask.shape == given["attention_mask"].shape
            for mask in masks
        )


def _arguments(name: str, model: nn.Module, module: nn.Module) -> list[Any]:
    seen: list[Any] = []

    def take(module: nn.Module, args: Any, kwargs: Any) -> None:
        seen.extend([*args, *kwargs.values()])

    with hooked(module.register_forward_pre_hook(take, with_kwargs=True)):
        run(name, model)
    mask = inputs_of(name)["attention_mask"]
    return [
        one for one in seen if isinstance(one, Tensor) and one.shape == mask.shape and torch.equal(one, mask)
    ]


@pytest.mark.parametrize("name", spread(MODELS))
def test_tokens_is_the_table_of_token_embeddings(name: str) -> None:
    model, resolved = resolved_of(name)
    for tower in resolved.towers:
        if tower.table.tokens is None:
            continue
        table = paths.find(resolved.base, tower.table.tokens)
        assert isinstance(table, nn.Embedding)
        assert table.num_embeddings >= 119
        assert _first_output(name, model, table) is not None or name == "blip"


@pytest.mark.parametrize("name", spread(name for name, tiny in MODELS.items() if tiny.head is not None))
def test_a_family_is_found_under_a_head(name: str) -> None:
    bare, headed = resolved_of(name)[1], resolve(MODELS[name].with_head())
    assert bare.family.name == headed.family.name
    assert [len(tower.layers) for tower in bare.towers] == [len(tower.layers) for tower in headed.towers]
