"""Prompt tuning against explicitly concatenated embeddings, in float64, and how prompts start."""

from typing import Any

import pytest
import torch
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup, parse_config
from adapter_lib.spec.configs import Place, PromptTuningConfig, ids_of_text
from adapter_lib.spec.errors import AttachError, ConfigError
from tests.adapter_lib.methods.prompts import inserted, prompts_of, without
from tests.adapter_lib.tiny import build, inputs, prepared
from tests.adapter_lib.zoo import MODELS

FAMILIES = ("bert", "distilbert", "gpt2", "llama")


def _concatenated(base: Any, given: dict[str, Tensor], prompt: Tensor, behind: int) -> Tensor:
    """The base model on [x_first; P; x], cut back to x."""
    mask = given["attention_mask"]
    embeds = inserted(base.get_input_embeddings()(given["input_ids"]), mask, prompt, behind)
    longer = inserted(mask, mask, torch.ones(len(prompt), dtype=mask.dtype), behind)
    hidden = base(inputs_embeds=embeds, attention_mask=longer).last_hidden_state
    return without(hidden, mask, len(prompt), behind)[mask.bool()]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize(("combine", "behind"), [("prefix", 0), ("after_first", 1)])
def test_the_prompt_is_concatenated_to_the_embeddings(
    family: str, side: str, combine: str, behind: int
) -> None:
    model = prepared(family, a=f"prompt_tuning[prompt_length=6, combine={combine}]").double()
    given = inputs(side=side)
    with torch.no_grad():
        wanted = _concatenated(build(family).double(), given, prompts_of(model, "a")[0], behind)
        model.active_adapters = "a"
        found = model(**given).last_hidden_state[given["attention_mask"].bool()]
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=0)


def test_an_encoder_decoder_has_it_in_the_encoder_and_on_wish_in_both() -> None:
    given = MODELS["t5"].inputs()
    mask, words = given["attention_mask"], given["decoder_input_ids"]
    for wish in ("false", "true"):
        model = adapter_lib.init(MODELS["t5"].build().double())
        report = model.add_adapter("a", f"prompt_tuning[prompt_length=4, all_towers={wish}]")
        assert report.places == {"prompt": 2 if wish == "true" else 1}
        base = MODELS["t5"].build().double()
        *second, first = prompts_of(model, "a")  # "decoder.prompt" before "encoder.prompt"
        embed = base.get_input_embeddings()
        longer = inserted(mask, mask, torch.ones(4, dtype=mask.dtype), 0)
        embeds = inserted(embed(given["input_ids"]), mask, first, 0)
        target = torch.cat([*(prompt.expand(3, -1, -1) for prompt in second), embed(words)], dim=1)
        with torch.no_grad():
            wanted = base(inputs_embeds=embeds, attention_mask=longer, decoder_inputs_embeds=target)
            with AdapterSetup(model, "a"):
                found = model(**given)
        cut = wanted.last_hidden_state[:, -words.shape[1] :]
        torch.testing.assert_close(found.last_hidden_state, cut, atol=1e-10, rtol=0)
        kept = found.encoder_last_hidden_state[longer.bool()]
        torch.testing.assert_close(kept, wanted.encoder_last_hidden_state[longer.bool()], atol=1e-10, rtol=0)


def test_only_the_prompt_is_trained_and_its_gradient_is_right() -> None:
    model = prepared("bert", a="prompt_tuning[prompt_length=2]").double()
    model.train_adapter("a")
    model.eval()
    model(**inputs()).last_hidden_state.square().sum().backward()
    (part,) = model.adapter_runtime.injection.members("a")
    prompt = part.prompt.detach().clone().requires_grad_()
    base, mask = build("bert").double(), inputs()["attention_mask"]
    embeds = torch.cat([prompt.expand(3, -1, -1), base.get_input_embeddings()(inputs()["input_ids"])], dim=1)
    longer = torch.cat([torch.ones(3, 2, dtype=mask.dtype), mask], dim=1)
    base(inputs_embeds=embeds, attention_mask=longer).last_hidden_state[:, 2:].square().sum().backward()
    torch.testing.assert_close(part.prompt.grad, prompt.grad, atol=1e-9, rtol=0)
    assert [n for n, p in model.named_parameters() if p.grad is not None] == [
        "adapter_lib_prompt.adapter:a.prompt"
    ]


def test_how_a_prompt_starts() -> None:
    model = adapter_lib.init(build("bert"))
    table = model.get_input_embeddings().weight
    model.add_adapter("uniform", "prompt_tuning[prompt_length=200]")
    uniform = prompts_of(model, "uniform")[0]
    assert 0.45 < uniform.abs().max() <= 0.5
    assert abs(uniform.std() - 0.5 / 3**0.5) < 0.01
    model.add_adapter("small", "prompt_tuning[init_scale=0.01]")
    assert prompts_of(model, "small")[0].abs().max() <= 0.01
    model.add_adapter("words", "prompt_tuning[prompt_length=5, prompt_init=from_ids, prompt_ids=[7, 8, 9]]")
    assert torch.equal(prompts_of(model, "words")[0], table[[7, 8, 9, 7, 8]])
    model.add_adapter("sampled", "prompt_tuning[prompt_init=sample_vocabulary]")
    assert (prompts_of(model, "sampled")[0][:, None] == table).all(-1).any(1).all()


def test_a_prompt_of_words_starts_as_the_model_embeds_them() -> None:
    """Scaled embeddings are scaled: a prompt that starts from words acts as the words do."""
    base = MODELS["gemma3-text"].build()
    model = adapter_lib.init(MODELS["gemma3-text"].build())
    model.add_adapter("a", "prompt_tuning[prompt_length=2, prompt_init=from_ids, prompt_ids=[7, 8]]")
    model.active_adapters = "a"
    ids = MODELS["gemma3-text"].inputs()["input_ids"]
    with torch.no_grad():
        wanted = base(torch.cat([torch.tensor([[7, 8]]).expand(3, -1), ids], dim=1)).last_hidden_state[:, 2:]
        torch.testing.assert_close(model(ids).last_hidden_state, wanted, atol=1e-6, rtol=0)


def test_a_text_becomes_ids() -> None:
    def tokenizer(text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        assert not add_special_tokens
        return {"input_ids": [ord(letter) for letter in text]}

    ids = ids_of_text("ab", tokenizer)
    config = PromptTuningConfig(prompt_init="from_ids", prompt_ids=ids)
    assert config.prompt_ids == (97, 98)
    with pytest.raises(ConfigError, match="has no tokens to start a prompt from"):
        ids_of_text("", tokenizer)


def test_words_that_the_model_does_not_know_are_refused() -> None:
    model = adapter_lib.init(build("bert"))
    with pytest.raises(AttachError, match="prompt_ids names 500; the model knows ids below 120"):
        model.add_adapter("a", "prompt_tuning[prompt_init=from_ids, prompt_ids=[500]]")
    assert model.adapter_runtime.injection.points.points == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompt_tuning[prompt_length=0]", "prompt_length must be a whole number of at least 1"),
        ("prompt_tuning[combine=suffix]", "combine must be one of 'prefix', 'after_first'"),
        ("prompt_tuning[prompt_init=zeros]", "prompt_init must be one of"),
        ("prompt_tuning[prompt_init=from_ids]", "go together"),
        ("prompt_tuning[prompt_ids=[3]]", "go together"),
        ("prompt_tuning[prompt_init=from_ids, prompt_ids=[-1]]", "a list of token ids from 0 up"),
        ("prompt_tuning[init_scale=0]", "init_scale must be a number above 0"),
    ],
)
def test_wrong_configs_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(text)


def test_it_acts_at_a_towers_input_only() -> None:
    config = PromptTuningConfig(prompt_length=3, use_gating=True)
    place = Place("prompt", -1, 16, 16, "prompt", tower="encoder")
    assert config.all_shapes(place) == {"prompt": (3, 16), "gate.weight": (1, 16), "gate.bias": (1,)}
    assert config.size() == 3
    with pytest.raises(ConfigError, match=r"acts on a tower's input, and attn\.q is linear"):
        config.shapes(Place("attn.q", 0, 16, 16))
