"""Blocks that tell rows apart, for every method: each row comes out as if its adapter were alone."""

from typing import Any

import pytest
import torch
import transformers as hf

from adapter_lib import Parallel, Stack
from adapter_lib.spec.composition import BatchSplit, MultiTask
from adapter_lib.spec.errors import AttachError, CompositionError
from tests.adapter_lib.blocks.running import FAMILIES, ROWS, close, given, hidden, pair, some
from tests.adapter_lib.tiny import METHODS, prepared
from tests.adapter_lib.zoo.spreading import spread

BOTH = [pytest.mark.parametrize("family", FAMILIES), pytest.mark.parametrize("method", spread(METHODS, 2))]


def each(test: Any) -> Any:
    """On every family with every method."""
    for mark in BOTH:
        test = mark(test)
    return test


@each
def test_rows_and_copies_come_out_as_if_alone(family: str, method: str) -> None:
    model = pair(family, method)
    alone = {name: hidden(model, name) for name in ("a", "b")}
    base = hidden(model, None)
    close(hidden(model, Parallel("b", "a", "b")), torch.cat([alone["b"], alone["a"], alone["b"]]))
    split = hidden(model, BatchSplit("a", "b", batch_sizes=[1, 3]))
    close(split, torch.cat([alone["a"][:1], alone["b"][1:]]))
    even = hidden(model, BatchSplit("b", "a", batch_sizes=[2, 2]))
    close(even, torch.cat([alone["b"][:2], alone["a"][2:]]))
    tasks = torch.tensor([1, 0, 0, 1])
    many = hidden(model, MultiTask("a", "b"), given() | {"task_ids": tasks})
    close(many, torch.where(tasks.bool()[:, None, None], alone["b"], alone["a"]))
    assert not torch.allclose(alone["a"], alone["b"], atol=1e-3)
    assert not torch.allclose(alone["a"], base, atol=1e-3)


@each
def test_each_adapter_gets_its_own_gradient(family: str, method: str) -> None:
    model = pair(family, method)
    sizes = {"a": slice(0, 1), "b": slice(1, ROWS)}
    apart = {name: _gradients(model, name, some(given(), rows)) for name, rows in sizes.items()}
    together = _gradients(model, BatchSplit("a", "b", batch_sizes=[1, 3]), given())
    for name in sizes:
        for key, grad in apart[name].items():
            torch.testing.assert_close(together[key], grad, atol=1e-4, rtol=1e-3)


def _gradients(model: Any, composition: Any, batch: dict[str, Any]) -> dict[str, torch.Tensor]:
    """By parameter, of a loss that is a sum over rows."""
    model.train_adapter(composition)
    model.eval()
    model.zero_grad()
    out = model(**batch).last_hidden_state
    mask = batch["attention_mask"].repeat(out.shape[0] // len(batch["attention_mask"]), 1)
    (out.square().sum(-1) * mask).sum().backward()
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.set_active_adapters(None)
    return found


@pytest.mark.parametrize("tasks", [["b", "a", "c", "b"], [1, 0, "c", 1], torch.tensor([1, 0, 2, 1])])
@pytest.mark.parametrize("family", FAMILIES)
def test_tasks_are_told_by_number_or_name(family: str, tasks: Any) -> None:
    model = prepared(family, a="lora", b="seq_bn", c="par_bn")
    found = hidden(model, MultiTask("a", "b", "c"), given() | {"task_ids": tasks})
    expected = [hidden(model, name, some(given(), [i])) for i, name in enumerate("bacb")]
    close(found, torch.cat(expected))
    stacked = MultiTask(Stack("a", "b"), "c", Stack("b", "a"))
    found = hidden(model, stacked, given() | {"task_ids": ["b", "a", "c", "b"]})
    trees = [Stack("a", "b"), Stack("b", "a"), "c", Stack("a", "b")]
    expected = [hidden(model, tree, some(given(), [i])) for i, tree in enumerate(trees)]
    close(found, torch.cat(expected))


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("beams", [1, 2])
def test_tasks_and_rows_in_generation(family: str, beams: int) -> None:
    model = prepared(family, hf.AutoModelForCausalLM, a="lora[r=4]", b="seq_bn")
    settings = {"max_new_tokens": 4, "do_sample": False, "num_beams": beams, "eos_token_id": None}
    alone = {}
    for name in ("a", "b"):
        model.active_adapters = name
        alone[name] = [model.generate(**some(given(), [i]), **settings)[0] for i in range(ROWS)]
    wanted = [alone[name][i] for i, name in enumerate("baab")]
    model.active_adapters = MultiTask("a", "b")
    found = model.generate(**given(), task_ids=["b", "a", "a", "b"], **settings)
    assert _ends(found) == _ends(wanted)
    model.active_adapters = BatchSplit("a", "b", batch_sizes=[3, 1])
    assert _ends(model.generate(**given(), **settings)) == _ends([*alone["a"][:3], alone["b"][3]])
    model.active_adapters = Parallel("a", "b")
    assert _ends(model.generate(**given(), **settings)) == _ends([*alone["a"], *alone["b"]])


def _ends(rows: Any) -> list[list[int]]:
    return [row[-4:].tolist() for row in rows]


@pytest.mark.parametrize(
    ("composition", "extra", "said"),
    [
        (
            BatchSplit("a", "b", batch_sizes=[1, 1]),
            {},
            "met a batch of 4 rows, but its batch_sizes add up to 2",
        ),
        (BatchSplit("a", "b", batch_sizes=[4, 1]), {}, "add up to 5"),
        (
            BatchSplit(BatchSplit("a", "b", batch_sizes=[1, 2]), "b", batch_sizes=[2, 2]),
            {},
            "met a batch of 2 rows, but its batch_sizes add up to 3",
        ),
        (Parallel("a", BatchSplit("a", "b", batch_sizes=[2, 1])), {}, "add up to 3"),
        (MultiTask("a", "b"), {}, "call the model with task_ids"),
        (
            MultiTask("a", "b"),
            {"task_ids": torch.tensor([0, 1])},
            "task_ids has 2 entries .* batch of 4 rows",
        ),
        (
            MultiTask("a", "b"),
            {"task_ids": torch.tensor([0, 1, 2, 0])},
            "has 2 children, but task_ids name 0 to 2",
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(composition: Any, extra: Any, said: str) -> None:
    model = prepared("bert", a="lora", b="seq_bn")
    with pytest.raises(CompositionError, match=said):
        hidden(model, composition, given() | extra)
    hidden(model, "a"), "and the model works on"


def test_tasks_that_nobody_knows_are_refused() -> None:
    model = prepared("bert", a="lora", b="seq_bn")
    with pytest.raises(AttachError, match="task_ids names 'c'; the tasks are: a, b"):
        hidden(model, MultiTask("a", "b"), given() | {"task_ids": ["a", "b", "c", "a"]})
    with pytest.raises(AttachError, match="no MultiTask is active"):
        hidden(model, "a", given() | {"task_ids": ["a"] * ROWS})
