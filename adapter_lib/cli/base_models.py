"""A backbone in the class that it is wanted in, without a task's tokenizer."""

from typing import Any

import transformers

from adapter_lib.spec.errors import LoadError, listing

# Words of PEFT for what a model is for, and the class that transformers has for it.
CLASSES = {
    "SEQ_CLS": "AutoModelForSequenceClassification",
    "TOKEN_CLS": "AutoModelForTokenClassification",
    "QUESTION_ANS": "AutoModelForQuestionAnswering",
    "CAUSAL_LM": "AutoModelForCausalLM",
    "SEQ_2_SEQ_LM": "AutoModelForSeq2SeqLM",
    "FEATURE_EXTRACTION": "AutoModel",
}
_NOT_LOADED = (OSError, ValueError, KeyError, RuntimeError, ImportError)


def checked_use(use: str) -> str:
    """One of CLASSES. Raises LoadError."""
    if use not in CLASSES:
        raise LoadError(f"There is no use {use!r} of a model; there are: {listing(CLASSES)}.")
    return use


def load_base(name: str, *, use: str | None = None, labels: int | None = None) -> Any:
    """The model in a folder or of an id, in eval mode.

    use: one of CLASSES; None: the class that its config names. labels: outputs of a classifier.
    Raises LoadError.
    """
    options: dict[str, Any] = {"trust_remote_code": False}
    try:
        if use is None:
            config = transformers.AutoConfig.from_pretrained(name, trust_remote_code=False)
            return _own_class(config).from_pretrained(name, config=config).eval()
        if labels is not None and use in ("SEQ_CLS", "TOKEN_CLS"):
            options["num_labels"] = labels
        return getattr(transformers, CLASSES[use]).from_pretrained(name, **options).eval()
    except _NOT_LOADED as error:
        reason = " ".join(str(error).split())[:300]
        raise LoadError(f"The backbone {name!r} could not be loaded: {reason}") from error


def _own_class(config: Any) -> Any:
    named = (config.architectures or ["AutoModel"])[0]
    found = getattr(transformers, named, None)
    is_model = isinstance(found, type) and issubclass(found, transformers.PreTrainedModel)
    return found if is_model else transformers.AutoModel
