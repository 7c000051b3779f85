"""The role tables against the models they describe: this turns red when transformers moves something."""

import dataclasses
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor, nn

from adapter_lib.families import FamilySpec, family_of, list_families, register_family, resolve
from adapter_lib.points import linear_widths
from adapter_lib.spec.errors import FamilyError
from tests.adapter_lib.tiny import CONFIGS, DECODERS, FAMILIES, build, inputs


def test_these_families_are_known() -> None:
    assert list_families() == ("bert", "distilbert", "gpt2", "llama", "roberta")


@pytest.mark.parametrize("family", FAMILIES)
def test_widths_told_from_the_config_are_those_of_the_modules(family: str) -> None:
    model = build(family)
    spec = family_of(family)
    layer_spec = spec.tower.layer
    layers = resolve(model).layers
    places = spec.places(model.config.to_dict())
    assert len(places) == len(layers) * len(layer_spec.roles())
    for place in places:
        if place.role in layer_spec.sites():
            assert (place.width_in, place.width_out) == (32, 32)
            continue
        path = layer_spec.leaves().get(place.role) or layer_spec.fused()[place.role]
        width_in, width_out = linear_widths(layers[place.layer].get_submodule(path))
        shares = len(layer_spec.fused()) if place.role in layer_spec.fused() else 1
        assert (place.width_in, place.width_out) == (width_in, width_out // shares), place


@pytest.mark.parametrize("family", FAMILIES)
def test_every_site_is_where_the_model_adds_its_residual(family: str) -> None:
    """Post-norm: h + r is what goes into the site's norm. Pre-norm: h + r is the next residual."""
    model = build(family)
    resolved = resolve(model)
    for layer in resolved.layers:
        sites = resolved.family.tower.layer.sites()
        seen = {role: _watch(layer, site) for role, site in sites.items()}
        following = _inputs_of(layer.get_submodule(sites["ffn"].res)) if sites["ffn"].norm is None else []
        layer_outputs: list[Any] = []
        layer.register_forward_hook(lambda m, a, out, keep=layer_outputs: keep.append(out))
        with torch.no_grad():
            model(**inputs())
        if sites["mh"].norm is None:
            torch.testing.assert_close(seen["mh"]["h"] + seen["mh"]["r"], following[0])
            last = layer_outputs[0][0] if isinstance(layer_outputs[0], tuple) else layer_outputs[0]
            torch.testing.assert_close(seen["ffn"]["h"] + seen["ffn"]["r"], last)
        for site in seen.values():
            if "norm_input" in site:
                torch.testing.assert_close(site["h"] + site["r"], site["norm_input"])


def _watch(layer: nn.Module, site: Any) -> dict[str, Tensor]:
    seen: dict[str, Tensor] = {}

    def take_residual(module: nn.Module, args: Any, kwargs: Any) -> None:
        seen["r"] = args[0] if args else kwargs["hidden_states"]

    def take_output(module: nn.Module, args: Any, out: Any) -> None:
        seen["h"] = out[0] if isinstance(out, tuple) else out

    layer.get_submodule(site.res).register_forward_pre_hook(take_residual, with_kwargs=True)
    layer.get_submodule(site.out).register_forward_hook(take_output)
    if site.norm:
        norm = layer.get_submodule(site.norm)
        norm.register_forward_pre_hook(lambda m, args: seen.__setitem__("norm_input", args[0]))
    return seen


def _inputs_of(module: nn.Module) -> list[Tensor]:
    found: list[Tensor] = []
    module.register_forward_pre_hook(lambda m, args: found.append(args[0]))
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_found_under_any_head(family: str) -> None:
    autos = [hf.AutoModel, hf.AutoModelForSequenceClassification]
    autos.append(hf.AutoModelForCausalLM if family in DECODERS else hf.AutoModelForMaskedLM)
    for auto in autos:
        resolved = resolve(build(family, auto))
        assert (resolved.family.name, len(resolved.layers), resolved.hidden_size) == (family, 2, 32)


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    model = hf.AutoModel.from_config(hf.ViTConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2))
    with pytest.raises(FamilyError, match="'vit'; known types are: bert, distilbert, gpt2, llama, roberta"):
        resolve(model)
    with pytest.raises(FamilyError, match="Linear is not a transformers model"):
        resolve(nn.Linear(2, 2))


def test_a_config_without_sizes_is_refused_by_name() -> None:
    with pytest.raises(FamilyError, match="no usable 'hidden_size'"):
        family_of("bert").sizes({"num_attention_heads": 2})
    with pytest.raises(FamilyError, match=r"no usable 'n_layer' \(found 'two'\)"):
        family_of("gpt2").sizes({"n_embd": 8, "n_head": 2, "n_layer": "two"})


def test_sizes_left_to_their_defaults() -> None:
    gpt2 = family_of("gpt2").sizes({"n_embd": 8, "n_head": 2, "n_layer": 1, "n_inner": None})
    assert gpt2.ffn == 32
    llama = CONFIGS["llama"]().to_dict() | {"num_key_value_heads": None, "head_dim": 5}
    sizes = family_of("llama").sizes(llama)
    assert (sizes.query, sizes.key_value) == (20, 20)


def test_the_role_table_changes_with_the_table() -> None:
    tables = {family_of(name).role_table() for name in FAMILIES}
    assert len(tables) == len(FAMILIES)
    bert = family_of("bert")
    moved = dataclasses.replace(bert.tower.layer, o="somewhere.else")
    assert (
        dataclasses.replace(bert, tower=dataclasses.replace(bert.tower, layer=moved)).role_table()
        not in tables
    )


def test_a_family_is_registered_once() -> None:
    bert: FamilySpec = family_of("bert")
    with pytest.raises(FamilyError, match="registered already"):
        register_family(dataclasses.replace(bert, name="other"))
