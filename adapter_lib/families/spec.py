"""Where things are in a model family, as data: the only thing that a new transformers release can make wrong.

Paths are relative to one layer; the layer list's path is relative to the base model. No torch here.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from adapter_lib.spec.configs import MethodConfig, Place
from adapter_lib.spec.errors import FamilyError, listing


@dataclass(frozen=True)
class Site:
    """A sub-layer's output h with its residual r.

    out: the module whose output (first element, if a tuple) is h.
    res: the module whose first input is r: the sub-layer itself in post-norm models, the norm before it in
        pre-norm models.
    norm: post-norm only: the norm that the model applies to h + r.
    """

    out: str
    res: str
    norm: str | None = None


@dataclass(frozen=True)
class Fused:
    """One linear map that yields several roles: `letters` in the order of its blocks of output columns."""

    path: str
    letters: str = "qkv"


@dataclass(frozen=True)
class LayerSpec:
    """The roles of one layer.

    Either `q`, `k`, `v` or `qkv` is given; `gate` only where the feed-forward is gated.
    """

    o: str
    up: str
    down: str
    mh: Site
    ffn: Site
    q: str | None = None
    k: str | None = None
    v: str | None = None
    qkv: Fused | None = None
    gate: str | None = None

    def leaves(self) -> dict[str, str]:
        """Role → path of every linear map that serves one role alone."""
        paths = {"attn.q": self.q, "attn.k": self.k, "attn.v": self.v, "attn.o": self.o}
        paths |= {"ffn.up": self.up, "ffn.gate": self.gate, "ffn.down": self.down}
        return {role: path for role, path in paths.items() if path is not None}

    def fused(self) -> dict[str, str]:
        """Role → path of the fused linear map that yields it."""
        return {f"attn.{letter}": self.qkv.path for letter in self.qkv.letters} if self.qkv else {}

    def sites(self) -> dict[str, Site]:
        """Role → site."""
        return {"mh": self.mh, "ffn": self.ffn}

    def roles(self) -> tuple[str, ...]:
        """Every role the layer has."""
        return (*self.fused(), *self.leaves(), *self.sites())


@dataclass(frozen=True)
class Tower:
    """A stack of equal layers: the path of its list in the base model, and what a layer looks like."""

    layers: str
    layer: LayerSpec


@dataclass(frozen=True)
class Dims:
    """The names under which the family's config keeps its sizes; None where it has no such setting."""

    hidden: str
    layers: str
    heads: str
    ffn: str
    kv_heads: str | None = None
    head_dim: str | None = None
    # The feed-forward width is this multiple of the hidden size where the config leaves it null.
    ffn_factor: int | None = None


@dataclass(frozen=True)
class Sizes:
    """A backbone's widths, read from its config."""

    hidden: int
    layers: int
    ffn: int
    query: int
    key_value: int

    def widths(self, role: str) -> tuple[int, int]:
        """(in, out) of a role."""
        known = {
            "attn.q": (self.hidden, self.query),
            "attn.k": (self.hidden, self.key_value),
            "attn.v": (self.hidden, self.key_value),
            "attn.o": (self.query, self.hidden),
            "ffn.up": (self.hidden, self.ffn),
            "ffn.gate": (self.hidden, self.ffn),
            "ffn.down": (self.ffn, self.hidden),
        }
        return known.get(role, (self.hidden, self.hidden))


@dataclass(frozen=True)
class FamilySpec:
    """One family: its name, the `model_type`s it serves, its tower and the names of its sizes."""

    name: str
    model_types: tuple[str, ...]
    tower: Tower
    dims: Dims

    def role_table(self) -> str:
        """sha256 (hex) over the whole table: which places the roles of a stored adapter meant."""
        document = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(document.encode()).hexdigest()

    def sizes(self, config: Mapping[str, Any]) -> Sizes:
        """A backbone's widths from the content of its config.json.

        Raises FamilyError for a missing or bad size.
        """
        dims = self.dims
        hidden, heads = self._size(config, dims.hidden), self._size(config, dims.heads)
        default_ffn = hidden * dims.ffn_factor if dims.ffn_factor else None
        kv_heads = self._size(config, dims.kv_heads, heads) if dims.kv_heads else heads
        head_dim = self._size(config, dims.head_dim, hidden // heads) if dims.head_dim else hidden // heads
        return Sizes(
            hidden=hidden,
            layers=self._size(config, dims.layers),
            ffn=self._size(config, dims.ffn, default_ffn),
            query=heads * head_dim,
            key_value=kv_heads * head_dim,
        )

    def check_roles(self, config: MethodConfig) -> None:
        """Raises FamilyError if a method wants to act where this family has nothing."""
        known = self.tower.layer.roles()
        absent = [role for role in config.roles() if role not in known]
        if absent:
            raise FamilyError(
                f"{self.name} has no {listing(absent)} for {config.name()} to act on; "
                f"it has {listing(known)}."
            )

    def places(self, config: Mapping[str, Any]) -> list[Place]:
        """Every place of a backbone with this config, layer by layer."""
        sizes = self.sizes(config)
        roles = self.tower.layer.roles()
        return [Place(role, layer, *sizes.widths(role)) for layer in range(sizes.layers) for role in roles]

    def _size(self, config: Mapping[str, Any], key: str, default: int | None = None) -> int:
        value = config.get(key)
        value = default if value is None else value
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise FamilyError(
                f"The backbone's config has no usable {key!r} (found {value!r}); {self.name} needs it."
            )
        return value
