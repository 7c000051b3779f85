"""The config of a LoRA for given places: exactly these where that can be said, and with a rank each."""

from typing import Any

import pytest

import adapter_lib
from adapter_lib import LoHaConfig, LoRAConfig
from adapter_lib.inject import Atlas, Key
from adapter_lib.merging.lora_config import cover, key_for_lora
from adapter_lib.spec.errors import AttachError
from tests.adapter_lib.zoo import MODELS


def _atlas(name: str) -> Atlas:
    model: Any = adapter_lib.init(MODELS[name].build())
    found: Atlas = model.adapter_runtime.injection.atlas
    return found


BERT = _atlas("bert")


def _keys(*roles: str, layers: tuple[int, ...] = (0, 1)) -> list[Key]:
    return [(layer, role) for layer in layers for role in roles]


def test_what_the_sources_said_is_said_again() -> None:
    sources = [LoRAConfig(targets=("q", "pooler.dense")), LoHaConfig(targets=("v",))]
    keys = [*_keys("attn.q", "attn.v"), (-1, "module.pooler.dense")]
    found = cover(BERT, keys, sources)
    assert found.targets == ("q", "pooler.dense", "v")
    assert set(found.places) == set(keys)


@pytest.mark.parametrize(
    "keys",
    [
        _keys("attn.k", "ffn.down"),
        _keys("attn.q", layers=(1,)),
        [(0, "attn.q"), (1, "ffn.up")],
        [(-1, "module.pooler.dense")],
        [(0, "attn.v"), (-1, "module.embeddings.word_embeddings")],
    ],
)
def test_any_places_of_separate_maps_can_be_said_exactly(keys: list[Key]) -> None:
    assert set(cover(BERT, keys, [LoRAConfig()]).places) == set(keys)
    assert set(cover(BERT, keys, []).places) == set(keys)


def test_self_and_cross_attention_can_be_told_apart() -> None:
    atlas = _atlas("t5")
    keys = [(2, "xattn.q"), (3, "attn.v")]
    assert set(cover(atlas, keys, []).places) == set(keys)


def test_fused_maps_take_the_fewest_more() -> None:
    atlas = _atlas("gpt2")
    found = cover(atlas, [(0, "attn.q"), (1, "attn.q"), (1, "attn.v")], [])
    assert set(found.places) == set(_keys("attn.q", "attn.v"))
    config = found.config({(0, "attn.q"): 3, (1, "attn.q"): 3, (1, "attn.v"): 3})
    assert config.rank_at(found.places[0, "attn.v"]) == 1


def test_experts_are_one_word() -> None:
    atlas = _atlas("mixtral")
    found = cover(atlas, [(0, "experts.up"), (0, "attn.q")], [])
    assert (0, "experts.down") in found.places


def test_every_place_has_its_rank_and_no_scale() -> None:
    ranks = {(0, "attn.q"): 2, (1, "attn.q"): 5, (0, "attn.v"): 5, (1, "attn.v"): 5}
    found = cover(BERT, ranks, [LoRAConfig()])
    config = found.config(ranks)
    assert (config.r, config.values()["rank_pattern"]) == (5, {"layers.0.attn.q": 2})
    for key, rank in ranks.items():
        assert config.rank_at(found.places[key]) == rank
        assert config.scale_at(found.places[key]) == 1.0
    assert found.config(dict.fromkeys(ranks, 4)).values()["rank_pattern"] is None


def test_embeddings_are_reached_by_their_path() -> None:
    assert key_for_lora(BERT, (-1, "encoder.tokens")) == (-1, "module.embeddings.word_embeddings")
    assert key_for_lora(BERT, (0, "attn.q")) == (0, "attn.q")
    with pytest.raises(AttachError, match=r"A LoRA cannot be put on layers.0.layer"):
        key_for_lora(BERT, (0, "layer"))
