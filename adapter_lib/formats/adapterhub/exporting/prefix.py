"""Prefix and prompt tuning."""

import torch

from adapter_lib.formats.adapterhub.document import PREFIX, PROMPT
from adapter_lib.formats.adapterhub.exporting.held import Draft, Held, Tensors, gates
from adapter_lib.formats.adapterhub.importing.prefix import SHARED_NAMES, groups_of
from adapter_lib.formats.adapterhub.importing.prompt import COMBINE
from adapter_lib.spec.configs import Place, PrefixTuningConfig, PromptTuningConfig
from adapter_lib.spec.errors import LoadError


def prefix(held: Held) -> Draft:
    """Prefix tuning: one pool per group of attentions. Raises LoadError for positions that differ there."""
    config = held.config
    if not isinstance(config, PrefixTuningConfig):
        raise TypeError(f"{config.name()} is no prefix tuning.")
    _check_positions(config, held)
    tensors: Tensors = {}
    shared = held.shared()
    for group, places in groups_of(held.places).items():
        pool = held.backbone.pool(places[0], held.name)
        for ours, theirs in () if config.flat else SHARED_NAMES.items():
            tensors[f"{pool}.{theirs}"] = shared[f"{group}.{ours}"]
        tensors |= _pooled(held, config, places, pool)
    for place in held.places:
        stem = f"{held.backbone.path(place)}.prefix_tuning.prefix_gates.{held.name}."
        found = gates(held.at(place), "")
        tensors |= {f"{stem}{key.removeprefix('gate.')}": value for key, value in found.items()}
    own = config.values()
    values = {field: own.get(field, default) for field, default in PREFIX.items()}
    return Draft(values | {"architecture": "prefix_tuning"}, tensors)


def _pooled(held: Held, config: PrefixTuningConfig, places: list[Place], pool: str) -> Tensors:
    """Keys and values of all layers of a group in one tensor, in turn."""
    own = [held.at(place) for place in places]
    if config.flat:
        pairs = [each[name] for each in own for name in ("key", "value")]
        return {f"{pool}.control_trans": torch.stack(pairs, dim=1).flatten()}
    kinds = ("weight", "bias")
    return {
        f"{pool}.control_trans.2.{kind}": torch.cat([each[f"up.{kind}"] for each in own]) for kind in kinds
    }


def _check_positions(config: PrefixTuningConfig, held: Held) -> None:
    if config.shift_positions:
        raise LoadError("AdapterHub's prefixes have no positions: shift_positions has no counterpart there.")
    if not held.backbone.names.moves_keys:
        return
    if not config.moves_keys:
        raise LoadError(
            "In AdapterHub's library a prefix moves this model's keys, as distances are counted there. Only "
            "prefix_tuning with moves_keys=true is the same."
        )
    if config.leave_out:
        raise LoadError(
            "AdapterHub's library counts distances once for all layers of this model; leave none out."
        )


def prompt(held: Held) -> Draft:
    """Prompt tuning. Raises LoadError where AdapterHub's library has the prompt in another place, or none."""
    config = held.config
    if not isinstance(config, PromptTuningConfig):
        raise TypeError(f"{config.name()} is no prompt tuning.")
    if not held.backbone.names.prompt_agrees:
        raise LoadError(
            "AdapterHub's library has a prompt behind this model's position embeddings and their norm, if at "
            "all; ours is among the tokens' embeddings."
        )
    words = {ours: theirs for theirs, ours in COMBINE.items()}
    if config.combine not in words:
        raise LoadError(f"combine={config.combine!r} has no counterpart in AdapterHub's library.")
    (place,) = held.places
    stem = held.backbone.below_root(f"prompt_tuning.prompt_tunings.{held.name}")
    values = {**PROMPT, "prompt_length": config.prompt_length, "combine": words[config.combine]}
    return Draft(
        values | {"architecture": "prompt_tuning"},
        {f"{stem}.prompt_embedding.weight": held.at(place)["prompt"]},
    )
