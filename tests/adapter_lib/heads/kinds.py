"""A head of every type on a tiny model, with a batch and labels for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import transformers as hf
from torch import Tensor

from adapter_lib import AutoAdapterModel, register_custom_head
from adapter_lib.heads import Given, Head
from adapter_lib.heads.losses import cross_entropy
from adapter_lib.spec.heads import CustomSpec
from tests.adapter_lib.tiny import CONFIGS, VOCABULARY, inputs
from tests.adapter_lib.zoo import MODELS
from tests.adapter_lib.zoo.tiny_model import stirred

RELATIONS = ["subj", "obj", "mod"]


class Scaled(Head[CustomSpec]):
    """A head that a program brings along: a linear map over the first token."""

    output_class = hf.modeling_outputs.SequenceClassifierOutput

    def __init__(self, spec: CustomSpec, hidden_size: int, like: Tensor) -> None:
        super().__init__(spec, hidden_size, like)
        self.out = torch.nn.Linear(hidden_size, len(spec.labels), device=like.device, dtype=like.dtype)

    def scores(self, hidden: Tensor, given: Given) -> tuple[Tensor, ...]:
        return (self.out(hidden[:, 0]) * self.spec.settings["by"],)

    def loss(self, scores: Any, labels: Any, items: Any) -> Tensor:
        return cross_entropy(scores[0], labels[0], items)


register_custom_head("scaled", Scaled)


@dataclass(frozen=True)
class Kind:
    """add: puts the head "one" on a model. labels: of a call."""

    config: Callable[[], Any]
    add: Callable[[Any], None]
    labels: Callable[[], dict[str, Tensor]]
    feed: Callable[[], dict[str, Tensor]] = inputs


def ids(rows: int = 3, length: int = 7) -> Tensor:
    """Token labels, some of them ignored."""
    found = torch.randint(2, VOCABULARY, (rows, length), generator=torch.Generator().manual_seed(5))
    found[0, :2] = found[1, -3:] = -100
    return found


def _choices() -> dict[str, Tensor]:
    return {name: torch.stack([value, value.flip(0)], dim=1) for name, value in inputs().items()}


def _words() -> dict[str, Tensor]:
    starts = torch.tensor([[1, 3, 4, 6], [1, 2, 4, -100], [1, 6, -100, -100]])
    return {**inputs(), "word_starts": starts}


def _arcs() -> dict[str, Tensor]:
    arcs = torch.tensor([[0, 1, 2], [2, 0, -100], [0, -100, -100]])
    return {"labels_arcs": arcs, "labels_rels": torch.where(arcs < 0, arcs, arcs % 3)}


def _image() -> dict[str, Tensor]:
    return MODELS["vit"].inputs()


_CLASSES = {"labels": torch.tensor([1, 0, 2])}
KINDS: dict[str, Kind] = {
    "classification": Kind(
        CONFIGS["bert"], lambda m: m.add_classification_head("one", num_labels=3), lambda: _CLASSES
    ),
    "multilabel": Kind(
        CONFIGS["bert"],
        lambda m: m.add_multilabel_head("one", labels=["x", "y"], layers=2, pooling="cls"),
        lambda: {"labels": torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])},
    ),
    "regression": Kind(
        CONFIGS["roberta"],
        lambda m: m.add_regression_head("one", num_outputs=2),
        lambda: {"labels": torch.tensor([[0.5, 1.0], [2.0, 1.0], [0.0, -1.0]])},
    ),
    "tagging": Kind(
        CONFIGS["distilbert"],
        lambda m: m.add_tagging_head("one", num_labels=4, layers=2, activation="gelu"),
        lambda: {"labels": ids() % 4 - 100 * (ids() < 0)},
    ),
    "multiple_choice": Kind(
        CONFIGS["bert"],
        lambda m: m.add_multiple_choice_head("one"),
        lambda: {"labels": torch.tensor([1, 0, 1])},
        _choices,
    ),
    "question_answering": Kind(
        CONFIGS["bert"],
        lambda m: m.add_qa_head("one"),
        lambda: {"start_positions": torch.tensor([1, 2, 99]), "end_positions": torch.tensor([3, 2, 99])},
    ),
    "dependency_parsing": Kind(
        CONFIGS["bert"], lambda m: m.add_dependency_parsing_head("one", labels=RELATIONS), _arcs, _words
    ),
    "masked_lm": Kind(
        CONFIGS["bert"], lambda m: m.add_masked_lm_head("one", tied=False), lambda: {"labels": ids()}
    ),
    "masked_lm_tied": Kind(CONFIGS["bert"], lambda m: m.add_masked_lm_head("one"), lambda: {"labels": ids()}),
    "causal_lm": Kind(
        CONFIGS["gpt2"], lambda m: m.add_causal_lm_head("one", tied=False), lambda: {"labels": ids()}
    ),
    "causal_lm_tied": Kind(CONFIGS["gpt2"], lambda m: m.add_causal_lm_head("one"), lambda: {"labels": ids()}),
    "seq2seq_lm": Kind(
        MODELS["bart"].config,
        lambda m: m.add_seq2seq_lm_head("one", tied=False, use_bias=True),
        lambda: {"labels": ids(length=5)},
    ),
    "image_classification": Kind(
        MODELS["vit"].config,
        lambda m: m.add_image_classification_head("one", num_labels=3, pooling="patches", norm_eps=1e-6),
        lambda: _CLASSES,
        _image,
    ),
    "custom": Kind(
        CONFIGS["bert"],
        lambda m: m.add_custom_head("one", "scaled", labels=["x", "y", "z"], settings={"by": 2.5}),
        lambda: _CLASSES,
    ),
}


def model_with(kind: str, adapter: str | None = "lora[r=2]") -> Any:
    """A model with a head of that kind, active, and an adapter of its name; the same weights each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = AutoAdapterModel.from_config(KINDS[kind].config())
        stirred(model)
        if adapter is not None:
            model.add_adapter("one", adapter)
        KINDS[kind].add(model)
        stirred(model.adapter_runtime.heads)
    model.set_active_adapters(None if adapter is None else "one", head="one")
    return model.eval()


def scores(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """All logits of a call, in one row."""
    with torch.no_grad():
        out = model(**batch)
    return torch.cat([value.flatten() for key, value in out.items() if "logits" in key])
