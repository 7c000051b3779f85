"""ViT: pre-norm encoder of pictures; one dropout module serves both sub-layers of a layer."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Site, Tower

VIT_LAYER = LayerSpec(
    attn="attention",
    q="attention.q_proj",
    k="attention.k_proj",
    v="attention.v_proj",
    o="attention.o_proj",
    up="mlp.fc1",
    down="mlp.fc2",
    mh=Site("dropout#0", res="layernorm_before"),
    ffn=Site("dropout#1", res="layernorm_after"),
)
VIT_TOWER = Tower("layers", VIT_LAYER, role="vision", embed="embeddings", norm="layernorm")

for _name in ("vit", "deit", "vit_mae", "vit_msn", "ijepa", "vivit"):
    register_family(FamilySpec(_name, (_name,), (VIT_TOWER,)))
# The same layer over a spectrogram cut into patches.
_AST = "audio-spectrogram-transformer"
register_family(FamilySpec(_AST, (_AST,), (replace(VIT_TOWER, role="audio"),)))

# The same order with BERT's names, as ViT had them in earlier releases.
BERT_NAMED_LAYER = replace(
    VIT_LAYER,
    attn="attention.attention",
    q="attention.attention.query",
    k="attention.attention.key",
    v="attention.attention.value",
    o="attention.output.dense",
    up="intermediate.dense",
    down="output.dense",
    mh=Site("attention", res="layernorm_before"),
    ffn=Site("output.dropout", res="layernorm_after"),
)
BERT_NAMED_TOWER = replace(VIT_TOWER, layers="encoder.layer", layer=BERT_NAMED_LAYER)

for _name in ("yolos", "videomae"):
    register_family(FamilySpec(_name, (_name,), (BERT_NAMED_TOWER,)))
