"""The one evaluator: every block over every method, at any depth."""

from typing import Any, TypeVar

import torch
from torch import Tensor

from adapter_lib.engine.plan import Chain, Gated, Grouped, Learned, Mean, Plan, Side, Single, Tasks, Tokens
from adapter_lib.engine.recording import record
from adapter_lib.engine.rows import share
from adapter_lib.engine.states import State
from adapter_lib.spec.errors import CompositionError

S = TypeVar("S", bound=State)


def evaluate(plan: Plan, state: S) -> S:
    """The state after the plan's adapters acted on it."""
    if isinstance(plan, Single):
        after: S = plan.part.single(state)
        return after
    if isinstance(plan, Chain):
        for step in plan.steps:
            state = evaluate(step, state)
        return state
    if isinstance(plan, Grouped):
        share(state.height(), len(plan.groups))
        grouped: S = plan.kind.grouped(plan.groups, state)
        return grouped
    return _nested(plan, state)


def _nested(plan: Plan, state: S) -> S:
    state = state.fresh()
    if isinstance(plan, Side):
        return _side(plan, state)
    if isinstance(plan, Gated):
        gate = plan.part.gate_of(state.features(), state.info)
        record(state.info, "gates", plan.adapter, plan.part.place, gate)
        return state.scaled(plan.part.single(state), gate)
    if isinstance(plan, Tokens):
        return _tokens(plan, state)
    if isinstance(plan, Mean):
        return state.mean([evaluate(child, state) for child in plan.children], plan.shares)
    if isinstance(plan, Tasks):
        return _tasks(plan, state)
    if isinstance(plan, Learned):
        results = [evaluate(child, state) for child in plan.children]
        combined: S = plan.part.combine(state, results, plan.which)
        return combined
    raise CompositionError(f"The engine has no rule for the plan {type(plan).__name__}.")


def _side(plan: Side, state: S) -> S:
    total = plan.ends[-1]
    share(state.height(), total)
    results: list[Any] = []
    start = 0
    for child, end in zip(plan.children, plan.ends, strict=True):
        if end > start:
            results.append(evaluate(child, state.rows(start, end, total)))
        start = end
    return state.cat(results)


def _tokens(plan: Tokens, state: S) -> S:
    if state.length() != plan.ends[-1]:
        raise CompositionError(
            f"A Split of {plan.ends[-1]} tokens met a sequence of {state.length()}: its splits must add up "
            "to the length of the sequence that the adapters see."
        )
    results: list[Any] = []
    start = 0
    for child, end in zip(plan.children, plan.ends, strict=True):
        if end > start:
            results.append(evaluate(child, state.tokens(start, end)))
        start = end
    return state.cat_tokens(results)


def _tasks(plan: Tasks, state: S) -> S:
    tasks = state.info.tasks
    if tasks is None:
        raise CompositionError("MultiTask needs the task of every row: call the model with task_ids=….")
    if len(tasks) and not 0 <= int(tasks.min()) <= int(tasks.max()) < len(plan.children):
        raise CompositionError(
            f"MultiTask has {len(plan.children)} children, but task_ids name {int(tasks.min())} to "
            f"{int(tasks.max())}; they are counted from 0."
        )
    share(state.height(), len(tasks))
    order = torch.argsort(tasks, stable=True)
    counts = torch.bincount(tasks, minlength=len(plan.children)).tolist()
    results: list[Any] = []
    start = 0
    for child, count in zip(plan.children, counts, strict=True):
        if count:
            results.append(evaluate(child, state.pick(order[start : start + count], len(tasks))))
        start += count
    return state.pick(order, len(tasks)).cat(results).pick(_inverse(order), len(tasks))


def _inverse(order: Tensor) -> Tensor:
    inverse = torch.empty_like(order)
    inverse[order] = torch.arange(len(order), device=order.device)
    return inverse
