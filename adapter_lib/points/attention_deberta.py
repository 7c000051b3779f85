"""DeBERTa's attention, with a function of its own: content and positions are told apart in the scores."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import AttentionState, evaluate
from adapter_lib.points.attending import KeysAndValues
from adapter_lib.points.attention import AttentionPoint
from adapter_lib.points.base import first_input

_ARGUMENTS = (
    "hidden_states",
    "attention_mask",
    "output_attentions",
    "query_states",
    "relative_pos",
    "rel_embeddings",
)


class DebertaPoint(AttentionPoint):
    """At the disentangled attention of DeBERTa and DeBERTa-v2.

    The module computes its scores from its own sub-modules; we do it once more with the prefix, and put our
    result in the place of its own. A prefix has no position, so its scores are those of content alone.
    """

    def hook(self, module: nn.Module) -> None:
        self.handles.append(module.register_forward_hook(self._act, with_kwargs=True))

    def _act(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        if self.plan is None:
            return output
        given = dict(zip(_ARGUMENTS, args, strict=False)) | kwargs
        called = _called(module, given)
        state = evaluate(self.plan, AttentionState.of(called, self.info()))
        lone = state.lone()
        context, weights = (state.output(), None) if lone is None else called.call(lone.prefix)
        context = context if context.dim() == 3 else context.flatten(2)
        return (context, weights if given.get("output_attentions") else None, *output[2:])


def _called(module: nn.Module, given: dict[str, Any]) -> KeysAndValues:
    anything: Any = module
    hidden = given["hidden_states"]
    asking = given.get("query_states")
    x = first_input((hidden if asking is None else asking,), {})
    find = _fused if hasattr(module, "in_proj") else _separate
    query, key, value, bias = find(anything, hidden, x, given)
    mask = given["attention_mask"].bool()
    return KeysAndValues(_attention, module, x, query, key, value, mask, bias)


def _fused(module: Any, hidden: Tensor, x: Tensor, given: dict[str, Any]) -> tuple[Tensor, ...]:
    """Query (divided by its scale), key, value and position scores of DeBERTa, each [B, heads, S, …]."""
    split = module.transpose_for_scores
    query, key, value = split(module.in_proj(hidden)).chunk(3, dim=-1)
    query, value = query + split(module.q_bias[None, None]), value + split(module.v_bias[None, None])
    factor = 1 + len(module.pos_att_type)
    query = query / (query.shape[-1] * factor) ** 0.5
    positions, relative = given.get("rel_embeddings"), given.get("relative_pos")
    if not module.relative_attention or positions is None or relative is None:
        return query, key, value, query.new_zeros(1, 1, 1, key.shape[2])
    positions = module.pos_dropout(positions)
    return query, key, value, module.disentangled_att_bias(query, key, relative, positions, factor)


def _separate(module: Any, hidden: Tensor, x: Tensor, given: dict[str, Any]) -> tuple[Tensor, ...]:
    """The same of DeBERTa-v2, whose position scores are made of the query before it is divided."""
    heads = module.num_attention_heads
    query, key, value = (
        module.transpose_for_scores(project(states), heads)
        for project, states in (
            (module.query_proj, x),
            (module.key_proj, hidden),
            (module.value_proj, hidden),
        )
    )
    factor = 1 + ("c2p" in module.pos_att_type) + ("p2c" in module.pos_att_type)
    bias = query.new_zeros(1, 1, 1, key.shape[1])
    if module.relative_attention:
        positions = module.pos_dropout(given["rel_embeddings"])
        relative = given.get("relative_pos")
        bias = module.disentangled_attention_bias(query, key, relative, positions, factor)
        bias = bias.view(-1, heads, *bias.shape[1:])
    query, key, value = (t.view(-1, heads, *t.shape[1:]) for t in (query, key, value))
    return query / (query.shape[-1] * factor) ** 0.5, key, value, bias


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, *, position_bias: Tensor
) -> tuple[Tensor, Tensor]:
    """softmax(Q Kᵀ + bias) V, with the module's own mixing of heads where it has one."""
    scores = query @ key.transpose(-1, -2) + position_bias
    if (mix := getattr(module, "head_logits_proj", None)) is not None:
        scores = mix(scores.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    scores = scores.masked_fill(~mask, torch.finfo(query.dtype).min)
    weights = module.dropout(F.softmax(scores, dim=-1))
    if (mix := getattr(module, "head_weights_proj", None)) is not None:
        weights = mix(weights.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    return (weights @ value).transpose(1, 2), weights
