"""Soft prompts in towers that read pictures or sound: among the states that enter the first layer."""

from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Call, PromptState
from adapter_lib.points.base import first_input, replace_first, replace_first_input
from adapter_lib.points.prompt import PromptPoint, PromptTower
from adapter_lib.points.stacks import argument_names
from adapter_lib.points.weaving import Weave
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError, CompositionError

# Attributes that hold learned numbers for every token, or pair of tokens, of one grid.
_TABLES = ("relative_position_bias_table", "relative_position_bias", "mid_position_embeddings")

# Models whose layers take masks [B, T] whatever attention they use.
_FLAT_MASKS = ("wavlm",)


class StatePromptPoint(PromptPoint):
    """Puts prompts in front of the first layer (or behind the class token) and takes them out after the last.

    Positions stand in the states already, and a prompt has none. A mask that the layers are given is
    lengthened; where prompts differ in length and there is no mask, one is made.
    """

    def __init__(self, place: Place, tower: PromptTower, call: Call) -> None:
        """Raises AttachError for a tower whose attention knows one number of tokens only."""
        super().__init__(place, tower, call)
        for module in tower.stack.modules():
            fixed = [name for name in _TABLES if isinstance(getattr(module, name, None), Tensor | nn.Module)]
            if fixed:
                raise AttachError(
                    f"Soft prompts cannot act in {type(tower.stack).__name__}: {type(module).__name__} has "
                    f"{fixed[0]} for the patches of one grid, and a prompt's token is no patch."
                )
        self._is_even = True
        self._names = {type(layer): argument_names(layer) for layer in tower.layers}

    def install(self) -> None:
        super().install()
        if self.tower.embed is not None:
            self.handles.append(self.tower.embed.register_forward_hook(self._put_behind))
        else:
            first = self.tower.layers[0]
            self.handles.append(first.register_forward_pre_hook(self._put_before, with_kwargs=True))
        for layer in self.tower.layers:
            self.handles.append(layer.register_forward_pre_hook(self._lengthen, with_kwargs=True))

    def enter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        self._weave = None
        return args, kwargs

    def weave_mask(self, state: PromptState, mask: Tensor) -> Tensor:
        return Weave.of(state, mask.shape[1], None, fills_left=self.fills_left).mask(mask)

    def mask_for_readers(self, state: PromptState, mask: Tensor, length: int) -> Tensor:
        # Models of sound count the states themselves, prompts included, and mark the first ones of a row.
        return self.weave_mask(state, mask[:, : length - state.columns.shape[1]])

    def _put_behind(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        return output if self.plan is None else replace_first(output, self._put)

    def _put_before(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.plan is None:
            return None
        return replace_first_input(args, kwargs, self._put(first_input(args, kwargs)))

    def _put(self, h: Tensor) -> Tensor:
        if h.dim() != 3:
            raise CompositionError(
                f"{type(self.tower.stack).__name__} keeps its states as {list(h.shape)}, not [rows, tokens, "
                "width]; soft prompts cannot stand among them."
            )
        state = self.prompts(h, self.info().mask)
        self._weave = Weave.of(state, h.shape[1], None, fills_left=self.fills_left)
        self._is_even = state.is_even
        return self._weave.woven(state.values.to(h.dtype), h)

    def _lengthen(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Mask and rotary positions of a layer, made ready before the prompts were put in."""
        weave, names = self._weave, self._names[type(module)]
        if weave is None:
            return None
        given = dict(zip(names, args, strict=False)) | kwargs
        mask = self._longer_mask(module, weave, given.get("attention_mask"), first_input(args, kwargs))
        changed: dict[str, Any] = {} if mask is None else {"attention_mask": mask}
        rotary = given.get("position_embeddings")
        if (
            isinstance(rotary, tuple)
            and rotary[0].shape[-2:-1] == weave.back.shape[1:]
            and rotary[0].dim() == 3
        ):
            # Cosine and sine of no rotation.
            changed["position_embeddings"] = weave.filled(1, rotary[0]), weave.filled(0, rotary[1])
        if not changed:
            return None
        kept = tuple(changed.pop(name, value) for name, value in zip(names, args, strict=False))
        return kept, kwargs | changed

    def _longer_mask(self, module: nn.Module, weave: Weave, mask: Tensor | None, h: Tensor) -> Tensor | None:
        if mask is not None:
            return _longer(weave, mask)
        if self._is_even:
            return None
        if "attention_mask" not in self._names[type(module)]:
            raise CompositionError(
                f"{type(module).__name__} takes no mask, so prompts of different lengths cannot stand in one "
                "batch here; give them the same prompt_length."
            )
        return _fresh_mask(weave, h, is_flat=_takes_flat_masks(self.tower.stack))


def _takes_flat_masks(stack: nn.Module) -> bool:
    """True if the layers take a mask [B, T] of ones and zeros, else one that is added to the scores."""
    config = getattr(stack, "config", None)
    is_flash = "flash" in str(getattr(config, "_attn_implementation", ""))
    return is_flash or getattr(config, "model_type", None) in _FLAT_MASKS


def _fresh_mask(weave: Weave, h: Tensor, *, is_flat: bool) -> Tensor:
    """The mask that hides where rows are filled up, [B, T] or [B, 1, 1, T]."""
    real = weave.mask(torch.ones_like(weave.back))
    if is_flat:
        return real
    zeros = torch.zeros(real.shape, dtype=h.dtype, device=h.device)
    return zeros.masked_fill(real == 0, torch.finfo(h.dtype).min)[:, None, None]


def _longer(weave: Weave, mask: Tensor) -> Tensor:
    """A mask [B, S] or [B, heads, S, S] (bool, or added to the scores) over T tokens."""
    if mask.shape[-1] == weave.length:
        return mask
    if mask.dim() == 2:
        return weave.mask(mask)
    hidden = False if mask.dtype is torch.bool else torch.finfo(mask.dtype).min
    # As keys prompts are seen; as queries they see what the first token sees.
    keys = mask.permute(0, 3, 1, 2)
    seen = weave.is_real[..., None, None].expand(-1, -1, *keys.shape[2:])
    visible = torch.full_like(seen, 1, dtype=mask.dtype) if mask.dtype is torch.bool else 0
    prompts = torch.where(seen, visible, hidden).to(mask.dtype)
    wide = weave.woven(prompts, keys).permute(0, 3, 2, 1)
    if wide.shape[1] == 1:
        return wide.permute(0, 2, 1, 3)
    return weave.woven(wide[:, :1].expand(-1, prompts.shape[1], -1, -1), wide).permute(0, 2, 1, 3)
