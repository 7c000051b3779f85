"""RoBERTa: BERT's layer."""

from adapter_lib.families.bert import BERT_DIMS, BERT_LAYER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Tower

register_family(FamilySpec("roberta", ("roberta",), Tower("encoder.layer", BERT_LAYER), BERT_DIMS))
