"""Models put together from others, each with a family of its own."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Inner

_DECODER = Inner("decoder", role="decoder")

register_family(
    FamilySpec("encoder-decoder", ("encoder-decoder",), inner=(Inner("encoder", role="encoder"), _DECODER))
)
for _name in ("vision-encoder-decoder", "speech-encoder-decoder"):
    register_family(FamilySpec(_name, (_name,), inner=(Inner("encoder"), _DECODER)))
register_family(
    FamilySpec(
        "vision-text-dual-encoder",
        ("vision-text-dual-encoder",),
        inner=(Inner("text_model", role="text"), Inner("vision_model", role="vision")),
    )
)
