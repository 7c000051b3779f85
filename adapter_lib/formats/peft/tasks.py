"""The task that PEFT asks a model's class for."""

from typing import Any

from transformers.models.auto import modeling_auto

_TASKS = {
    "SEQ_CLS": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
    "TOKEN_CLS": "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
    "QUESTION_ANS": "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
    "SEQ_2_SEQ_LM": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "CAUSAL_LM": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "FEATURE_EXTRACTION": "MODEL_MAPPING_NAMES",
}


def task_of(model: Any) -> str | None:
    """PEFT's word for what a model's class is for, None for classes that it has no word for."""
    own = {cls.__name__ for cls in type(model).__mro__}
    for task, table in _TASKS.items():
        named: dict[str, Any] = getattr(modeling_auto, table)
        known = (
            name for held in named.values() for name in (held if isinstance(held, tuple | list) else (held,))
        )
        if own & set(known):
            return task
    return None


def stacks_of(model: Any) -> int:
    """PEFT's number of stacks: 2 for a model that reads and writes, else 1."""
    return 2 if task_of(model) == "SEQ_2_SEQ_LM" else 1
