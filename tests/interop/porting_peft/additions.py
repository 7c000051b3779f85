"""What stands beside an adapter: biases, and the embeddings of some tokens."""

import torch
from torch import Tensor, nn

from adapter_lib.inject import Atlas
from adapter_lib.inject.atlas import Key, Spot
from adapter_lib.points import maps
from adapter_lib.spec.configs import BitFitConfig, TrainableTokensConfig
from adapter_lib.spec.roles import LEAF_ROLES
from tests.interop.porting_peft.checkpoint import Checkpoint, NotPortableError
from tests.interop.porting_peft.ported import Member
from tests.interop.porting_peft.target_modules import Target, layers_without, role_words, rows

_TOKENS = "trainable_tokens_delta"


def biases(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """`bias="all"` or `"lora_only"`: the base's biases, retrained; those without a place stay in `own`."""
    found: dict[Key, Tensor] = {}
    if checkpoint.config.get("bias", "none") == "none":
        return []
    for name in [name for name in checkpoint.own if name.endswith(".bias")]:
        module = atlas.model.get_submodule(name.removesuffix(".bias"))
        spots = [s for s in atlas.spots.values() if s.module is module and _has_bias_role(s)]
        old = maps.plain_bias(module)
        if spots and old is not None:
            change = checkpoint.own.pop(name) - old.detach()
            found |= {spot.key: rows(spot, change) for spot in spots}
    return _bias_config(found, atlas, add_missing=False) if found else []


def biases_of_b(
    checkpoint: Checkpoint, targets: list[Target], scales: dict[str, float], atlas: Atlas
) -> list[Member]:
    """`lora_bias`: B has a bias, which s multiplies as it does B A x."""
    taken = {found.path: checkpoint.take_if(found.path, "lora_B.bias") for found in targets}
    own = {path: scales[path] * bias for path, bias in taken.items() if bias is not None}
    found = {s.key: rows(s, own[t.path]) for t in targets if t.path in own for s in t.spots}
    return _bias_config(found, atlas, add_missing=True) if found else []


def _bias_config(found: dict[Key, Tensor], atlas: Atlas, *, add_missing: bool) -> list[Member]:
    norms = {key for key in found if atlas.spot(key).place.kind == "norm"}
    words, left = role_words(set(found) - norms, atlas)
    if left:
        raise NotPortableError(f"No biases of ours mean just {sorted(left)}.")
    config = BitFitConfig(
        biases=(*words, *(("norm",) if norms else ())),
        add_missing=add_missing,
        leave_out=layers_without(found, atlas),
    )
    missing = {s.key: torch.zeros(s.place.width_out) for s in atlas.find(config) if s.key not in found}
    tensors = {key: {"bias": bias} for key, bias in (found | missing).items()}
    return [Member(config, tensors, filled=frozenset(missing))]


def _has_bias_role(spot: Spot) -> bool:
    return spot.place.role in LEAF_ROLES or spot.place.kind == "norm"


def tokens(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """The peer stores the rows as they became, in the order that they were named; ours what is added.

    A head that is tied to the embedding changes with it in the peer, and keeps the base's numbers here.
    """
    tensors: dict[Key, dict[str, Tensor]] = {}
    indices: list[int] = []
    for path in checkpoint.paths(_TOKENS, "token_adapter"):
        module = atlas.model.get_submodule(path)
        (name,) = [name for name in checkpoint.adapted[path] if name.endswith(_TOKENS)]
        found, old = checkpoint.take(path, name), maps.plain_weight(module).detach()
        spot = next((s for s in atlas.spots.values() if _is_embedding(s) and s.module is module), None)
        if spot is None and not _is_tied(module, atlas):
            raise NotPortableError(f"{path} is no embedding of tokens that has a place here.")
        if spot is not None:
            given = _indices(checkpoint, path)
            order = sorted(range(len(given)), key=lambda number: given[number])
            indices = [given[number] for number in order]
            tensors[spot.key] = {"delta": found[order] - old[indices]}
    config = TrainableTokensConfig(token_indices=tuple(indices))
    missing = [spot for spot in atlas.find(config) if spot.key not in tensors]
    tensors |= {s.key: {"delta": torch.zeros(len(indices), s.place.width_out)} for s in missing}
    return [Member(config, tensors, filled=frozenset(spot.key for spot in missing))]


def _is_embedding(spot: Spot) -> bool:
    return spot.place.kind == "embedding"


def _is_tied(module: nn.Module, atlas: Atlas) -> bool:
    weights = [maps.plain_weight(s.module) for s in atlas.spots.values() if _is_embedding(s)]
    return any(maps.plain_weight(module) is weight for weight in weights)


def _indices(checkpoint: Checkpoint, path: str) -> list[int]:
    """The tokens of one embedding, from either of the two configs that can name them."""
    named = checkpoint.config.get("trainable_token_indices")
    if isinstance(named, dict):
        return next(list(found) for end, found in named.items() if f".{path}".endswith(f".{end}"))
    found: list[int] = named or checkpoint.config["token_indices"]
    return found
