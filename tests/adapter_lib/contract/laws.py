"""The laws of the contract: each takes a subject and raises if the law does not hold.

A law that cannot apply raises the library's own error, whose sentence says why; `refusals.py` lists which
sentences are expected.
"""

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

import adapter_lib
from adapter_lib import Average, BatchSplit, Fuse, MultiTask, Parallel, Route, Split, Stack
from tests.adapter_lib.contract.subject import ROWS, Subject, assert_different, assert_same, first

Law = Callable[[Subject], None]


def inactive(subject: Subject) -> None:
    """No adapter active: the base, bit for bit; its keys stay."""
    assert torch.equal(subject.run(None), subject.base)
    keys = [key for key in subject.model.state_dict() if "adapter_lib_" not in key]
    assert keys == [key for key in subject.keys if "adapter_lib_" not in key]


def fresh(subject: Subject) -> None:
    """A fresh adapter changes nothing, where the method promises it."""
    if subject.method.fresh_is_base:
        assert_same(subject.fresh, subject.base, "a fresh adapter")


def active(subject: Subject) -> None:
    """An adapter acts, two adapters act differently, and the outcome is finite."""
    assert torch.isfinite(subject.a).all()
    assert_different(subject.a, subject.base, "an active adapter and the base")
    assert_different(subject.a, subject.b, "two adapters")


def gradients(subject: Subject) -> None:
    """Only the adapter gets gradients, and it gets them at every place: none was passed by."""
    model = subject.model
    model.train_adapter("a")
    model.eval()
    try:
        output = model(**subject.given)
        loss = sum(t.float().square().sum() for t in output.to_tuple() if _is_trainable(t))
        loss.backward()
        own = {id(p) for p in model.adapter_runtime.injection.trained("a")}
        grads = {name: p for name, p in model.named_parameters() if p.grad is not None}
        foreign = [name for name, p in grads.items() if id(p) not in own]
        assert not foreign, f"gradients outside the adapter: {foreign[:3]}"
        assert any(bool(p.grad.any()) for p in grads.values() if p.grad is not None), "no gradient at all"
        parts = model.adapter_runtime.injection.parts("a").items()
        silent = [key for key, part in parts if not subject.is_idle(*key) and _is_silent(part)]
        assert not silent, f"places that were never reached: {silent[:4]}"
    finally:
        model.zero_grad(set_to_none=True)
        model.requires_grad_(False)
        model.set_active_adapters(None)


def stack(subject: Subject) -> None:
    """Stack(a) = a; a stack of two acts as neither alone."""
    assert_same(subject.run(Stack("a")), subject.a, "Stack(a)")
    both = subject.run(Stack("a", "b"))
    assert torch.isfinite(both).all()
    assert_different(both, subject.a, "Stack(a, b) and a")


def parallel(subject: Subject) -> None:
    """Parallel = the separate runs, one below the other."""
    stacked = subject.run(Stack("a", "b"))
    found = subject.run(Parallel("a", "b", Stack("a", "b")))
    assert_same(found, torch.cat([subject.a, subject.b, stacked]), "Parallel")


def batch_split(subject: Subject) -> None:
    """BatchSplit = each part of the batch with its own adapter."""
    found = subject.run(BatchSplit("a", "b", batch_sizes=[1, ROWS - 1]))
    assert_same(found, torch.cat([subject.a[:1], subject.b[1:]]), "BatchSplit")


def average(subject: Subject) -> None:
    """The average of equal adapters is that adapter; weights of 1 and 0 choose."""
    assert_same(subject.run(Average("a", "twin")), subject.a, "Average of equals")
    assert_same(subject.run(Average("a", "b", weights=[0.0, 1.0])), subject.b, "Average with weights 0 and 1")


def multi_task(subject: Subject) -> None:
    """MultiTask = every row with the adapter of its task."""
    tasks = torch.tensor([1, 0, 1])
    alone = [subject.b[row] if task else subject.a[row] for row, task in enumerate(tasks.tolist())]
    expected = torch.stack(alone)
    assert_same(subject.run(MultiTask("a", "b"), task_ids=tasks), expected, "MultiTask")


def split(subject: Subject) -> None:
    """A Split between equal adapters is that adapter; between different ones it is neither."""
    lengths = _sequence_length(subject)
    halves = [lengths // 2, lengths - lengths // 2]
    equals = subject.run(Split("a", "twin", splits=halves))
    if not subject.method.is_gated:
        assert_same(equals, subject.a, "Split of equals")
    assert_different(subject.run(Split("a", "b", splits=halves)), subject.b, "Split(a, b) and b")


def fuse(subject: Subject) -> None:
    """A static fusion of equals is that adapter (the attention sums to one); a dynamic one is finite."""
    model = subject.model
    model.add_adapter_fusion(["a", "twin"], "static")
    model.add_adapter_fusion(["a", "b"], "dynamic")
    try:
        assert_same(subject.run(Fuse("a", "twin")), subject.a, "Fuse of equals")
        mixed = subject.run(Fuse("a", "b"))
        assert torch.isfinite(mixed).all()
        assert_different(mixed, subject.base, "Fuse and the base")
    finally:
        model.delete_adapter_fusion(["a", "twin"])
        model.delete_adapter_fusion(["a", "b"])


def route(subject: Subject) -> None:
    """A route between equal adapters is that adapter; the gate decides between different ones."""
    model = subject.model
    model.add_route(["a", "twin"])
    model.add_route(["a", "b"])
    try:
        assert_same(subject.run(Route("a", "twin")), subject.a, "Route of equals")
        assert_different(subject.run(Route("a", "b")), subject.base, "Route and the base")
    finally:
        model.delete_route(["a", "twin"])
        model.delete_route(["a", "b"])


def nested(subject: Subject) -> None:
    """Blocks within blocks equal the separate runs of their parts."""
    tree = Parallel(
        Stack(Average("a", "twin")),
        BatchSplit("b", "a", batch_sizes=[2, ROWS - 2]),
        Parallel("b", Average(Parallel("a", "b"), Parallel("twin", "b"))),
    )
    expected = [subject.a, torch.cat([subject.b[:2], subject.a[2:]]), subject.b, subject.a, subject.b]
    assert_same(subject.run(tree), torch.cat(expected), "nested blocks")


def merge(subject: Subject) -> None:
    """A merged adapter = the forward with it; taking it out restores the weights bit for bit."""
    model = subject.model
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.merge_adapter("a")
    try:
        assert_same(first(model, subject.given), subject.a, "a merged adapter")
    finally:
        model.reset_adapter()
    changed = [key for key, value in model.state_dict().items() if not torch.equal(value, before[key])]
    assert not changed, f"not restored: {changed[:3]}"


def saved(subject: Subject) -> None:
    """Saved and loaded, an adapter has the same parameters bit for bit, and gives the same outputs."""
    with tempfile.TemporaryDirectory() as folder:
        report = subject.model.save_adapter(Path(folder) / "one", "a")
        loaded = subject.model.load_adapter(Path(folder) / "one", name="again")
    try:
        assert (len(loaded.matched), loaded.missing, loaded.unexpected) == (report.tensors, (), ())
        injection = subject.model.adapter_runtime.injection
        pairs = zip(injection.parameters("a"), injection.parameters("again"), strict=True)
        assert all(torch.equal(old, new) for old, new in pairs), "a parameter changed on its way"
        # Where a tensor lies in memory may choose another kernel, which rounds otherwise.
        assert_same(subject.run("again"), subject.run("a"), "the adapter that was loaded")
    finally:
        subject.model.delete_adapter("again")


def copied(subject: Subject) -> None:
    """A deep copy acts by itself."""
    twin = copy.deepcopy(subject.model)
    with adapter_lib.AdapterSetup(twin, "b"):
        assert_same(first(twin, subject.given), subject.run("b"), "a copy")


def detached(subject: Subject) -> None:
    """Deleting and detaching leave the base as it was. Comes last: the subject is gone then."""
    subject.model.active_adapters = "a"
    subject.model.delete_adapter("a")
    assert subject.model.active_adapters is None
    model = adapter_lib.detach(subject.model)
    assert not any("adapter_lib_" in name for name, _ in model.named_modules())
    hooks = [m for m in model.modules() if any("adapter_lib" in repr(h) for h in m._forward_hooks.values())]
    assert not hooks
    assert torch.equal(first(model, subject.given), subject.base)


def _is_silent(part: nn.Module) -> bool:
    """True if a part has parameters of its own and none of them got a gradient."""
    parameters = list(part.parameters())
    return bool(parameters) and all(parameter.grad is None for parameter in parameters)


def _sequence_length(subject: Subject) -> int:
    """The tokens that the first tower's layers see."""
    seen: list[int] = []
    tower = subject.model.adapter_runtime.injection.atlas.resolved.towers[0]
    hook = tower.layers[0].register_forward_pre_hook(
        lambda module, args, kwargs: seen.append((args[0] if args else kwargs["hidden_states"]).shape[1]),
        with_kwargs=True,
    )
    try:
        subject.run(None)
    finally:
        hook.remove()
    return seen[0]


def _is_trainable(value: object) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point() and value.requires_grad


# In the order in which they are tried.
LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        inactive, fresh, active, stack, parallel, batch_split, average, multi_task, split, fuse, route,
        nested, gradients, merge, saved, copied, detached,
    )
}  # fmt: skip
BLOCKS = ("stack", "parallel", "batch_split", "average", "multi_task", "split", "fuse", "route", "nested")
