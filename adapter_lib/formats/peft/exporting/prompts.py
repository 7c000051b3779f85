"""Prefixes and prompts, as what their encoders make of them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from adapter_lib.engine import Call, Part, Shared
from adapter_lib.formats.peft.checkpoint import Tensors
from adapter_lib.formats.peft.classifiers import check_pooling
from adapter_lib.formats.peft.exporting.draft import Draft
from adapter_lib.formats.peft.exporting.held import Held
from adapter_lib.formats.peft.importing.prompts import KEY, first_pieces
from adapter_lib.formats.peft.tasks import stacks_of, task_of
from adapter_lib.inject import Spot
from adapter_lib.methods import method_of
from adapter_lib.methods.prefix_tuning import PrefixTuning
from adapter_lib.methods.prompt_tuning import SoftPrompt
from adapter_lib.points import Point
from adapter_lib.spec.configs import Place, PrefixTuningConfig, PTuningConfig, SoftPromptConfig
from adapter_lib.spec.errors import LoadError


def prompt(members: Sequence[Held], draft: Draft) -> None:
    """A prompt of the first tower; of p-tuning what its encoder made, as PEFT's own files hold no encoder."""
    held = _only(members)
    config = held.config
    if not isinstance(config, SoftPromptConfig):
        raise TypeError(f"{config.name()} is no soft prompt.")
    if config.combine != "prefix" or config.all_towers:
        raise LoadError(
            "PEFT's prompts stand in front of the first tower's tokens: combine='prefix', all_towers=false."
        )
    check_pooling(draft.atlas, task_of(draft.atlas.model))
    (spot,) = held.spots
    made = _rebuilt(held, spot)
    if not isinstance(made, SoftPrompt):
        raise TypeError(f"{config.name()} makes no prompt.")
    stacks = stacks_of(draft.atlas.model)
    with torch.no_grad():
        draft.tensors[KEY] = made.made().repeat(stacks, 1)
    draft.settings |= {"num_virtual_tokens": config.prompt_length, "num_transformer_submodules": stacks}
    if isinstance(config, PTuningConfig):
        draft.notes.append("PEFT's files of p-tuning hold no encoder: it was written as the prompt it makes.")


def prefix(members: Sequence[Held], draft: Draft) -> None:
    """Keys and values [n, attentions · 2 · width], which PEFT counts as tokens.

    Raises LoadError for prefixes that do not count, or that are not in just the decoder's self-attentions.
    """
    held = _only(members)
    config = held.config
    if not isinstance(config, PrefixTuningConfig):
        raise TypeError(f"{config.name()} is no prefix.")
    if not config.shift_positions:
        raise LoadError(
            "PEFT counts a prefix as tokens that stand before the text, and this one has no positions: "
            "train it with shift_positions=true."
        )
    spots = [spot for spot in held.spots if spot.place.kind == "attention"]
    _check_places(spots, draft)
    stacks = stacks_of(draft.atlas.model)
    pieces: list[Tensor | None] = [None] * (2 * len(spots))
    for spot, first in zip(spots, first_pieces(len(spots), is_pair=stacks == 2), strict=True):
        for at, tensor in zip((first, first + 1), _keys_and_values(held, spot), strict=True):
            known = pieces[at]
            if known is not None and not torch.equal(known, tensor):
                raise LoadError(
                    "PEFT gives some layers of an encoder-decoder one prefix, and here they differ."
                )
            pieces[at] = tensor
    filled = [tensor for tensor in pieces if tensor is not None]
    whole = [torch.zeros_like(filled[0]) if tensor is None else tensor for tensor in pieces]
    draft.tensors[KEY] = torch.cat(whole, dim=1)
    draft.settings |= {
        "num_virtual_tokens": config.prefix_length,
        "num_transformer_submodules": stacks,
        "prefix_projection": False,
    }


def _only(members: Sequence[Held]) -> Held:
    if len(members) > 1:
        raise LoadError("PEFT has one prefix or prompt in an adapter.")
    return members[0]


def _check_places(spots: Sequence[Spot], draft: Draft) -> None:
    """The self-attentions of the one tower that has prefixes in PEFT: the decoder, or the only one."""
    own = [spot for spot in draft.atlas.spots.values() if spot.place.role == "attn"]
    towers = list(dict.fromkeys(spot.place.tower for spot in own))
    wanted = {spot.key for spot in own if spot.place.tower == towers[-1]}
    if {spot.key for spot in spots} != wanted:
        raise LoadError(
            "PEFT puts prefixes into every self-attention of the decoder and nowhere else: "
            "encoder_prefix=false, cross_prefix=false and an empty leave_out would fit."
        )


def _keys_and_values(held: Held, spot: Spot) -> tuple[Tensor, Tensor]:
    made = _rebuilt(held, spot)
    if not isinstance(made, PrefixTuning):
        raise TypeError(f"{held.config.name()} makes no prefix.")
    with torch.no_grad():
        keys, values = made.prefix()
    return keys.clone(), values.clone()


def _rebuilt(held: Held, spot: Spot) -> Part:
    """The method's own part with an adapter's tensors, apart from any model."""
    method, config, tensors = method_of(held.config), held.config, held.tensors[spot.key]
    like = next(iter((*tensors.values(), *held.shared.values())))
    shared: Shared | None = None
    if held.shared and method.shared is not None:
        shapes = {name: tuple(tensor.shape) for name, tensor in held.shared.items()}
        shared = method.shared(config, shapes, like)
        _fill(shared, held.shared)
    part = method.part(config, spot.place, _Alone(spot.place, like), shared)
    _fill(part, tensors)
    return part.eval()


def _fill(module: torch.nn.Module, tensors: Tensors) -> None:
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(tensors[name])


class _Alone(Point):
    """Lends a part the device and type of a tensor; nothing is hooked."""

    def __init__(self, place: Place, like: Tensor) -> None:
        super().__init__(place, Call())
        self._like = like

    def like(self) -> Tensor:
        """The tensor."""
        return self._like
