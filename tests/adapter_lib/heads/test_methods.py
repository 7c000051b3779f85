"""Averaging heads, their labels, custom ones, and which make sense where."""

from typing import Any

import pytest
import torch

import adapter_lib
from adapter_lib import AutoAdapterModel, register_custom_head, supported_heads
from adapter_lib.heads import supports
from adapter_lib.heads.support import SUPPORT
from adapter_lib.spec.errors import AttachError, ConfigError
from adapter_lib.spec.heads import head_types
from tests.adapter_lib.heads.kinds import Scaled
from tests.adapter_lib.tiny import build, inputs, prepared
from tests.adapter_lib.zoo import MODELS


def _logits(model: Any, head: str) -> torch.Tensor:
    model.active_head = head
    with torch.no_grad():
        found: torch.Tensor = model(**inputs()).logits
    return found


def test_the_mean_of_linear_heads_gives_the_mean_of_their_logits() -> None:
    model = prepared("bert")
    model.add_classification_head("a", labels=["x", "y"])
    model.add_classification_head("b", labels=["x", "y"], dropout=0.1)
    model.average_head("equal", ["a", "b"])
    model.average_head("own", ["a", "b"], weights={"a": 3, "b": 1})
    model.average_head("sum", ["a", "b"], weights=[1, 1], normalise=False)
    a, b = _logits(model, "a"), _logits(model, "b")
    torch.testing.assert_close(_logits(model, "equal"), (a + b) / 2)
    torch.testing.assert_close(_logits(model, "own"), (3 * a + b) / 4)
    torch.testing.assert_close(_logits(model, "sum"), a + b)
    assert model.get_labels("own") == ("x", "y")
    model.average_head("a", ["a", "b"], overwrite=True)
    torch.testing.assert_close(_logits(model, "a"), (a + b) / 2)


def test_heads_that_differ_have_no_mean() -> None:
    model = prepared("bert")
    model.add_classification_head("a", labels=["x", "y"])
    model.add_classification_head("b", labels=["y", "x"])
    with pytest.raises(AttachError, match="described differently"):
        model.average_head("c", ["a", "b"])
    with pytest.raises(ConfigError, match="weights must be 1 numbers"):
        model.average_head("c", ["a"], weights=[1, 2])
    with pytest.raises(AttachError, match="a head 'b' already"):
        model.average_head("b", ["a"])


def test_labels_are_kept_by_number_and_by_name() -> None:
    model = prepared("bert", one="lora")
    model.add_tagging_head("one", labels={1: "B", 0: "O"})
    with pytest.raises(AttachError, match="not one active head"):
        model.get_labels()
    model.active_adapters = "one"
    assert model.get_labels() == ("O", "B")
    assert model.id2label() == {0: "O", 1: "B"}
    assert model.label2id("one") == {"O": 0, "B": 1}
    with pytest.raises(ConfigError, match="number the classes from 0 on"):
        model.add_tagging_head("two", labels={1: "B", 2: "O"})


def test_custom_heads_must_be_registered() -> None:
    model = prepared("bert")
    with pytest.raises(ConfigError, match=r"no custom head of the type 'unheard'.*these are:.*scaled"):
        model.add_custom_head("one", "unheard")
    with pytest.raises(ConfigError, match=r"subclass of adapter_lib\.heads\.Head"):
        register_custom_head("bad", torch.nn.Linear)  # type: ignore[arg-type]

    class Other(Scaled):
        """Another class under a name that is taken."""

    with pytest.raises(ConfigError, match="'scaled' is Scaled already"):
        register_custom_head("scaled", Other)
    register_custom_head("scaled", Scaled)


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("bert", {"masked_lm", "tagging", "dependency_parsing", "multiple_choice"}),
        ("gpt2", {"causal_lm", "tagging", "question_answering"}),
        ("bart", {"seq2seq_lm", "question_answering", "classification"}),
        ("vit", {"image_classification", "classification"}),
        ("wav2vec2", {"classification", "regression"}),
        ("whisper", {"seq2seq_lm"}),
        ("llava", {"causal_lm", "classification"}),
        ("clip", set()),
        ("encoder-decoder", set()),
    ],
)
def test_heads_make_sense_on_some_families(family: str, expected: set[str]) -> None:
    model = MODELS[family].build()
    found = set(supported_heads(model))
    assert found >= expected
    assert not found if not expected else "custom" in found
    assert all(supports(model, head_type) is (head_type in found) for head_type in head_types())


def test_the_table_names_every_type() -> None:
    assert set(SUPPORT) == set(head_types())


@pytest.mark.parametrize(
    ("family", "add", "said"),
    [
        ("bert", lambda m: m.add_causal_lm_head("x"), "is a text encoder; a head of the type 'causal_lm'"),
        ("gpt2", lambda m: m.add_masked_lm_head("x"), "is a decoder; a head of the type 'masked_lm'"),
        ("bart", lambda m: m.add_tagging_head("x", num_labels=2), "is an encoder-decoder"),
        ("vit", lambda m: m.add_qa_head("x"), "is a vision model"),
        ("vit", lambda m: m.add_masked_lm_head("x"), "no input embeddings"),
        ("clip", lambda m: m.add_classification_head("x", num_labels=2), "return no hidden states"),
    ],
)
def test_what_makes_no_sense_is_refused(family: str, add: Any, said: str) -> None:
    model: Any = adapter_lib.init(MODELS[family].build())
    with pytest.raises(AttachError, match=said):
        add(model)
    assert model.adapter_runtime.heads.names() == ()


@pytest.mark.parametrize(
    ("add", "said"),
    [
        (lambda m: m.add_tagging_head("x", num_labels=2, layers=0), "layers must be a whole number"),
        (lambda m: m.add_multilabel_head("x", num_labels=2, pooling="best"), "pooling must be one of"),
        (lambda m: m.add_regression_head("x", dropout=2.0), "dropout must be a number"),
        (lambda m: m.add_masked_lm_head("x", activation="step"), "activation must be one of"),
        (lambda m: m.add_dependency_parsing_head("x"), "A dependency parser needs labels"),
    ],
)
def test_settings_out_of_range_are_refused(add: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        add(adapter_lib.init(build("bert")))


def test_the_class_can_generate_where_there_is_one() -> None:
    names = {
        family: type(AutoAdapterModel.from_config(MODELS[family].config())).__name__
        for family in ("bert", "gpt2", "llama", "t5", "whisper", "vit", "llava")
    }
    assert names == {
        "bert": "BertModel",
        "gpt2": "GPT2LMHeadModel",
        "llama": "LlamaForCausalLM",
        "t5": "T5ForConditionalGeneration",
        "whisper": "WhisperForConditionalGeneration",
        "vit": "ViTModel",
        "llava": "LlavaForConditionalGeneration",
    }
    with pytest.raises(AttachError, match=r"AutoAdapterModel\.from_pretrained"):
        AutoAdapterModel()


def test_a_head_at_the_end_token_needs_one() -> None:
    model: Any = adapter_lib.init(MODELS["bart"].build())
    model.add_classification_head("one", num_labels=2, pooling="eos")
    model.active_head = "one"
    ids = torch.tensor([[5, 6, 2], [5, 2, 2]])
    assert model(input_ids=ids).logits.shape == (2, 2)
    with pytest.raises(AttachError, match="a row of input_ids has none"):
        model(input_ids=ids[:, :1])
