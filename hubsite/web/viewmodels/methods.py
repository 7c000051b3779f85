"""An adapter's method as pages show it: the glyph's facts, and the same in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.spec.configs import MethodConfig, config_from_dict, known_methods, preset_class
from adapter_lib.spec.errors import AdapterLibError
from hubsite.web.drawings.glyph import GlyphFacts, rank_fill, reduction_fill
from hubsite.web.methods import method_look

_ROLE_WORDS = {
    "attn.q": "query",
    "attn.k": "key",
    "attn.v": "value",
    "attn.o": "attention output",
    "ffn.up": "feed-forward up",
    "ffn.gate": "feed-forward gate",
    "ffn.down": "feed-forward down",
}
_SITE_WORDS = {
    "mh": "after attention",
    "cross": "after cross-attention",
    "ffn": "after the feed-forward block",
}
_PARALLEL_WORDS = {"mh": "beside attention", "ffn": "beside the feed-forward block"}
_PLACE_WORDS = {
    "attn": "before the keys and values",
    "xattn": "before the keys and values of cross-attention",
    "ffn.mid": "within the feed-forward block",
    "layer": "after the layers",
    "embed": "after the embeddings",
    "head": "before the head",
    "tokens": "on token embeddings",
    "prompt": "in front of the tokens",
    "norm.*": "on the norms",
    "experts.up": "on the experts",
}
# Which boxes of the glyph stand for a role that has no box of its own.
_DRAWN_AS = {
    "attn": ("attn.k", "attn.v"),
    "ffn.mid": ("ffn.down",),
    "experts.up": ("ffn.up", "ffn.down"),
    "layer": ("ffn",),
}
# What the size of a config counts → how lists and sentences write it.
_SIZES = {
    "rank": ("r={:g}", "rank {:g}"),
    "reduction": ("÷{:g}", "reduction factor {:g}"),
    "tokens": ("{:g} tokens", "{:g} tokens"),
    "frequencies": ("n={:g}", "{:g} frequencies"),
    "block": ("b={:g}", "blocks of {:g}"),
}
# Drawn when a backbone's depth is not known: enough dots to read as a column.
_USUAL_DEPTH = 12
# A deeper model than any there is would only be a smear of dots.
_DRAWN_DEPTH = 96


@dataclass(frozen=True)
class MethodView:
    """`text` is for lists (`LoRA r=8 · q,v`), `facts` for the glyph with its sentence."""

    label: str
    hue: str
    text: str
    facts: GlyphFacts


def method_view(method: str, values: Mapping[str, Any], num_layers: int | None) -> MethodView:
    """The view of a stored method and configuration; one that cannot be read is shown by its name alone."""
    try:
        config = _config(method, values)
    except AdapterLibError:
        return _unreadable(method, num_layers)
    look = method_look(config.name())
    facts = GlyphFacts(
        hue=look.hue,
        roles=frozenset(box for role in config.roles() for box in _DRAWN_AS.get(role, (role,))),
        fill=reduction_fill(config.size()) if config.measure == "reduction" else rank_fill(config.size()),
        layers=_covered(config, num_layers),
        num_layers=min(num_layers or _USUAL_DEPTH, _DRAWN_DEPTH),
        parallel=bool(getattr(config, "is_parallel", False)),
        words=_words(look.label, config, num_layers),
    )
    text = f"{look.label} {size_text(config)}".strip()
    return MethodView(look.label, look.hue, f"{text} · {_targets(config)}", facts)


def size_text(config: MethodConfig) -> str:
    """`r=8` of a low-rank method, `÷16` of a bottleneck; empty where no number says much."""
    return _SIZES[config.measure][0].format(config.size()) if config.measure in _SIZES else ""


def _config(method: str, values: Mapping[str, Any]) -> MethodConfig:
    if method in known_methods():
        return config_from_dict(method, values)
    return config_from_dict(preset_class(method).method, values)


def _covered(config: MethodConfig, num_layers: int | None) -> tuple[int, ...]:
    try:
        return config.covered_layers(num_layers or _USUAL_DEPTH)
    except AdapterLibError:
        return ()


def _targets(config: MethodConfig) -> str:
    return ",".join(dict.fromkeys(role.removesuffix(".*").split(".")[-1] for role in config.roles()))


def _words(label: str, config: MethodConfig, num_layers: int | None) -> str:
    roles = config.roles()
    leaves = [_ROLE_WORDS[role] for role in roles if role in _ROLE_WORDS]
    sites = _PARALLEL_WORDS if getattr(config, "is_parallel", False) else _SITE_WORDS
    places = [f"on {listed(leaves)}"] if leaves else []
    places += [sites[role] for role in roles if role in sites]
    places += [_PLACE_WORDS[role] for role in roles if role in _PLACE_WORDS]
    size = [_SIZES[config.measure][1].format(config.size())] if config.measure in _SIZES else []
    where = [listed(list(dict.fromkeys(places)))] if places else []
    return f"{', '.join([label, *size, *where])}{_layer_words(config, num_layers)}"


def _layer_words(config: MethodConfig, num_layers: int | None) -> str:
    if num_layers is None:
        return f", in all layers but {listed([str(n) for n in config.leave_out])}" if config.leave_out else ""
    covered = len(_covered(config, num_layers))
    return (
        f", in all {num_layers} layers" if covered == num_layers else f", in {covered} of {num_layers} layers"
    )


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _unreadable(method: str, num_layers: int | None) -> MethodView:
    look = method_look(method)
    facts = GlyphFacts(
        hue=look.hue,
        roles=frozenset(),
        fill=0.0,
        layers=(),
        num_layers=min(num_layers or _USUAL_DEPTH, _DRAWN_DEPTH),
        parallel=False,
        words=f"{look.label}; its configuration is not one this page can draw",
    )
    return MethodView(look.label, look.hue, look.label, facts)
