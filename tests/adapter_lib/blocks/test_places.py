"""Blocks that combine what adapters make of one input, for every method, at every place it acts.

The states are those of a real run; what a block makes of one is recomputed from what its children make of it.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

from adapter_lib import Stack
from adapter_lib.spec.composition import Average, Fuse, Route, Split
from adapter_lib.spec.errors import CompositionError, ConfigError
from tests.adapter_lib.blocks.running import FAMILIES, at, close, given, hidden, pair, states, value
from tests.adapter_lib.tiny import METHODS, prepared
from tests.adapter_lib.zoo.spreading import spread

TOKENS = 7
# Soft prompts stand before the tokens and are no vector per token; `test_prompts_…` below is about them.
PROMPTS = tuple(method for method in METHODS if "prompt" in method or "p_tuning" in method)
each = pytest.mark.parametrize("method", spread((name for name in METHODS if name not in PROMPTS), 2))
families = pytest.mark.parametrize("family", FAMILIES)


@each
@families
def test_one_adapter_in_a_block_is_that_adapter(family: str, method: str) -> None:
    model = pair(family, method)
    alone = hidden(model, "a")
    assert torch.equal(hidden(model, Stack("a")), alone)
    close(hidden(model, Average("a", "a", "a")), alone)
    close(hidden(model, Average("a", "a", weights=[1, 3])), alone)


@each
@families
def test_average_is_the_weighted_mean_at_every_place(family: str, method: str) -> None:
    model = pair(family, method)
    seen = states(model)
    assert seen
    for key, state in seen.items():
        a, b = (value(at(model, key, name, state)) for name in "ab")
        close(value(at(model, key, Average("a", "b", weights=[1, 3]), state)), 0.25 * a + 0.75 * b)
        close(value(at(model, key, Average("a", "b"), state)), (a + b) / 2)


@each
@families
def test_split_gives_each_adapter_its_tokens(family: str, method: str) -> None:
    model = pair(family, method)
    split = Split("a", "b", splits=[3, 4])
    for key, state in states(model).items():
        if "use_gating" in method:
            # A gate is a mean over tokens: over those that its adapter sees.
            a, b = at(model, key, "a", state.tokens(0, 3)), at(model, key, "b", state.tokens(3, 7))
            expected = [value(a), value(b)]
        else:
            expected = [value(at(model, key, "a", state))[:, :3], value(at(model, key, "b", state))[:, 3:]]
        close(value(at(model, key, split, state)), torch.cat(expected, dim=1))


@each
@families
def test_fusion_attends_to_what_the_adapters_add(family: str, method: str) -> None:
    model = pair(family, method)
    seen = states(model)
    assert model.add_adapter_fusion(["a", "b"]) == len(seen)
    _shake_blocks(model, "fuse", "a,b")
    for key, state in seen.items():
        w = dict(model.adapter_runtime.injection.block_parts("fuse", "a,b")[key].named_parameters())
        children = [at(model, key, name, state) for name in "ab"]
        z = [state.added(child) for child in children]
        scores = [_attend(w, state.query(), z_i) for z_i in z]
        p = torch.softmax(torch.stack(scores, dim=-1), dim=-1)
        total = sum(p[..., i, None] * (z_i @ w["value.weight"].T) for i, z_i in enumerate(z))
        expected = state.residual(children[-1]) + total
        after = at(model, key, Fuse("a", "b"), state)
        close(after.h if hasattr(after, "h") else value(after), expected.detach())
    model.delete_adapter_fusion(["a", "b"])


def _attend(w: dict[str, Tensor], query: Tensor, added: Tensor) -> Tensor:
    q = query @ w["query.weight"].T + w["query.bias"]
    k = added @ w["key.weight"].T + w["key.bias"]
    return (q * k).sum(-1)


@each
@families
def test_routes_mix_what_the_adapters_make(family: str, method: str) -> None:
    model = pair(family, method)
    seen = states(model)
    model.add_route(["a", "b"])
    _shake_blocks(model, "route", "a,b")
    for key, state in seen.items():
        w = dict(model.adapter_runtime.injection.block_parts("route", "a,b")[key].named_parameters())
        x = state.features()
        p = torch.softmax(x @ w["gate.weight"].T + w["gate.bias"], dim=-1).detach()
        a, b = (value(at(model, key, name, state)) for name in "ab")
        close(value(at(model, key, Route("a", "b"), state)), p[..., :1] * a + p[..., 1:] * b)
    model.delete_route(["a", "b"])


def _shake_blocks(model: Any, kind: str, name: str) -> None:
    generator = torch.Generator().manual_seed(5)
    for part in model.adapter_runtime.injection.block_parts(kind, name).values():
        with torch.no_grad():
            for parameter in part.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)


@pytest.mark.parametrize("method", PROMPTS)
def test_prompts_are_averaged_and_neither_split_nor_fused(method: str) -> None:
    model = pair("bert", method)
    close(hidden(model, Average("a", "a")), hidden(model, "a"))
    with pytest.raises(CompositionError, match="soft prompt"):
        hidden(model, Split("a", "b", splits=[3, 4]))
    for add in (model.add_adapter_fusion, model.add_route):
        with pytest.raises(ConfigError, match="combines vectors"):
            add(["a", "b"])


@families
def test_split_reaches_the_whole_model(family: str) -> None:
    model = prepared(family, a="seq_bn", b="lora")
    found = hidden(model, Split("a", "b", splits=[2, TOKENS - 2]))
    for name in ("a", "b"):
        assert not torch.allclose(found, hidden(model, name), atol=1e-3)
    with pytest.raises(CompositionError, match="5 tokens met a sequence of 7"):
        hidden(model, Split("a", "b", splits=[2, 3]))
    # The first token of a decoder sees nothing of the others.
    if family != "bert":
        close(found[:1, 0], hidden(model, "a")[:1, 0])


def test_padding_is_cut_with_the_tokens() -> None:
    assert given()["attention_mask"].shape[1] == TOKENS
