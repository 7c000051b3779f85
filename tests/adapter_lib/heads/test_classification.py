"""The classification head: pooling, loss, several heads at once, and what is refused."""

from typing import Any

import pytest
import torch
import transformers as hf
from torch.nn import functional as F
from transformers.modeling_outputs import SequenceClassifierOutput

import adapter_lib
from adapter_lib import MultiHeadOutput, Parallel, Stack
from adapter_lib.spec.errors import AttachError, CompositionError, ConfigError, UnknownNameError
from tests.adapter_lib.tiny import FAMILIES, build, inputs, prepared

LABELS = torch.tensor([1, 0, 2])


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("family", FAMILIES)
def test_pooling_and_layers_are_what_they_say(family: str, side: str) -> None:
    given = inputs(side=side)
    model = prepared(family, one="lora")
    mask = given["attention_mask"]
    model.active_adapters = "one"
    with torch.no_grad():
        hidden = model(**given).last_hidden_state
    real = [hidden[i][mask[i].bool()] for i in range(3)]
    pooled = {
        "cls": hidden[:, 0],
        "mean": torch.stack([rows.mean(0) for rows in real]),
        "last": torch.stack([rows[-1] for rows in real]),
    }
    for pooling, expected in pooled.items():
        model.add_classification_head("one", num_labels=3, pooling=pooling, layers=2, overwrite=True)
        head = dict(model.adapter_runtime.heads.get("one").named_parameters())
        x = torch.tanh(expected @ head["0.weight"].T + head["0.bias"])
        logits = x @ head["1.weight"].T + head["1.bias"]
        out = model(**given, labels=LABELS)
        torch.testing.assert_close(out.logits, logits, atol=1e-5, rtol=0)
        torch.testing.assert_close(out.loss, F.cross_entropy(logits, LABELS), atol=1e-5, rtol=0)


def test_without_a_mask_every_token_counts() -> None:
    model = prepared("bert", one="lora")
    ids = inputs()["input_ids"]
    for pooling in ("mean", "last", "cls"):
        model.add_classification_head("one", num_labels=2, pooling=pooling, overwrite=True)
        model.active_adapters = "one"
        everything = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        torch.testing.assert_close(model(ids).logits, everything)


def test_the_output_is_that_of_a_classification_model() -> None:
    model = prepared("bert", one="lora")
    model.add_classification_head("one", labels=["no", "yes"])
    model.active_adapters = "one"
    out = model(**inputs(), output_hidden_states=True)
    assert isinstance(out, SequenceClassifierOutput)
    assert out.loss is None
    assert len(out.hidden_states) == 3
    loss, logits = model(**inputs(), labels=LABELS % 2, return_dict=False)
    assert (loss.dim(), logits.shape) == (0, (3, 2))
    counted = model(**inputs(), labels=LABELS % 2, num_items_in_batch=torch.tensor(6)).loss
    torch.testing.assert_close(counted, loss / 2)


def test_heads_follow_their_adapters_and_can_be_chosen() -> None:
    model = prepared("bert", lang="seq_bn", task="lora")
    model.add_classification_head("task", num_labels=2)
    model.add_classification_head("lone", num_labels=4)
    model.active_adapters = Stack("lang", "task")
    assert model.active_head == "task"
    model.active_head = "lone"
    assert model(**inputs()).logits.shape == (3, 4)
    model.active_adapters = "lang"
    assert model.active_head is None
    assert "last_hidden_state" in model(**inputs())
    model.set_active_adapters("task", head=None)
    assert "last_hidden_state" in model(**inputs())
    model.active_head = "lone"
    model.delete_head("lone")
    assert model.active_head is None


def test_parallel_adapters_with_heads_give_one_output_each() -> None:
    model = prepared("bert", a="lora", b="seq_bn")
    model.add_classification_head("a", num_labels=3)
    model.add_classification_head("b", num_labels=3, pooling="cls")
    alone = []
    for name in ("a", "b"):
        model.active_adapters = name
        alone.append(model(**inputs(), labels=LABELS))
    model.active_adapters = Parallel("a", "b")
    assert model.active_head == ("a", "b")
    out = model(**inputs(), labels=LABELS)
    assert isinstance(out, MultiHeadOutput)
    torch.testing.assert_close(out.logits, tuple(one.logits for one in alone), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.loss, alone[0].loss + alone[1].loss, atol=1e-5, rtol=0)
    torch.testing.assert_close(out.losses, tuple(one.loss for one in alone), atol=1e-5, rtol=0)
    assert model(**inputs()).loss is None
    model.active_head = "a"
    assert model(**inputs()).logits.shape == (6, 3)


def test_a_parallel_with_and_without_heads_must_choose() -> None:
    model = prepared("bert", a="lora", b="lora", c="lora")
    model.add_classification_head("a", num_labels=2)
    model.add_classification_head("b", num_labels=2)
    with pytest.raises(CompositionError, match="with and without a head"):
        model.active_adapters = Parallel("a", "c")
    assert model.active_adapters is None
    model.set_active_adapters(Parallel("a", "c"), head=None)
    with pytest.raises(CompositionError, match="2 heads are for as many"):
        model.set_active_adapters(Parallel("a", "b", "c"), head=["a", "b"])


def test_a_head_stands_in_for_the_models_own() -> None:
    model = prepared("bert", hf.AutoModelForSequenceClassification, one="lora")
    model.add_classification_head("one", num_labels=5)
    assert model(**inputs()).logits.shape == (3, 2)
    model.active_adapters = "one"
    assert model(**inputs(), labels=LABELS).logits.shape == (3, 5)
    causal = prepared("llama", hf.AutoModelForCausalLM, one="lora")
    causal.add_classification_head("one", num_labels=5, pooling="last")
    causal.active_adapters = "one"
    assert causal(**inputs(), labels=LABELS, logits_to_keep=1).logits.shape == (3, 5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "needs labels"),
        ({"num_labels": 0}, "needs labels"),
        ({"labels": "yes"}, "list of names"),
        ({"labels": ["a", "a"]}, "names a class twice"),
        ({"labels": ["a"], "num_labels": 2}, "num_labels is 2, but 1"),
        ({"num_labels": 2, "pooling": "max"}, "pooling must be one of cls, mean, last"),
        ({"num_labels": 2, "activation": "step"}, "activation must be one of"),
        ({"num_labels": 2, "layers": 0}, "at least one layer"),
        ({"num_labels": 2, "dropout": 1.0}, "dropout from 0 to 1"),
    ],
)
def test_bad_heads_are_refused(settings: dict[str, Any], said: str) -> None:
    model: Any = adapter_lib.init(build("bert"))
    with pytest.raises(ConfigError, match=said):
        model.add_classification_head("one", **settings)


def test_wrong_calls_are_told_what_is_wrong() -> None:
    model = prepared("bert", one="lora")
    with pytest.raises(AttachError, match="got labels but has no active head"):
        model(**inputs(), labels=LABELS)
    model.add_classification_head("one", num_labels=2)
    with pytest.raises(AttachError, match="a head 'one' already"):
        model.add_classification_head("one", num_labels=2)
    with pytest.raises(UnknownNameError, match="no head 'two'; there are: one"):
        model.active_head = "two"
    model.active_adapters = "one"
    with pytest.raises(AttachError, match="attention_mask as a tensor"):
        model(inputs()["input_ids"], attention_mask=torch.ones(3, 1, 7, 7))


def test_dropout_of_a_head_acts_in_training_only() -> None:
    model = prepared("bert", one="lora")
    model.add_classification_head("one", num_labels=2, dropout=0.5)
    model.active_adapters = "one"
    assert torch.equal(model(**inputs()).logits, model(**inputs()).logits)
    model.adapter_runtime.heads.train()
    assert not torch.equal(model(**inputs()).logits, model(**inputs()).logits)
