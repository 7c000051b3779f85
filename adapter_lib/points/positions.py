"""Where a tower is told its tokens' positions: prefixes that count as tokens move them."""

from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Call, Info, Plan, PromptState, evaluate
from adapter_lib.points.base import Point, hang, like_of, unhang
from adapter_lib.points.prompt_plans import check_prompts
from adapter_lib.points.stacks import argument_names, hook_around
from adapter_lib.spec.composition import Block
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError

_CHILD = "positions"
# Models that count the ones of the mask.
_COUNTS_BY_MASK = ("opt",)


class PositionPoint(Point):
    """Adds to each row's positions the number of prefix tokens that count there.

    A composition is evaluated as for soft prompts, of which the numbers alone are asked for. A tower that
    knows distances only has nothing to be told: there the attention gives a prefix its distance.
    """

    def __init__(self, place: Place, stack: nn.Module, call: Call, layer: nn.Module) -> None:
        """stack: its call runs the tower. layer: the tower's first."""
        super().__init__(place, call)
        # In tuples, so that the model's modules do not become children of the point.
        self._stacks, self._layers = (stack,), (layer,)
        self._names = argument_names(stack)

    def install(self) -> None:
        stack = self._stacks[0]
        is_relative = any(hasattr(module, "compute_bias") for module in self._layers[0].modules())
        if not is_relative and not _takes_positions(stack, self._names):
            raise AttachError(
                f"{type(stack).__name__} takes no position_ids that tell it where its tokens stand, so no "
                "prefix can count as tokens there: set shift_positions=false."
            )
        hang(stack, _CHILD, self)
        if not is_relative:
            self.handles += hook_around(stack, self.call, self)

    def uninstall(self) -> None:
        self.drop_hooks()
        unhang(self._stacks[0], _CHILD)

    def compiled(self, block: Block | None) -> Plan | None:
        plan = super().compiled(block)
        if plan is not None:
            check_prompts(plan)
        return plan

    def like(self) -> Tensor:
        return like_of(self._layers[0])

    def enter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The tower's arguments with its positions moved."""
        given = dict(zip(self._names, args, strict=False)) | kwargs
        embeds, ids = given.get("inputs_embeds"), given.get("input_ids")
        source = ids if embeds is None else embeds
        if self.plan is None or source is None:
            return args, kwargs
        positions = given.get("position_ids")
        if positions is None:
            positions = self._counted(given, source)
        return (), given | {"position_ids": positions + self._moved(source)}

    def leave(self, output: Any) -> Any:
        """What the tower gives stays as it is."""
        return output

    def _moved(self, source: Tensor) -> Tensor:
        """By how much each row's positions move, [B, 1]."""
        rows, device = source.shape[0], source.device
        values = torch.empty(rows, 0, 0, device=device)
        columns = torch.empty(rows, 0, dtype=torch.long, device=device)
        state = PromptState(source, values, columns, info=Info(tasks=self.call.tasks))
        if self.plan is not None:
            state = evaluate(self.plan, state)
        return (state.columns > 0).sum(1, keepdim=True)

    def _counted(self, given: dict[str, Any], source: Tensor) -> Tensor:
        """The positions [B or 1, S] that the tower would count by itself."""
        cache, mask, stack = given.get("past_key_values"), given.get("attention_mask"), self._stacks[0]
        past, length = 0 if cache is None else int(cache.get_seq_length()), source.shape[1]
        if _model_type(stack) in _COUNTS_BY_MASK and isinstance(mask, Tensor):
            return (mask.cumsum(1) * mask - 1).long()[:, -length:]
        counter: Any = next((c for c in stack.children() if hasattr(c, "padding_idx") and _counts(c)), None)
        if counter is None:
            return torch.arange(past, past + length, device=source.device)[None]
        if source.is_floating_point():
            first = past + int(counter.padding_idx) + 1
            return torch.arange(first, first + length, device=source.device)[None]
        found: Tensor = counter.create_position_ids_from_input_ids(source, counter.padding_idx, past)
        return found


def _counts(child: nn.Module) -> bool:
    """True for embeddings that count tokens only, from behind the number that padding has."""
    return hasattr(child, "create_position_ids_from_input_ids")


def _takes_positions(stack: nn.Module, names: tuple[str, ...]) -> bool:
    """False for towers with linear biases too, which take positions only to ignore them."""
    return "position_ids" in names and not getattr(getattr(stack, "config", None), "alibi", False)


def _model_type(stack: nn.Module) -> str | None:
    found: str | None = getattr(getattr(stack, "config", None), "model_type", None)
    return found
