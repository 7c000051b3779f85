"""Finding a family, refusing what is unknown, and the digests that say which places an adapter meant."""

import dataclasses
import subprocess
import sys
import types

import pytest
import transformers as hf
from torch import nn

from adapter_lib.families import (
    FamilySpec,
    Tower,
    family_of,
    hidden_size_of,
    list_families,
    paths,
    register_family,
    resolve,
)
from adapter_lib.families.former import FORMER_TABLES
from adapter_lib.families.llama import LLAMA_TOWER
from adapter_lib.spec.errors import FamilyError
from tests.adapter_lib.families.observing import resolved_of
from tests.adapter_lib.zoo import MODELS
from tests.adapter_lib.zoo.decoders import LLAMA_LIKE
from tests.adapter_lib.zoo.encoders import BERT_LIKE
from tests.adapter_lib.zoo.multimodal import CLIP_TEXT, CLIP_VISION

_CLIP = {"text_config": CLIP_TEXT, "vision_config": CLIP_VISION}
_LLAVA = {"text_config": hf.LlamaConfig(**LLAMA_LIKE), "vision_config": hf.CLIPVisionConfig(**CLIP_VISION)}
# They share every layer with a family of the zoo, and are fed in ways too much their own to be run here.
BUILT_ONLY = {
    "siglip2": lambda: hf.Siglip2Model(hf.Siglip2Config(**_CLIP)),
    "siglip2_text": lambda: hf.Siglip2TextModel(hf.Siglip2TextConfig(**CLIP_TEXT)),
    "siglip2_vision": lambda: hf.Siglip2VisionModel(hf.Siglip2VisionConfig(**CLIP_VISION)),
    "llava_next": lambda: hf.LlavaNextModel(hf.LlavaNextConfig(**_LLAVA)),
    "vipllava": lambda: hf.VipLlavaModel(hf.VipLlavaConfig(**_LLAVA, vision_feature_layers=[-1])),
    "mistral3": lambda: hf.Mistral3Model(hf.Mistral3Config(**_LLAVA)),
    "speech-encoder-decoder": lambda: hf.SpeechEncoderDecoderModel(
        encoder=MODELS["wav2vec2"].build(),
        decoder=hf.BertLMHeadModel(hf.BertConfig(**BERT_LIKE, is_decoder=True, add_cross_attention=True)),
    ),
}


def test_every_family_is_in_the_zoo_or_is_built_here() -> None:
    tested = {resolved_of(name)[1].family.name for name in MODELS}
    assert {family.name for family in list_families()} - tested == set(BUILT_ONLY)


@pytest.mark.parametrize("name", BUILT_ONLY)
def test_those_that_are_built_only_have_what_their_table_names(name: str) -> None:
    resolved = resolve(BUILT_ONLY[name]())
    assert resolved.family.name == name
    for tower in resolved.towers:
        table = tower.table.layer
        needed = [path for role, path in table.leaves().items() if not role.startswith("xattn")]
        needed += [site.out.partition("#")[0] for role, site in table.sites().items() if role != "cross"]
        assert all(paths.find(tower.layers[0], path) is not None for path in needed)
        named = [tower.table.embed, tower.table.tokens, tower.table.norm]
        assert all(paths.find(resolved.base, path) is not None for path in named if path is not None)


def test_a_family_tells_what_it_offers() -> None:
    families = {family.name: family for family in list_families()}
    assert len(families) >= 100
    assert families["llama"].towers == ("decoder",)
    assert {"attn.q", "ffn.gate", "mh", "ffn"} <= set(families["llama"].roles)
    assert {"attn.k", "xattn.q", "cross"} <= set(families["gpt2"].roles)
    assert "experts.up" in families["mixtral"].roles
    assert families["clip"].towers == ("text_model", "vision_model")
    assert families["bert"].prefix
    assert not families["longformer"].prefix
    assert "sliding window" in families["longformer"].no_prefix
    assert list(families) == sorted(families)


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    convolutional = hf.ResNetModel(hf.ResNetConfig(embedding_size=8, hidden_sizes=[8], depths=[1]))
    with pytest.raises(FamilyError, match=r"'resnet'; known types are: .*bert, .*t5, .*whisper"):
        resolve(convolutional)
    with pytest.raises(FamilyError, match="no role table for models of type None"):
        family_of(None)


def test_a_plain_module_has_no_towers() -> None:
    resolved = resolve(nn.Linear(2, 2))
    assert (resolved.family.name, resolved.towers, resolved.hidden_size) == ("module", (), 0)


def test_a_table_that_does_not_fit_is_refused() -> None:
    with pytest.raises(FamilyError, match="BertModel has no 'layers', which llama needs"):
        resolve(MODELS["bert"].build(), family_of("llama"))
    with pytest.raises(
        FamilyError, match="BertModel has no 'text_model' or 'vision_model', which clip needs"
    ):
        resolve(MODELS["bert"].build(), family_of("clip"))


def test_a_table_can_be_given() -> None:
    own = FamilySpec("own", ("own",), (LLAMA_TOWER,))
    resolved = resolve(MODELS["llama"].build(), own)
    assert (resolved.family.name, resolved.num_layers, resolved.hidden_size) == ("own", 2, 32)


def test_names_and_types_are_registered_once() -> None:
    bert = family_of("bert")
    with pytest.raises(FamilyError, match="registered already"):
        register_family(dataclasses.replace(bert, name="other"))
    with pytest.raises(FamilyError, match="registered already"):
        register_family(dataclasses.replace(bert, model_types=("other",)))


def test_layers_are_counted_through_the_towers() -> None:
    resolved = resolve(MODELS["t5"].build())
    assert [tower.first for tower in resolved.towers] == [0, 2]
    assert resolved.num_layers == 4


def test_models_inside_a_model_bring_their_towers() -> None:
    resolved = resolve(MODELS["encoder-decoder"].build())
    assert [tower.table.role for tower in resolved.towers] == ["encoder", "decoder"]
    assert resolved.towers[1].table.layers == "decoder.bert.encoder.layer"
    assert resolved.family.inner == ()
    assert resolved.family.role_table() != family_of("encoder-decoder").role_table()


def test_an_inner_model_without_a_table_is_left_out() -> None:
    model = MODELS["clip"].build()
    model.vision_model.config = types.SimpleNamespace(model_type="unheard of")
    assert [tower.table.role for tower in resolve(model).towers] == ["text"]


def test_the_tower_is_the_one_that_fits_the_config() -> None:
    parallel, serial = (resolve(MODELS[name].build()) for name in ("gpt-neox", "gpt-neox-serial"))
    assert parallel.towers[0].table.layer.ffn != serial.towers[0].table.layer.ffn
    assert parallel.family.role_table() == serial.family.role_table()


@pytest.mark.parametrize("name", MODELS)
def test_tower_roles_are_unique_in_a_model(name: str) -> None:
    roles = [tower.table.role for tower in resolved_of(name)[1].towers]
    assert len(set(roles)) == len(roles)


def test_the_digest_changes_with_the_table() -> None:
    families = [family_of(family.model_types[0]) for family in list_families()]
    assert len({family.role_table() for family in families}) == len(families)
    bert = family_of("bert")
    (tower,) = bert.towers
    moved = dataclasses.replace(tower, layer=dataclasses.replace(tower.layer, o="somewhere.else"))
    assert dataclasses.replace(bert, towers=(moved,)).role_table() != bert.role_table()


def test_fields_that_are_not_set_leave_digests_alone() -> None:
    tower = Tower("layers", LLAMA_TOWER.layer)
    spelled = dataclasses.replace(tower, norm=None, no_embed="", when=())
    assert FamilySpec("x", ("x",), (tower,)).role_table() == FamilySpec("x", ("x",), (spelled,)).role_table()


def test_former_digests_stay_known() -> None:
    for name, digests in FORMER_TABLES.items():
        assert all(family_of(name).knows_table(digest) for digest in digests)
    assert not family_of("bert").knows_table(FORMER_TABLES["llama"][0])


def test_hidden_sizes() -> None:
    for name in ("bert", "t5", "gpt2", "clip", "encoder-decoder", "llava"):
        assert hidden_size_of(MODELS[name].build()) in (16, 32)
    with pytest.raises(FamilyError, match="tells no hidden size"):
        hidden_size_of(nn.Linear(2, 2))


def test_the_tables_need_no_torch() -> None:
    code = (
        "import sys, adapter_lib.families; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
