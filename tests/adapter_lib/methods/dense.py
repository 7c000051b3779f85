"""The methods' equations written out with the backbone's own modules and plain products, in float64.

Nothing of the library is used here: this is what the library is measured against.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
# (u, x, norm) -> what the block hands on; norm is the identity in pre-norm models.
SiteRule = Callable[[int, Tensor, Tensor, Callable[[Tensor], Tensor]], Tensor]


def plain(layer: int, u: Tensor, x: Tensor, norm: Callable[[Tensor], Tensor]) -> Tensor:
    """No adapter at this site."""
    return norm(u + x)


def bert(base: Any, ids: Tensor, mh: SiteRule = plain, ffn: SiteRule = plain) -> Tensor:
    """The last hidden state of an unpadded batch, post-norm."""
    x = base.embeddings(ids)
    for i, layer in enumerate(base.encoder.layer):
        attended = layer.attention.output.dense(layer.attention.self(x)[0])
        x = mh(i, attended, x, layer.attention.output.LayerNorm)
        x = ffn(i, layer.output.dense(layer.intermediate(x)), x, layer.output.LayerNorm)
    return x


def gpt2(base: Any, ids: Tensor, mh: SiteRule = plain, ffn: SiteRule = plain) -> Tensor:
    """The last hidden state of an unpadded batch, pre-norm."""
    x = base.wte(ids) + base.wpe(torch.arange(ids.shape[1]))
    for i, block in enumerate(base.h):
        x = mh(i, block.attn(block.ln_1(x))[0], x, lambda t: t)
        x = ffn(i, block.mlp(block.ln_2(x)), x, lambda t: t)
    return base.ln_f(x)


def bart(
    base: Any,
    ids: Tensor,
    target: Tensor,
    mh: SiteRule = plain,
    ffn: SiteRule = plain,
    cross: SiteRule = plain,
    edit: Callable[[int, Tensor], Tensor] = lambda layer, h: h,
) -> Tensor:
    """The decoder's last hidden state of an unpadded batch, post-norm; layers are counted through.

    edit: what becomes of a layer's output.
    """
    memory = _bart_embeddings(base.encoder, ids)
    for i, layer in enumerate(base.encoder.layers):
        memory = mh(i, layer.self_attn(memory)[0], memory, layer.self_attn_layer_norm)
        memory = ffn(i, _bart_ffn(layer, memory), memory, layer.final_layer_norm)
        memory = edit(i, memory)
    x = _bart_embeddings(base.decoder, target)
    causal = torch.full((target.shape[1],) * 2, float("-inf"), dtype=x.dtype).triu(1)[None, None]
    for i, layer in enumerate(base.decoder.layers, start=len(base.encoder.layers)):
        x = mh(i, layer.self_attn(x, attention_mask=causal)[0], x, layer.self_attn_layer_norm)
        x = cross(i, layer.encoder_attn(x, memory)[0], x, layer.encoder_attn_layer_norm)
        x = ffn(i, _bart_ffn(layer, x), x, layer.final_layer_norm)
        x = edit(i, x)
    return x


def _bart_embeddings(tower: Any, ids: Tensor) -> Tensor:
    found: Tensor = tower.layernorm_embedding(tower.embed_tokens(ids) + tower.embed_positions(ids))
    return found


def _bart_ffn(layer: Any, x: Tensor) -> Tensor:
    found: Tensor = layer.fc2(layer.activation_fn(layer.fc1(x)))
    return found


def bottleneck(z: Tensor, w: Weights, act: Callable[[Tensor], Tensor]) -> Tensor:
    """up(f(down(z)))"""
    inner = act(z @ w["down.weight"].T + w["down.bias"])
    return inner @ w["up.weight"].T + w["up.bias"]
