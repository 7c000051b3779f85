"""The heads of `adapters` 1.3.0, loaded with their adapters, and what they computed there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BartForConditionalGeneration, BertForMaskedLM, T5ForConditionalGeneration

import adapter_lib
from adapter_lib.formats.report import LoadReport
from tests.interop import ours
from tests.interop.peer_heads import linear_head
from tests.interop.reading import Reference, Tensors, families, reference, references

CLOSE = 1e-5
_DECODERS = ("gpt2", "llama")
# GPT-2 and LLaMA have no padding token here; then the peer takes the very last position for the last token.
_LAST_IS_PADDING = {(family, "head_classification", "padded") for family in _DECODERS}
# On BERT's pooler, which no head of ours has.
_POOLED = ("bert", "head_classification_pooler")


def _cases(*kinds: str) -> Iterator[tuple[str, str]]:
    for family in families("adapters"):
        for case in references("adapters", family=family):
            if case.entry.get("head", "") in kinds:
                yield family, case.case


def _head(case: Reference) -> tuple[dict[str, Any], Tensors]:
    document = json.loads((case.adapter / "head_config.json").read_text(encoding="utf-8"))
    tensors = load_file(str(case.adapter / "model_head.safetensors"))
    return document["config"], {key: value.double() for key, value in tensors.items()}


def _hidden(model: Any, case: Reference, variant: str) -> Tensor:
    return ours.run(model, case, variant)["last_hidden_state"]


@contextmanager
def _loaded(case: Reference) -> Iterator[tuple[Any, LoadReport]]:
    """The family's model with a case's adapter, and its head, loaded from the peer's folder and active."""
    model = ours.base_model(case.base)
    report = model.load_adapter(case.adapter, name=case.case)
    try:
        model.set_active_adapters(case.case)
        yield model, report
    finally:
        for head in model.adapter_runtime.heads.names():
            model.delete_head(head)
        model.delete_adapter(case.case)


def _computed(model: Any, case: Reference, variant: str) -> Tensors:
    inputs = {name: _exact(value) for name, value in case.inputs(variant).items()}
    with torch.no_grad():
        output = model(**inputs)
    return {name: output[name] for name in case.outputs(variant)}


_KINDS = (
    "add_classification_head", "add_image_classification_head", "add_multilabel_classification_head",
    "add_tagging_head", "add_qa_head", "add_masked_lm_head", "add_causal_lm_head", "add_seq2seq_lm_head",
)  # fmt: skip


@pytest.mark.parametrize(("family", "case"), [found for found in _cases(*_KINDS) if found != _POOLED])
def test_a_head_of_the_peers(family: str, case: str) -> None:
    """A coupling is undone where the peer undoes it: in front of the output embeddings."""
    found = reference("adapters", family, case)
    with _loaded(found) as (model, report):
        assert set(report.set_aside.values()) <= {"the model's input embeddings again"}
        for variant in found.variants:
            deviation = ours.deviation(_computed(model, found, variant), found.outputs(variant))
            assert (deviation > CLOSE) is ((family, case, variant) in _LAST_IS_PADDING), deviation


def test_every_head_is_tested() -> None:
    entries = [case.entry for f in families("adapters") for case in references("adapters", family=f)]
    assert {entry["head"] for entry in entries if "head" in entry} <= set(_KINDS)


@pytest.mark.parametrize(("family", "case", "variant"), sorted(_LAST_IS_PADDING))
def test_the_peer_classifies_padding(family: str, case: str, variant: str) -> None:
    found = reference("adapters", family, case)
    config, tensors = _head(found)
    with ours.acting(found) as model:
        hidden = ours.run(model, found, variant)["last_hidden_state"]
    logits = linear_head(config, tensors, hidden[:, -1])
    assert ours.deviation({"logits": logits}, found.outputs(variant)) < CLOSE


def test_a_pooled_head() -> None:
    """No head of ours reads the pooler: it is set aside, and this is what it computes."""
    found = reference("adapters", *_POOLED)
    config, tensors = _head(found)
    with _loaded(found) as (model, report):
        assert set(report.set_aside.values()) == {"it reads the model's own pooler, which no head here does"}
        assert len(report.set_aside) == len(tensors)
        for variant in found.variants:
            with torch.no_grad():
                pooled = model(**found.inputs(variant)).pooler_output
            logits = linear_head(config, tensors, pooled)
            assert ours.deviation({"logits": logits}, found.outputs(variant)) < CLOSE


_BERT_HEAD = {
    "0": "cls.predictions.transform.dense",
    "2": "cls.predictions.transform.LayerNorm",
    "3": "cls.predictions.decoder",
}
# The model of transformers with the same head, and where that keeps the peer's modules.
_WHOLE: list[tuple[str, str, Any, dict[str, str]]] = [
    ("bert", "head_masked_lm", BertForMaskedLM, _BERT_HEAD),
    ("bert", "head_masked_lm_inv", BertForMaskedLM, _BERT_HEAD),
    ("t5", "head_seq2seq_lm_inv", T5ForConditionalGeneration, {"0": "lm_head"}),
    ("bart", "head_seq2seq_lm_inv", BartForConditionalGeneration, {"0": "lm_head"}),
]


@pytest.mark.parametrize(("family", "case", "kind", "modules"), _WHOLE)
def test_whole_language_models(family: str, case: str, kind: Any, modules: dict[str, str]) -> None:
    """The model itself undoes the coupling, at the head that it has."""
    found = reference("adapters", family, case)
    _, tensors = _head(found)
    model = kind.from_pretrained(found.base, attn_implementation="eager", dtype=torch.float64).eval()
    for key, value in tensors.items():
        number, name = key.split(".")[-2:]
        # A parameter of its own: the embeddings, to which the head may be tied, stay as they are.
        model.get_submodule(modules[number]).register_parameter(name, nn.Parameter(value))
    adapter_lib.init(model)
    ours.add(model, case, ours.ported(found, case, model))
    model.set_active_adapters(case)
    for variant in found.variants:
        assert ours.deviation(ours.run(model, found, variant), found.outputs(variant)) < CLOSE


def _exact(value: Tensor) -> Tensor:
    return value.double() if value.is_floating_point() else value
