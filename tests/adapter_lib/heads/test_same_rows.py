"""Several heads on the same rows, with labels for each."""

from typing import Any

import pytest
import torch

from adapter_lib import MultiHeadOutput, Parallel
from adapter_lib.spec.errors import AttachError, CompositionError
from tests.adapter_lib.tiny import inputs, prepared

CLASSES = torch.tensor([1, 0, 2])
TAGS = torch.ones(3, 7, dtype=torch.int64)
SPAN = {"start_positions": torch.tensor([1, 2, 3]), "end_positions": torch.tensor([2, 2, 4])}


def _model() -> Any:
    model = prepared("bert", a="lora", b="seq_bn")
    model.add_classification_head("classes", num_labels=3)
    model.add_tagging_head("tags", num_labels=2)
    model.add_qa_head("spans")
    return model.eval()


def _alone(model: Any, name: str, **labels: Any) -> Any:
    model.set_active_adapters("a", head=name)
    return model(**inputs(), **labels)


def test_all_heads_read_the_same_states() -> None:
    model = _model()
    alone = [
        _alone(model, "classes", labels=CLASSES),
        _alone(model, "tags", labels=TAGS),
        _alone(model, "spans", **SPAN),
    ]
    model.set_active_adapters("a", head=["classes", "tags", "spans"])
    assert model.active_head == ("classes", "tags", "spans")
    out = model(**inputs(), labels={"classes": CLASSES, "tags": TAGS, "spans": SPAN})
    assert isinstance(out, MultiHeadOutput)
    expected = (alone[0].logits, alone[1].logits, (alone[2].start_logits, alone[2].end_logits))
    torch.testing.assert_close(out.logits, expected)
    torch.testing.assert_close(out.losses, tuple(one.loss for one in alone))
    torch.testing.assert_close(out.loss, sum(one.loss for one in alone))
    in_order = model(**inputs(), labels=[CLASSES, TAGS, SPAN])
    assert torch.equal(in_order.loss, out.loss)
    assert model(**inputs()).loss is None


def test_labels_of_some_heads_make_the_loss() -> None:
    model = _model()
    expected = _alone(model, "tags", labels=TAGS).loss
    model.set_active_adapters("a", head=["classes", "tags"])
    out = model(**inputs(), labels={"tags": TAGS})
    assert torch.equal(out.loss, expected)
    assert out.losses is None


def test_one_head_may_be_told_its_labels_by_name() -> None:
    model = _model()
    expected = _alone(model, "classes", labels=CLASSES).loss
    assert torch.equal(model(**inputs(), labels={"classes": CLASSES}).loss, expected)


def test_parallel_adapters_take_labels_by_head() -> None:
    model = _model()
    model.set_active_adapters(Parallel("a", "b"), head=["classes", "tags"])
    out = model(**inputs(), labels={"classes": CLASSES, "tags": TAGS})
    assert [len(found) for found in out.logits] == [3, 3]
    both = torch.stack(out.losses).sum()
    torch.testing.assert_close(out.loss, both)
    torch.testing.assert_close(out.losses[0], _alone(model, "classes", labels=CLASSES).loss)


def test_all_active_heads_are_trained() -> None:
    model = _model()
    model.set_active_adapters("a", head=["classes", "tags"])
    model.active_head = ["classes", "tags"]
    model(**inputs(), labels=[CLASSES, TAGS]).loss.backward()
    for name in ("classes", "tags"):
        assert all(p.grad is not None for p in model.adapter_runtime.heads.get(name).parameters())


def test_wrong_ways_are_refused() -> None:
    model = _model()
    model.set_active_adapters("a", head=["classes", "spans"])
    with pytest.raises(AttachError, match="'spans' must be start_positions and end_positions"):
        model(**inputs(), labels={"spans": CLASSES})
    with pytest.raises(CompositionError, match="every head once"):
        model.set_active_adapters("a", head=["tags", "tags"])
    model.add_multiple_choice_head("choice")
    model.set_active_adapters("a", head=["choice", "tags"])
    with pytest.raises(AttachError, match="reads other inputs"):
        model(**inputs())
    model.active_head = "choice"
    with pytest.raises(AttachError, match=r"needs inputs \[batch, choices, tokens\]"):
        model(**inputs())
