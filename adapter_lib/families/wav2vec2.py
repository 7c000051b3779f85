"""wav2vec 2.0: encoder of sound, post-norm or (stable layer norm) pre-norm by config."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Site, Tower

WAV2VEC2_LAYER = LayerSpec(
    attn="attention",
    q="attention.q_proj",
    k="attention.k_proj",
    v="attention.v_proj",
    o="attention.out_proj",
    up="feed_forward.intermediate_dense",
    down="feed_forward.output_dense",
    mh=Site("dropout", res="attention", norm="layer_norm"),
    ffn=Site("feed_forward", res="feed_forward", norm="final_layer_norm"),
)
STABLE_LAYER = replace(
    WAV2VEC2_LAYER,
    mh=Site("dropout", res="layer_norm"),
    ffn=Site("feed_forward", res="final_layer_norm"),
)
WAV2VEC2_TOWER = Tower(
    "encoder.layers", WAV2VEC2_LAYER, role="audio", stack="encoder", embed="encoder.dropout"
)
_WHEN = "do_stable_layer_norm"
BOTH_TOWERS = (
    replace(WAV2VEC2_TOWER, when=((_WHEN, False),)),
    replace(WAV2VEC2_TOWER, layer=STABLE_LAYER, norm="encoder.layer_norm", when=((_WHEN, True),)),
)

for _name in ("wav2vec2", "hubert", "unispeech", "unispeech-sat"):
    register_family(FamilySpec(_name, (_name,), BOTH_TOWERS))
for _name in ("data2vec-audio", "sew"):
    register_family(FamilySpec(_name, (_name,), (WAV2VEC2_TOWER,)))


def _wavlm(tower: Tower) -> Tower:
    """PyTorch's attention takes the projections' weights without calling them: they have no role."""
    why = "WavLM gives its attention to PyTorch's own function, with a gated bias per pair of positions."
    table = tower.layer
    projections = tuple(path for path in (table.q, table.k, table.v, table.o) if path is not None)
    layer = replace(table, q=None, k=None, v=None, o=None, bypassed=projections, prefix=None, no_prefix=why)
    return replace(tower, layer=layer)


register_family(FamilySpec("wavlm", ("wavlm",), tuple(_wavlm(tower) for tower in BOTH_TOWERS)))
