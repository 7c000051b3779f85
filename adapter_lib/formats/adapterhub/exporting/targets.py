"""Which maps an adapter changes, in the words of AdapterHub's config."""

from dataclasses import dataclass

from adapter_lib.formats.adapterhub.exporting.held import Held
from adapter_lib.spec.configs.targeted import ROLE_WORDS
from adapter_lib.spec.errors import LoadError

_WORDS = ("q", "k", "v", "up", "down")


@dataclass(frozen=True)
class Targets:
    """letters: those of q, k and v. maps: those of up and down. leave_out: the layers without any."""

    letters: str
    maps: tuple[str, ...]
    leave_out: tuple[int, ...]


def targets_of(held: Held) -> Targets:
    """The words for a member's places. Raises LoadError for places that no word of theirs means."""
    places = held.places
    keys = {(place.layer, place.role) for place in places}
    layers = {layer for layer, _ in keys}
    atlas = held.backbone.atlas
    words, left = [], set(keys)
    for word in _WORDS:
        roles = ROLE_WORDS[word]
        meant = {key for key in atlas.spots if key[1] in roles and key[0] in layers}
        if meant and meant <= keys:
            words.append(word)
            left -= meant
    if left:
        layer, role = min(left)
        where = f"layers.{layer}.{role}" if layer >= 0 else role
        raise LoadError(f"{held.config.name()} acts on {where}, and {_why(held, role)}")
    letters = "".join(word for word in words if word in "qkv")
    maps = tuple(word for word in words if word not in "qkv")
    leave_out = tuple(layer for layer in range(atlas.num_layers) if layer not in layers)
    return Targets(letters, maps, leave_out)


def _why(held: Held, role: str) -> str:
    if role == "ffn.mid":
        return (
            "AdapterHub's library multiplies before the activation, where the paper's factors stand behind "
            "it. Only ia3 with the target up (LLaMA: down) is the same there."
        )
    known = {role for word in _WORDS for role in ROLE_WORDS[word]}
    if role in known:
        return (
            "AdapterHub's library has one switch for all layers and for self- and cross-attention together."
        )
    return "AdapterHub's library adapts q, k, v and the two maps of the feed-forward block only."
