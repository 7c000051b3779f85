"""Several heads at once: per copy, per part of a batch, per task; and one head behind a mixture."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from adapter_lib import AdapterSetup, MultiHeadOutput, Parallel, Stack
from adapter_lib.spec.composition import Average, BatchSplit, Fuse, MultiTask
from adapter_lib.spec.errors import CompositionError
from tests.adapter_lib.blocks.running import close, given, some
from tests.adapter_lib.tiny import prepared

LABELS = torch.tensor([0, 1, 1, 0])


def model_with_heads(family: str = "bert") -> Any:
    model = prepared(family, a="seq_bn", b="lora", c="par_bn")
    model.add_classification_head("a", num_labels=2)
    model.add_classification_head("b", num_labels=3, pooling="cls")
    return model.eval()


def logits(model: Any, name: str, rows: list[int]) -> torch.Tensor:
    if not rows:
        return torch.zeros(0, {"a": 2, "b": 3}[name])
    with AdapterSetup(model, name), torch.no_grad():
        found: torch.Tensor = model(**some(given(), rows)).logits
    return found


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
@pytest.mark.parametrize(
    ("block", "extra", "rows"),
    [
        (Parallel("a", "b"), {}, ([0, 1, 2, 3], [0, 1, 2, 3])),
        (BatchSplit("a", "b", batch_sizes=[1, 3]), {}, ([0], [1, 2, 3])),
        (Stack(BatchSplit("b", "a", batch_sizes=[3, 1])), {}, ([3], [0, 1, 2])),
        (MultiTask("a", "b"), {"task_ids": ["b", "a", "a", "b"]}, ([1, 2], [0, 3])),
        (MultiTask("a", "b"), {"task_ids": torch.tensor([1, 1, 1, 1])}, ([], [0, 1, 2, 3])),
    ],
    ids=repr,
)
def test_every_head_sees_its_rows(family: str, block: Any, extra: Any, rows: Any) -> None:
    model = model_with_heads(family)
    model.active_adapters = block
    names = model.active_head
    assert set(names) == {"a", "b"}
    own = dict(zip("ab", rows, strict=True))
    labels = LABELS.repeat(block.channels())[: len(LABELS)]
    out = model(**given(), labels=labels, **extra)
    assert isinstance(out, MultiHeadOutput)
    expected = {name: logits(model, name, own[name]) for name in "ab"}
    for name, found, loss in zip(names, out.logits, out.losses, strict=True):
        close(found.detach(), expected[name])
        wanted = F.cross_entropy(expected[name], LABELS[own[name]]) if own[name] else torch.zeros(())
        close(loss.detach(), wanted)
    close(out.loss, sum(out.losses))
    out.loss.backward()


def test_a_tuple_is_given_when_asked_for() -> None:
    model = model_with_heads()
    model.active_adapters = Parallel("a", "b")
    loss, both, losses = model(**given(), labels=LABELS, return_dict=False)
    assert (loss.dim(), [len(found) for found in both], len(losses)) == (0, [4, 4], 2)


@pytest.mark.parametrize(
    "block", [Average("c", "a"), Stack("a", "c"), Fuse("a", "c"), MultiTask("c", "c")], ids=repr
)
def test_one_head_behind_a_mixture(block: Any) -> None:
    model = model_with_heads()
    model.add_adapter_fusion(["a", "c"])
    tasks = {"task_ids": torch.zeros(4, dtype=torch.int64)} if isinstance(block, MultiTask) else {}
    model.set_active_adapters(block, head="a")
    assert model.active_head == "a"
    found = model(**given(), **tasks, output_hidden_states=True)
    head = model.adapter_runtime.heads.get("a")
    close(found.logits, head(found.hidden_states[-1], given()["attention_mask"]))
    if not isinstance(block, MultiTask):
        model.active_adapters = block
        assert model.active_head == "a", "the only adapter of the mixture that has one"


@pytest.mark.parametrize(
    "block", [Parallel("a", "c"), BatchSplit("a", "c", batch_sizes=[2, 2]), MultiTask("a", "c")], ids=repr
)
def test_shares_without_a_head_must_choose(block: Any) -> None:
    model = model_with_heads()
    with pytest.raises(CompositionError, match="mixes adapters with and without a head"):
        model.active_adapters = block
    model.set_active_adapters(block, head=None)
    assert model.active_head is None


def test_gates_and_attentions_come_with_heads() -> None:
    model = prepared("bert", a="seq_bn[use_gating=true]", b="seq_bn[use_gating=true]")
    model.add_classification_head("a", num_labels=2)
    model.add_classification_head("b", num_labels=2)
    model.add_adapter_fusion(["a", "b"])
    model.active_adapters = Parallel("a", "b")
    out = model(**given(), labels=LABELS, output_adapter_gating_scores=True)
    assert {name: found["layers.1.ffn"].shape for name, found in out.adapter_gating_scores.items()} == {
        "a": (4, 1, 1),
        "b": (4, 1, 1),
    }
    model.active_adapters = Fuse("a", "b")
    asked = {"output_adapter_gating_scores": True, "output_adapter_fusion_attentions": True}
    out = model(**given(), labels=LABELS, **asked)
    assert out.adapter_fusion_attentions["a,b"]["layers.0.ffn"].shape == (4, 7, 2)
    *_, gates, attentions = model(**given(), return_dict=False, **asked)
    assert set(gates) == {"a", "b"}
    assert torch.equal(
        attentions["a,b"]["layers.0.ffn"], out.adapter_fusion_attentions["a,b"]["layers.0.ffn"]
    )
