"""What `adapters` does wrong, done by ours for the length of a test: it is that and nothing else."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from adapter_lib.engine import HiddenState, Prefix, SiteState
from adapter_lib.engine.plan import Chain, Learned, Mean, Plan, Side, Single, Tokens
from adapter_lib.points import attending
from adapter_lib.points.attending import KeysAndValues

_BLOCKS = (Side, Mean, Tokens, Learned)


class _Again:
    """Residual and norm, once more than the model has them."""

    def single(self, state: SiteState) -> SiteState:
        return state.spoken(state.normed(), final=state.final)


def norm_nested_blocks_again(model: Any) -> None:
    """Let every block within a block begin with the model's own residual and norm."""
    for point in model.adapter_runtime.injection.points.points.values():
        if point.plan is not None:
            point.plan = _again(point.plan, is_inner=False)


def _again(plan: Plan, *, is_inner: bool) -> Plan:
    if isinstance(plan, _BLOCKS):
        inner = tuple(_again(child, is_inner=True) for child in plan.children)
        plan = replace(plan, children=inner)
    elif isinstance(plan, Chain):
        plan = Chain(tuple(_again(step, is_inner=False) for step in plan.steps))
    else:
        return plan
    first: Any = _Again()
    return Chain((Single(first), plan)) if is_inner else plan


@contextmanager
def moved_positions(model: Any, towers: Sequence[str], by: int) -> Iterator[None]:
    """T5 whose first layers count the keys behind a prefix of `by` keys, and the prefix itself.

    Where a layer has a prefix and the first of its tower has none, the peer has no bias at all.
    """
    attentions = [getattr(model, tower).block[0].layer[0].SelfAttention for tower in towers]
    unmoved = KeysAndValues.call
    for attention in attentions:
        attention.compute_bias = _moved(attention.compute_bias, by)
    KeysAndValues.call = _with_moved_bias  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        KeysAndValues.call = unmoved  # type: ignore[method-assign]
        for attention in attentions:
            del attention.compute_bias


def _moved(compute_bias: Any, by: int) -> Any:
    def compute(queries: int, keys: int, *args: Any, **kwargs: Any) -> Tensor:
        whole: Tensor = compute_bias(queries, keys + by, *args, **kwargs)
        # The real keys first: that is where the model's own code, and ours, look for them.
        return torch.cat([whole[..., by:], whole[..., :by]], dim=-1)

    return compute


def _with_moved_bias(called: KeysAndValues, prefix: Prefix | None) -> tuple[Tensor, Tensor | None]:
    keys, bias = called.key.shape[-2], called.bias
    more = {} if bias is None else {"position_bias": bias[..., :keys]}
    if prefix is None:
        return called.function(
            called.module, called.query, called.key, called.value, called.mask, **called.kwargs, **more
        )
    if bias is not None and bias.shape[-1] > keys:
        more = {"position_bias": torch.cat([bias[..., keys:], bias[..., :keys]], dim=-1)}
    elif bias is not None:
        more = {"position_bias": bias.new_zeros((*bias.shape[:-1], keys + prefix.length))}
    mask = attending.mask_with(called.mask, prefix, keys, called.query.dtype)
    key, value = (
        attending.in_front(those, own)
        for those, own in ((prefix.keys, called.key), (prefix.values, called.value))
    )
    return called.function(called.module, called.query, key, value, mask, **called.kwargs, **more)


def misplaced_edits(part: Any, asked: int) -> Any:
    """`single` of a ReFT whose suffix of `asked` positions is longer than its unpadded text of S tokens.

    Edits of the prefix and of the suffix stand one behind the other, S each; the last `asked` of them are
    written from the first token on, and of these there is room for S.
    """

    def single(state: HiddenState) -> HiddenState:
        edits = torch.cat([state.h + part.unit(name)(state.h) for name in ("prefix", "suffix")], dim=1)
        return state.with_h(edits[:, -asked:][:, : state.h.shape[1]])

    return single


@contextmanager
def prompt_behind_embeddings(model: Any, prompt: Tensor, column: int) -> Iterator[None]:
    """A model whose embeddings' output has a prompt [P, d] in front of a column."""

    def insert(module: Any, args: Any, output: Tensor) -> Tensor:
        rows = prompt.expand(output.shape[0], -1, -1)
        return torch.cat([output[:, :column], rows, output[:, column:]], dim=1)

    handle = model.embeddings.register_forward_hook(insert)
    try:
        yield
    finally:
        handle.remove()
