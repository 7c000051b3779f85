"""What PEFT lets stand beside a LoRA: biases, and the embeddings of some tokens."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from adapter_lib.formats.peft.checkpoint import NESTED
from adapter_lib.formats.peft.exporting.draft import Draft
from adapter_lib.formats.peft.exporting.held import Held, Site, sites
from adapter_lib.formats.peft.exporting.low_rank import Update
from adapter_lib.points import maps
from adapter_lib.spec.configs import BitFitConfig, TrainableTokensConfig
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.roles import LOGITS_ROLE


def biases(held: Held, updates: Mapping[str, Update], draft: Draft) -> None:
    """Retrained biases as `bias="all"`; new ones at the LoRA's own maps as `lora_bias`.

    Raises LoadError for new ones elsewhere.
    """
    found = {draft.path(site.module): site for site in sites([held])}
    if isinstance(held.config, BitFitConfig) and held.config.add_missing:
        _of_b(found, updates, draft)
        return
    for path, site in found.items():
        old = maps.plain_bias(site.module)
        if old is None:
            raise LoadError(f"{path} has no bias that PEFT could retrain.")
        nested = path + NESTED if path in updates else path
        draft.put(nested, "bias", old.detach() + _change(site, old))
    draft.settings["bias"] = "all"


def _of_b(found: Mapping[str, Site], updates: Mapping[str, Update], draft: Draft) -> None:
    """B's bias is multiplied by s, as B A x is; where ours has none, it is zero."""
    for path, site in found.items():
        old = maps.plain_bias(site.module)
        like = site.first.tensor("bias") if old is None else old
        if path not in updates and bool(_change(site, like).any()):
            raise LoadError(f"PEFT adds biases only where its LoRA acts, and it does not act on {path}.")
    for path, update in updates.items():
        zeros = update.b.new_zeros(len(update.b))
        change = _change(found[path], zeros) if path in found else zeros
        draft.put(path, "lora_B.bias", change / update.scale)
    draft.settings["lora_bias"] = True


def _change(site: Site, like: Tensor) -> Tensor:
    """Δb of every output of a map, shaped as `like`; zero where none of its parts acts."""
    change = (
        like.new_zeros(maps.widths(site.module)[1])
        if maps.is_map(site.module)
        else like.new_zeros(like.shape)
    )
    for piece in site.pieces:
        columns, own = piece.columns, piece.tensor("bias").to(change)
        change = change + own if columns is None else change.index_add(0, columns, own)
    return change.detach()


def tokens(held: Held, draft: Draft, *, is_alone: bool) -> None:
    """The rows as they became; with a LoRA they hang under the embedding's wrapper.

    Raises LoadError where PEFT would change a tied head too, and ours does not.
    """
    config = held.config
    if not isinstance(config, TrainableTokensConfig):
        raise TypeError(f"{config.name()} trains no tokens.")
    name = "trainable_tokens_delta" if is_alone else "token_adapter.trainable_tokens_delta"
    indices = list(config.token_indices)
    modules = _tables(held, config, draft)
    for module, delta in modules.items():
        rows = maps.plain_weight(module).detach()[indices]
        draft.put(draft.path(module), name, rows + delta.to(rows))
    if is_alone:
        draft.aim(modules)
        draft.settings["token_indices"] = indices
    else:
        # One name for all where that can be: of tied embeddings that are named singly PEFT takes the first.
        draft.settings["trainable_token_indices"] = dict.fromkeys(draft.names_of(modules), indices)


def _tables(held: Held, config: TrainableTokensConfig, draft: Draft) -> dict[nn.Module, Tensor]:
    """The embeddings that PEFT is to retrain, and Δ of each."""
    get: Any = getattr(draft.atlas.model, "get_input_embeddings", None)
    main = None if get is None else get()
    is_tied = (-1, LOGITS_ROLE) in draft.atlas.spots
    if config.tied_head and is_tied and isinstance(main, nn.Module):
        return {main: held.shared["delta"]}
    found: dict[nn.Module, Tensor] = {}
    for site in sites([held]):
        if site.first.spot.place.kind != "embedding":
            continue
        if is_tied and site.module is main:
            raise LoadError(
                "PEFT retrains a head that is tied to the embeddings with them, and this adapter keeps the "
                "head: train it with tied_head=true, or untie the head first."
            )
        found[site.module] = held.shared["delta"] if config.tied_head else site.first.tensor("delta")
    return found
