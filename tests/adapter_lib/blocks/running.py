"""Running compositions: on a whole tiny model, or at single places whose states were seen in a real run."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from adapter_lib import AdapterSetup
from adapter_lib.engine import Present, compile_plan, evaluate
from adapter_lib.engine.plan import Single
from adapter_lib.spec.composition import Block, parse_composition
from tests.adapter_lib.tiny import inputs, prepared

FAMILIES = ("bert", "gpt2", "llama")
ROWS = 4


@functools.cache
def pair(family: str, method: str) -> Any:
    """A model with the adapters a and b of one method; tests leave it as they found it."""
    return prepared(family, a=method, b=method)


def given(rows: int = ROWS) -> dict[str, Tensor]:
    """A batch whose second row is padded."""
    return inputs(rows)


def hidden(model: Any, composition: Any, batch: dict[str, Any] | None = None) -> Tensor:
    """The last hidden state under a composition, [rows, S, d], zero at padding."""
    batch = given() if batch is None else batch
    with AdapterSetup(model, composition), torch.no_grad():
        found: Tensor = model(**batch).last_hidden_state
    mask = batch["attention_mask"]
    return found * mask.repeat(found.shape[0] // len(mask), 1).unsqueeze(-1)


def some(batch: dict[str, Any], rows: slice | list[int]) -> dict[str, Any]:
    """These rows of a batch."""
    return {name: value[rows] for name, value in batch.items()}


def close(found: Any, expected: Any) -> None:
    """Equal but for rounding in float32."""
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


class _Watcher:
    """Stands where an adapter stands, and keeps what it sees."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def single(self, state: Any) -> Any:
        self.seen.append(state)
        return state


def states(model: Any, batch: dict[str, Any] | None = None) -> dict[Any, Any]:
    """What comes to every place that has adapters, while nothing acts."""
    points = model.adapter_runtime.injection.points.points
    watchers = {key: _Watcher() for key, point in points.items() if point.parts()}
    with _watched(points, watchers), torch.no_grad():
        model(**(given() if batch is None else batch))
    return {key: watcher.seen[0] for key, watcher in watchers.items() if watcher.seen}


@contextmanager
def _watched(points: dict[Any, Any], watchers: dict[Any, _Watcher]) -> Iterator[None]:
    for key, watcher in watchers.items():
        points[key].plan = Single(watcher)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for key in watchers:
            points[key].plan = None


def at(model: Any, key: Any, composition: "str | Block", state: Any) -> Any:
    """The state after a composition acted on it at one place; as it was if nothing of it is there."""
    point = model.adapter_runtime.injection.points.points[key]
    plan = compile_plan(parse_composition(composition), Present(point.parts(), point.blocks()))
    with torch.no_grad():
        return state if plan is None else evaluate(plan, state)


def value(state: Any) -> Tensor:
    """What a state hands on, before the model's own norm unless an adapter speaks behind it."""
    if hasattr(state, "final"):
        return (state.h if state.final is False else state.settled()).detach()
    if hasattr(state, "output"):
        found: Tensor = state.output()
        return found.detach()
    last: Tensor = state.y if hasattr(state, "y") else state.h
    return last.detach()
