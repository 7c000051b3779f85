"""Trainable tokens against an embedding matrix whose rows are changed by hand."""

from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup, Parallel
from adapter_lib.spec.configs import Place, TrainableTokensConfig
from adapter_lib.spec.errors import AttachError, ConfigError
from tests.adapter_lib.methods.weights import (
    FAMILIES,
    GIVEN,
    Numbers,
    changed,
    check,
    check_fresh,
    check_merging,
    doubled,
    hidden,
    tensors,
)
from tests.adapter_lib.tiny import build, inputs, prepared, shake
from tests.adapter_lib.zoo import MODELS, output

# Some of the tokens that the tests' inputs have, the last of the vocabulary and the first.
TOKENS = (0, 22, 36, 62, 85, 119)
CONFIG = f"trainable_tokens[token_indices={list(TOKENS)}]"


def _rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
    weight = found.weight.clone()
    for token, delta in zip(TOKENS, own["delta"], strict=True):
        weight[token] += delta
    return weight, None


@pytest.mark.parametrize("family", FAMILIES)
def test_the_rows_of_the_tokens_change_and_no_others(family: str) -> None:
    model = doubled(family, one=CONFIG)
    assert set(TOKENS[1:5]) < set(GIVEN["input_ids"].flatten().tolist())
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, _rule, tensors(model, "one"))))
    with torch.no_grad():
        others = torch.tensor([[3, 5, 118]])
        found = model(input_ids=others).last_hidden_state
        with AdapterSetup(model, None):
            assert torch.equal(model(input_ids=others).last_hidden_state, found)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_one_changes_nothing_and_merging_equals_the_forward(family: str) -> None:
    check_fresh(family, CONFIG)
    check_merging(family, CONFIG)


def test_parallel_equals_separate_runs() -> None:
    model = doubled("bert", a=CONFIG, b="trainable_tokens[token_indices=[27, 62]]")
    alone = []
    for name in ("a", "b"):
        with AdapterSetup(model, name):
            alone.append(hidden(model))
    with AdapterSetup(model, Parallel("a", "b")):
        check(hidden(model), torch.cat(alone))


def test_a_tied_head_keeps_the_bases_numbers_and_refuses_to_merge() -> None:
    model = prepared("gpt2", hf.AutoModelForCausalLM, one=CONFIG)
    assert model.lm_head.weight is model.transformer.wte.weight
    model.active_adapters = "one"
    given = inputs()
    with torch.no_grad():
        states = model.transformer(**given).last_hidden_state
        logits = model(**given).logits
    base = build("gpt2", hf.AutoModelForCausalLM)
    check(logits, states @ base.lm_head.weight.T, within=1e-5)
    with pytest.raises(AttachError, match="tied to lm_head: merging would change that too"):
        model.merge_adapter("one")
    model.active_adapters = "one"
    assert torch.equal(model(**given).logits, logits)


@pytest.mark.parametrize("name", ["gemma3-text", "bart", "t5"])
def test_scaled_embeddings_and_several_towers(name: str) -> None:
    """Δ is in the matrix's own units: adding it to the matrix by hand gives the same."""
    tiny = MODELS[name]
    given = tiny.inputs()
    model = adapter_lib.init(tiny.build())
    ids = sorted(set(given["input_ids"].flatten().tolist()))[2:8]
    model.add_adapter("one", TrainableTokensConfig(token_indices=tuple(ids)))
    shake(model, "one")
    model.active_adapters = "one"
    found = output(model, **given)
    by_hand = tiny.build()
    with torch.no_grad():
        for (_, role), own in tensors(model, "one").items():
            # The towers' matrices are one parameter in some models; each needs a change of its own.
            tower = by_hand.get_submodule(role.partition(".")[0]) if name != "gemma3-text" else by_hand
            table = tower.embed_tokens
            table.weight = torch.nn.Parameter(table.weight.index_add(0, torch.tensor(ids), own["delta"]))
    torch.testing.assert_close(found, output(by_hand, **given), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(found, output(tiny.build(), **given), atol=1e-3)


def test_generation_with_a_cache_sees_the_trained_tokens() -> None:
    every = f"trainable_tokens[token_indices={list(range(120))}]"
    model, merged = (prepared("llama", hf.AutoModelForCausalLM, one=every) for _ in range(2))
    model.active_adapters = "one"
    merged.merge_adapter("one")
    prompt, settings = inputs(1, 5), {"max_new_tokens": 8, "do_sample": False}
    assert torch.equal(model.generate(**prompt, **settings), merged.generate(**prompt, **settings))


@pytest.mark.parametrize("indices", [(), (1, -1), (True,), (1.0,), 3, "12"])
def test_token_ids_are_checked(indices: Any) -> None:
    with pytest.raises(ConfigError, match="TrainableTokensConfig: token_indices must be a list of token ids"):
        TrainableTokensConfig(token_indices=indices)


def test_ids_beyond_the_vocabulary_are_refused() -> None:
    with pytest.raises(ConfigError, match="token 120 is beyond the vocabulary of 120 tokens"):
        prepared("bert", one="trainable_tokens[token_indices=[5, 120]]")
    with pytest.raises(ConfigError, match="needs a value for token_indices"):
        prepared("bert", one="trainable_tokens")


def test_other_places_and_gating_are_refused() -> None:
    with pytest.raises(ConfigError, match="changes embeddings"):
        TrainableTokensConfig(token_indices=(1,)).shapes(Place("attn.q", 0, 32, 32))
    with pytest.raises(ConfigError, match="use_gating must be false"):
        TrainableTokensConfig(token_indices=(1,), use_gating=True)


def test_ids_that_are_written_twice_or_in_disorder_are_one_config() -> None:
    assert TrainableTokensConfig(token_indices=(5, 3, 5)) == TrainableTokensConfig(token_indices=(3, 5))


TIED = CONFIG.replace("]]", "], tied_head=true]")


def _by_hand(model: Any, delta: Tensor) -> Any:
    """A model whose matrix, and with it the tied head, has the rows changed."""
    with torch.no_grad():
        table = model.get_input_embeddings()
        table.weight.index_add_(0, torch.tensor(TOKENS), delta)
    return model


@pytest.mark.parametrize("name", ["gpt2", "t5", "opt"])
def test_a_tied_head_follows_if_it_is_told_to(name: str) -> None:
    made = MODELS[name]
    model, by_hand = adapter_lib.init(made.with_head()), made.with_head()
    assert by_hand.get_input_embeddings().weight is by_hand.get_output_embeddings().weight
    given = made.inputs(2)
    model.add_adapter("one", TIED)
    shake(model, "one")
    before = output(by_hand, **given)
    delta = model.adapter_runtime.injection.shared_parts("one")[""].get_parameter("delta").detach()
    wanted = output(_by_hand(by_hand, delta), **given)
    model.active_adapters = "one"
    assert (wanted - before)[..., list(TOKENS)].abs().max() > 1e-2
    torch.testing.assert_close(output(model, **given), wanted, atol=1e-5, rtol=1e-5)
    model.active_adapters = None
    assert torch.equal(output(model, **given), before)


def test_without_a_head_or_with_one_of_its_own_a_tied_one_is_as_any_other() -> None:
    tied, plain = (prepared("llama", hf.AutoModelForCausalLM) for _ in range(2))
    for model, config in ((tied, TIED), (plain, CONFIG)):
        model.add_adapter("one", config)
        shake(model, "one")
        model.active_adapters = "one"
    with torch.no_grad():
        torch.testing.assert_close(tied(**inputs()).logits, plain(**inputs()).logits)


def test_rows_with_a_tied_head_stand_beside_rows_without() -> None:
    model = adapter_lib.init(MODELS["gpt2"].with_head())
    for name, config in {"tied": TIED, "plain": CONFIG}.items():
        model.add_adapter(name, config)
        shake(model, name)
    given, singles = MODELS["gpt2"].inputs(2), []
    for name in ("tied", "plain"):
        model.active_adapters = name
        singles.append(output(model, **given))
    model.active_adapters = Parallel("tied", "plain")
    torch.testing.assert_close(output(model, **given), torch.cat(singles))


def test_towers_of_different_widths_share_no_rows() -> None:
    places = [Place("tokens", -1, 9, width, "embedding", tower=str(width)) for width in (16, 32)]
    with pytest.raises(ConfigError, match="differ in width"):
        TrainableTokensConfig(token_indices=(1,), tied_head=True).shared_shapes(places)
