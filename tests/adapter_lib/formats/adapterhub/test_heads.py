"""A head travels with its adapter, or is left out with a reason."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from adapter_lib.points import like_of
from adapter_lib.spec.errors import AdapterLibError
from adapter_lib.spec.heads import (
    CausalLMSpec,
    ClassificationSpec,
    DependencyParsingSpec,
    HeadSpec,
    ImageClassificationSpec,
    MaskedLMSpec,
    MultilabelSpec,
    MultipleChoiceSpec,
    QuestionAnsweringSpec,
    RegressionSpec,
    TaggingSpec,
)
from tests.adapter_lib.formats.adapterhub import folders
from tests.adapter_lib.tiny import VOCABULARY

_LABELS = ("x", "y", "z")


def _with_head(spec: HeadSpec) -> Any:
    model = folders.model()
    model.add_adapter("a", "seq_bn")
    model.adapter_runtime.heads.add("a", spec, like_of(model))
    return model


def test_there_and_back(tmp_path: Path) -> None:
    first = folders.written(tmp_path, "seq_bn", head=True)
    second = folders.loaded(tmp_path)
    assert second.adapter_runtime.heads.get("b").spec == first.adapter_runtime.heads.get("a").spec
    assert torch.equal(folders.logits(second), folders.logits(first))
    assert folders.logits(second).shape == (2, 3)


@pytest.mark.parametrize(
    "spec",
    [
        ClassificationSpec(_LABELS, "cls", 3, "relu", 0.1, use_bias=False),
        RegressionSpec(("stars",), "cls"),
        MultilabelSpec(_LABELS, "cls", 2, "gelu"),
        ImageClassificationSpec(_LABELS, "cls"),
        TaggingSpec(_LABELS, 2),
        QuestionAnsweringSpec(),
        MultipleChoiceSpec(pooling="cls"),
        DependencyParsingSpec(_LABELS),
        MaskedLMSpec(vocab_size=VOCABULARY),
        MaskedLMSpec(vocab_size=VOCABULARY, transform=False, use_bias=False),
        CausalLMSpec(vocab_size=VOCABULARY, activation="gelu_new", transform=True),
    ],
)
def test_every_type(tmp_path: Path, spec: HeadSpec) -> None:
    """All tensors of all heads come back under their own names."""
    first, second = _with_head(spec), folders.model()
    report = first.save_adapter(tmp_path, "a", format="adapterhub")
    assert report.set_aside == {}
    second.load_adapter(tmp_path, name="b")
    one, other = (m.adapter_runtime.heads.get(n) for m, n in ((first, "a"), (second, "b")))
    assert other.spec == spec
    before = dict(one.named_parameters())
    assert before.keys() == dict(other.named_parameters()).keys()
    assert all(torch.equal(value, before[key]) for key, value in other.named_parameters())


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (ClassificationSpec(_LABELS, "mean"), "pools this model with 'cls', and the head with 'mean'"),
        (RegressionSpec(("a", "b"), "cls"), "a regression of AdapterHub's library has one number"),
        (ImageClassificationSpec(_LABELS, norm_eps=1e-5), "has no norm"),
        (TaggingSpec(_LABELS, use_bias=False), "always has a bias"),
        (MaskedLMSpec(vocab_size=VOCABULARY, norm_eps=1e-3), "the model's scale and norm_eps"),
        (MaskedLMSpec(vocab_size=VOCABULARY, tied=False), "ties the head of such a model"),
    ],
)
def test_what_the_peer_does_not_have(tmp_path: Path, spec: HeadSpec, reason: str) -> None:
    model = _with_head(spec)
    report = model.save_adapter(tmp_path, "a", format="adapterhub")
    names = [name for name, _ in model.adapter_runtime.heads.get("a").named_parameters()]
    assert set(report.set_aside) == {f"head.{name}" for name in names}
    assert reason in report.notes[0]
    assert not (tmp_path / folders.HEAD_CONFIG).exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"head_type": "poetry"}, "no head of the type 'poetry'"),
        ({"head_type": ["poetry"]}, "no head of the type"),
        ({"use_pooler": True}, "the model's own pooler"),
        ({"activation_function": "mish"}, "the activation 'mish' is none of"),
        ({"activation_function": None}, "the activation 'None' is none of"),
        ({"head_type": "image_classification", "multilabel": True}, "an image has one class"),
        ({"head_type": "masked_lm", "layers": 3}, "one transformation with a norm here, or none"),
    ],
)
def test_what_has_no_counterpart(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    folders.written(tmp_path, "seq_bn", head=True)
    folders.alter(tmp_path, lambda values: values["config"].update(change), folders.HEAD_CONFIG)
    model = folders.model()
    report = model.load_adapter(tmp_path, name="b")
    assert len(report.set_aside) == 4
    assert all(reason in why for why in report.set_aside.values())
    assert reason in str(report)
    assert model.adapter_runtime.heads.names() == ()


def test_a_static_head(tmp_path: Path) -> None:
    """A head that is part of a model of transformers has no config of its own."""
    folders.written(tmp_path, "seq_bn", head=True)
    folders.alter(tmp_path, lambda values: values.update(config=None), folders.HEAD_CONFIG)
    report = folders.model().load_adapter(tmp_path, name="b")
    assert "part of the model that it was trained with" in report.notes[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"label2id": {"a": 0, "b": 0, "c": 1}}, "number the labels from 0"),
        ({"label2id": {"a": "x", "b": 1, "c": 2}}, "number the labels from 0"),
        ({"label2id": None, "num_labels": None}, "neither label2id nor num_labels"),
        ({"label2id": None, "num_labels": 10**9}, "neither label2id nor num_labels"),
        ({"label2id": {"a": 0, "b": 1}}, "has the shape"),
        ({"layers": 10**9}, "layers must be"),
        ({"dropout_prob": 7}, "dropout must be"),
        ({"head_type": "masked_lm", "layers": 1}, "has 1 or 3 modules with weights, not 2"),
        ({"head_type": "dependency_parsing"}, "is no parser's"),
    ],
)
def test_a_config_that_cannot_be(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    folders.written(tmp_path, "seq_bn", head=True)
    folders.alter(tmp_path, lambda values: values["config"].update(change), folders.HEAD_CONFIG)
    with pytest.raises(AdapterLibError, match=sentence):
        folders.loaded(tmp_path)


def test_embeddings_that_are_the_models(tmp_path: Path) -> None:
    """A tied head's output embeddings are in the file all the same."""
    spec = MaskedLMSpec(vocab_size=VOCABULARY)
    _with_head(spec).save_adapter(tmp_path, "a", format="adapterhub")
    model = folders.model()
    report = model.load_adapter(tmp_path, name="b")
    assert report.set_aside == {"heads.a.3.weight": "the model's input embeddings again"}
    other = folders.model()
    with torch.no_grad():
        other.get_parameter("embeddings.word_embeddings.weight").add_(1)
    other.load_adapter(tmp_path, name="b")
    assert other.adapter_runtime.heads.get("b").spec == replace(spec, tied=False)
