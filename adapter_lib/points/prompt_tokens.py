"""Soft prompts in towers that read token ids."""

from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Call, PromptState
from adapter_lib.points.prompt import PromptPoint, PromptTower
from adapter_lib.points.stacks import argument_names
from adapter_lib.points.weaving import Weave
from adapter_lib.spec.composition import Block
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import CompositionError

# Arguments of which a prompt's tokens have zeros.
_TYPES = ("token_type_ids", "mm_token_type_ids", "global_attention_mask")
# Arguments whose second dimension is not the tower's tokens.
_OTHERS = ("encoder_hidden_states", "encoder_attention_mask", "past_key_values", "cross_attn_head_mask")
_HANDLED = ("input_ids", "inputs_embeds", "attention_mask", "position_ids", *_TYPES)
# Models in which padding changes what is no padding.
_SEES_PADDING = ("nystromformer",)
# Models that count the ones of the mask.
_COUNTS_BY_MASK = ("opt",)
_SPECIAL = ("pad", "bos", "eos", "sep", "cls", "mask", "decoder_start")


class TokenPromptPoint(PromptPoint):
    """Lengthens the ids with placeholders, and puts the prompts where their embeddings come out.

    So the model itself still sees ids, counts positions from them, scales, adds types and norms as ever. The
    first call of a cache gets the prompts; later ones know how much longer mask and positions are.
    """

    def __init__(self, place: Place, tower: PromptTower, call: Call) -> None:
        super().__init__(place, tower, call)
        self._names = argument_names(tower.stack)
        self._placeholder, self._pad = _stand_ins(tower)
        self._prompts: Tensor | None = None
        self._embedding: Any = None

    @property
    def fills_left(self) -> bool:
        # At the left a cache goes on where it ends, and the last token stays the last; at the right nothing
        # that cannot be told the positions is shifted.
        return self.tower.is_decoder or "position_ids" in self._names

    def install(self) -> None:
        super().install()
        self._embedding = self._tokens().register_forward_hook(self._substitute)
        self.handles.append(self._embedding)

    def compiled(self, block: Block | None) -> Any:
        # Adapters of the token embedding, even later ones, must not change the prompts.
        if self._embedding is not None:
            hooks: Any = self._tokens()._forward_hooks
            hooks.move_to_end(self._embedding.id)
        return super().compiled(block)

    def enter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        self._weave = self._prompts = None
        given = dict(zip(self._names, args, strict=False)) | kwargs
        embeds, ids = given.get("inputs_embeds"), given.get("input_ids")
        source = ids if embeds is None else embeds
        if self.plan is None or source is None:
            return args, kwargs
        mask = _checked_mask(given.get("attention_mask"))
        cache = given.get("past_key_values")
        past = 0 if cache is None else int(cache.get_seq_length())
        if past:
            self._go_on(given, source, mask, past)
        else:
            self._begin(given, source, mask)
        return (), given

    def leave(self, output: Any) -> Any:
        if self._prompts is not None:
            self._weave = self._prompts = None
            raise CompositionError(
                f"{type(self.tower.stack).__name__} did not embed its tokens where its table says; soft "
                "prompts cannot act here."
            )
        return super().leave(output)

    def _begin(self, given: dict[str, Any], source: Tensor, mask: Tensor | None) -> None:
        """The call that puts the prompts in."""
        state, length = self.prompts(source, mask), source.shape[1]
        self._check_even(state)
        weave = Weave.of(state, length, mask, fills_left=self.fills_left)
        self._weave = weave
        if source.is_floating_point():
            given["inputs_embeds"] = weave.woven(state.values.to(source.dtype), source)
        else:
            stand_ins = torch.where(weave.is_real, self._placeholder, self._pad).to(source.dtype)
            given["input_ids"], self._prompts = weave.woven(stand_ins, source), state.values
        if mask is not None or not state.is_even:
            given["attention_mask"] = weave.mask(_ones(source, length) if mask is None else mask)
        self._lengthen_others(given, weave, source)
        positions = given.get("position_ids")
        if positions is not None:
            given["position_ids"] = _each(positions, weave.positions)
        elif self._must_count(state):
            given["position_ids"] = weave.counted()

    def _check_even(self, state: PromptState) -> None:
        model_type = getattr(getattr(self.tower.stack, "config", None), "model_type", None)
        if not state.is_even and model_type in _SEES_PADDING:
            raise CompositionError(
                f"{type(self.tower.stack).__name__} averages over padding, so prompts of different lengths "
                "cannot stand in one batch here; give them the same prompt_length."
            )

    def _go_on(self, given: dict[str, Any], source: Tensor, mask: Tensor | None, past: int) -> None:
        """A call whose cache has the prompts already."""
        state, length = self.sketch(source), source.shape[1]
        columns = state.columns.shape[1]
        known = past - columns + length if mask is None else mask.shape[1]
        if known != past - columns + length:
            raise CompositionError(
                f"The cache holds {past} tokens, and with {columns} of soft prompts the mask of {known} does "
                "not fit it: it was filled while other adapters acted. Start again without it."
            )
        if mask is not None or not state.is_even:
            given["attention_mask"] = self.weave_mask(state, _ones(source, known) if mask is None else mask)
        positions = given.get("position_ids")
        if positions is not None:
            given["position_ids"] = positions + (state.columns > 0).sum(1, keepdim=True)
        elif self._must_count(state):
            weave = Weave.of(state, known, mask, fills_left=self.fills_left)
            given["position_ids"] = weave.counted()[:, -length:]

    def _must_count(self, state: PromptState) -> bool:
        """True if the model would count columns with nothing in them."""
        if state.is_even or not self.fills_left or _counts_tokens_only(self.tower.stack):
            return False
        if "position_ids" in self._names:
            return True
        if hasattr(self.tower.stack, "embed_positions"):
            raise CompositionError(
                f"{type(self.tower.stack).__name__} takes no position_ids, so prompts of different lengths "
                "cannot stand in one batch here; give them the same prompt_length."
            )
        return False

    def _lengthen_others(self, given: dict[str, Any], weave: Weave, source: Tensor) -> None:
        for name, value in list(given.items()):
            by_token = isinstance(value, Tensor) and value.shape[:2] == source.shape[:2]
            if name in _TYPES and by_token:
                given[name] = weave.filled(0, value)
            elif by_token and name not in (*_HANDLED, *_OTHERS):
                raise CompositionError(
                    f"{type(self.tower.stack).__name__} was given {name} for every token, and a soft prompt "
                    "has none."
                )

    def _substitute(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        if self._prompts is None or self._weave is None:
            return output
        prompts, self._prompts = self._prompts, None
        return self._weave.replaced(output, prompts.to(output.dtype))


def _stand_ins(tower: PromptTower) -> tuple[int, int]:
    """(the id that stands for a prompt's token, the id for nothing); neither means something to the model."""
    config, padding = getattr(tower.stack, "config", None), getattr(tower.tokens, "padding_idx", None)
    special = {getattr(config, f"{name}_token_id", None) for name in _SPECIAL} | {padding}
    flat = {i for found in special for i in (found if isinstance(found, list | tuple) else (found,))}
    placeholder = next(i for i in range(len(flat) + 1) if i not in flat)
    pad = getattr(config, "pad_token_id", None)
    pad = padding if pad is None else pad
    return placeholder, placeholder if pad is None else int(pad)


def _counts_tokens_only(stack: nn.Module) -> bool:
    """True if the tower counts positions from ids or from the mask, where nothing is not counted."""
    if getattr(getattr(stack, "config", None), "model_type", None) in _COUNTS_BY_MASK:
        return True
    return any(hasattr(child, "create_position_ids_from_inputs_embeds") for child in stack.children())


def _checked_mask(mask: Any) -> Tensor | None:
    if mask is None or (isinstance(mask, Tensor) and mask.dim() == 2):
        return mask
    raise CompositionError(
        "Soft prompts lengthen the attention mask, and must be given it as a tensor [batch, tokens]; a "
        "static cache and masks made ready by hand do not go with them."
    )


def _ones(source: Tensor, length: int) -> Tensor:
    return torch.ones(source.shape[0], length, dtype=torch.long, device=source.device)


def _each(positions: Tensor, change: Any) -> Tensor:
    """Position ids [B, S], or several kinds of them [k, B, S], changed."""
    if positions.dim() < 3:
        found: Tensor = change(positions)
        return found
    return torch.stack([change(kind) for kind in positions])
