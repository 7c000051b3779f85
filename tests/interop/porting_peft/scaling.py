"""(IA)³ and the norms."""

from collections.abc import Iterable

import torch
from torch import Tensor

from adapter_lib.inject import Atlas
from adapter_lib.inject.atlas import Key, Spot
from adapter_lib.points import maps
from adapter_lib.spec.configs import IA3Config, NormTuningConfig
from adapter_lib.spec.roles import MIDDLE_ROLE
from tests.interop.porting_peft.checkpoint import Checkpoint, NotPortableError
from tests.interop.porting_peft.ported import Member
from tests.interop.porting_peft.target_modules import layers_without, role_words, rows, target


def ia3(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """Factors of outputs [out, 1], and of inputs [1, in]: those of `ffn.down` or of an attention's `o`."""
    factors: dict[Key, Tensor] = {}
    for path in checkpoint.paths("ia3_l"):
        found, factor = target(path, atlas), checkpoint.take(path, "ia3_l")
        is_input = factor.shape[0] == 1
        for spot in found.spots:
            at = _input_place(spot, atlas) if is_input else spot.key
            share = factor.flatten() if is_input else rows(spot, factor.flatten())
            factors[at] = factors[at] * share if at in factors else share
    middle = {key for key in factors if key[1] == MIDDLE_ROLE}
    words, left = role_words(set(factors) - middle, atlas)
    if left:
        raise NotPortableError(f"No targets of ours mean just {sorted(left)}.")
    config = IA3Config(
        targets=(*words, *(("ffn",) if middle else ())), leave_out=layers_without(factors, atlas)
    )
    missing = {spot.key: spot for spot in atlas.find(config) if spot.key not in factors}
    factors |= {key: torch.ones(spot.place.width_out) for key, spot in missing.items()}
    return [Member(config, {k: {"factor": f} for k, f in factors.items()}, filled=frozenset(missing))]


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
        raise NotPortableError(f"(IA)³ has no factors for the input of {spot.place.key} here.")
    return values.key


def norms(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """The peer stores the norms themselves, ours what is added; norms before the layers have no place."""
    modules = {s.module: s for s in atlas.spots.values() if s.place.kind == "norm"}
    tensors: dict[Key, dict[str, Tensor]] = {}
    for path in checkpoint.paths("ln_tuning_layers"):
        module = atlas.model.get_submodule(path)
        names = ("weight", "bias") if maps.plain_bias(module) is not None else ("weight",)
        given = {name: checkpoint.take(path, f"ln_tuning_layers.{name}") for name in names}
        if module in modules:
            own = dict(module.named_parameters())
            tensors[modules[module].key] = {name: new - own[name].detach() for name, new in given.items()}
        else:
            checkpoint.own |= {f"{path}.{name}": new for name, new in given.items()}
    config = NormTuningConfig(leave_out=layers_without(tensors, atlas))
    missing = [spot for spot in atlas.find(config) if spot.key not in tensors]
    tensors |= {s.key: _zeros(config.shapes(s.place).items()) for s in missing}
    return [Member(config, tensors, filled=frozenset(spot.key for spot in missing))]


def _zeros(shapes: Iterable[tuple[str, tuple[int, ...]]]) -> dict[str, Tensor]:
    return {name: torch.zeros(shape) for name, shape in shapes}
