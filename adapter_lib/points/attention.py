"""Where a method acts within an attention: between its projections and its output projection."""

import copy
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS, AttentionInterface

from adapter_lib.engine import AFTER_FUSE, AttentionState, Call, Plan, evaluate
from adapter_lib.engine.plan import Chain, Learned, Mean, Side, Tasks, Tokens
from adapter_lib.points.attending import AttentionFunction, KeysAndValues
from adapter_lib.points.base import Point, first_input, hang, like_of, unhang
from adapter_lib.spec.composition import Block
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError, CompositionError

# Our function's name in transformers' attention interface.
FUNCTION = "adapter_lib"
_CHILD = "attention"


class AttentionPoint(Point):
    """Base of the points at attentions; subclasses know how a family's attention lets a prefix in."""

    def __init__(self, place: Place, module: nn.Module, call: Call) -> None:
        super().__init__(place, call)
        self._served = (module,)

    def install(self) -> None:
        hang(self._served[0], _CHILD, self)
        self.hook(self._served[0])

    def hook(self, module: nn.Module) -> None:
        """Put the hooks on the attention."""
        raise NotImplementedError

    def uninstall(self) -> None:
        self.plan = None
        self.drop_hooks()
        unhang(self._served[0], _CHILD)

    def like(self) -> Tensor:
        return like_of(self._served[0])

    def compiled(self, block: Block | None) -> Plan | None:
        plan = super().compiled(block)
        if plan is not None:
            _settles(plan)
        return plan

    def unreached(self) -> AttachError:
        """The error for an attention that did not let our code in."""
        return AttachError(
            f"{type(self._served[0]).__name__} (layer {self.place.layer}) attends without asking for its "
            "prefix, which would have no effect; leave the layer out, or use another method."
        )


class InterfacePoint(AttentionPoint):
    """At an attention that takes its function from transformers' attention interface.

    While something acts, the module has a copy of its config that names our function; the model's own config
    stays, and with it the masks that the model makes. Ours hands on to the one that the model's config names
    when it is called. Keys and values arrive with their positions and with the cache's, so nothing of a
    prefix gets into the cache.
    """

    def __init__(
        self, place: Place, module: nn.Module, call: Call, distances: nn.Module | None = None
    ) -> None:
        """distances: the attention whose `compute_bias` makes the tower's bias by distance, if it has one."""
        self._plan: Plan | None = None
        self._config: Any = None
        super().__init__(place, module, call)
        self._eager = _own_function(module)
        self._distances = (distances,)
        self._x: Tensor | None = None
        self._past = 0
        self._is_reached = False

    @property
    def plan(self) -> Plan | None:
        """What to follow; setting it exchanges the module's config."""
        return self._plan

    @plan.setter
    def plan(self, plan: Plan | None) -> None:
        if plan is not None and self._config is None:
            self._exchange()
        elif plan is None and self._config is not None:
            self._served[0].config, self._config = self._config, None
        self._plan = plan

    def hook(self, module: nn.Module) -> None:
        if getattr(module, "config", None) is None:
            raise AttachError(f"{type(module).__name__} has no config that could name an attention function.")
        self.handles.append(module.register_forward_pre_hook(self._enter, with_kwargs=True))
        self.handles.append(module.register_forward_hook(self._leave))

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, kwargs: dict[str, Any]
    ) -> tuple[Tensor, Tensor | None]:
        """The attention's output [B, S, heads, head width] and its weights, as every function gives them."""
        module, x = self._served[0], self._x
        name = self._config._attn_implementation
        # Where a file has no function of its own for "eager", the interface has one for every name.
        eager: Any = self._eager
        function: AttentionFunction = ALL_ATTENTION_FUNCTIONS.get_interface(name, eager)
        if self._plan is None or x is None:
            return function(module, query, key, value, mask, **kwargs)
        self._is_reached = True
        check_function(name)
        if mask is None and name != "eager":
            mask = causal_mask(module, query.shape[2], key.shape[2], query.device, kwargs.get("is_causal"))
        bias = kwargs.pop("position_bias", None)
        called = KeysAndValues(function, module, x, query, key, value, mask, bias, kwargs, self._near(query))
        state = evaluate(self._plan, AttentionState.of(called, self.info()))
        lone = state.lone()
        if lone is not None:
            return called.call(lone.prefix)
        return state.output().view(query.shape[0], query.shape[2], query.shape[1], -1), None

    def _near(self, query: Tensor) -> Callable[[int, int], Tensor] | None:
        """Makes the bias of `query` [B, heads, S, head width] for tokens from before the first key on."""
        source: Any = self._distances[0]
        if source is None:
            return None
        queries, past = query.shape[2], self._past

        def near(length: int, before: int) -> Tensor:
            made: Tensor = source.compute_bias(
                queries, length, device=query.device, past_seen_tokens=past + before
            )
            return made.to(query.dtype)

        return near

    def _exchange(self) -> None:
        module: Any = self._served[0]
        self._config = module.config
        module.config = copy.copy(module.config)
        module.config._attn_implementation_internal = FUNCTION

    def _enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._plan is not None:
            self._x, self._is_reached = first_input(args, kwargs), False
            cache = None if self._distances[0] is None else kwargs.get("past_key_values")
            self._past = 0 if cache is None else int(cache.get_seq_length(getattr(module, "layer_idx", 0)))

    def _leave(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._x = None
        if self._plan is not None and not self._is_reached:
            raise self.unreached()


def adapted_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """The function that the attention interface knows: it asks the module's point."""
    point: Any = module.adapter_lib_attention
    given: tuple[Tensor, Tensor | None] = point.attend(query, key, value, attention_mask, kwargs)
    return given


AttentionInterface.register(FUNCTION, adapted_attention)


def _own_function(module: nn.Module) -> AttentionFunction | None:
    """The function that a module's own file has for "eager"."""
    for cls in type(module).__mro__:
        found = getattr(sys.modules.get(cls.__module__), "eager_attention_forward", None)
        if found is not None:
            function: AttentionFunction = found
            return function
    return None


def check_function(name: str | None) -> None:
    """Refuse the functions that take other masks, or keep keys elsewhere."""
    if name is not None and ("flash" in name or "flex" in name or "paged" in name):
        raise AttachError(
            f"{name} cannot put a prefix in front of the keys; call the model's "
            "set_attn_implementation('sdpa') or load it with attn_implementation='sdpa'."
        )


def causal_mask(
    module: nn.Module, queries: int, keys: int, device: torch.device, said: bool | None
) -> Tensor | None:
    """[1, 1, S, K], True up to the query's own place, where the function would mask so by itself; else None.

    Functions do it where several queries come without a mask, and count places from the first key.
    said: what the call says of causality; None leaves it to the module.
    """
    is_causal = getattr(module, "is_causal", True) if said is None else said
    if not is_causal or queries == 1:
        return None
    return torch.ones((queries, keys), dtype=torch.bool, device=device).tril()[None, None]


def _settles(plan: Plan) -> bool:
    """True if a plan may combine outputs, after which keys come too late.

    Raises CompositionError if a prefix would come too late.
    """
    if isinstance(plan, Chain):
        settling = [_settles(step) for step in plan.steps]
        if any(settling[:-1]):
            raise CompositionError(AFTER_FUSE)
        return bool(settling) and settling[-1]
    if isinstance(plan, Learned):
        inner = [_settles(child) for child in plan.children]
        return plan.part.config.method == "fusion" or any(inner)
    if isinstance(plan, Side | Tokens | Mean | Tasks):
        settling = [_settles(child) for child in plan.children]
        return any(settling)
    return False
