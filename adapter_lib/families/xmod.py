"""X-MOD: BERT's layer, post-norm or pre-norm, with language adapters of its own behind feed-forward."""

from dataclasses import replace

from adapter_lib.families.bert import BERT_LAYER, BERT_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site

# The dropout is called again by the language adapter, which stands between h + r and the norm.
_POST = replace(BERT_LAYER, ffn=Site("output.dropout#0", res="intermediate"))
_PRE = replace(
    BERT_LAYER,
    mh=Site("attention.output.dropout", res="attention"),
    ffn=Site("output.dropout#0", res="output.LayerNorm"),
    cross=Site("crossattention.output.dropout", res="crossattention"),
)

register_family(
    FamilySpec(
        "xmod",
        ("xmod",),
        (
            replace(BERT_TOWER, layer=_POST, when=(("pre_norm", False),)),
            replace(BERT_TOWER, layer=_PRE, norm="encoder.LayerNorm", when=(("pre_norm", True),)),
        ),
    )
)
