"""Tables proposed for models as if they had none, against the tables that they have."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adapter_lib.families import (
    FamilySpec,
    Fused,
    LayerSpec,
    Site,
    describe,
    paths,
    propose,
    registry,
    resolve,
)
from adapter_lib.spec.errors import FamilyError
from tests.adapter_lib.families.plain import Convolutions, Transformer
from tests.adapter_lib.zoo import MODELS, stirred

# Post-norm and pre-norm, parallel, sandwiched, scaled, flat, fused in every layout, gated, crossed, mixed,
# shared, in two towers.
READ = (
    *("bert", "distilbert", "albert", "deberta", "modernbert", "xmod", "nomic_bert", "longformer"),
    *("gpt2", "gptj", "llama", "gemma2", "olmo2", "phi3", "cohere", "granite", "gpt-neox", "bloom", "mpt"),
    *("falcon", "falcon-new", "opt", "mixtral", "qwen2-moe", "t5-gated", "bart", "mbart", "vit", "deit"),
    *("wav2vec2", "whisper", "clip"),
)
# What no forward tells: Falcon's table names the rule for its three layouts, not the layout.
LAYOUTS = {"falcon": "blocks", "falcon-new": "grouped"}


def _inputs(name: str) -> dict[str, Tensor]:
    """The zoo's inputs without padding, where a residual may be anything."""
    given = MODELS[name].inputs(rows=2)
    if "attention_mask" in given:
        given["attention_mask"] = torch.ones_like(given["attention_mask"])
    return given


@pytest.mark.parametrize("name", READ)
def test_a_proposal_means_the_places_of_the_table(name: str) -> None:
    model = MODELS[name].build()
    known, read = resolve(model), resolve(model, propose(model, _inputs(name)))
    assert [tower.layers for tower in known.towers] == [tower.layers for tower in read.towers]
    for table, proposal in zip(known.towers, read.towers, strict=True):
        layer = table.layers[0]
        assert _places(proposal.table.layer, layer) == _places(table.table.layer, layer) | _layout(name)
        assert _at(read.base, proposal.table.norm) is _at(known.base, table.table.norm)
        assert _at(read.base, proposal.table.tokens) is _at(known.base, table.table.tokens)
        if name != "albert":  # its table names the embeddings before they are widened
            assert _at(read.base, proposal.table.embed) is _at(known.base, table.table.embed)


def _layout(name: str) -> dict[str, Any]:
    return {"qkv layout": LAYOUTS[name]} if name in LAYOUTS else {}


def _places(table: LayerSpec, layer: nn.Module) -> dict[str, Any]:
    """Everything a table says about a layer, as modules; what the layer lacks is left out."""
    places: dict[str, Any] = {}
    for field in dataclasses.fields(table):
        value = getattr(table, field.name)
        if isinstance(value, Site) and _at(layer, value.out.partition("#")[0]) is not None:
            names = value.out.partition("#")[0], value.caught, value.norm
            places[field.name] = [_at(layer, name) for name in names] + [value.out.partition("#")[2]]
            places[f"{field.name} also"] = value.added, value.scale, value.flat
        elif isinstance(value, Fused) and _at(layer, value.path) is not None:
            places[field.name] = _at(layer, value.path), tuple(value.letters)
            places[f"{field.name} layout"] = value.layout
        elif isinstance(value, str) and "prefix" not in field.name and _at(layer, value) is not None:
            places[field.name] = _at(layer, value)
    if table.prefix == "interface":
        places["prefix"] = True
    return places


def _at(root: nn.Module, path: str | None) -> nn.Module | None:
    return None if path is None else paths.find(root, path)


def test_prefixes_are_proposed_where_the_interface_is_called() -> None:
    for name, expected in (("llama", "interface"), ("gptj", None), ("t5", "interface")):
        (first, *_) = propose(MODELS[name].build(), _inputs(name)).towers
        assert first.layer.prefix == expected
        assert bool(first.layer.no_prefix) == (expected is None)


def test_towers_are_named_by_what_they_do() -> None:
    roles = {
        name: [tower.role for tower in propose(MODELS[name].build(), _inputs(name)).towers] for name in READ
    }
    assert roles["bert"] == ["encoder"]
    assert roles["gpt2"] == roles["llama"] == ["decoder"]
    assert roles["bart"] == ["encoder", "decoder"]
    assert roles["vit"] == ["vision"]
    assert roles["wav2vec2"] == ["audio"]
    assert all(len(set(names)) == len(names) for names in roles.values())


def test_a_transformer_of_plain_modules() -> None:
    model = stirred(Transformer())
    spec = propose(model, {"ids": torch.arange(14).view(2, 7) + 5})
    (tower,) = spec.towers
    assert (spec.name, tower.layers, tower.role) == ("Transformer", "blocks", "encoder")
    assert (tower.embed, tower.tokens, tower.norm) == ("words", "words", "end_norm")
    assert tower.layer == LayerSpec(
        attn="attention",
        q="attention.to_q",
        k="attention.to_k",
        v="attention.to_v",
        o="attention.to_out",
        gate="open_",
        up="widen",
        down="narrow",
        mh=Site("attention", res="first_norm"),
        ffn=Site("narrow", res="second_norm"),
        prefix=None,
        no_prefix=tower.layer.no_prefix,
    )
    assert resolve(model, spec).num_layers == 2


def test_what_cannot_be_read_is_refused_with_what_was_seen() -> None:
    picture = {"x": torch.ones(2, 3, 4, 4)}
    with pytest.raises(FamilyError, match=r"Convolutions has no list of equal layers .* Give a table"):
        propose(Convolutions(), picture)
    words = {"ids": torch.arange(14).view(2, 7)}
    with pytest.raises(
        FamilyError, match=r"has 2 layers at 'blocks' with attention at 'attention', but where"
    ):
        propose(stirred(Transformer(adds=False)), words)
    with pytest.raises(FamilyError, match="WavLMModel has no list"):
        propose(MODELS["wavlm"].build(), _inputs("wavlm"))


@pytest.mark.parametrize("name", ["bert", "t5", "gpt2", "vit"])
def test_models_of_text_and_pictures_bring_their_own_inputs(name: str) -> None:
    model = MODELS[name].build()
    assert resolve(model, propose(model)).num_layers == resolve(model).num_layers


def test_other_models_ask_for_inputs() -> None:
    with pytest.raises(FamilyError, match="Transformer cannot be run without inputs"):
        propose(Transformer())


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_the_model_is_left_as_it_was(name: str) -> None:
    model = MODELS[name].build().train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    propose(model, _inputs(name))
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert getattr(module, "config", model.config) is model.config


@pytest.mark.parametrize("name", ["bert", "phi3", "gptj", "t5", "vit"])
def test_a_description_is_python_that_gives_the_table(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = propose(MODELS[name].build(), _inputs(name))
    registered: list[FamilySpec] = []
    monkeypatch.setattr(registry, "register_family", registered.append)
    exec(describe(spec), {})  # noqa: S102  (it is code for a person to paste)
    assert registered == [spec]


def test_every_table_can_be_described() -> None:
    for family in registry.list_families():
        compile(describe(registry.family_of(family.model_types[0])), family.name, "exec")
