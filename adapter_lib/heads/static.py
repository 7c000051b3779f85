"""The heads that transformers' own classes have, told in terms of ours.

Which tensor of a class is which of ours stands in tables by the class's name; a class that is in none has no
counterpart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

from adapter_lib.families import hidden_size_of
from adapter_lib.heads.activations import ACTIVATIONS
from adapter_lib.heads.describe import label_names
from adapter_lib.heads.output_scale import output_scale
from adapter_lib.heads.static_tables import CHOOSERS, CLASSIFIERS, IMAGES, MASKED, Layers, family_and_task
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.heads import (
    CausalLMSpec,
    ClassificationSpec,
    HeadSpec,
    ImageClassificationSpec,
    MaskedLMSpec,
    MultilabelSpec,
    MultipleChoiceSpec,
    QuestionAnsweringSpec,
    RegressionSpec,
    Seq2SeqLMSpec,
    TaggingSpec,
)
from adapter_lib.spec.heads.linears import LinearSpec

_SOFTCAPS = ("final_logit_softcapping", "lm_head_multiplier", "mup_width_scale")


@dataclass(frozen=True)
class StaticHead:
    """The head of a model of transformers. tensors: by our name, the path of the same in the model."""

    spec: HeadSpec
    tensors: Mapping[str, str]


# (model, family) → its head.
Reader = Callable[[Any, str], StaticHead | None]


def static_head(model: nn.Module) -> StaticHead:
    """The head that a model's class has. Raises AttachError for one that has no counterpart here."""
    name = getattr(model, "adapter_base_class", type(model)).__name__
    family, task = family_and_task(name)
    if task not in _READERS:
        raise AttachError(f"{name} has no head of a kind that is known here.")
    found = _READERS[task](model, family)
    if found is None:
        raise AttachError(f"The head of {name} has no counterpart: it is no stack of maps known here.")
    return found


def tensor_at(model: nn.Module, path: str) -> Tensor:
    """A parameter or buffer by its path."""
    module, _, name = path.rpartition(".")
    found = getattr(model.get_submodule(module), name)
    assert isinstance(found, Tensor)  # noqa: S101  (the tables say so)
    return found


def _classifier(model: nn.Module, family: str) -> StaticHead | None:
    layers = CLASSIFIERS.get(family)
    if layers is None and isinstance(getattr(model, "score", None), nn.Linear):
        layers = Layers(("score",), pooling="last")
    if layers is None:
        return None
    kinds = {"regression": RegressionSpec, "multi_label_classification": MultilabelSpec}
    return _linears(model, layers, kinds.get(_problem(model.config), ClassificationSpec))


def _problem(config: Any) -> str:
    given = getattr(config, "problem_type", None)
    return str(given or ("regression" if config.num_labels == 1 else ""))


def _chooser(model: nn.Module, family: str) -> StaticHead | None:
    layers = CHOOSERS.get(family)
    return None if layers is None else _linears(model, layers, MultipleChoiceSpec)


def _image(model: nn.Module, family: str) -> StaticHead | None:
    layers = IMAGES.get(family)
    if layers is None:
        return None
    found = _linears(model, layers, ImageClassificationSpec)
    norm = getattr(getattr(_base(model), "pooler", None), "layernorm", None)
    if family != "Beit" or norm is None:
        return found
    values = found.spec.__dict__ | {"pooling": "patches", "norm_eps": norm.eps}
    prefix = f"{_prefix(model)}pooler.layernorm"
    norms = {"norm.weight": f"{prefix}.weight", "norm.bias": f"{prefix}.bias"}
    return StaticHead(ImageClassificationSpec(**values), {**found.tensors, **norms})


def _per_token(names: tuple[str, ...], spec: type[LinearSpec]) -> Reader:
    def read(model: nn.Module, family: str) -> StaticHead | None:
        path = next((name for name in names if isinstance(getattr(model, name, None), nn.Linear)), None)
        others = {name for name, _ in model.named_children() if "adapter_lib" not in name}
        if path is None or others - {path, "dropout", _prefix(model).rstrip("."), "qa_dropout"}:
            return None
        if spec is QuestionAnsweringSpec and model.get_submodule(path).get_parameter("weight").shape[0] != 2:
            return None
        return _linears(model, Layers((path,)), spec)

    return read


def _linears(model: Any, layers: Layers, kind: type[LinearSpec]) -> StaticHead:
    paths = [path.replace("{base}.", _prefix(model)) for path in layers.paths]
    last = model.get_submodule(paths[-1])
    activation = _named(layers.activation, model.config)
    if len(paths) > 1 and activation not in ACTIVATIONS:
        raise AttachError(f"The head of {type(model).__name__} has the activation {activation!r}.")
    values: dict[str, Any] = {"layers": len(paths), "use_bias": last.bias is not None}
    if len(paths) > 1:
        values["activation"] = activation
    if kind not in (QuestionAnsweringSpec, MultipleChoiceSpec):
        names = model.config.id2label
        values["labels"] = label_names(None, {int(number): str(name) for number, name in names.items()})
    if kind not in (TaggingSpec, QuestionAnsweringSpec):
        values["pooling"] = layers.pooling
    spec = kind(**values)
    return StaticHead(spec, _by_module(spec, {str(number): path for number, path in enumerate(paths)}))


def _masked(model: Any, family: str) -> StaticHead | None:
    return _transformed(model, family, MaskedLMSpec)


def _transformed(model: Any, family: str, kind: type[MaskedLMSpec | CausalLMSpec]) -> StaticHead | None:
    """Output embeddings behind a map, an activation and a norm."""
    found = MASKED.get(family)
    if found is None or getattr(model.config, "legacy", True) is False:
        return None
    activation = _named(found.activation, model.config)
    if activation not in ACTIVATIONS:
        return None
    decoder, norm = model.get_submodule(found.decoder), model.get_submodule(found.norm)
    size, width = decoder.weight.shape
    spec = kind(
        vocab_size=size,
        tied=_is_tied(model, decoder),
        width=width if width != hidden_size_of(model) else None,
        transform=True,
        activation=activation,
        norm_eps=norm.eps,
        use_bias=True,
    )
    paths = {"transform": found.dense, "norm": found.norm, "decoder": found.decoder}
    return StaticHead(spec, _by_module(spec, paths))


def _named(activation: str, config: Any) -> str:
    """An activation of the tables: its name, or `config.x` for what the config says under x."""
    prefix = "config."
    return (
        str(getattr(config, activation.removeprefix(prefix))) if activation.startswith(prefix) else activation
    )


def _language_model(model: Any, family: str) -> StaticHead | None:
    is_seq2seq = getattr(model.config, "is_encoder_decoder", False)
    kind: type[CausalLMSpec | Seq2SeqLMSpec] = Seq2SeqLMSpec if is_seq2seq else CausalLMSpec
    head = model.get_output_embeddings()
    if not is_seq2seq and type(model.config) in MODEL_FOR_MASKED_LM_MAPPING:
        return _transformed(model, family, CausalLMSpec)
    if not isinstance(head, nn.Linear) or any(getattr(model.config, cap, None) for cap in _SOFTCAPS):
        return None
    path = next(name for name, module in model.named_modules() if module is head)
    has_buffer = isinstance(getattr(model, "final_logits_bias", None), Tensor)
    spec = kind(
        vocab_size=head.weight.shape[0],
        tied=_is_tied(model, head),
        width=head.weight.shape[1] if head.weight.shape[1] != hidden_size_of(model) else None,
        scale=output_scale(model.config),
        use_bias=has_buffer or head.bias is not None,
    )
    bias = {"decoder.bias": "final_logits_bias"} if has_buffer else {}
    return StaticHead(spec, _by_module(spec, {"decoder": path}) | bias)


def _by_module(spec: HeadSpec, paths: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{module}.{name}": f"{paths[module]}.{name}"
        for module, name in (key.split(".") for key in spec.shapes(1))
    }


def _is_tied(model: Any, decoder: Any) -> bool:
    table = model.get_input_embeddings().weight
    return table is decoder.weight or (
        table.shape == decoder.weight.shape and bool(torch.equal(table, decoder.weight))
    )


def _base(model: Any) -> Any:
    return model.base_model


def _prefix(model: Any) -> str:
    return "" if model.base_model is model else f"{model.base_model_prefix}."


_READERS: dict[str, Reader] = {
    "ForSequenceClassification": _classifier,
    "ForMultipleChoice": _chooser,
    "ForImageClassification": _image,
    "ForTokenClassification": _per_token(("classifier", "score"), TaggingSpec),
    "ForQuestionAnswering": _per_token(("qa_outputs",), QuestionAnsweringSpec),
    "ForMaskedLM": _masked,
    "ForCausalLM": _language_model,
    "LMHeadModel": _language_model,
    "ForConditionalGeneration": _language_model,
}
