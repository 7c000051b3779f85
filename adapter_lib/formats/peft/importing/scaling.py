"""(IA)³ and the norms."""

import torch
from torch import Tensor

from adapter_lib.formats.peft.checkpoint import Checkpoint, Tensors
from adapter_lib.formats.peft.members import Member, nothing
from adapter_lib.formats.peft.modules import Modules, check_shape, rows
from adapter_lib.inject import Atlas, Key, Spot
from adapter_lib.points import maps
from adapter_lib.spec.configs import IA3Config, NormTuningConfig
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.roles import MIDDLE_ROLE


def ia3(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """Factors of outputs [out, 1], and of inputs [1, in]: those of `ffn.down` or of an attention's `o`."""
    factors: dict[Key, Tensor] = {}
    for path in checkpoint.paths("ia3_l"):
        target, factor = modules.target(path), checkpoint.matrix(path, "ia3_l")
        width_in, width_out = maps.widths(target.module)
        # A factor of a map with one input or one output can be either; PEFT's list tells.
        is_input = factor.shape[0] == 1 and (width_out > 1 or _is_feed_forward(checkpoint, path))
        check_shape(path, "ia3_l", factor, (1, width_in) if is_input else (width_out, 1))
        for spot in target.spots:
            at = _input_place(spot, modules.atlas) if is_input else spot.key
            share = factor.flatten() if is_input else rows(spot, factor.flatten())
            factors[at] = factors[at] * share if at in factors else share
    if not factors:
        return []
    factors = _spared(factors, modules)
    middle = {key for key in factors if key[1] == MIDDLE_ROLE}
    words, left = modules.role_words(set(factors) - middle)
    if left:
        named = ", ".join(sorted(modules.atlas.spot(key).place.key for key in left))
        raise LoadError(f"(IA)³ has no targets here that mean just {named}.")
    config = IA3Config(
        targets=(*words, *(("ffn",) if middle else ())), leave_out=modules.layers_without(factors)
    )
    missing = {spot.key: spot for spot in modules.atlas.find(config) if spot.key not in factors}
    factors |= {key: torch.ones(spot.place.width_out) for key, spot in missing.items()}
    return [Member(config, {k: {"factor": f} for k, f in factors.items()}, filled=frozenset(missing))]


def _spared(factors: dict[Key, Tensor], modules: Modules) -> dict[Key, Tensor]:
    """The factors without those of fused maps' places that are all 1 while others there are not."""
    spots = {key: modules.atlas.spot(key) for key in factors}
    moved = {key for key, factor in factors.items() if bool((factor != 1).any())}
    busy = {spots[key].module for key in moved}
    kept = {
        key: factor
        for key, factor in factors.items()
        if key in moved or spots[key].columns is None or spots[key].module not in busy
    }
    _, left = modules.role_words({key for key in kept if key[1] != MIDDLE_ROLE})
    return factors if left else kept


def _is_feed_forward(checkpoint: Checkpoint, path: str) -> bool:
    return any(f".{path}".endswith(f".{end}") for end in checkpoint.settings.words("feedforward_modules"))


def _input_place(spot: Spot, atlas: Atlas) -> Key:
    """Where a factor of a map's input stands here.

    Values are averaged channel by channel, so a factor of an attention's result is one of its values; where
    several heads share a value that is not so.
    """
    layer, role = spot.key
    part, _, letter = role.rpartition(".")
    if role == "ffn.down":
        return layer, MIDDLE_ROLE
    values = atlas.spots.get((layer, f"{part}.v")) if letter == "o" else None
    if values is None or values.place.width_out != spot.place.width_in:
        raise LoadError(f"(IA)³ has no factors for the input of {spot.place.key} here.")
    return values.key


def norms(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """PEFT stores the norms themselves, ours what is added; norms before the layers have no place."""
    known = {s.module: s for s in modules.atlas.spots.values() if s.place.kind == "norm"}
    tensors: dict[Key, Tensors] = {}
    for path in checkpoint.paths("ln_tuning_layers"):
        module = modules.find(path)
        if module is None:
            raise LoadError(f"The model has no module {path!r}, which the file retrains.")
        own = dict(module.named_parameters(recurse=False))
        given = {name: checkpoint.take(path, f"ln_tuning_layers.{name}") for name in own}
        for name, new in given.items():
            check_shape(path, f"ln_tuning_layers.{name}", new, tuple(own[name].shape))
        if module in known:
            changes = {name: new.to(own[name]) - own[name].detach() for name, new in given.items()}
            tensors[known[module].key] = changes
        else:
            checkpoint.own |= {f"{path}.{name}": new for name, new in given.items()}
    if not tensors:
        return []
    config = NormTuningConfig(leave_out=modules.layers_without(tensors))
    missing = [spot for spot in modules.atlas.find(config) if spot.key not in tensors]
    tensors |= nothing(config, missing)
    return [Member(config, tensors, filled=frozenset(spot.key for spot in missing))]
