"""Prefixes and prompts, all of which the peer stores under one key, encoders already run."""

from torch import Tensor

from adapter_lib.inject import Atlas
from adapter_lib.inject.atlas import Key
from adapter_lib.spec.configs import PrefixTuningConfig, PromptTuningConfig
from tests.interop.porting_peft.checkpoint import Checkpoint, NotPortableError
from tests.interop.porting_peft.ported import Member

_KEY = "prompt_embeddings"


def prompt(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """Prompt tuning, and p-tuning, whose encoder the file does not hold.

    The peer stores a prompt for each stack of an encoder-decoder, and uses the first.
    """
    length = checkpoint.config["num_virtual_tokens"]
    stored = checkpoint.whole.pop(_KEY)
    config = PromptTuningConfig(prompt_length=length)
    (spot,) = atlas.find(config)
    return [Member(config, {spot.key: {"prompt": stored[:length]}})]


def prefix(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """[n, layers · 2 · width] becomes keys and values per layer.

    An encoder-decoder's decoder alone has prefixes in the peer. It looks for four of them per layer (twice
    two, of self- and cross-attention) in a list where the same ones stand twice, and drops the latter two.
    """
    stored, length = checkpoint.whole.pop(_KEY), checkpoint.config["num_virtual_tokens"]
    config = PrefixTuningConfig(flat=True, prefix_length=length, encoder_prefix=False, cross_prefix=False)
    spots = atlas.find(config)
    count, step = 2 * len(spots), 2 * checkpoint.config["num_transformer_submodules"]
    if stored.shape != (length, count * spots[0].place.width_out):
        raise NotPortableError(f"{_KEY} {list(stored.shape)} does not fit {len(spots)} attentions.")
    pieces = stored.view(length, count, -1).unbind(1)
    tensors: dict[Key, dict[str, Tensor]] = {}
    for number, spot in enumerate(spots):
        first = number * step % count
        tensors[spot.key] = {"key": pieces[first], "value": pieces[first + 1]}
    return [Member(config, tensors)]
