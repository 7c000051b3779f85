"""Transformers' own heads as heads of ours, and back."""

import copy
from dataclasses import replace
from typing import Any

import torch
import transformers as hf
from torch import Tensor, nn
from transformers import PreTrainedModel

from adapter_lib.heads import Head
from adapter_lib.heads.static import StaticHead, static_head, tensor_at
from adapter_lib.model.head_methods import HeadMethods
from adapter_lib.points import CHILD_PREFIX
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.heads import HeadSpec

# Type of head → transformers' classes for it, and what a config calls the problem.
_AUTO = {
    "classification": "AutoModelForSequenceClassification",
    "multilabel": "AutoModelForSequenceClassification",
    "regression": "AutoModelForSequenceClassification",
    "tagging": "AutoModelForTokenClassification",
    "question_answering": "AutoModelForQuestionAnswering",
    "multiple_choice": "AutoModelForMultipleChoice",
    "image_classification": "AutoModelForImageClassification",
    "masked_lm": "AutoModelForMaskedLM",
    "causal_lm": "AutoModelForCausalLM",
    "seq2seq_lm": "AutoModelForSeq2SeqLM",
}
_PROBLEMS = {
    "classification": "single_label_classification",
    "multilabel": "multi_label_classification",
    "regression": "regression",
}


class StaticHeads(HeadMethods):
    """Both ways, with equal logits."""

    def adopt_head(
        self, name: str, source: PreTrainedModel | None = None, *, overwrite: bool = False
    ) -> None:
        """Add a head with the weights of the head that a class of transformers has: BertForMaskedLM's.

        source: the model that has it; by default this one itself. Its labels are kept.
        Raises AttachError for a head without a counterpart, or one that does not fit this model.
        """
        given: Any = self if source is None else source
        found = _fitted(static_head(given), given, self)
        if given.config.model_type != self._config().model_type:
            raise AttachError(
                f"The head of a {given.config.model_type!r} model is not for a {self._config().model_type!r}."
            )
        heads = self.adapter_runtime.heads
        for key, shape in found.spec.shapes(heads.hidden_size).items():
            if tensor_at(given, found.tensors[key]).numel() != torch.Size(shape).numel():
                raise AttachError(f"{found.tensors[key]} of {type(given).__name__} is of another size.")
        self._add_head(name, found.spec, overwrite=overwrite)
        with torch.no_grad():
            for key, parameter in heads.get(name).named_parameters():
                parameter.copy_(tensor_at(given, found.tensors[key]).reshape(parameter.shape))

    def to_static(self, name: str) -> PreTrainedModel:
        """A new model of transformers' class for a head, with the head's weights and this model's.

        Adapters are not in it, unless they are merged into the weights. In eval mode; its logits are those of
        this model with that head. Raises AttachError, which says why, where the class's head is another.
        """
        head = self.adapter_runtime.heads.get(name)
        static = _class_for(head.spec, self._config())(_configured(head.spec, self._config()))
        static = static.to(next(self.parameters()).device, next(self.parameters()).dtype)
        theirs = static_head(static)
        _check_alike(head, theirs.spec, type(static).__name__)
        _copy_backbone(self, static, theirs)
        with torch.no_grad():
            own = dict(head.named_parameters())
            for key, path in theirs.tensors.items():
                target = tensor_at(static, path)
                if key in own:
                    target.copy_(own[key].reshape(target.shape))
                elif key.endswith("bias"):
                    target.zero_()
        static.tie_weights()
        found: PreTrainedModel = static.eval()
        return found

    def _config(self) -> Any:
        return self.config


def _fitted(found: StaticHead, source: Any, target: Any) -> StaticHead:
    """With output embeddings of its own, where those of the target are others than the source's."""
    if not getattr(found.spec, "tied", False):
        return found
    table, own = (model.get_input_embeddings().weight for model in (source, target))
    if table.shape == own.shape and bool(torch.equal(table, own)):
        return found
    spec = replace(found.spec, tied=False)  # type: ignore[call-arg]
    path = next(name for name, module in source.named_modules() if module is source.get_output_embeddings())
    return StaticHead(spec, {**found.tensors, "decoder.weight": f"{path}.weight"})


def _class_for(spec: HeadSpec, config: Any) -> Any:
    auto: Any = getattr(hf, _AUTO.get(spec.type, ""), None)
    if auto is None or type(config) not in auto._model_mapping:
        raise AttachError(f"Transformers has no class for a {spec.type!r} head on {config.model_type!r}.")
    found = auto._model_mapping[type(config)]
    return found[0] if isinstance(found, tuple) else found


def _configured(spec: HeadSpec, config: Any) -> Any:
    """A copy of the config that describes the head."""
    new = copy.deepcopy(config)
    if spec.labels:
        new.id2label = dict(enumerate(spec.labels))
        new.label2id = {label: number for number, label in enumerate(spec.labels)}
    if spec.type in _PROBLEMS:
        new.problem_type = _PROBLEMS[spec.type]
    if spec.type == "question_answering":
        new.num_labels = 2
    if hasattr(spec, "tied"):
        new.tie_word_embeddings = spec.tied
    if spec.type == "image_classification" and hasattr(new, "use_mean_pooling"):
        new.use_mean_pooling = getattr(spec, "norm_eps", None) is not None
    return new


def _check_alike(head: Head[Any], theirs: HeadSpec, name: str) -> None:
    """Refuse a head whose scores the other could not give."""
    ours = head.spec.to_dict() | {"dropout": 0.0}
    other = theirs.to_dict() | {"dropout": 0.0, "type": ours["type"]}
    if ours.get("layers") == 1:
        other.pop("activation"), ours.pop("activation")
    biases = ours.pop("use_bias", True), other.pop("use_bias", True)
    last = [value for key, value in head.named_parameters() if key.endswith("bias")][-1:]
    if biases == (True, False) and any(bool(value.any()) for value in last):
        raise AttachError(f"{name} has no bias in its head, and this head has one.")
    differing = [key for key, value in ours.items() if other.get(key, value) != value]
    if differing:
        said = ", ".join(f"{key}={other.get(key)!r}, not {ours[key]!r}" for key in differing)
        raise AttachError(f"The head of {name} has {said}.")


def _copy_backbone(source: Any, static: Any, theirs: StaticHead) -> None:
    """Copy the base model's weights. Raises AttachError for one that the class has and this model has not."""
    own: dict[str, Tensor] = {
        key: value for key, value in source.base_model.state_dict().items() if CHILD_PREFIX not in key
    }
    base: nn.Module = static.base_model
    if source.base_model is source and base is not static:
        own = {key: value for key, value in own.items() if not key.startswith("lm_head.")}
    result = base.load_state_dict(own, strict=False)
    prefix = "" if base is static else f"{static.base_model_prefix}."
    of_head = {*theirs.tensors.values()}
    missing = [key for key in result.missing_keys if prefix + key not in of_head]
    known = [key for key in missing if "pooler" not in key and not key.startswith("lm_head.")]
    if known:
        raise AttachError(f"{type(static).__name__} needs {known[0]}, which this model has not.")
