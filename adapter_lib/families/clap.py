"""CLAP: a RoBERTa beside a Swin over a spectrogram."""

from dataclasses import replace

from adapter_lib.families.bert import BERT_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Inner, LayerSpec, Site, Tower

CLAP_AUDIO_LAYER = LayerSpec(
    attn="attention.self",
    q="attention.self.query",
    k="attention.self.key",
    v="attention.self.value",
    o="attention.output.dense",
    up="intermediate.dense",
    down="output.dense",
    mh=Site("drop_path", res="layernorm_before"),
    ffn=Site("output", res="layernorm_after"),
    prefix=None,
    no_prefix="CLAP's audio rows are windows, and its attention is computed by itself.",
)
_AUDIO = Tower(
    "audio_encoder.layers.*.blocks",
    CLAP_AUDIO_LAYER,
    role="audio",
    embed="audio_encoder.patch_embed",
    norm="audio_encoder.norm",
)

register_family(FamilySpec("clap_text", ("clap_text_model",), (replace(BERT_TOWER, role="text"),)))
register_family(FamilySpec("clap_audio", ("clap_audio_model",), (_AUDIO,)))
register_family(FamilySpec("clap", ("clap",), inner=(Inner("text_model"), Inner("audio_model"))))
