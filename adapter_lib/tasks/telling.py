"""A model's answers to texts of which nobody has said what is right."""

from collections.abc import Sequence
from typing import Any

from adapter_lib.tasks.asking import asker
from adapter_lib.tasks.backbone import Backbone
from adapter_lib.tasks.measuring import token_limit
from adapter_lib.tasks.task import Task


def tell(backbone: Backbone, task: Task[Any, Any], texts: Sequence[str], labels: Sequence[str]) -> list[Any]:
    """One answer per text, as JSON: a label, a number, a list of tags or a text.

    Raises TaskError for tasks that do not answer to a text alone.
    """
    examples = [task.unlabelled(text) for text in texts]
    features = task.features(backbone.tokenizer, examples, token_limit(backbone, task, None))
    ask = asker(backbone.model, backbone.tokenizer.pad_token_id, batch_size=16)
    answers = task.answers(backbone.tokenizer, examples, features, ask)
    return [task.told(answer, labels) for answer in answers]
