"""Soft prompts through caches, generation, blocks, heads, losses, copies and compiled code."""

import copy
import pickle
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup, Average, BatchSplit, MultiTask, Parallel, Split, Stack
from adapter_lib.spec.errors import AttachError, CompositionError, ConfigError
from tests.adapter_lib.methods.prompts import as_words, prompts_of, without
from tests.adapter_lib.tiny import build, inputs, output, prepared, shake
from tests.adapter_lib.zoo import MODELS

A, B = "prompt_tuning[prompt_length=2]", "prompt_tuning[prompt_length=5, combine=after_first]"
CACHED = ("gpt2", "llama", "mistral", "opt", "bloom", "mpt")
SEQ2SEQ = ("t5", "bart", "encoder-decoder")


def _headed(name: str, **adapters: str) -> Any:
    model = adapter_lib.init(MODELS[name].with_head())
    for adapter, config in adapters.items():
        model.add_adapter(adapter, config)
        shake(model, adapter)
    return model


def _written(model: Any, name: str, composition: Any, **settings: Any) -> tuple[Tensor, Tensor]:
    """(the tokens, the logits of all steps [steps, rows, vocabulary]) of a generated text."""
    given = MODELS[name].inputs(side="left")
    given.pop("decoder_input_ids", None)
    wanted = {
        "max_new_tokens": 4,
        "min_new_tokens": 4,
        "output_logits": True,
        "return_dict_in_generate": True,
    }
    with AdapterSetup(model, composition):
        found = model.generate(**given, **wanted, do_sample=False, **settings)
    return found.sequences, torch.stack(found.logits)


@pytest.mark.parametrize("name", [*CACHED, *SEQ2SEQ])
def test_the_cache_changes_nothing(name: str) -> None:
    towers = ", all_towers=true" if name in SEQ2SEQ else ""
    model = _headed(name, a=A.replace("]", towers + "]"), b=B.replace("]", towers + "]"))
    _, plain = _written(model, name, None)
    for tree, beams in (("b", 1), (Stack("a", "b"), 1), ("a", 3)):
        tokens, logits = _written(model, name, tree, num_beams=beams, use_cache=True)
        again, others = _written(model, name, tree, num_beams=beams, use_cache=False)
        assert torch.equal(tokens, again)
        torch.testing.assert_close(logits, others, atol=1e-4, rtol=0)
        assert not torch.allclose(logits[:, : plain.shape[1]], plain, atol=1e-3)


@pytest.mark.parametrize("name", [*CACHED, *SEQ2SEQ])
def test_channels_with_prompts_of_different_lengths_write_what_they_write_alone(name: str) -> None:
    model = _headed(name, a=A, b=B)
    model.add_adapter("c", "seq_bn")
    tokens, logits = zip(*[_written(model, name, tree) for tree in ("a", "b", "c")], strict=True)
    together, others = _written(model, name, Parallel("a", "b", "c"))
    assert torch.equal(together, torch.cat(tokens))
    torch.testing.assert_close(others, torch.cat(logits, dim=1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["gpt2", "llama", "opt", "t5"])
def test_later_calls_go_on_where_the_cache_ends(name: str) -> None:
    model = _headed(name, a=A).double()
    model.active_adapters = "a"
    words = MODELS[name].inputs(rows=2)["input_ids"]
    lead = {"input_ids": words} if name == "t5" else {}
    key = "decoder_input_ids" if name == "t5" else "input_ids"
    with torch.no_grad():
        whole = model(**lead, **{key: words}).logits
        first = model(**lead, **{key: words[:, :4]}, use_cache=True)
        rest = model(**lead, **{key: words[:, 4:]}, past_key_values=first.past_key_values).logits
    torch.testing.assert_close(torch.cat([first.logits, rest], dim=1), whole, atol=1e-10, rtol=0)


def test_a_cache_that_was_filled_without_the_prompt_is_refused() -> None:
    model = _headed("llama", a=A)
    given = MODELS["llama"].inputs()
    cache = model(**given, use_cache=True).past_key_values
    model.active_adapters = "a"
    more = {"input_ids": given["input_ids"][:, :1], "attention_mask": torch.ones(3, 8, dtype=torch.long)}
    with pytest.raises(CompositionError, match="filled while other adapters acted"):
        model(**more, past_key_values=cache)


def test_a_mask_made_ready_outside_is_refused() -> None:
    model = prepared("llama", a=A)
    model.active_adapters = "a"
    with pytest.raises(CompositionError, match=r"must be given it as a tensor \[batch, tokens\]"):
        model(input_ids=inputs()["input_ids"], attention_mask=torch.ones(3, 1, 7, 7))


def test_what_is_given_for_every_token_is_lengthened_or_refused() -> None:
    given = inputs() | {"token_type_ids": torch.zeros(3, 7, dtype=torch.long).fill_(1)}
    base, model = build("bert").double(), prepared("bert", a=A).double()
    model.active_adapters = "a"
    words = as_words(base, given, prompts_of(model, "a")[0])
    words["token_type_ids"] = torch.cat([torch.zeros(3, 2, dtype=torch.long), given["token_type_ids"]], dim=1)
    wanted = base(**words).last_hidden_state[:, 2:]
    torch.testing.assert_close(model(**given).last_hidden_state, wanted, atol=1e-10, rtol=0)
    model = adapter_lib.init(MODELS["layoutlm"].build())
    model.add_adapter("a", A)
    model.active_adapters = "a"
    given = MODELS["layoutlm"].inputs()
    with pytest.raises(CompositionError, match="was given bbox for every token"):
        model(**given, bbox=torch.zeros(3, 7, 4, dtype=torch.long))


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "llama"])
def test_embeddings_and_positions_may_be_given(family: str) -> None:
    given = inputs(side="left")
    mask, ids = given["attention_mask"], given["input_ids"]
    positions = (mask.cumsum(1) - 1).clamp(min=0) + (2 if family == "roberta" else 0)
    base, model = build(family).double(), prepared(family, b=B).double()
    model.active_adapters = "b"
    embeds = base.get_input_embeddings()(ids)
    words = as_words(base, given, prompts_of(model, "b")[0], 1)
    shift = (words["attention_mask"].cumsum(1) - 1).clamp(min=0) + (2 if family == "roberta" else 0)
    wanted = without(base(**words, position_ids=shift).last_hidden_state, mask, 5, 1)[mask.bool()]
    for mine in ({"inputs_embeds": embeds}, {"input_ids": ids}):
        found = model(**mine, attention_mask=mask, position_ids=positions).last_hidden_state[mask.bool()]
        torch.testing.assert_close(found, wanted, atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_blocks(family: str) -> None:
    model = prepared(family, a=A, b=B, c="prompt_tuning[prompt_length=2]").double()
    rows = {key: value[:1].repeat(3, 1) for key, value in inputs().items()}
    run = lambda tree, **more: _run(model, rows, tree, **more)  # noqa: E731
    a, b, c = (run(name)[0] for name in ("a", "b", "c"))
    _close(run(BatchSplit("b", "a", batch_sizes=[1, 2])), torch.stack([b, a, a]))
    _close(run(MultiTask("a", "b", "c"), task_ids=["c", "a", "b"]), torch.stack([c, a, b]))
    # [a; b; tokens]: b's prompt stands behind the first token.
    base = build(family).double()
    words = as_words(base, rows, prompts_of(model, "b")[0], 1)
    words = as_words(base, words, prompts_of(model, "a")[0], 0)
    hidden = base(**words).last_hidden_state
    _close(run(Stack("a", "b")), torch.cat([hidden[:, 2:3], hidden[:, 8:]], dim=1))
    base = build(family).double()
    both = torch.cat([prompts_of(model, "a")[0], prompts_of(model, "c")[0]])
    _close(run(Stack("a", "c")), base(**as_words(base, rows, both)).last_hidden_state[:, 4:])
    base = build(family).double()
    mean = 0.25 * prompts_of(model, "a")[0] + 0.75 * prompts_of(model, "c")[0]
    _close(
        run(Average("a", "c", weights=[0.25, 0.75])),
        base(**as_words(base, rows, mean)).last_hidden_state[:, 2:],
    )


def test_blocks_without_a_meaning_are_refused() -> None:
    model = prepared("bert", a=A, b=B, lora="lora")
    before = model.active_adapters
    for tree, reason in (
        (Split("a", "b", splits=[3, 4]), "a prompt stands in the sequence before it is cut"),
        (Average("a", "b"), "must have the same prompt_length and combine"),
        (Average("a", "lora"), "must have the same prompt_length and combine"),
        (Average(BatchSplit("a", "b", batch_sizes=[1, 2]), "a"), "must have the same prompt_length"),
    ):
        with pytest.raises(CompositionError, match=reason):
            model.active_adapters = tree
        assert model.active_adapters == before
    with pytest.raises(ConfigError, match="prompt"):
        model.add_adapter_fusion(["lora", "a"])


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_a_gate_multiplies_the_prompt(family: str) -> None:
    model = prepared(family, a="prompt_tuning[prompt_length=2, use_gating=true]").double()
    rows = {key: value[:1] for key, value in inputs().items()}
    base = build(family).double()
    part = model.adapter_runtime.injection.members("a")[0]
    tokens = base.get_input_embeddings()(rows["input_ids"])
    gate = torch.sigmoid(tokens @ part.gate.weight.T + part.gate.bias).mean()
    wanted = base(**as_words(base, rows, gate * part.made())).last_hidden_state[:, 2:]
    _close(_run(model, rows, "a"), wanted)
    with AdapterSetup(model, "a"):
        scores = model(**inputs(), output_adapter_gating_scores=True).adapter_gating_scores["a"]
    torch.testing.assert_close(next(iter(scores.values()))[0].squeeze(), gate, atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_adapters_of_the_token_embedding_leave_prompts_alone(family: str) -> None:
    table = "embeddings.word_embeddings" if family == "bert" else "embed_tokens"
    model = prepared(family, a=A, lora=f"lora[targets=[{table}]]").double()
    base = build(family).double()
    part = model.adapter_runtime.injection.members("lora")[0]
    with torch.no_grad():
        base.get_submodule(table).weight += (part.lora_b @ part.lora_a).T
    wanted = base(**as_words(base, inputs(), prompts_of(model, "a")[0])).last_hidden_state[:, 2:]
    _close(_run(model, inputs(), Stack("a", "lora")), wanted)


@pytest.mark.parametrize("side", ["right", "left"])
def test_bottlenecks_and_prompts_go_together(side: str) -> None:
    model = prepared(
        "bert", a=A, b=B, bn="seq_bn", reft="loreft[r=2, prefix_positions=2, suffix_positions=1]"
    )
    given = inputs(side=side)
    alone = [_outputs(model, given, tree) for tree in (Stack("a", "reft"), Stack("b", "bn"))]
    together = _outputs(model, given, Parallel(Stack("a", "reft"), Stack("b", "bn")))
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=0)


def test_losses_see_the_callers_labels() -> None:
    given = inputs()
    tagging = prepared("bert", hf.AutoModelForTokenClassification, a=A)
    labels = given["input_ids"] % 2
    tagging.active_adapters = "a"
    out = tagging(**given, labels=labels)
    wanted = torch.nn.functional.cross_entropy(out.logits.flatten(0, 1), labels.flatten())
    torch.testing.assert_close(out.loss, wanted)
    writing = prepared("gpt2", hf.AutoModelForCausalLM, a=A)
    writing.active_adapters = "a"
    out = writing(**given, labels=given["input_ids"])
    pairs = out.logits[:, :-1].flatten(0, 1), given["input_ids"][:, 1:].flatten()
    torch.testing.assert_close(out.loss, torch.nn.functional.cross_entropy(*pairs))
    translating = _headed("t5", a=A)
    translating.active_adapters = "a"
    labels = MODELS["t5"].inputs()["decoder_input_ids"]
    source = {key: value for key, value in MODELS["t5"].inputs().items() if not key.startswith("decoder")}
    out = translating(**source, labels=labels)
    torch.testing.assert_close(
        out.loss, torch.nn.functional.cross_entropy(out.logits.flatten(0, 1), labels.flatten())
    )


def test_a_head_pools_the_first_token_and_not_the_prompt() -> None:
    model, base = prepared("bert", a=A).double(), build("bert").double()
    model.active_adapters = "a"
    words = as_words(base, inputs(), prompts_of(model, "a")[0])
    first = base(**words).last_hidden_state[:, 2:]
    _close(model(**inputs()).pooler_output, base.pooler(first))
    model.add_classification_head("a", num_labels=2)
    model.active_head = "a"
    assert model(**inputs(), labels=torch.tensor([0, 1, 1])).logits.shape == (3, 2)
    as_tuple = model.eval()(**inputs(), return_dict=False)
    assert as_tuple[0].shape == (3, 2)


def test_hidden_states_are_cut_back_and_attentions_are_not() -> None:
    model = prepared("bert", a=A)
    model.set_attn_implementation("eager")
    model.active_adapters = "a"
    out = model(**inputs(), output_hidden_states=True, output_attentions=True)
    assert {h.shape for h in out.hidden_states} == {(3, 7, 32)}
    assert {a.shape for a in out.attentions} == {(3, 4, 9, 9)}
    assert model(**inputs(), return_dict=False)[0].shape == (3, 7, 32)


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5", "vit", "whisper"])
def test_copies_pickles_and_detaching(name: str) -> None:
    given = MODELS[name].inputs()
    model = adapter_lib.init(MODELS[name].build())
    plain = _first(model, given)
    model.add_adapter("a", A)
    assert torch.equal(_first(model, given), plain)
    model.active_adapters = "a"
    expected = _first(model, given)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301  (our own bytes)
        assert torch.equal(_first(twin, given), expected)
        twin.delete_adapter("a")
        assert torch.equal(_first(twin, given), plain)
    adapter_lib.detach(model)
    assert sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()) == 0
    assert torch.equal(_first(model, given), plain)


@pytest.mark.parametrize("name", ["bert", "llama", "t5", "vit", "whisper"])
@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.filterwarnings(
    "ignore:None of the inputs have requires_grad", "ignore:`gradient_checkpointing_enable`"
)
def test_gradient_checkpointing_gives_the_same_gradients(name: str, reentrant: bool) -> None:
    given = MODELS[name].inputs()
    model = adapter_lib.init(MODELS[name].build())
    model.add_adapter("a", "p_tuning[prompt_length=3]")
    model.train_adapter("a")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0
    gradients = []
    for checkpointed in (False, True):
        if checkpointed:
            model.gradient_checkpointing_enable({"use_reentrant": reentrant})
        model.zero_grad()
        extra = {"use_cache": False} if name in ("llama", "t5", "whisper") else {}
        model(**given, **extra)[0].square().sum().backward()
        part = model.adapter_runtime.injection.members("a")[0]
        gradients.append([p.grad.clone() for p in part.parameters()])
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-3, rtol=1e-4)
    assert all(bool(g.any()) for g in gradients[0])


@pytest.mark.matrix
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", ["bert", "gpt2", "vit"])
def test_switching_is_noticed_by_the_compiled_model(name: str) -> None:
    torch._dynamo.reset()
    given = MODELS[name].inputs()
    model = adapter_lib.init(MODELS[name].build())
    even = name == "vit"
    for adapter, config in (("a", A), ("b", A if even else B), ("c", "lora")):
        model.add_adapter(adapter, config)
        shake(model, adapter)
    compiled: Any = torch.compile(model, fullgraph=True, backend="aot_eager")
    extra = {"use_cache": False} if name == "gpt2" else {}
    with torch.no_grad():
        for tree in (None, "a", Parallel("a", Stack("c", "b")), None):
            with AdapterSetup(model, tree):
                expected, found = model(**given, **extra)[0], compiled(**given, **extra)[0]
                torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_a_decoder_without_position_ids_takes_prompts_of_one_length_only() -> None:
    model = _headed("bart", a="prompt_tuning[prompt_length=2, all_towers=true]")
    model.add_adapter("b", "prompt_tuning[prompt_length=3, all_towers=true]")
    with pytest.raises(CompositionError, match="takes no position_ids"):
        _outputs(model, MODELS["bart"].inputs(), Parallel("a", "b"))


def test_pictures_have_no_words_to_start_from() -> None:
    model = adapter_lib.init(MODELS["vit"].build())
    with pytest.raises(AttachError, match="has no tokens that a prompt could start from"):
        model.add_adapter("a", "prompt_tuning[prompt_init=sample_vocabulary]")
    assert model.adapter_runtime.injection.points.points == {}


def _run(model: Any, given: dict[str, Tensor], composition: Any, **more: Any) -> Tensor:
    with AdapterSetup(model, composition), torch.no_grad():
        found: Tensor = model(**given, **more).last_hidden_state
    return found


def _outputs(model: Any, given: dict[str, Tensor], composition: Any) -> Tensor:
    with AdapterSetup(model, composition):
        return (
            output(model, **given)
            if "attention_mask" in given and "decoder_input_ids" not in given
            else _first(model, given)
        )


def _first(model: Any, given: dict[str, Tensor]) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(**given)[0]
    return found


def _close(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=0)
