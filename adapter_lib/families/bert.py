"""BERT: post-norm encoder; its dropouts are modules, so the sites sit behind them."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import Dims, FamilySpec, LayerSpec, Site, Tower

BERT_LAYER = LayerSpec(
    q="attention.self.query",
    k="attention.self.key",
    v="attention.self.value",
    o="attention.output.dense",
    up="intermediate.dense",
    down="output.dense",
    mh=Site("attention.output.dropout", res="attention", norm="attention.output.LayerNorm"),
    ffn=Site("output.dropout", res="intermediate", norm="output.LayerNorm"),
)
BERT_DIMS = Dims(
    hidden="hidden_size", layers="num_hidden_layers", heads="num_attention_heads", ffn="intermediate_size"
)

register_family(FamilySpec("bert", ("bert",), Tower("encoder.layer", BERT_LAYER), BERT_DIMS))
