"""Language models that read pictures through a projector: a decoder beside an encoder of pictures."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Inner

_WHY = "pictures are put among the token embeddings outside of any module."
_VISION = Inner("vision_tower")
# Some make the decoder's masks before they call it.
_MASKED_BY_ITSELF, _MASKED_BY_MODEL = (Inner("language_model", stack=s, no_embed=_WHY) for s in (None, ""))

for _name in ("llava", "llava_next", "vipllava", "mistral3"):
    register_family(FamilySpec(_name, (_name,), inner=(_MASKED_BY_ITSELF, _VISION)))
for _name in ("paligemma", "gemma3"):
    register_family(FamilySpec(_name, (_name,), inner=(_MASKED_BY_MODEL, _VISION)))
