"""Where things are in a model family, as data: the only thing that a new transformers release can make wrong.

Paths of a layer's parts are relative to the layer, a tower's paths to the base model. `a|b` is the first of
several that exists, `*` in a path to layers stands for every item of a list. No torch here.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from adapter_lib.families.former import FORMER_TABLES
from adapter_lib.spec.roles import EXPERT_ROLES


@dataclass(frozen=True)
class Site:
    """A sub-layer's output h with its residual r.

    out: the module whose output (first element, if a tuple) is h; `drop#1` is its second call within one
        layer, counted from 0.
    res: the module whose first input is r: the sub-layer itself in post-norm models, the norm before it in
        pre-norm models. Where attention and feed-forward stand side by side, a second entry `+path` adds that
        module's output (first element, with whatever adapters made of it) to r.
    norm: post-norm only: the norm that the model applies to h + r.
    scale: the layer's attribute (a number) by which the model multiplies h before it adds r.
    flat: h and r come as [rows · tokens, width].
    """

    out: str
    res: str | tuple[str, ...]
    norm: str | None = None
    scale: str | None = None
    flat: bool = False

    @property
    def caught(self) -> str:
        """The module whose first input is (the first part of) r."""
        return self.res if isinstance(self.res, str) else self.res[0]

    @property
    def added(self) -> tuple[str, ...]:
        """The modules whose outputs are added to r."""
        return () if isinstance(self.res, str) else tuple(path.removeprefix("+") for path in self.res[1:])


@dataclass(frozen=True)
class Fused:
    """One linear map that yields several roles.

    letters: what it yields, in the order of its output columns: a string of one-letter names (`qkv`), or
        names (`("gate", "up")`).
    layout: "blocks": one block of columns after the other (of unequal widths where key and value have fewer
        heads than query); "per_head": the letters take turns head by head; "grouped": per key-value head its
        query heads, then its key, then its value; "falcon": one of the three, as Falcon's config tells.
    """

    path: str
    letters: str | tuple[str, ...] = "qkv"
    layout: str = "blocks"


@dataclass(frozen=True)
class LayerSpec:
    """The roles of one layer; whatever a family does not have is None.

    attn, xattn: the modules that compute self- and cross-attention.
    q, k, v, o or qkv; xq, xk, xv, xo or xqkv: their projections.
    up, gate, down or up_gate: the feed-forward block's linear maps.
    experts: the module with three-dimensional expert tensors `gate_up_proj` (or `up_proj`) and `down_proj`.
    mh, cross, ffn: the sites.
    tokens_first: the roles whose maps get [tokens, rows, width] instead of [rows, tokens, width].
    bypassed: the maps whose weights the model takes without calling them, so that nothing can act there.
    prefix: how keys and values are prepended: "interface": the module calls transformers' attention
        interface; "cache": it takes a KV cache and a mask it can be handed longer ones of; the name of a rule
        of its own; None: not possible, and `no_prefix` says why.
    """

    mh: Site | None = None
    ffn: Site | None = None
    cross: Site | None = None
    attn: str | None = None
    q: str | None = None
    k: str | None = None
    v: str | None = None
    o: str | None = None
    qkv: Fused | None = None
    xattn: str | None = None
    xq: str | None = None
    xk: str | None = None
    xv: str | None = None
    xo: str | None = None
    xqkv: Fused | None = None
    up: str | None = None
    gate: str | None = None
    down: str | None = None
    up_gate: Fused | None = None
    experts: str | None = None
    tokens_first: tuple[str, ...] = ()
    bypassed: tuple[str, ...] = ()
    prefix: str | None = "interface"
    no_prefix: str = ""

    def without_cross(self) -> "LayerSpec":
        """The layer of a model that never attends to another."""
        bare = replace(self, xattn=None, xq=None, xk=None, xv=None, xo=None)
        return replace(bare, xqkv=None, cross=None)

    def leaves(self) -> dict[str, str]:
        """Role → path of every linear map that serves one role alone."""
        named = {
            "attn.q": self.q, "attn.k": self.k, "attn.v": self.v, "attn.o": self.o,
            "xattn.q": self.xq, "xattn.k": self.xk, "xattn.v": self.xv, "xattn.o": self.xo,
            "ffn.up": self.up, "ffn.gate": self.gate, "ffn.down": self.down,
        }  # fmt: skip
        return {role: path for role, path in named.items() if path is not None}

    def fused(self) -> dict[str, Fused]:
        """The part of the layer (`attn`, `xattn`, `ffn`) → its fused linear map."""
        named = {"attn": self.qkv, "xattn": self.xqkv, "ffn": self.up_gate}
        return {part: fused for part, fused in named.items() if fused is not None}

    def sites(self) -> dict[str, Site]:
        """Role → site."""
        named = {"mh": self.mh, "cross": self.cross, "ffn": self.ffn}
        return {role: site for role, site in named.items() if site is not None}

    def roles(self) -> tuple[str, ...]:
        """The roles of linear maps and sites, one by one where several share a map."""
        fused = [f"{part}.{letter}" for part, fused in self.fused().items() for letter in fused.letters]
        experts = [*EXPERT_ROLES] if self.experts is not None else []
        return (*self.leaves(), *fused, *experts, *self.sites())

    def attentions(self) -> dict[str, str]:
        """Role → path of the attention modules."""
        named = {"attn": self.attn, "xattn": self.xattn}
        return {role: path for role, path in named.items() if path is not None}


@dataclass(frozen=True)
class Tower:
    """A stack of equal layers.

    layers: the list of layers.
    role: "encoder", "decoder", "text", "vision", "audio".
    stack: the module whose call runs the tower and takes its attention mask (tokens, not pictures); "" is the
        base model itself.
    embed: the module whose output (first element, if a tuple) is the tower's first hidden state, or what one
        linear map makes the first hidden state of, where embeddings are narrower than layers; `no_embed` says
        why there is none.
    tokens: the token embedding matrix; None for towers without tokens.
    norm: the norm after the last layer, if there is one.
    when: (name, value) pairs of the model's config, all of which must hold for the tower to be this one: a
        family whose layers depend on the config lists a tower for each kind.
    """

    layers: str
    layer: LayerSpec
    role: str = "encoder"
    stack: str = ""
    embed: str | None = None
    tokens: str | None = None
    norm: str | None = None
    no_embed: str = ""
    when: tuple[tuple[str, object], ...] = ()

    def fits(self, config: object) -> bool:
        """True if the tower is one of a model with this config."""
        return all(getattr(config, name, None) == value for name, value in self.when)

    def below(self, prefix: str, inner: "Inner") -> "Tower":
        """The same tower in a model that has its base model at `prefix`."""
        has_embed = self.embed is not None and not inner.no_embed
        return replace(
            self,
            layers=_below(prefix, self.layers),
            stack=_below(prefix, self.stack) if inner.stack is None else inner.stack,
            embed=_below(prefix, self.embed or "") if has_embed else None,
            no_embed=inner.no_embed or self.no_embed,
            tokens=None if self.tokens is None else _below(prefix, self.tokens),
            norm=None if self.norm is None else _below(prefix, self.norm),
            role=inner.role or self.role,
        )


@dataclass(frozen=True)
class Inner:
    """A model inside another that has a config, and so a family, of its own.

    path: where it is in the base model.
    role: what its tower is called there; None leaves the name it has.
    stack: what takes the tower's attention mask, if not the inner model itself.
    no_embed: why its first hidden state is not there any more what the inner model's embeddings give.
    """

    path: str
    role: str | None = None
    stack: str | None = None
    no_embed: str = ""


@dataclass(frozen=True)
class FamilySpec:
    """One family: its name, the `model_type`s it serves and its towers, in the order layers are counted.

    A model may lack a tower (a T5 encoder has no decoder), but not all of them.
    inner: models inside the model, whose towers (told by their own families) follow.
    """

    name: str
    model_types: tuple[str, ...]
    towers: tuple[Tower, ...] = ()
    inner: tuple[Inner, ...] = ()

    def role_table(self) -> str:
        """sha256 (hex) over the whole table: which places the roles of a stored adapter meant."""
        document = json.dumps(_without_empty(asdict(self)), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(document.encode()).hexdigest()

    def knows_table(self, digest: str) -> bool:
        """True if an adapter stored under this table's digest, or a former one's, means the same places."""
        return digest == self.role_table() or digest in FORMER_TABLES.get(self.name, ())


def _below(prefix: str, path: str) -> str:
    return "|".join(f"{prefix}.{part}" if part else prefix for part in path.split("|"))


def _without_empty(value: Any) -> Any:
    """Fields that are not set do not count, so that a new kind of field leaves old digests alone."""
    if isinstance(value, dict):
        return {key: _without_empty(item) for key, item in value.items() if item not in (None, "", (), False)}
    return [_without_empty(item) for item in value] if isinstance(value, list | tuple) else value
