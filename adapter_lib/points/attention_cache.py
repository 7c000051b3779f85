"""Attentions that compute everything themselves, but ask a KV cache for keys: the prefix comes with them."""

import inspect
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.cache_utils import EncoderDecoderCache

from adapter_lib.engine import AttentionState, Call, Prefix, evaluate
from adapter_lib.points.attending import in_front, mask_with
from adapter_lib.points.attention import AttentionPoint, causal_mask, check_function
from adapter_lib.points.base import first_input
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError

_CACHES = ("layer_past", "past_key_values")
# What a cross-attention makes its keys of.
_SOURCES = ("key_value_states", "encoder_hidden_states")


class PrefixCache:
    """Stands for the KV cache in one call: it hands out the cache's keys and values with a prefix in front.

    The cache itself is updated once, however often the call is repeated, and never sees the prefix.
    found: the keys and values without a prefix, once they are known.
    """

    def __init__(self, cache: Any, prefix: Prefix | None, found: list[tuple[Tensor, Tensor]]) -> None:
        self._cache = cache
        self._prefix = prefix
        self._found = found

    def update(self, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Keys and values [B, heads, P + K, head width]."""
        if not self._found:
            own = (key, value) if self._cache is None else self._cache.update(key, value, *args, **kwargs)
            self._found.append(own)
        key, value = self._found[0]
        if self._prefix is None:
            return key, value
        return in_front(self._prefix.keys, key), in_front(self._prefix.values, value)

    def get_seq_length(self, *args: Any) -> int:
        """The tokens in the cache."""
        return 0 if self._cache is None else int(self._cache.get_seq_length(*args))


@dataclass(slots=True)
class ModuleCall:
    """A call of such an attention. It is always made with all rows; `index` and `window` say what is meant.

    index: the numbers of the rows, or None for all. window: the first query and the one after the last.
    """

    point: "CachePoint"
    given: dict[str, Any]
    hidden: Tensor
    found: list[tuple[Tensor, Tensor]]
    index: Tensor | None = None
    window: tuple[int, int] | None = None

    @property
    def x(self) -> Tensor:
        """The rows and tokens meant, of the hidden states [B, S, d]."""
        return self._mine(self.hidden)

    def rows(self, start: int, stop: int, of: int) -> "ModuleCall":
        """The shares of the rows from `start` up to `stop`, out of `of`."""
        numbers = self._numbers()
        size = len(numbers) // of
        return replace(self, index=numbers[start * size : stop * size])

    def pick(self, index: Tensor, of: int) -> "ModuleCall":
        """The shares of the rows with these numbers."""
        return replace(self, index=self._numbers().view(of, -1)[index].flatten())

    def tokens(self, start: int, stop: int) -> "ModuleCall":
        """The queries from `start` up to `stop`."""
        first = self.window[0] if self.window else 0
        return replace(self, window=(first + start, first + stop))

    def attend(self, prefix: Prefix | None) -> Tensor:
        """What the attention gives to its output projection, [B, S, heads · head width]."""
        return self._mine(self.point.run(self.arguments(self._everywhere(prefix))))

    def arguments(self, prefix: Prefix | None) -> dict[str, Any]:
        """The call's arguments with a prefix for all rows."""
        given = self.given if prefix is None else self.point.with_prefix(self.given, self.hidden, prefix)
        name = self.point.cache
        return given | {name: PrefixCache(self.point.own_cache(self.given), prefix, self.found)}

    def _numbers(self) -> Tensor:
        if self.index is not None:
            return self.index
        return torch.arange(self.hidden.shape[0], device=self.hidden.device)

    def _mine(self, full: Tensor) -> Tensor:
        full = full if self.index is None else full[self.index]
        return full if self.window is None else full[:, self.window[0] : self.window[1]]

    def _everywhere(self, prefix: Prefix | None) -> Prefix | None:
        """The prefix with what it says of other rows and tokens left empty."""
        if prefix is None or (self.index is None and self.window is None):
            return prefix
        rows, tokens = self.hidden.shape[:2]
        start, stop = self.window or (0, tokens)
        numbers = self._numbers()
        seen = prefix.sight().expand(len(numbers), stop - start, -1)
        seen = F.pad(seen, (0, 0, start, tokens - stop), value=False)
        keys, values, seen = (
            t.new_zeros((rows, *t.shape[1:])).index_copy(0, numbers, t.expand(len(numbers), -1, -1))
            for t in (prefix.keys, prefix.values, seen)
        )
        return Prefix(keys, values, seen)


class CachePoint(AttentionPoint):
    """At an attention of GPT-J, BLOOM, Falcon and the like.

    Linear biases by position (ALiBi) take nothing off a prefix: it is as near to every query as the query's
    own token.
    """

    def __init__(self, place: Place, module: nn.Module, call: Call, out: nn.Module) -> None:
        """out: the output projection, in the attention or behind it; its input is what the attention made."""
        super().__init__(place, module, call)
        self._out = (out,)
        self._is_inside = any(below is out for below in module.modules())
        self._names = tuple(inspect.signature(module.forward).parameters)
        self.cache = next((name for name in _CACHES if name in self._names), "")
        self._found: list[tuple[Tensor, Tensor]] | None = None
        self._is_catching = False
        self._caught: Tensor | None = None
        self._result: Tensor | None = None

    def hook(self, module: nn.Module) -> None:
        if not self.cache:
            raise AttachError(f"{type(module).__name__} takes no KV cache that a prefix could come with.")
        self.handles.append(module.register_forward_pre_hook(self._enter, with_kwargs=True))
        self.handles.append(module.register_forward_hook(self._leave))
        if self._is_inside:
            self.handles.append(self._out[0].register_forward_pre_hook(self._pass))

    def run(self, given: dict[str, Any]) -> Tensor:
        """What the attention makes of other arguments, in front of its output projection."""
        self._is_catching = True
        output = self._served[0].forward(**given)
        self._is_catching = False
        if not self._is_inside:
            context: Tensor = output[0]
            return context
        if self._caught is None:
            raise self.unreached()
        caught, self._caught = self._caught, None
        return caught

    def with_prefix(self, given: dict[str, Any], hidden: Tensor, prefix: Prefix) -> dict[str, Any]:
        """The arguments whose sizes follow the keys, made longer."""
        mask = self._mask(given, hidden, prefix)
        bias = given.get("alibi")
        if bias is None:
            return given | {"attention_mask": mask}
        if mask is None or mask.dtype == torch.bool:
            raise AttachError(
                f"{type(self._served[0]).__name__} has ALiBi and no mask that is added to scores."
            )
        anything: Any = self._served[0]
        # ALiBi itself is zero for the prefix; the query's own bias comes by the mask, scaled as scores are.
        by_head = bias if bias.dim() == 4 else bias.unflatten(0, (hidden.shape[0], -1))
        near = (by_head[..., -hidden.shape[1] :].transpose(2, 3) * anything.beta).to(hidden.dtype)
        front, rest = mask[..., : prefix.length] + near, mask[..., prefix.length :]
        longer = torch.cat([front, rest.expand(*front.shape[:3], -1)], dim=-1)
        return given | {"attention_mask": longer, "alibi": F.pad(bias, (prefix.length, 0))}

    def _mask(self, given: dict[str, Any], hidden: Tensor, prefix: Prefix) -> Tensor | None:
        """The mask with the prefix's columns, [B, heads or 1, S, P + K], or None if nothing is hidden."""
        keys, mask = self._keys(given, hidden), given.get("attention_mask")
        if mask is None:
            is_causal = getattr(self._served[0], "is_causal", False)
            mask = causal_mask(self._served[0], hidden.shape[1], keys, hidden.device, is_causal)
        longer = mask_with(mask, prefix, keys, hidden.dtype)
        return None if longer is None else longer.expand(hidden.shape[0], -1, hidden.shape[1], -1)

    def own_cache(self, given: dict[str, Any]) -> Any:
        """The cache of this attention's own kind. Cross-attention makes its keys anew in each call."""
        cache = given.get(self.cache)
        if not isinstance(cache, EncoderDecoderCache):
            return cache
        return None if self.place.role == "xattn" else cache.self_attention_cache

    def _keys(self, given: dict[str, Any], hidden: Tensor) -> int:
        mask = given.get("attention_mask")
        if mask is not None:
            return int(mask.shape[-1])
        for name in _SOURCES:
            if given.get(name) is not None:
                return int(given[name].shape[1])
        past = self.own_cache(given)
        return hidden.shape[1] + (0 if past is None else int(past.get_seq_length(self._layer())))

    def _layer(self) -> int:
        anything: Any = self._served[0]
        return int(anything.layer_idx)

    def _enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.plan is None:
            return None
        check_function(getattr(getattr(module, "config", None), "_attn_implementation", None))
        given = dict(zip(self._names, args, strict=False)) | kwargs
        # The last call may have ended in an error.
        self._is_catching, self._caught, self._result, self._found = False, None, None, []
        called = ModuleCall(self, given, first_input(args, kwargs), self._found)
        state = evaluate(self.plan, AttentionState.of(called, self.info()))
        lone = state.lone()
        if lone is None:
            self._result = state.output()
        return (), called.arguments(None if lone is None else lone.prefix)

    def _pass(self, module: nn.Module, args: tuple[Any, ...]) -> Any:
        if self._is_catching:
            self._caught = args[0]
            return None
        if self._result is None:
            return None
        result, self._result = self._result, None
        return (result, *args[1:])

    def _leave(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        found, self._found = self._found, None
        if self.plan is None:
            return output
        if not found:
            raise self.unreached()
        if self._result is None:
            return output
        result, self._result = self._result, None
        return (result, *output[1:])


class MptPoint(CachePoint):
    """At MPT's attention, whose mask is true where a key is hidden."""

    def with_prefix(self, given: dict[str, Any], hidden: Tensor, prefix: Prefix) -> dict[str, Any]:
        mask, bias = given.get("attention_mask"), given.get("position_bias")
        visible = self._mask(given | {"attention_mask": None if mask is None else ~mask}, hidden, prefix)
        longer = given | {"attention_mask": None if visible is None else ~visible.bool()}
        if bias is None:
            return longer
        # [heads, 1, most keys]; its last columns are the keys'.
        keys, queries = self._keys(given, hidden), hidden.shape[1]
        bias = bias[..., -keys:]
        near = bias[..., -queries:].transpose(1, 2).expand(-1, -1, prefix.length)
        return longer | {"position_bias": torch.cat([near, bias.expand(-1, queries, -1)], dim=-1)}
