"""The one evaluator: every block over every method, at any depth."""

from typing import Any, TypeVar

from adapter_lib.engine.plan import Chain, Grouped, Plan, Side, Single
from adapter_lib.engine.state import State
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
        return _grouped(plan, state)
    return _side(plan, state)


def _grouped(plan: Grouped, state: S) -> S:
    rows_per_channel(state.height(), len(plan.groups))
    after: S = plan.kind.grouped(plan.groups, state)
    return after


def _side(plan: Side, state: S) -> S:
    size = rows_per_channel(state.height(), plan.ends[-1])
    results: list[Any] = []
    start = 0
    for child, end in zip(plan.children, plan.ends, strict=True):
        results.append(evaluate(child, state.rows(start, end * size)))
        start = end * size
    return state.cat(results)


def rows_per_channel(rows: int, channels: int) -> int:
    """How many rows each channel has. Raises CompositionError when the batch was not replicated."""
    if rows % channels:
        raise CompositionError(
            f"A Parallel of {channels} channels met a batch of {rows} rows, which is no multiple: was a part "
            "of the model called on its own? Parallel copies the batch where the model itself is called."
        )
    return rows // channels
