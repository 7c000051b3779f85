"""What adapters and blocks want added to the loss is in it, in training, once per step."""

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from adapter_lib import Fuse, Parallel
from tests.adapter_lib.tiny import inputs, prepared

LABELS = torch.tensor([0, 1, 1])
CONFIG = "adalora[init_r=4, target_r=2]"


def _still(model: Any) -> Any:
    """In training, but without the model's own dropout."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def _own_loss(model: Any, **given: Any) -> Tensor:
    model.eval()
    with torch.no_grad():
        loss: Tensor = model(**inputs(), **given).loss
    model.train()
    return loss


def test_our_heads_loss_holds_it_in_training_alone() -> None:
    model = _still(prepared("bert", one=CONFIG))
    model.add_classification_head("one", num_labels=2)
    model.train_adapter("one")
    alone = _own_loss(model, labels=LABELS)
    extra = model.adapter_regularisation()
    assert extra > 0.1
    loss = model(**inputs(), labels=LABELS).loss
    torch.testing.assert_close(loss, alone + extra)
    loss.backward()
    part = model.adapter_runtime.injection.parts("one")[0, "attn.q"]
    # Λ is not zero, so the loss itself reaches P; the rest is the regularisation's gradient.
    assert part.p.grad is not None
    assert part.p.grad.any()
    model.eval()
    assert torch.equal(model(**inputs(), labels=LABELS).loss, alone)


@pytest.mark.parametrize("return_dict", [True, False])
def test_the_loss_of_transformers_own_heads_holds_it(return_dict: bool) -> None:
    model = _still(prepared("bert", AutoModelForSequenceClassification, one=CONFIG))
    model.train_adapter("one")
    alone = _own_loss(model, labels=LABELS)
    output = model(**inputs(), labels=LABELS, return_dict=return_dict)
    loss = output.loss if return_dict else output[0]
    torch.testing.assert_close(loss, alone + model.adapter_regularisation())
    # Without labels there is no loss, and nothing is added to what comes first.
    output = model(**inputs(), return_dict=return_dict)
    assert output[0].shape == (3, 2)


def test_the_calls_of_one_step_add_up_to_once() -> None:
    """Trainer passes how many labels all calls of a step have; each call adds its share."""
    model = _still(prepared("gpt2", AutoModelForCausalLM, one=CONFIG))
    model.train_adapter("one")
    ids = inputs()["input_ids"]
    labels = ids.clone()
    labels[0, :3] = -100
    items = (labels != -100).sum()
    total = torch.zeros(())
    for rows in (slice(0, 1), slice(1, 3)):
        given: dict[str, Any] = {"input_ids": ids[rows], "labels": labels[rows], "num_items_in_batch": items}
        model.eval()
        alone = model(**given).loss.detach()
        model.train()
        total = total + model(**given).loss - alone
    torch.testing.assert_close(total, model.adapter_regularisation())


def test_what_is_not_trained_adds_nothing() -> None:
    model = _still(prepared("bert", one=CONFIG, other="lora"))
    model.add_classification_head("one", num_labels=2)
    model.train_adapter("one")
    for parameter in model.adapter_runtime.injection.parameters("one"):
        parameter.requires_grad_(False)
    alone = _own_loss(model, labels=LABELS)
    torch.testing.assert_close(model(**inputs(), labels=LABELS).loss, alone)
    model.train_adapter("other")
    assert model.adapter_regularisation() is None


def test_several_heads_share_one_loss_that_holds_it_once() -> None:
    model = _still(prepared("bert", one=CONFIG, two=CONFIG))
    for name in ("one", "two"):
        model.add_classification_head(name, num_labels=2)
    model.train_adapter(Parallel("one", "two"))
    model.eval()
    alone = model(**inputs(), labels=LABELS.repeat(2)).loss.detach()
    model.train()
    loss = model(**inputs(), labels=LABELS.repeat(2)).loss
    torch.testing.assert_close(loss, alone + model.adapter_regularisation())


def test_fusion_keeps_its_values_near_the_identity() -> None:
    model = _still(prepared("bert", a="seq_bn", b="seq_bn"))
    model.add_classification_head("head", num_labels=2)
    model.add_adapter_fusion(["a", "b"])
    model.train_adapter_fusion(Fuse("a", "b"))
    model.active_head = "head"
    with torch.no_grad():
        for part in model.adapter_runtime.injection.block_parts("fuse", "a,b").values():
            part.value.weight.add_(0.1)
    extra = model.adapter_regularisation()
    assert extra > 1e-3
    model.eval()
    alone = model(**inputs(), labels=LABELS).loss.detach()
    model.train()
    torch.testing.assert_close(model(**inputs(), labels=LABELS).loss - alone, extra, atol=1e-4, rtol=1e-3)
