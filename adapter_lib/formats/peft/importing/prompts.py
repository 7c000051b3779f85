"""Prefixes and prompts, all of which PEFT stores under one key, encoders already run."""

from adapter_lib.formats.peft.checkpoint import Checkpoint, Tensors
from adapter_lib.formats.peft.classifiers import check_pooling
from adapter_lib.formats.peft.members import Member
from adapter_lib.formats.peft.modules import Modules
from adapter_lib.inject import Key
from adapter_lib.spec.configs import PrefixTuningConfig, PromptTuningConfig
from adapter_lib.spec.errors import LoadError

KEY = "prompt_embeddings"
_STACKS = "num_transformer_submodules"


def prompt(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """Prompt tuning, and p-tuning, whose encoder the file does not hold.

    PEFT stores a prompt for each stack of an encoder-decoder, and uses the first.
    """
    length, stored = checkpoint.settings.whole("num_virtual_tokens", 0), checkpoint.take_whole(KEY)
    stacks = max(checkpoint.settings.whole("num_transformer_submodules", 1), 1)
    if length < 1 or stored.dim() != 2 or len(stored) not in (length, length * stacks):
        raise LoadError(
            f"{KEY} {list(stored.shape)} does not fit {length} virtual tokens for {stacks} stacks."
        )
    check_pooling(modules.atlas, checkpoint.settings.text("task_type"))
    config = PromptTuningConfig(prompt_length=length)
    (spot,) = modules.atlas.find(config)
    return [Member(config, {spot.key: {"prompt": stored[:length]}})]


def prefix(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """[n, layers · 2 · width] becomes keys and values per layer; positions count them, as in PEFT.

    An encoder-decoder's decoder alone has prefixes in PEFT, at the pieces that `first_pieces` names.
    """
    settings = checkpoint.settings
    length, stored = settings.whole("num_virtual_tokens", 0), checkpoint.take_whole(KEY)
    if length < 1 or stored.dim() != 2 or len(stored) != length:
        raise LoadError(f"{KEY} {list(stored.shape)} does not fit {length} virtual tokens.")
    config = PrefixTuningConfig(
        flat=True, prefix_length=length, encoder_prefix=False, cross_prefix=False, shift_positions=True
    )
    spots = [spot for spot in modules.atlas.find(config) if spot.place.kind == "attention"]
    count, width = 2 * len(spots), spots[0].place.width_out
    if stored.shape[1] != count * width:
        raise LoadError(f"{KEY} {list(stored.shape)} does not fit {len(spots)} attentions of {width} keys.")
    pieces = stored.view(length, count, width).unbind(1)
    tensors: dict[Key, Tensors] = {}
    starts = first_pieces(len(spots), is_pair=settings.whole(_STACKS, 1) == 2)
    for spot, first in zip(spots, starts, strict=True):
        tensors[spot.key] = {"key": pieces[first], "value": pieces[first + 1]}
    return [Member(config, tensors)]


def first_pieces(attentions: int, *, is_pair: bool) -> list[int]:
    """The number of the piece that holds each attention's keys; its values are the next one.

    In an encoder-decoder PEFT looks for four pieces per layer (twice two, of self- and cross-attention) in a
    list where the same ones stand twice, and drops the latter two.
    """
    step = 4 if is_pair else 2
    return [number * step % (2 * attentions) for number in range(attentions)]
