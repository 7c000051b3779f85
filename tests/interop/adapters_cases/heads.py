"""Cases with a head of the peer on top; the inverse of an invertible adapter is applied there only."""

from dataclasses import dataclass, field
from typing import Any

from tests.interop.adapters_cases.methods import Config
from tests.interop.adapters_cases.peer import adapters


@dataclass(frozen=True)
class Head:
    """The peer's method that adds the head, and what it is given."""

    method: str
    options: dict[str, Any] = field(default_factory=dict)


def _invertible() -> Any:
    return adapters.SeqBnInvConfig(reduction_factor=8)


def _lora() -> Any:
    return adapters.LoRAConfig(r=2, alpha=4)


_CLASSES = Head("add_classification_head", {"num_labels": 3})
_TAGS = Head("add_tagging_head", {"num_labels": 3})
_ANSWERS = Head("add_qa_head")
_CAUSAL = {"head_causal_lm_inv": (_invertible, Head("add_causal_lm_head"))}

HEADS: dict[str, dict[str, tuple[Config, Head]]] = {
    "bert": {
        "head_classification": (_lora, _CLASSES),
        "head_classification_pooler": (
            _lora,
            Head("add_classification_head", {"num_labels": 3, "layers": 1, "use_pooler": True}),
        ),
        "head_multilabel": (
            _lora,
            Head("add_classification_head", {"num_labels": 3, "multilabel": True, "layers": 3}),
        ),
        "head_tagging": (_lora, _TAGS),
        "head_qa": (_lora, _ANSWERS),
        "head_masked_lm": (_lora, Head("add_masked_lm_head")),
        "head_masked_lm_inv": (_invertible, Head("add_masked_lm_head")),
    },
    "gpt2": {
        "head_classification": (_lora, _CLASSES),
        "head_tagging": (_lora, _TAGS),
        "head_qa": (_lora, _ANSWERS),
        **_CAUSAL,
    },
    "llama": {"head_classification": (_lora, _CLASSES), **_CAUSAL},
    "t5": {"head_seq2seq_lm_inv": (_invertible, Head("add_seq2seq_lm_head"))},
    "bart": {"head_seq2seq_lm_inv": (_invertible, Head("add_seq2seq_lm_head"))},
    "vit": {"head_image_classification": (_lora, Head("add_image_classification_head", {"num_labels": 3}))},
}
