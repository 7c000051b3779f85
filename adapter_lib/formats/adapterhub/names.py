"""What AdapterHub's library calls the places of a model: module paths of the transformers that it wraps.

`{}` in a tower's layers is the number of the layer within the tower; a place's path is relative to its layer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapter_lib.families import model_type_of
from adapter_lib.inject import Atlas
from adapter_lib.spec.errors import LoadError, listing


@dataclass(frozen=True)
class PeerTower:
    """One stack of layers.

    layers: the path of a layer. paths: role → path below it (of modules that carry adapters). pools: the
    paths of the prefixes of its self- and cross-attentions, up to the adapter's name and behind it.
    """

    layers: str
    paths: Mapping[str, str]
    pools: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class PeerNames:
    """One model type.

    root: the base model's path, where shared parameters and prompts are.
    invertible: the owners of invertible adapters; the others repeat what the first has.
    intermediate, output: what the LoRA switches of these names mean, as targets of ours.
    fused: True if query, key and value are one map of that library.
    mh_is_cross: True if the switch for self-attention is taken for cross-attention too.
    mh_is_swapped: True if what is behind self-attention gets the sub-layer's input for its output.
    moves_keys: True if a prefix moves the keys' positions, as distances are counted there.
    prompt_agrees: True if a prompt stands among the embeddings, as here.
    model_class: the class that the peer's files name.
    is_undone: True if a coupling at the embeddings is undone in front of the language-model head.
    """

    root: str
    towers: Mapping[str, PeerTower]
    invertible: tuple[str, ...]
    intermediate: str = "up"
    output: str = "down"
    fused: bool = False
    mh_is_cross: bool = False
    mh_is_swapped: bool = False
    moves_keys: bool = False
    prompt_agrees: bool = False
    model_class: str = ""
    is_undone: bool = True


def _pool(root: str, group: str) -> tuple[str, str]:
    return f"{root}.prefix_tuning.prefix_tunings.", f".{group}"


def _attention(prefix: str, role: str, letters: Mapping[str, str]) -> dict[str, str]:
    return {f"{role}.{letter}": f"{prefix}.{name}" for letter, name in letters.items()}


_QKV = {"q": "query", "k": "key", "v": "value"}
_PROJ = {letter: f"{letter}_proj" for letter in "qkv"}
_BOX = {"mh": "attention_adapters", "ffn": "output_adapters", "cross": "cross_attention_adapters"}

_BERT = {
    "mh": "attention.output",
    "cross": "crossattention.output",
    "ffn": "output",
    "attn": "attention.self",
    "xattn": "crossattention.self",
    **_attention("attention.self", "attn", _QKV),
    **_attention("crossattention.self", "xattn", _QKV),
    "ffn.up": "intermediate.dense",
    "ffn.down": "output.dense",
}
_DEBERTA = _BERT | _attention("attention.self", "attn", {letter: f"{_QKV[letter]}_proj" for letter in "qkv"})
_DISTILBERT = {
    **_BOX,
    "attn": "attention",
    **_attention("attention", "attn", {letter: f"{letter}_lin" for letter in "qkv"}),
    "ffn.up": "ffn.lin1",
    "ffn.down": "ffn.lin2",
}
_ALBERT = {
    **_BOX,
    "mh": "attention.attention_adapters",
    "attn": "attention",
    **_attention("attention", "attn", _QKV),
    "ffn.up": "ffn",
    "ffn.down": "ffn_output",
}
_GPT2 = {
    **_BOX,
    "attn": "attn",
    **{f"attn.{letter}": "attn.c_attn" for letter in "qkv"},
    "ffn.up": "mlp.c_fc",
    "ffn.down": "mlp.c_proj",
}
_GPTJ = {
    **_BOX,
    "attn": "attn",
    **_attention("attn", "attn", _PROJ),
    "ffn.up": "mlp.fc_in",
    "ffn.down": "mlp.fc_out",
}
_LLAMA = {
    **_BOX,
    "attn": "self_attn",
    **_attention("self_attn", "attn", _PROJ),
    "ffn.up": "mlp.up_proj",
    "ffn.gate": "mlp.gate_proj",
    "ffn.down": "mlp.down_proj",
}
_BART = {
    **_BOX,
    "attn": "self_attn",
    "xattn": "encoder_attn",
    **_attention("self_attn", "attn", _PROJ),
    **_attention("encoder_attn", "xattn", _PROJ),
    "ffn.up": "fc1",
    "ffn.down": "fc2",
}
_CLIP = _BART | {"ffn.up": "mlp.fc1", "ffn.down": "mlp.fc2"}
_VIT = {
    **_BOX,
    "ffn": "output.output_adapters",
    "attn": "attention.attention",
    **_attention("attention.attention", "attn", _QKV),
    "ffn.up": "intermediate.dense",
    "ffn.down": "output.dense",
}
_BEIT = _VIT | {"ffn": "output_adapters"}
_T5_ENCODER = {
    "mh": "layer.0",
    "ffn": "layer.1",
    "attn": "layer.0.SelfAttention",
    **_attention("layer.0.SelfAttention", "attn", {letter: letter for letter in "qkv"}),
    "ffn.up": "layer.1.DenseReluDense.wi",
    "ffn.down": "layer.1.DenseReluDense.wo",
}
_T5_DECODER = _T5_ENCODER | {
    "cross": "layer.1",
    "ffn": "layer.2",
    "xattn": "layer.1.EncDecAttention",
    **_attention("layer.1.EncDecAttention", "xattn", {letter: letter for letter in "qkv"}),
    "ffn.up": "layer.2.DenseReluDense.wi",
    "ffn.down": "layer.2.DenseReluDense.wo",
}


def _one_tower(
    root: str, layers: str, paths: Mapping[str, str], *, role: str = "encoder", pool: str = "self_prefix"
) -> PeerNames:
    pools = {"attn": _pool(root, pool)}
    tower = PeerTower(f"{root}.{layers}.{{}}", paths, pools)
    return PeerNames(root, {role: tower}, (f"{root}.invertible_adapters",))


def _two_towers(
    root: str, layers: str, encoder: Mapping[str, str], decoder: Mapping[str, str], *, role: str = "encoder"
) -> PeerNames:
    own = {"attn": _pool(root, "encoder_prefix")}
    other = {"attn": _pool(root, "self_prefix"), "xattn": _pool(root, "cross_prefix")}
    towers = {
        role: PeerTower(f"{root}.encoder.{layers}.{{}}", encoder, own),
        "decoder": PeerTower(f"{root}.decoder.{layers}.{{}}", decoder, other),
    }
    return PeerNames(root, towers, (f"{root}.encoder.invertible_adapters",))


def _encoder_decoder() -> PeerNames:
    inner, outer = "encoder", "decoder.bert"
    pools = {"attn": _pool(outer, "self_prefix"), "xattn": _pool(outer, "cross_prefix")}
    towers = {
        "encoder": PeerTower(f"{inner}.encoder.layer.{{}}", _BERT, {"attn": _pool(inner, "self_prefix")}),
        "decoder": PeerTower(f"{outer}.encoder.layer.{{}}", _BERT, pools),
    }
    owners = ("encoder.invertible_adapters", "invertible_adapters", "decoder.bert.invertible_adapters")
    return PeerNames("", towers, owners, mh_is_cross=True, is_undone=False)


def _clip() -> PeerNames:
    towers = {
        role: PeerTower(
            f"clip.{role}_model.encoder.layers.{{}}",
            _CLIP,
            {"attn": _pool("clip", f"clip_{role}_model_self_prefix")},
        )
        for role in ("text", "vision")
    }
    return PeerNames("clip", towers, ("clip.text_model.invertible_adapters",))


def _swapped(names: PeerNames) -> PeerNames:
    """In its LLaMA and Mistral the switches for the two feed-forward maps are exchanged."""
    return replace(names, intermediate="down", output="up")


def _gated(names: PeerNames) -> PeerNames:
    """Of a gated T5's two input projections it adapts the one without activation."""
    towers = {
        role: replace(tower, paths={**tower.paths, "ffn.up": f"{tower.paths['ffn.up']}_1"})
        for role, tower in names.towers.items()
    }
    return replace(names, towers=towers)


_ENCODER = "encoder.layer"
_T5 = replace(_two_towers("transformer", "block", _T5_ENCODER, _T5_DECODER), moves_keys=True)
_ROBERTA = _one_tower("roberta", _ENCODER, _BERT)
_BARTS = _two_towers("model", "layers", _BART, _BART)
_LLAMAS = _swapped(_one_tower("model", "layers", _LLAMA, role="decoder"))

NAMES: dict[str, PeerNames] = {
    "albert": _one_tower("albert", "encoder.albert_layer_groups", _ALBERT),
    "bart": _BARTS,
    "beit": _one_tower("beit", _ENCODER, _BEIT, role="vision"),
    "bert": _one_tower("bert", _ENCODER, _BERT),
    "bert-generation": _one_tower("bert", _ENCODER, _BERT),
    "clip": _clip(),
    "deberta-v2": _one_tower("deberta", _ENCODER, _DEBERTA),
    "distilbert": _one_tower("distilbert", "transformer.layer", _DISTILBERT, pool="self"),
    "electra": _one_tower("electra", _ENCODER, _BERT),
    "encoder-decoder": _encoder_decoder(),
    "gpt2": replace(_one_tower("transformer", "h", _GPT2, role="decoder"), fused=True),
    "gptj": _one_tower("transformer", "h", _GPTJ, role="decoder"),
    "llama": _LLAMAS,
    "mbart": _BARTS,
    "mistral": _LLAMAS,
    "mt5": _T5,
    "mt5-gated": _gated(_T5),
    "plbart": _BARTS,
    "roberta": _ROBERTA,
    "t5": _T5,
    "t5-gated": _gated(_T5),
    "vit": _one_tower("vit", _ENCODER, _VIT, role="vision"),
    "whisper": _two_towers("model", "layers", _BART, _BART, role="audio"),
    "xlm-roberta": _ROBERTA,
    "xmod": _ROBERTA,
}
# Layers that repeat are numbered by their group; there is one layer in each.
_albert = NAMES["albert"].towers["encoder"]
NAMES["albert"] = replace(
    NAMES["albert"],
    mh_is_swapped=True,
    towers={"encoder": replace(_albert, layers=f"{_albert.layers}.albert_layers.0")},
)


_CLASSES = {
    "albert": "Albert",
    "bart": "Bart",
    "beit": "Beit",
    "bert": "Bert",
    "bert-generation": "BertGeneration",
    "clip": "CLIP",
    "deberta-v2": "DebertaV2",
    "distilbert": "DistilBert",
    "electra": "Electra",
    "gpt2": "GPT2",
    "gptj": "GPTJ",
    "llama": "Llama",
    "mbart": "MBart",
    "mistral": "Mistral",
    "mt5": "MT5",
    "plbart": "PLBart",
    "roberta": "Roberta",
    "t5": "T5",
    "vit": "ViT",
    "whisper": "Whisper",
    "xlm-roberta": "XLMRoberta",
    "xmod": "Xmod",
}
# The peer makes it of the one of transformers.
_PAIR = "EncoderDecoderModelWithAdapters"
# Where the embeddings end with the positions.
_PROMPTS_AGREE = ("beit", "vit")


def names_of(atlas: Atlas) -> PeerNames:
    """The names for a model. Raises LoadError for a type that AdapterHub's library has no code for."""
    kind = model_type_of(atlas.resolved.base)
    config: Any = atlas.config
    key = f"{kind}-gated" if getattr(config, "is_gated_act", False) else str(kind)
    if key not in NAMES or (key == "encoder-decoder" and not _are_berts(config)):
        raise LoadError(
            f"What AdapterHub's library calls the places of a model of the type {kind or 'unknown'} is not "
            f"known here; known are {listing(name for name in NAMES if not name.endswith('-gated'))}."
        )
    model_class = f"{_CLASSES[str(kind)]}AdapterModel" if kind in _CLASSES else _PAIR
    return replace(NAMES[key], model_class=model_class, prompt_agrees=kind in _PROMPTS_AGREE)


def _are_berts(config: Any) -> bool:
    return {config.encoder.model_type, config.decoder.model_type} == {"bert"}
