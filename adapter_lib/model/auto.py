"""`AutoAdapterModel`: a model of transformers for any heads of ours, prepared for adapters."""

import os
from typing import Any

import transformers as hf
from transformers import PreTrainedModel
from transformers.models.auto import modeling_auto as tables

from adapter_lib.heads.static_tables import family_and_task
from adapter_lib.model.init import init
from adapter_lib.spec.errors import AttachError

# Heads over the vocabulary are the model's own, or none of what a user wants to predict with.
_LANGUAGE_MODELS = ("ForMaskedLM", "ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
_WITH_DECODER = (
    tables.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
    tables.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING,
)


class AutoAdapterModel:
    """Chooses the class: one that can generate where the architecture has it, else the bare model.

    Heads of ours stand in for the class's own head, if it has one; without an active head it predicts itself.
    """

    def __init__(self) -> None:
        raise AttachError("Use AutoAdapterModel.from_pretrained(id) or AutoAdapterModel.from_config(config).")

    @classmethod
    def from_pretrained(
        cls,
        model_id: str | os.PathLike[str],
        *args: Any,
        config: Any = None,
        head_name: str | None = "default",
        **kwargs: Any,
    ) -> Any:
        """The model of an id or a folder, prepared for adapters.

        model_id, args, config, kwargs: as transformers' AutoModel takes them.
        head_name: a checkpoint that has a head for a task (such as a BertForSequenceClassification) gives it
            as a head of this name, active at once, with its labels. None leaves it out.
        Raises FamilyError for an architecture without a role table.
        """
        if config is None:
            known = {key: kwargs[key] for key in ("revision", "cache_dir", "token") if key in kwargs}
            config = hf.AutoConfig.from_pretrained(model_id, **known)
        kind: Any = class_of(config)
        model: Any = init(kind.from_pretrained(model_id, *args, config=config, **kwargs))
        static = _static_class(config, kind) if head_name else None
        if static is not None:
            source = static.from_pretrained(model_id, *args, config=config, **kwargs)
            model.adopt_head(head_name, source)
            model.active_head = head_name
        return model

    @classmethod
    def from_config(cls, config: Any, **kwargs: Any) -> Any:
        """The model of a config, with random weights. Raises FamilyError as `from_pretrained` does.

        kwargs: such as dtype and attn_implementation.
        """
        kind: Any = class_of(config)
        return init(kind._from_config(config, **kwargs))


def class_of(config: Any) -> type[PreTrainedModel]:
    """The class of transformers that a config's model has. Raises AttachError where there is none."""
    kind = type(config)
    if getattr(config, "is_encoder_decoder", False):
        table = next((table for table in _WITH_DECODER if kind in table), tables.MODEL_MAPPING)
    elif kind in tables.MODEL_FOR_CAUSAL_LM_MAPPING and _decodes(config):
        table = tables.MODEL_FOR_CAUSAL_LM_MAPPING
    elif kind in tables.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING and _decodes(config):
        table = tables.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
    else:
        table = tables.MODEL_MAPPING
    if kind not in table:
        raise AttachError(f"Transformers has no model for a {kind.__name__}.")
    found: Any = table[kind]
    chosen: type[PreTrainedModel] = found[0] if isinstance(found, tuple) else found
    return chosen


def _decodes(config: Any) -> bool:
    """False for encoders that could be used as decoders, and are not."""
    is_masked = type(config) in tables.MODEL_FOR_MASKED_LM_MAPPING
    return not is_masked or bool(getattr(config, "is_decoder", False))


def _static_class(config: Any, chosen: type[PreTrainedModel]) -> Any:
    """The class of a checkpoint that has a head for a task, or None."""
    for name in getattr(config, "architectures", None) or ():
        _, task = family_and_task(name)
        if task and task not in _LANGUAGE_MODELS and name != chosen.__name__:
            return getattr(hf, name, None)
    return None
