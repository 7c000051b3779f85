"""Chinese CLIP and AltCLIP: CLIP's encoder of pictures beside a BERT or XLM-RoBERTa."""

from dataclasses import replace

from adapter_lib.families.bert import BERT_TOWER
from adapter_lib.families.clip import CLIP_VISION, TEXT_AND_VISION
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec

_BERT = replace(BERT_TOWER, role="text")
_TEXTS = {"chinese_clip": _BERT, "altclip": replace(_BERT, layers="encoder.layers")}

for _name, _text in _TEXTS.items():
    register_family(FamilySpec(f"{_name}_text", (f"{_name}_text_model",), (_text,)))
    register_family(FamilySpec(f"{_name}_vision", (f"{_name}_vision_model",), (CLIP_VISION,)))
    register_family(FamilySpec(_name, (_name,), inner=TEXT_AND_VISION))
