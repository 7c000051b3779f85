"""Logits of the heads of `adapters` 1.3.0, from our hidden states and, where ours has such a head, by it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BartForConditionalGeneration, BertForMaskedLM, T5ForConditionalGeneration

import adapter_lib
from adapter_lib.methods.invertible import Coupling
from tests.interop import ours
from tests.interop.porting import heads
from tests.interop.reading import Reference, Tensors, families, reference, references

CLOSE = 1e-5
_DECODERS = ("gpt2", "llama")
# GPT-2 and LLaMA have no padding token here; then the peer takes the very last position for the last token.
_LAST_IS_PADDING = {(family, "head_classification", "padded") for family in _DECODERS}
# On BERT's pooler, which no head of ours has.
_POOLED = ("bert", "head_classification_pooler")
# What is added to the variance in the norm of a language model's head.
_EPSILON = 1e-12


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


@pytest.mark.parametrize(
    ("family", "case"),
    [c for c in _cases("add_classification_head", "add_image_classification_head") if c != _POOLED],
)
def test_classification(family: str, case: str) -> None:
    found = reference("adapters", family, case)
    config, tensors = _head(found)
    settings = heads.classifier_settings(config, is_decoder=family in _DECODERS)
    assert settings is not None
    with ours.acting(found) as model:
        model.add_classification_head(case, **settings)
        _fill(model.adapter_runtime.heads.get(case), heads.classifier_tensors(tensors))
        for variant in found.variants:
            inputs = {name: _exact(value) for name, value in found.inputs(variant).items()}
            with torch.no_grad():
                logits = model(**inputs).logits
            deviation = ours.deviation({"logits": logits}, found.outputs(variant))
            assert (deviation > CLOSE) is ((family, case, variant) in _LAST_IS_PADDING), deviation


@pytest.mark.parametrize(("family", "case", "variant"), sorted(_LAST_IS_PADDING))
def test_the_peer_classifies_padding(family: str, case: str, variant: str) -> None:
    found = reference("adapters", family, case)
    config, tensors = _head(found)
    with ours.acting(found) as model:
        hidden = _hidden(model, found, variant)
    logits = heads.linear_head(config, tensors, hidden[:, -1])
    assert ours.deviation({"logits": logits}, found.outputs(variant)) < CLOSE


def test_a_pooled_head() -> None:
    found = reference("adapters", *_POOLED)
    config, tensors = _head(found)
    assert heads.classifier_settings(config, is_decoder=False) is None
    with ours.acting(found) as model:
        for variant in found.variants:
            with torch.no_grad():
                pooled = model(**found.inputs(variant)).pooler_output
            logits = heads.linear_head(config, tensors, pooled)
            assert ours.deviation({"logits": logits}, found.outputs(variant)) < CLOSE


@pytest.mark.parametrize(("family", "case"), list(_cases("add_tagging_head", "add_qa_head")))
def test_scores_per_token(family: str, case: str) -> None:
    found = reference("adapters", family, case)
    config, tensors = _head(found)
    with ours.acting(found) as model:
        for variant in found.variants:
            logits = heads.linear_head(config, tensors, _hidden(model, found, variant))
            outputs = {"logits": logits}
            if config["head_type"] == "question_answering":
                outputs = {"start_logits": logits[..., 0], "end_logits": logits[..., 1]}
            assert ours.deviation(outputs, found.outputs(variant)) < CLOSE


@pytest.mark.parametrize(
    ("family", "case"),
    list(_cases("add_masked_lm_head", "add_causal_lm_head", "add_seq2seq_lm_head")),
)
def test_language_models(family: str, case: str) -> None:
    """Our coupling's inverse stands where the peer's does: in front of the output embeddings."""
    found = reference("adapters", family, case)
    config, tensors = _head(found)
    # T5 scales what it hands to embeddings that serve as head too.
    scale = 32**-0.5 if family == "t5" else 1.0
    with ours.acting(found) as model:
        couplings = model.adapter_runtime.injection.shared_parts(case).values()
        for variant in found.variants:

            def undo(x: Tensor) -> Tensor:
                for coupling in couplings:
                    assert isinstance(coupling, Coupling)
                    x = coupling.inverse(x)
                return x

            hidden = _hidden(model, found, variant) * scale
            with torch.no_grad():
                logits = heads.language_model_head(config, tensors, hidden, undo=undo, epsilon=_EPSILON)
            assert ours.deviation({"logits": logits}, found.outputs(variant)) < CLOSE
        assert bool(couplings) is case.endswith("_inv")


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


def _fill(head: Any, tensors: Tensors) -> None:
    own = dict(head.named_parameters())
    assert set(own) == set(tensors)
    with torch.no_grad():
        for key, value in tensors.items():
            own[key].copy_(value)


def _exact(value: Tensor) -> Tensor:
    return value.double() if value.is_floating_point() else value
