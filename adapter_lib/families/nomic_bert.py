"""NomicBERT and Jina embeddings v3: BERT's order with LLaMA's names."""

from dataclasses import replace

from adapter_lib.families.llama import LLAMA_LAYER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site, Tower

NOMIC_LAYER = replace(
    LLAMA_LAYER,
    mh=Site("post_attention_dropout", res="self_attn", norm="post_attention_layernorm"),
    ffn=Site("post_mlp_dropout", res="mlp", norm="post_mlp_layernorm"),
)
JINA_LAYER = replace(NOMIC_LAYER, up="mlp.fc1", gate=None, down="mlp.fc2")
_TOWER = Tower("layers", NOMIC_LAYER, embed="embeddings", tokens="embeddings.word_embeddings")

register_family(FamilySpec("nomic_bert", ("nomic_bert",), (_TOWER,)))
register_family(
    FamilySpec("jina_embeddings_v3", ("jina_embeddings_v3",), (replace(_TOWER, layer=JINA_LAYER),))
)
