"""Attention with a prefix written out: softmax over [P_K; K], in plain products with the backbone's own maps.

`with_prefixes` gives a copy of a model whose attentions compute so; only for batches without padding.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

Pair = tuple[Tensor, Tensor]
"""P_K and P_V, [P, width of the keys], or one per row [B, P, width]."""


def with_prefixes(base: nn.Module, prefixes: Mapping[str, Pair], rule: Callable[..., Any]) -> Any:
    """prefixes: by the attention's path; rule: one of the functions below."""
    twin = copy.deepcopy(base)
    for path, pair in prefixes.items():
        module = twin.get_submodule(path)
        module.forward = lambda *args, m=module, p=pair, **kwargs: rule(m, p, *args, **kwargs)
    return twin


def bert(m: Any, pair: Pair, x: Tensor, *_: Any, **__: Any) -> tuple[Tensor, None]:
    q, k, v = (_heads(linear(x), m.num_attention_heads) for linear in (m.query, m.key, m.value))
    return attention(q, k, v, pair, m.attention_head_size**-0.5), None


def gpt2(m: Any, pair: Pair, x: Tensor, *_: Any, **__: Any) -> tuple[Tensor, None]:
    q, k, v = (_heads(part, m.num_heads) for part in m.c_attn(x).chunk(3, dim=-1))
    return m.c_proj(attention(q, k, v, pair, m.head_dim**-0.5, is_causal=True)), None


def llama(
    m: Any, pair: Pair, hidden_states: Tensor, position_embeddings: Pair, **_: Any
) -> tuple[Tensor, None]:
    x = hidden_states
    q, k, v = (
        _heads(linear(x), linear.out_features // m.head_dim) for linear in (m.q_proj, m.k_proj, m.v_proj)
    )
    q, k = apply_rotary_pos_emb(q, k, *position_embeddings)
    return m.o_proj(attention(q, k, v, pair, m.head_dim**-0.5, is_causal=True)), None


def t5(
    m: Any,
    pair: Pair,
    x: Tensor,
    *_: Any,
    key_value_states: Tensor | None = None,
    position_bias: Tensor | None = None,
    **__: Any,
) -> tuple[Tensor, Tensor, None]:
    source = x if key_value_states is None else key_value_states
    q, k, v = _heads(m.q(x), m.n_heads), _heads(m.k(source), m.n_heads), _heads(m.v(source), m.n_heads)
    if position_bias is None and m.has_relative_attention_bias:
        position_bias = m.compute_bias(x.shape[1], source.shape[1])
    if position_bias is None:
        position_bias = torch.zeros(1, m.n_heads, x.shape[1], source.shape[1], dtype=x.dtype)
    is_causal = m.is_decoder and key_value_states is None
    return m.o(attention(q, k, v, pair, 1.0, bias=position_bias, is_causal=is_causal)), position_bias, None


def bloom(m: Any, pair: Pair, x: Tensor, residual: Tensor, **_: Any) -> tuple[Tensor, None]:
    q, k, v = m.query_key_value(x).unflatten(-1, (m.num_heads, 3, -1)).permute(3, 0, 2, 1, 4)
    bias = alibi(m.num_heads, x)
    return m.dense(attention(q, k, v, pair, m.head_dim**-0.5, bias=bias, is_causal=True)) + residual, None


def falcon(m: Any, pair: Pair, x: Tensor, **_: Any) -> tuple[Tensor, None]:
    """With ALiBi, which is divided as the scores are."""
    q, k, v = m.query_key_value(x).unflatten(-1, (m.num_heads, 3, -1)).permute(3, 0, 2, 1, 4)
    bias = alibi(m.num_heads, x) * m.head_dim**-0.5
    return m.dense(attention(q, k, v, pair, m.head_dim**-0.5, bias=bias, is_causal=True)), None


def mpt(m: Any, pair: Pair, x: Tensor, **_: Any) -> tuple[Tensor, None]:
    q, k, v = (_heads(part, m.n_heads) for part in m.Wqkv(x).chunk(3, dim=-1))
    bias = alibi(m.n_heads, x)
    return m.out_proj(attention(q, k, v, pair, m.head_dim**-0.5, bias=bias, is_causal=True)), None


def alibi(heads: int, x: Tensor) -> Tensor:
    """-(i - j) / 2^(8 h / heads) for the heads h = 1, 2 … (Press et al. 2021), [1, heads, S, S]."""
    places = torch.arange(x.shape[1], dtype=x.dtype)
    slopes = torch.tensor([2.0 ** (-8 * h / heads) for h in range(1, heads + 1)], dtype=x.dtype)
    return -slopes[None, :, None, None] * (places[:, None] - places[None, :])


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    pair: Pair,
    scale: float,
    *,
    bias: Tensor | None = None,
    is_causal: bool = False,
) -> Tensor:
    """softmax(q [P_K; K]ᵀ · scale + [0; bias]) [P_V; V], heads side by side."""
    before = pair[0].shape[-2]
    front = [_heads(p if p.dim() == 3 else p[None], k.shape[1]).expand(k.shape[0], -1, -1, -1) for p in pair]
    keys, values = (torch.cat(both, dim=2) for both in zip(front, (k, v), strict=True))
    shared = q.shape[1] // k.shape[1]
    keys, values = keys.repeat_interleave(shared, dim=1), values.repeat_interleave(shared, dim=1)
    scores = torch.einsum("bhid,bhjd->bhij", q, keys) * scale
    if bias is not None:
        scores = scores + torch.cat([bias.new_zeros(*bias.shape[:-1], before), bias], dim=-1)
    if is_causal:
        for i in range(q.shape[2]):
            scores[:, :, i, before + i + 1 :] = -torch.inf
    weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
    return torch.einsum("bhij,bhjd->bihd", weights, values).flatten(2)


def _heads(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)
