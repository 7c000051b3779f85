"""Transformers' own heads as heads of ours, and back: equal logits, labels kept, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor

import adapter_lib
from adapter_lib import AutoAdapterModel
from adapter_lib.spec.errors import AttachError
from tests.adapter_lib.tiny import build
from tests.adapter_lib.zoo import MODELS
from tests.adapter_lib.zoo.tiny_model import stirred

CLOSE = 1e-6
_TASKS = ("SequenceClassification", "TokenClassification", "QuestionAnswering", "MultipleChoice", "MaskedLM")
_FEW = [
    *[f"Bert For{task}" for task in _TASKS],
    "Roberta ForSequenceClassification", "Roberta ForMaskedLM", "DistilBert ForSequenceClassification",
    "DistilBert ForMaskedLM", "DistilBert ForMultipleChoice", "Electra ForSequenceClassification",
    "Electra ForMaskedLM", "Albert ForSequenceClassification", "Albert ForMaskedLM",
    "DebertaV2 ForSequenceClassification", "DebertaV2 ForMaskedLM", "GPT2 ForSequenceClassification",
    "GPT2 ForTokenClassification", "GPT2 LMHeadModel", "Llama ForSequenceClassification", "Llama ForCausalLM",
    "Bart ForSequenceClassification", "Bart ForQuestionAnswering", "Bart ForConditionalGeneration",
    "T5 ForSequenceClassification", "T5 ForConditionalGeneration", "ViT ForImageClassification",
    "Beit ForImageClassification", "Swin ForImageClassification",
]  # fmt: skip
_ROBERTAS = ("XLMRoberta", "XLMRobertaXL", "RobertaPreLayerNorm", "Data2VecText", "Camembert")
_MANY = [
    *[f"{family} For{task}" for family in ("Ernie", "MegatronBert", *_ROBERTAS) for task in _TASKS],
    *[f"{family} ForSequenceClassification" for family in ("Esm", "Deberta", "MBart", "PLBart", "Mvp")],
    *[f"{family} ForSequenceClassification" for family in ("Mistral", "Qwen2", "GPTNeoX", "Falcon", "OPT")],
    *[f"{family} ForCausalLM" for family in ("Cohere", "Granite", "GPTNeoX", "OPT", "Bloom", "GPTJ")],
    *[f"{family} ForConditionalGeneration" for family in ("MBart", "Mvp", "MT5", "UMT5")],
    *[f"{family} ForImageClassification" for family in ("DeiT", "ViTMSN")],
    "Roberta ForMultipleChoice", "DebertaV2 ForMultipleChoice", "Albert ForMultipleChoice",
]  # fmt: skip
_BY_CONFIG = {type(tiny.config()).__name__: tiny for tiny in reversed(MODELS.values())}


def _static(name: str, labels: int = 3) -> Any:
    kind = getattr(hf, name.replace(" ", ""))
    config = _BY_CONFIG[kind.config_class.__name__].config()
    config.num_labels = 2 if "Question" in name else labels
    config.id2label = {number: f"class {number}" for number in range(config.num_labels)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return stirred(kind(config)).eval()


def _feed(model: Any, name: str) -> dict[str, Tensor]:
    config = model.config
    given = _BY_CONFIG[type(config).__name__].inputs()
    given.pop("decoder_attention_mask", None)
    if "MultipleChoice" in name:
        return {key: torch.stack([value, value.flip(0)], dim=1) for key, value in given.items()}
    if "SequenceClassification" in name and config.is_encoder_decoder:
        ids = given["input_ids"].masked_fill(given["input_ids"] == config.eos_token_id, 9)
        ids[:, -1] = config.eos_token_id
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if "SequenceClassification" in name and config.pad_token_id is not None:
        # Decoders' classifiers look at the ids for padding.
        ids = given["input_ids"].masked_fill(given["input_ids"] == config.pad_token_id, 9)
        given["input_ids"] = ids.masked_fill(given["attention_mask"] == 0, config.pad_token_id)
    return given


def _flexible(static: Any) -> Any:
    model = AutoAdapterModel.from_config(static.config)
    own = static.base_model.state_dict()
    target = model if model.base_model is model else model.base_model
    target.load_state_dict(own, strict=False)
    model.tie_weights()
    return model.eval()


def _logits(model: Any, given: dict[str, Tensor]) -> Tensor:
    with torch.no_grad():
        out = model(**given)
    return torch.cat([value.flatten() for key, value in out.items() if "logits" in key])


def _there_and_back(name: str) -> None:
    static = _static(name)
    given = _feed(static, name)
    expected = _logits(static, given)
    model = _flexible(static)
    model.adopt_head("own", static)
    model.active_head = "own"
    torch.testing.assert_close(_logits(model, given), expected, atol=CLOSE, rtol=0)
    back = model.to_static("own")
    assert type(back) is type(static)
    torch.testing.assert_close(_logits(back, given), expected, atol=CLOSE, rtol=0)


@pytest.mark.parametrize("name", _FEW)
def test_there_and_back(name: str) -> None:
    _there_and_back(name)


@pytest.mark.matrix
@pytest.mark.parametrize("name", _MANY)
def test_there_and_back_in_all_families(name: str) -> None:
    _there_and_back(name)


@pytest.mark.parametrize(
    ("problem", "labels", "kind"),
    [
        (None, 1, "regression"),
        ("regression", 2, "regression"),
        ("multi_label_classification", 3, "multilabel"),
        ("single_label_classification", 3, "classification"),
    ],
)
def test_the_problem_and_the_losses_are_the_same(problem: str | None, labels: int, kind: str) -> None:
    static = _static("Bert ForSequenceClassification", labels)
    static.config.problem_type = problem
    model = _flexible(static)
    model.adopt_head("own", static)
    model.active_head = "own"
    assert model.adapter_runtime.heads.get("own").spec.type == kind
    given = _feed(static, "")
    wanted = torch.tensor([0, 2, -100]) if kind == "classification" else torch.rand(3, labels)
    found = model(**given, labels=wanted)
    torch.testing.assert_close(found.loss, static(**given, labels=wanted).loss, atol=CLOSE, rtol=0)
    back = model.to_static("own")
    torch.testing.assert_close(back(**given, labels=wanted).loss, found.loss, atol=CLOSE, rtol=0)


def test_labels_go_along() -> None:
    static = _static("Roberta ForTokenClassification")
    model = _flexible(static)
    model.adopt_head("own", static)
    assert model.id2label("own") == {0: "class 0", 1: "class 1", 2: "class 2"}
    assert model.to_static("own").config.label2id == {"class 0": 0, "class 1": 1, "class 2": 2}


def test_a_checkpoint_with_a_head_gives_it(tmp_path: Path) -> None:
    static = _static("DistilBert ForSequenceClassification")
    static.save_pretrained(tmp_path)
    given = _feed(static, "")
    model = AutoAdapterModel.from_pretrained(tmp_path)
    assert (type(model).__name__, model.active_head) == ("DistilBertModel", "default")
    torch.testing.assert_close(_logits(model, given), _logits(static, given), atol=CLOSE, rtol=0)
    bare = AutoAdapterModel.from_pretrained(tmp_path, head_name=None)
    assert bare.active_head is None
    with torch.no_grad():
        assert "last_hidden_state" in bare(**given)


def test_a_static_model_gives_its_own_head() -> None:
    model: Any = adapter_lib.init(_static("GPT2 ForSequenceClassification"))
    given = _feed(model, "SequenceClassification")
    expected = _logits(model, given)
    model.adopt_head("own")
    model.active_head = "own"
    torch.testing.assert_close(_logits(model, given), expected, atol=CLOSE, rtol=0)


def test_adapters_are_left_out_unless_merged() -> None:
    model = adapter_lib.init(build("bert"))
    model.add_adapter("a", "lora[r=2, init_weights=bert]")
    model.add_classification_head("a", num_labels=2, pooling="cls", layers=2)
    model.active_adapters = "a"
    given = _feed(model, "")
    acting = _logits(model, given)
    assert not torch.allclose(_logits(model.to_static("a"), given), acting, atol=1e-4)
    model.merge_adapter("a")
    torch.testing.assert_close(_logits(model.to_static("a"), given), acting, atol=1e-5, rtol=0)


def test_output_embeddings_of_other_weights_come_along() -> None:
    static = _static("Bert ForMaskedLM")
    other = AutoAdapterModel.from_config(static.config)
    other.adopt_head("own", static)
    head = other.adapter_runtime.heads.get("own")
    assert head.spec.tied is False
    assert torch.equal(head.get_parameter("decoder.weight"), static.get_output_embeddings().weight)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Electra ForMultipleChoice", "no counterpart"),
        ("Gemma2 ForCausalLM", "no counterpart"),
        ("Bert ForNextSentencePrediction", "no head of a kind"),
    ],
)
def test_heads_of_other_kinds_are_refused(name: str, said: str) -> None:
    static = _static(name)
    with pytest.raises(AttachError, match=said):
        AutoAdapterModel.from_config(static.config).adopt_head("own", static)


def test_a_head_of_another_architecture_is_refused() -> None:
    model = AutoAdapterModel.from_config(MODELS["roberta"].config())
    with pytest.raises(AttachError, match="'bert' model is not for a 'roberta'"):
        model.adopt_head("own", _static("Bert ForTokenClassification"))
    assert model.adapter_runtime.heads.names() == ()


@pytest.mark.parametrize(
    ("family", "settings", "said"),
    [
        ("bert", {"pooling": "mean", "layers": 2}, "pooling='cls', not 'mean'"),
        ("bert", {"pooling": "cls"}, "layers=2, not 1"),
        ("distilbert", {"pooling": "cls", "layers": 2}, "activation='relu', not 'tanh'"),
    ],
)
def test_what_a_class_cannot_say_is_refused(family: str, settings: dict[str, Any], said: str) -> None:
    model: Any = adapter_lib.init(build(family))
    model.add_classification_head("one", num_labels=2, **settings)
    with pytest.raises(AttachError, match=said):
        model.to_static("one")


def test_a_bias_must_be_nothing_where_the_class_has_none() -> None:
    model: Any = adapter_lib.init(build("llama"))
    model.add_classification_head("one", num_labels=2, pooling="last")
    with pytest.raises(AttachError, match="no bias in its head"):
        model.to_static("one")
    with torch.no_grad():
        model.adapter_runtime.heads.get("one").get_parameter("0.bias").zero_()
    assert type(model.to_static("one")).__name__ == "LlamaForSequenceClassification"


def test_a_type_without_a_class_is_refused() -> None:
    model: Any = adapter_lib.init(build("bert"))
    model.add_dependency_parsing_head("one", labels=["a"])
    with pytest.raises(AttachError, match="no class for a 'dependency_parsing' head on 'bert'"):
        model.to_static("one")
