"""Which heads make sense on which models."""

from collections.abc import Mapping
from typing import Any

from adapter_lib.families import Resolved, resolve

_WRAPPERS = ("encoder-decoder", "vision-encoder-decoder", "speech-encoder-decoder")
_ONE_STATE_PER_TOKEN = ("encoder", "decoder")
_WITH_STATES = ("encoder", "decoder", "seq2seq", "vision", "audio", "multimodal")
# Type of head → the kinds of models that it makes sense on.
SUPPORT: Mapping[str, tuple[str, ...]] = {
    "classification": _WITH_STATES,
    "multilabel": _WITH_STATES,
    "regression": _WITH_STATES,
    "tagging": _ONE_STATE_PER_TOKEN,
    "multiple_choice": _ONE_STATE_PER_TOKEN,
    "question_answering": ("encoder", "decoder", "seq2seq"),
    "dependency_parsing": _ONE_STATE_PER_TOKEN,
    "masked_lm": ("encoder",),
    "causal_lm": ("decoder", "multimodal"),
    "seq2seq_lm": ("seq2seq",),
    "image_classification": ("vision",),
    "custom": _WITH_STATES,
}
_WHAT: Mapping[str, str] = {
    "encoder": "a text encoder",
    "decoder": "a decoder",
    "seq2seq": "an encoder-decoder",
    "vision": "a vision model",
    "audio": "an audio encoder",
    "multimodal": "a decoder that sees images",
    "dual": "two encoders side by side, which return no hidden states",
    "wrapper": "two models in one, which returns no hidden states",
    "plain": "a plain module, whose hidden size is not known",
}


def supports(model: Any, head_type: str) -> bool:
    """True if a type of head makes sense on a model, prepared or not.

    Raises FamilyError for a transformers model without a role table.
    """
    return refusal(model, resolve(model), head_type) is None


def supported_heads(model: Any) -> tuple[str, ...]:
    """The types of heads that make sense on a model. Raises FamilyError as `supports` does."""
    kind = kind_of(model, resolve(model))
    return tuple(head_type for head_type, kinds in SUPPORT.items() if kind in kinds)


def refusal(model: Any, resolved: Resolved, head_type: str) -> str | None:
    """One sentence if a type of head makes no sense on a model."""
    kind = kind_of(model, resolved)
    if kind in SUPPORT[head_type]:
        return None
    kinds = " or ".join(_WHAT[wanted] for wanted in SUPPORT[head_type])
    return f"{type(model).__name__} is {_WHAT[kind]}; a head of the type {head_type!r} needs {kinds}."


def kind_of(model: Any, resolved: Resolved) -> str:
    """What kind of model it is, a key of the table in this module."""
    config: Any = getattr(resolved.base, "config", None)
    roles = {tower.table.role for tower in resolved.towers}
    if not resolved.towers:
        return "plain"
    if getattr(config, "model_type", "") in _WRAPPERS:
        return "wrapper"
    if getattr(config, "is_encoder_decoder", False):
        return "seq2seq"
    if len(roles) > 1:
        return "multimodal" if "decoder" in roles else "dual"
    role = roles.pop()
    if role == "encoder" and getattr(config, "is_decoder", False) is True:
        return "decoder"
    return "encoder" if role == "text" else role
