"""Routes against their equations: levels, the k largest, noise, the auxiliary loss."""

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

from adapter_lib import Parallel, Stack
from adapter_lib.spec.composition import Average, Route, Split
from adapter_lib.spec.configs import RouteConfig
from adapter_lib.spec.errors import CompositionError, ConfigError
from tests.adapter_lib.blocks.running import at, close, given, hidden, states, value
from tests.adapter_lib.tiny import prepared

ADAPTERS = {"a": "seq_bn", "b": "par_bn", "c": "seq_bn[reduction_factor=2]", "d": "lora", "e": "lora[r=3]"}
ABC, DE = Route("a", "b", "c"), Route("d", "e")


def routed(family: str, config: str = "route", *blocks: Route) -> Any:
    model = prepared(family, **ADAPTERS)
    for block in blocks or (ABC, DE):
        model.add_route(block, config)
        generator = torch.Generator().manual_seed(4)
        with torch.no_grad():
            for part in parts(model, block).values():
                for parameter in part.parameters():
                    parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model


def parts(model: Any, block: Route = ABC) -> Any:
    return model.adapter_runtime.injection.block_parts("route", block.key())


def gate(part: Any, x: Tensor) -> Tensor:
    """softmax(W x + b), detached."""
    return torch.softmax(x @ part.gate.weight.T + part.gate.bias, dim=-1).detach()


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
@pytest.mark.parametrize("block", [ABC, DE], ids=repr)
def test_per_example_the_mean_of_the_tokens_decides(family: str, block: Route) -> None:
    model = routed(family, "route[level=example]")
    mask = given()["attention_mask"].unsqueeze(-1)
    seen = {key: state for key, state in states(model).items() if key in parts(model, block)}
    assert seen
    for key, state in seen.items():
        x = state.features()
        p = gate(parts(model, block)[key], (x * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True))
        children = [value(at(model, key, name, state)) for name in block.names()]
        expected = sum((p[..., i, None] * child for i, child in enumerate(children)), torch.zeros(()))
        close(value(at(model, key, block, state)), expected)


def test_padding_and_other_rows_decide_nothing() -> None:
    model = routed("bert", "route[level=example]")
    batch = given()
    changed = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, 9)
    close(hidden(model, ABC, batch | {"input_ids": changed}), hidden(model, ABC))
    alone = [hidden(model, ABC, {k: v[[i]] for k, v in batch.items()}) for i in range(4)]
    close(hidden(model, ABC), torch.cat(alone))


def test_a_split_gives_the_gate_its_own_tokens_only() -> None:
    model = routed("bert", "route[level=example]", ABC)
    split = Split(ABC, "a", splits=[5, 2])
    key, state = next((k, s) for k, s in states(model).items() if k in parts(model))
    mask = given()["attention_mask"][:, :5].unsqueeze(-1)
    x = state.features()[:, :5]
    p = gate(parts(model)[key], (x * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True))
    children = [value(at(model, key, name, state))[:, :5] for name in "abc"]
    expected = sum((p[..., i, None] * child for i, child in enumerate(children)), torch.zeros(()))
    close(value(at(model, key, split, state))[:, :5], expected)


def test_only_the_k_largest_speak_and_add_up_to_one() -> None:
    model = routed("bert", "route[top_k=2]")
    model.active_adapters = Stack(DE, ABC)
    found = model(**given(), output_adapter_route_weights=True).adapter_route_weights
    assert set(found) == {"a,b,c", "d,e"}
    weights = found["a,b,c"]["layers.1.ffn"]
    assert weights.shape == (4, 7, 3)
    assert torch.equal((weights == 0).sum(-1), torch.ones(4, 7, dtype=torch.int64))
    torch.testing.assert_close(weights.sum(-1), torch.ones(4, 7))
    every = routed("bert")
    every.active_adapters = Stack(DE, ABC)
    p = every(**given(), output_adapter_route_weights=True).adapter_route_weights["a,b,c"]["layers.0.ffn"]
    first = found["a,b,c"]["layers.0.ffn"]
    smallest = p.argmin(-1, keepdim=True)
    expected = p.scatter(-1, smallest, 0.0)
    # Layer 0 sees the same in both models: DE acts on two, of which two are kept.
    torch.testing.assert_close(first, expected / expected.sum(-1, keepdim=True))


def test_a_fresh_route_is_the_average() -> None:
    model = prepared("gpt2", **ADAPTERS)
    model.add_route(ABC)
    close(hidden(model, ABC), hidden(model, Average("a", "b", "c")))


def test_a_child_that_is_not_here_has_no_share() -> None:
    model = routed("bert", "route", Route("a", "d"))
    model.active_adapters = Route("a", "d")
    found = model(**given(), output_adapter_route_weights=True).adapter_route_weights["a,d"]
    assert torch.equal(found["layers.0.ffn"], torch.tensor([1.0, 0.0]).expand(4, 7, 2))
    assert torch.equal(found["layers.0.attn.q"], torch.tensor([0.0, 1.0]).expand(4, 7, 2))
    close(hidden(model, Route("a", "d")), hidden(model, Stack("a", "d")))


def test_embeddings_and_layers_are_routed_too() -> None:
    model = prepared("bert", a="lora[targets=[word_embeddings, 'encoder.layer.0.output.dense']]", b="lora")
    model.add_adapter("c", "lora[r=2, targets=[word_embeddings]]")
    model.add_route(["a", "c"])
    assert hidden(model, Route("a", "c")).isfinite().all()


def test_noise_is_for_training() -> None:
    model = routed("bert", "route[jitter=0.9]")
    close(hidden(model, ABC), hidden(routed("bert"), ABC))
    model.train_route(ABC)
    _no_dropout(model)
    torch.manual_seed(0)
    first, second = (model(**given()).last_hidden_state for _ in range(2))
    assert not torch.allclose(first, second, atol=1e-5)


@pytest.mark.parametrize("level", ["token", "example"])
def test_the_auxiliary_loss_of_the_last_call(level: str) -> None:
    model = routed("bert", f"route[balance=0.5, level={level}, top_k=1]")
    model.active_adapters = ABC
    seen = {key: _features(model, key) for key in parts(model)}
    model.train_route(ABC)
    _no_dropout(model)
    assert model.adapter_regularisation() is None
    for _ in range(2):  # what the second call adds does not add to the first
        model(**given())
    found = model.adapter_regularisation()
    mask, expected = given()["attention_mask"], torch.zeros(())
    for key, part in parts(model).items():
        x = seen[key]
        if level == "example":
            p = gate(part, (x * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True))
        else:
            p = gate(part, x)[mask.bool()]
        f = torch.bincount(p.argmax(-1), minlength=3) / len(p)
        expected = expected + 0.5 * 3 * (f * p.mean(0)).sum()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert torch.autograd.grad(found, parts(model)[0, "ffn"].gate.weight)[0].any()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301  (our own bytes)
        assert twin.adapter_regularisation() is None


def _no_dropout(model: Any) -> None:
    """The backbone's own dropout would make two calls differ."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0


def _features(model: Any, key: tuple[int, str]) -> Tensor:
    """What the gate of a place sees while the route acts."""
    seen: list[Tensor] = []
    part = parts(model)[key]
    inner = part._features

    def features(state: Any) -> Tensor:
        seen.append(state.features())
        return inner(state)

    part._features = features
    with torch.no_grad():
        model(**given())
    del part._features
    return seen[0]


def test_training_a_route_trains_it_alone_and_parallel_keeps_copies_apart() -> None:
    model = routed("llama")
    model.train_route(Parallel(ABC, "a"))
    model(**given()).last_hidden_state.sum().backward()
    names = {name for name, p in model.named_parameters() if p.grad is not None}
    assert names == {name for name, _ in model.named_parameters() if "route:a,b,c" in name}
    close(hidden(model.eval(), Parallel("a", ABC)), torch.cat([hidden(model, "a"), hidden(model, ABC)]))


def test_masks_are_caught_while_a_route_needs_them() -> None:
    model = routed("bert", "route[level=example]")
    points = model.adapter_runtime.injection.points
    assert set(points.masks) == {"encoder"}
    model.delete_route(ABC)
    assert set(points.masks) == {"encoder"}
    model.delete_route(DE)
    assert set(points.masks) == set()
    close(hidden(routed("bert"), "a"), hidden(model, "a"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"level": "row"}, "level must be one of 'token', 'example'"),
        ({"top_k": 0}, "top_k must be a whole number of at least 1"),
        ({"jitter": 1}, "jitter must be a number from 0"),
        ({"balance": -0.1}, "balance must be a number from 0 up"),
        ({"leave_out": (1,)}, "leave_out must be empty"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        RouteConfig(**values)


def test_a_route_per_example_needs_tokens() -> None:
    model = routed("bert", "route[level=example]")
    key, state = next((k, s) for k, s in states(model).items() if k in parts(model, DE))
    flat = type(state)(*(t.flatten(0, 1) for t in (state.x, state.y, state.base)), state.info)
    with pytest.raises(CompositionError, match=f"{key[1]} in layer 0 sees them one by one; use level=token"):
        at(model, key, DE, flat)
