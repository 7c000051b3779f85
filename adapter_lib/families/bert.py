"""BERT: post-norm encoder; its dropouts are modules, so the sites sit behind them."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Site, Tower

BERT_LAYER = LayerSpec(
    attn="attention.self",
    q="attention.self.query",
    k="attention.self.key",
    v="attention.self.value",
    o="attention.output.dense",
    up="intermediate.dense",
    down="output.dense",
    mh=Site("attention.output.dropout", res="attention", norm="attention.output.LayerNorm"),
    ffn=Site("output.dropout", res="intermediate", norm="output.LayerNorm"),
    # Present where the model is a decoder over an encoder's states.
    xattn="crossattention.self",
    xq="crossattention.self.query",
    xk="crossattention.self.key",
    xv="crossattention.self.value",
    xo="crossattention.output.dense",
    cross=Site("crossattention.output.dropout", res="crossattention", norm="crossattention.output.LayerNorm"),
)
BERT_TOWER = Tower("encoder.layer", BERT_LAYER, embed="embeddings", tokens="embeddings.word_embeddings")

for _name in ("bert", "bert-generation", "ernie", "roc_bert", "electra", "layoutlm", "markuplm", "splinter"):
    register_family(FamilySpec(_name, (_name,), (BERT_TOWER,)))
