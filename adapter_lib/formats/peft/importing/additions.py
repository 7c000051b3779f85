"""What stands beside an adapter: biases, and the embeddings of some tokens."""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.formats.peft.checkpoint import Checkpoint, Tensors
from adapter_lib.formats.peft.members import Member, nothing
from adapter_lib.formats.peft.modules import Modules, Target, check_shape, rows
from adapter_lib.inject import Key, Spot
from adapter_lib.points import maps
from adapter_lib.spec.configs import BitFitConfig, TrainableTokensConfig
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.roles import LEAF_ROLES, LOGITS_ROLE, TOKENS_ROLE

_TOKENS = "trainable_tokens_delta"
_BIAS = ".bias"


def biases(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """`bias="all"` or `"lora_only"`: the base's biases, retrained; those without a place stay in `own`."""
    found: dict[Key, Tensor] = {}
    if checkpoint.settings.text("bias", "none") == "none":
        return []
    for name in [name for name in checkpoint.own if name.endswith(_BIAS)]:
        path = name.removesuffix(_BIAS)
        module = modules.find(path)
        spots = [s for s in modules.atlas.spots.values() if s.module is module and _has_bias_role(s)]
        old = None if module is None else maps.plain_bias(module)
        if spots and old is not None:
            new = check_shape(path, "bias", checkpoint.own.pop(name), tuple(old.shape))
            change = new.to(old) - old.detach()
            found |= {spot.key: rows(spot, change) for spot in spots}
    return _members(found, modules, add_missing=False)


def biases_of_b(
    checkpoint: Checkpoint,
    targets: list[Target],
    scales: dict[str, float],
    acting: Collection[Key],
    modules: Modules,
) -> list[Member]:
    """`lora_bias`: B has a bias, which s multiplies as it does B A x.

    acting: the places where the LoRA itself acts.
    """
    found: dict[Key, Tensor] = {}
    for target in targets:
        bias = checkpoint.take_if(target.path, "lora_B.bias")
        if bias is not None:
            width = maps.widths(target.module)[1]
            own = scales[target.path] * check_shape(target.path, "lora_B.bias", bias, (width,))
            shares = {spot.key: rows(spot, own) for spot in target.spots}
            found |= {key: share for key, share in shares.items() if key in acting or bool(share.any())}
    return _members(found, modules, add_missing=True)


def _members(found: dict[Key, Tensor], modules: Modules, *, add_missing: bool) -> list[Member]:
    if not found:
        return []
    atlas = modules.atlas
    norms = {key for key in found if atlas.spot(key).place.kind == "norm"}
    words, left = modules.role_words(set(found) - norms)
    if left:
        named = ", ".join(sorted(atlas.spot(key).place.key for key in left))
        raise LoadError(f"No choice of biases here means just those of {named}, which the file retrains.")
    config = BitFitConfig(
        biases=(*words, *(("norm",) if norms else ())),
        add_missing=add_missing,
        leave_out=modules.layers_without(found),
    )
    missing = {s.key: torch.zeros(s.place.width_out) for s in atlas.find(config) if s.key not in found}
    tensors = {key: {"bias": bias} for key, bias in (found | missing).items()}
    return [Member(config, tensors, filled=frozenset(missing))]


def _has_bias_role(spot: Spot) -> bool:
    return spot.place.role in LEAF_ROLES or spot.place.kind == "norm"


def tokens(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """PEFT stores the rows as they became, in the order that they were named; ours what is added.

    A head that is tied to the model's input embedding changes with it.
    Raises LoadError for a module that is no embedding of tokens.
    """
    atlas, tensors, indices = modules.atlas, dict[Key, Tensors](), list[int]()
    is_tied = False
    for path in checkpoint.paths(_TOKENS, "token_adapter"):
        module = modules.find(path)
        name = next((name for name in checkpoint.adapted[path] if name.endswith(_TOKENS)), _TOKENS)
        rows_now = checkpoint.matrix(path, name)
        spot = next((s for s in atlas.spots.values() if _is_tokens(s) and s.module is module), None)
        if module is None or (spot is None and not _is_table(module, modules)):
            raise LoadError(f"{path} is no embedding of tokens that has a place here.")
        if spot is not None:
            indices, delta = _changes(checkpoint, path, rows_now, module)
            tensors[spot.key] = {"delta": delta}
            is_tied = is_tied or module is _input_embeddings(modules)
    is_tied = is_tied and (-1, LOGITS_ROLE) in atlas.spots
    return [_tokens_member(tensors, indices, modules, is_tied=is_tied)] if tensors else []


def _changes(
    checkpoint: Checkpoint, path: str, rows_now: Tensor, module: nn.Module
) -> tuple[list[int], Tensor]:
    """The tokens in ascending order, and what their rows have become more."""
    old, given = maps.plain_weight(module).detach(), _indices(checkpoint, path)
    if given and max(given) >= len(old):
        raise LoadError(f"The file retrains token {max(given)}; {path} has {len(old)} tokens.")
    check_shape(path, _TOKENS, rows_now, (len(given), old.shape[1]))
    order = sorted(range(len(given)), key=lambda number: given[number])
    indices = [given[number] for number in order]
    return indices, rows_now[order].to(old) - old[indices]


def _tokens_member(
    tensors: dict[Key, Tensors], indices: list[int], modules: Modules, *, is_tied: bool
) -> Member:
    config = TrainableTokensConfig(token_indices=tuple(indices), tied_head=is_tied)
    if is_tied:
        (shared, *others) = tensors.values()
        if any(not torch.equal(held["delta"], shared["delta"]) for held in others):
            raise LoadError("The file retrains tied embeddings in different ways, which none here can be.")
        return Member(config, {}, shared)
    missing = [spot for spot in modules.atlas.find(config) if spot.key not in tensors]
    tensors |= nothing(config, missing)
    return Member(config, tensors, filled=frozenset(spot.key for spot in missing))


def _input_embeddings(modules: Modules) -> nn.Module | None:
    """The embedding that PEFT takes for the model's."""
    get: Any = getattr(modules.atlas.model, "get_input_embeddings", None)
    found = None if get is None else get()
    return found if isinstance(found, nn.Module) else None


def _is_tokens(spot: Spot) -> bool:
    return spot.place.role == TOKENS_ROLE


def _is_table(module: nn.Module, modules: Modules) -> bool:
    weights = [maps.plain_weight(s.module) for s in modules.atlas.spots.values() if _is_tokens(s)]
    return any(getattr(module, "weight", None) is weight for weight in weights)


def _indices(checkpoint: Checkpoint, path: str) -> tuple[int, ...]:
    """The tokens of one embedding, from either of the two settings that can name them."""
    settings = checkpoint.settings
    if isinstance(settings.get("trainable_token_indices"), dict):
        named = settings.numbers_by_name("trainable_token_indices")
        found = next((held for end, held in named.items() if f".{path}".endswith(f".{end}")), ())
    else:
        found = settings.numbers("trainable_token_indices") or settings.numbers("token_indices")
    if len(set(found)) < len(found):
        raise LoadError(f"The tokens that {path} retrains are named twice.")
    return found
