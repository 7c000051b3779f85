"""Switch Transformers: T5 whose feed-forward blocks are in some layers a mixture of experts."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec
from adapter_lib.families.t5 import T5_TOWERS


def _layer(dense: LayerSpec, number: int) -> LayerSpec:
    block = f"layer.{number}.mlp"
    return replace(dense, up=f"{block}.wi", gate=None, down=f"{block}.wo")


_ENCODER, _DECODER = T5_TOWERS
register_family(
    FamilySpec(
        "switch_transformers",
        ("switch_transformers",),
        (
            replace(_ENCODER, layer=_layer(_ENCODER.layer, 1)),
            replace(_DECODER, layer=_layer(_DECODER.layer, 2)),
        ),
    )
)
