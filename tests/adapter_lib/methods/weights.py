"""Models in float64 whose own weights are changed by hand, to measure methods that change maps against.

Nothing of the library is used to find or change a weight.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

import adapter_lib
from tests.adapter_lib.tiny import build, inputs, prepared, shake

GIVEN = inputs()
PATHS = {
    "bert": {
        "attn.q": "encoder.layer.{}.attention.self.query",
        "attn.k": "encoder.layer.{}.attention.self.key",
        "attn.v": "encoder.layer.{}.attention.self.value",
        "attn.o": "encoder.layer.{}.attention.output.dense",
        "ffn.up": "encoder.layer.{}.intermediate.dense",
        "ffn.down": "encoder.layer.{}.output.dense",
        "norm.0": "encoder.layer.{}.attention.output.LayerNorm",
        "norm.1": "encoder.layer.{}.output.LayerNorm",
        "tokens": "embeddings.word_embeddings",
    },
    "distilbert": {
        "attn.q": "transformer.layer.{}.attention.q_lin",
        "attn.k": "transformer.layer.{}.attention.k_lin",
        "attn.v": "transformer.layer.{}.attention.v_lin",
        "attn.o": "transformer.layer.{}.attention.out_lin",
        "ffn.up": "transformer.layer.{}.ffn.lin1",
        "ffn.down": "transformer.layer.{}.ffn.lin2",
    },
    "gpt2": {
        "attn.q": "h.{}.attn.c_attn#0",
        "attn.k": "h.{}.attn.c_attn#1",
        "attn.v": "h.{}.attn.c_attn#2",
        "attn.o": "h.{}.attn.c_proj",
        "ffn.up": "h.{}.mlp.c_fc",
        "ffn.down": "h.{}.mlp.c_proj",
        "norm.0": "h.{}.ln_1",
        "norm.1": "h.{}.ln_2",
        "norm": "ln_f",
        "tokens": "wte",
    },
    "llama": {
        "attn.q": "layers.{}.self_attn.q_proj",
        "attn.k": "layers.{}.self_attn.k_proj",
        "attn.v": "layers.{}.self_attn.v_proj",
        "attn.o": "layers.{}.self_attn.o_proj",
        "ffn.up": "layers.{}.mlp.up_proj",
        "ffn.gate": "layers.{}.mlp.gate_proj",
        "ffn.down": "layers.{}.mlp.down_proj",
        "norm.0": "layers.{}.input_layernorm",
        "norm.1": "layers.{}.post_attention_layernorm",
        "norm": "norm",
        "tokens": "embed_tokens",
    },
}
PATHS["roberta"] = PATHS["bert"]
# Those whose norms and embeddings stand above too.
FAMILIES = ("bert", "gpt2", "llama")
ALL = "targets=[q, k, v, o, up, down]"


class Numbers(NamedTuple):
    """A weight with its outputs first ([vocabulary, width] of an embedding) and a bias, as views."""

    weight: Tensor
    bias: Tensor | None


# What a method makes of a weight and bias, given its own tensors at that place.
Rule = Callable[[Numbers, Mapping[str, Tensor]], tuple[Tensor, Tensor | None]]


def numbers(base: Any, family: str, layer: int, role: str) -> Numbers:
    """The numbers of one map or norm; writing to them changes the model."""
    role = role.rpartition(".")[2] if layer < 0 else role
    path, _, third = PATHS[family][role].format(layer).partition("#")
    module = base.get_submodule(path)
    weight, bias = module.weight.data, getattr(module, "bias", None)
    weight = weight.T if type(module).__name__ == "Conv1D" else weight
    if third:
        own = slice(int(third) * len(weight) // 3, (int(third) + 1) * len(weight) // 3)
        return Numbers(weight[own], bias.data[own])
    return Numbers(weight, None if bias is None else bias.data)


def doubled(family: str, **adapters: str) -> Any:
    """A model in float64 with adapters, each with random weights."""
    model = adapter_lib.init(build(family).double())
    for name, config in adapters.items():
        model.add_adapter(name, config)
        shake(model, name)
    return model


def tensors(model: Any, name: str) -> dict[tuple[int, str], dict[str, Tensor]]:
    """An adapter's own tensors by place."""
    parts = model.adapter_runtime.injection.parts(name)
    return {key: {n: p.detach() for n, p in part.named_parameters()} for key, part in parts.items()}


def changed(family: str, rule: Rule, *adapters: Mapping[tuple[int, str], Mapping[str, Tensor]]) -> Any:
    """The base in float64 with every place's weight and bias replaced as `rule` says, adapter by adapter."""
    base = copy.deepcopy(build(family).double())
    for places in adapters:
        for (layer, role), own in places.items():
            found = numbers(base, family, layer, role)
            weight, bias = rule(Numbers(*(None if t is None else t.clone() for t in found)), own)
            found.weight.copy_(weight)
            if found.bias is not None:
                found.bias.copy_(bias)
    return base


def hidden(model: Any) -> Tensor:
    """The last hidden state at positions that are no padding."""
    with torch.no_grad():
        found: Tensor = model(**GIVEN).last_hidden_state
    return found[GIVEN["attention_mask"].bool().repeat(found.shape[0] // 3, 1)]


def check(found: Tensor, expected: Tensor, *, within: float = 1e-10) -> None:
    """Equal up to rounding in float64."""
    torch.testing.assert_close(found, expected, atol=within, rtol=0)


def check_merging(family: str, config: str) -> None:
    """Merged, the model gives what it gave with the adapter active; reset, it is as before bit for bit."""
    model = prepared(family, one=config)
    original = {key: value.clone() for key, value in model.state_dict().items()}
    base = hidden(model)
    model.active_adapters = "one"
    expected = hidden(model)
    assert not torch.allclose(base, expected, atol=1e-3)
    model.merge_adapter("one")
    torch.testing.assert_close(hidden(model), expected, atol=1e-5, rtol=0)
    model.reset_adapter()
    assert all(torch.equal(value, original[key]) for key, value in model.state_dict().items())


def check_fresh(family: str, config: str, *, within: float = 0.0) -> None:
    """A new adapter changes nothing; bit for bit, unless rounding is allowed for."""
    model: Any = adapter_lib.init(build(family))
    base = hidden(model)
    model.add_adapter("one", config)
    model.active_adapters = "one"
    torch.testing.assert_close(hidden(model), base, atol=within, rtol=0)
