"""Finding a layer's attentions: their projections by name, width and effect."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.families.inference.linears import Effects, is_linear, is_twice, widths
from adapter_lib.families.inference.trace import Call, Trace, same
from adapter_lib.families.spec import Fused

_PATTERNS = (
    *("{0}", "{1}", "{0}_proj", "{1}_proj", "{0}_lin", "{0}_attn"),
    *("to_{0}", "w{0}", "W{0}", "w_{0}", "linear_{0}", "lin_{0}"),
)
_NAMES = {
    letter: {pattern.format(letter, word) for pattern in _PATTERNS}
    for letter, word in (("q", "query"), ("k", "key"), ("v", "value"))
}
_NAMES["qkv"] = {
    "c_attn",
    "qkv",
    "qkv_proj",
    "query_key_value",
    "Wqkv",
    "wqkv",
    "in_proj",
    "c_qkv",
    "qkv_lin",
}
_WHOLE = ({"q", "k", "v"}, {"qkv"}, {"q", "kv"})
_HEADS = ("num_attention_heads", "num_heads", "n_head", "n_heads")


@dataclass(frozen=True)
class Attention:
    """One attention of a layer.

    path: the module that attends. maps: its projections by letter, or by letters where they share one.
    o: the map that leads back to the layer's width. is_cross: keys and values are of another sequence.
    """

    path: str
    maps: dict[str, Call]
    o: Call
    is_cross: bool

    @property
    def first(self) -> Call:
        """The projection that was called first."""
        return min(self.maps.values(), key=lambda call: call.start)

    def modules(self, layer: nn.Module) -> set[nn.Module]:
        """Everything in it, with its output projection."""
        inside = set(layer.get_submodule(self.path).modules()) if self.path else set()
        return inside | {call.module for call in (*self.maps.values(), self.o)}


def attentions(layer: Trace, width: int) -> list[Attention]:
    """The attentions of a layer in the order they run; those without an output projection are left out."""
    groups = {path: maps for path, maps in _projections(layer).items() if set(maps) in _WHOLE}
    taken = {call.module for maps in groups.values() for call in maps.values()}
    found = []
    for path, maps in groups.items():
        o = _output_map(layer, maps, taken, width)
        if o is not None:
            found.append(Attention(path, maps, o, _is_cross(maps)))
    return sorted(found, key=lambda attention: attention.first.start)


def _projections(layer: Trace) -> dict[str, dict[str, Call]]:
    """Path of the module that has them → the linear maps that are named like projections."""
    groups: dict[str, dict[str, Call]] = {}
    for call in layer.calls:
        parent, _, name = call.path.rpartition(".")
        letters = [letter for letter, names in _NAMES.items() if name in names]
        if is_linear(call.module) and not call.number and letters:
            groups.setdefault(parent, {})[letters[0]] = call
    for maps in groups.values():
        if "q" in maps and "qkv" in maps:
            maps["kv"] = maps.pop("qkv")
    return groups


def _output_map(layer: Trace, maps: dict[str, Call], taken: set[nn.Module], width: int) -> Call | None:
    """The first linear map behind the projections that leads every token back to the layer's width."""
    query = widths(maps["q"].module)[1] if "q" in maps else None
    begin = min(call.end for call in maps.values())
    for call in layer.calls:
        if call.start < begin or call.module in taken or not is_linear(call.module):
            continue
        into, out = widths(call.module)
        if out == width and query in (None, into) and _has_all_tokens(call, layer.whole):
            return call
    return None


def _has_all_tokens(call: Call, layer: Call) -> bool:
    """True if a map gets all rows and tokens of its layer; in windows, rows are more and shorter."""
    if call.given is None or layer.given is None:
        return False
    own, whole = call.given.shape[:-1], layer.given.shape[:-1]
    return own.numel() == whole.numel() and own[0] >= whole[0]


def _is_cross(maps: dict[str, Call]) -> bool:
    key = maps.get("k") or maps.get("kv")
    return key is not None and not same(maps["q"].given, key.given)


def layout_of(fused: Call, effects: Effects, config: Any, length: int) -> Fused | None:
    """The order of a fused projection's columns, proved by what they reach; None if no known one does."""
    width, query = widths(fused.module)[1], widths(effects.taker)[0]
    heads = _heads(query, config)
    for layout in ("blocks", "per_head", "grouped"):
        cut = _cut(layout, width, query, heads)
        if cut is not None and all(
            _acts_as(letter, effects, fused.module, columns, length // 2)
            for letter, own in cut.items()
            for columns in (own[:1], own[-1:], own[len(own) // 2 :][:1])
        ):
            return Fused(fused.path, layout=layout)
    return None


def _heads(query: int, config: Any) -> int:
    for holder in (config, getattr(config, "text_config", None)):
        for name in _HEADS:
            found = getattr(holder, name, None)
            if isinstance(found, int) and query % found == 0:
                return found
    return 1


def _cut(layout: str, width: int, query: int, heads: int) -> dict[str, Tensor] | None:
    """The columns of q, k and v in a layout; None where the width does not allow it."""
    every, head_dim = torch.arange(width), query // heads
    if (width - query) % (2 * head_dim):
        return None
    if layout == "blocks":
        rest = (width - query) // 2
        return dict(zip("qkv", torch.split(every, [query, rest, rest]), strict=True))
    groups = heads if layout == "per_head" else (width - query) // (2 * head_dim)
    if heads % groups or (layout == "per_head" and width != 3 * query):
        return None
    turns = every.view(groups, -1, head_dim)
    parts = (turns[:, :-2], turns[:, -2], turns[:, -1])
    return {letter: part.reshape(-1) for letter, part in zip("qkv", parts, strict=True)}


def _acts_as(letter: str, effects: Effects, module: nn.Module, columns: Tensor, position: int) -> bool:
    """A query acts at its own position only; of key and value, which act elsewhere, only a value linearly."""
    once = effects.of(module, columns, position, 8.0)
    elsewhere = [place for place in range(once.shape[1]) if place != position]
    if once.norm() == 0 or (once[:, elsewhere].norm() > 1e-5 * once.norm()) == (letter == "q"):
        return False
    linear = is_twice(effects.of(module, columns, position, 16.0), once)
    return letter == "q" or linear == (letter == "v")
