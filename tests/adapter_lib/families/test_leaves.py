"""Every linear map does what its role says, and every column of a fused one is its letter's.

Proved by effect: noise on one head's columns at one position, and what changes before the output projection.
A query acts at its own position only; keys and values act elsewhere too; only a value acts linearly.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adapter_lib.families import FoundTower, Fused, paths
from tests.adapter_lib.families.observing import hooked, layer_calls, resolved_of, run
from tests.adapter_lib.zoo import MODELS
from tests.adapter_lib.zoo.spreading import spread

EXPERTS = 4
# In front of others that look back at it.
POSITION = 3
# Large enough for what goes through a softmax or an activation to show that it is not linear.
SIZE = 4.0

# PyTorch's own attention takes its weights out of the modules without calling them.
WITHOUT_LEAVES = ("wavlm",)
# Experts stored in a way that has no role.
WITHOUT_FEED_FORWARD = ("gpt-oss",)
# Keys and queries are normed over all heads at once, so that noise on one head moves the others.
NORMED_OVER_HEADS = ("olmo2", "olmo3", "olmoe", "flex_olmo")


@dataclass(frozen=True)
class Attention:
    """One attention of one layer of a running model: its projections by letter, each with its columns."""

    name: str
    model: nn.Module
    tower: FoundTower
    layer: nn.Module
    part: str
    maps: dict[str, tuple[nn.Module, Tensor]]
    o: nn.Module

    @property
    def head_dim(self) -> int:
        """The columns of one head in front of the output projection."""
        return widths(self.o)[0] // heads_of(self.o, self.layer)

    @cached_property
    def undisturbed(self) -> Tensor:
        """What goes into the output projection as the model is."""
        return self._into_o(self.o, lambda out: out)

    def changes(self, letter: str, head: int, size: float) -> Tensor:
        """What goes into the output projection, with noise on a head's columns at POSITION less without."""
        module, columns = self.maps[letter]
        own = columns[head * self.head_dim : (head + 1) * self.head_dim]
        noise = torch.randn(len(own), generator=torch.Generator().manual_seed(1)) * size
        tokens_first = f"{self.part}.{letter}" in self.tower.table.layer.tokens_first

        def disturb(out: Tensor) -> Tensor:
            out = out.clone()
            (out.transpose(0, 1) if tokens_first else out)[:, POSITION, own] += noise
            return out

        return self._into_o(module, disturb) - self.undisturbed

    def _into_o(self, module: nn.Module, disturb: Callable[[Tensor], Tensor]) -> Tensor:
        return going_into(self.o, self.name, self.model, module, disturb).unflatten(-1, (-1, self.head_dim))


def going_into(
    taker: nn.Module, name: str, model: nn.Module, module: nn.Module, disturb: Callable[[Tensor], Tensor]
) -> Tensor:
    """What one module of a running model gets in its first call when another's first output is disturbed."""
    seen: list[Tensor] = []
    calls: list[None] = []

    def on_first_call(module: nn.Module, args: Any, out: Tensor) -> Tensor:
        calls.append(None)
        return disturb(out) if len(calls) == 1 else out

    take = taker.register_forward_pre_hook(lambda taker, args: seen.append(args[0].clone()))
    with hooked(take, module.register_forward_hook(on_first_call)):
        run(name, model)
    return seen[0]


def is_twice(twice: Tensor, once: Tensor) -> bool:
    """True if an effect is twice another, as far as float32 can tell."""
    return bool((twice - 2 * once).norm() < 1e-3 * once.norm())


def widths(module: nn.Module) -> tuple[int, int]:
    """(in, out) of a Linear or GPT-2's transposed Conv1D."""
    shape = tuple(module.weight.shape)  # type: ignore[arg-type]
    assert len(shape) == 2
    assert hasattr(module, "in_features") or type(module).__name__ == "Conv1D"
    return (shape[1], shape[0]) if hasattr(module, "in_features") else (shape[0], shape[1])


def heads_of(o: nn.Module, layer: nn.Module) -> int:
    """The zoo's models have 4 heads, but for the narrow first stage of those that widen."""
    return 2 if widths(o)[0] == 16 else 4


def columns_of(fused: Fused, layout: str, width: int, query: int, heads: int) -> dict[str, Tensor]:
    """The columns of each letter, by the definition of the layouts."""
    every, head_dim = torch.arange(width), query // heads
    if layout == "blocks":
        rest = (width - query) // 2 if "q" in fused.letters else width // len(fused.letters)
        sizes = [query if letter == "q" else rest for letter in fused.letters]
        return dict(zip(fused.letters, every.split(sizes), strict=True))
    groups = heads if layout == "per_head" else (width - query) // (2 * head_dim)
    turns = every.view(groups, -1, head_dim)
    parts = {"q": turns[:, :-2], "k": turns[:, -2], "v": turns[:, -1]}
    return {letter: part.reshape(-1) for letter, part in parts.items()}


def layout_of(fused: Fused, config: Any) -> str:
    """The layout, told from the config where it depends on it."""
    if fused.layout != "falcon":
        return fused.layout
    if config.new_decoder_architecture:
        return "grouped"
    return "blocks" if config.multi_query else "per_head"


def attentions(name: str) -> Iterator[Attention]:
    """Self- and cross-attention of the first layer of each tower of a zoo model."""
    model, resolved = resolved_of(name)
    for tower in resolved.towers:
        for part in ("attn", "xattn"):
            layer = tower.layers[0]
            maps = dict(_maps(tower, layer, part, model))
            if maps and ran(name, tower, part):
                o = paths.get(layer, tower.table.layer.leaves()[f"{part}.o"])
                yield Attention(name, model, tower, layer, part, maps, o)


def ran(name: str, tower: FoundTower, part: str) -> bool:
    """True if the zoo's inputs take the model through this attention."""
    calls = [call for call in layer_calls(name) if call.tower.table.role == tower.table.role]
    return any(call.ran(tower.table.layer.leaves()[f"{part}.o"]) for call in calls)


def _maps(
    tower: FoundTower, layer: nn.Module, part: str, model: Any
) -> Iterator[tuple[str, tuple[nn.Module, Tensor]]]:
    table = tower.table.layer
    for letter in "qkv":
        module = paths.find(layer, table.leaves().get(f"{part}.{letter}", "(none)"))
        if module is not None:
            yield letter, (module, torch.arange(widths(module)[1]))
    fused = table.fused().get(part)
    module = paths.find(layer, fused.path) if fused is not None else None
    if fused is not None and module is not None:
        o = paths.get(layer, table.leaves()[f"{part}.o"])
        query, width = widths(o)[0], widths(module)[1]
        yield from (
            (letter, (module, own))
            for letter, own in columns_of(
                fused, layout_of(fused, model.config), width, query, heads_of(o, layer)
            ).items()
        )


@pytest.mark.parametrize("name", spread(MODELS))
def test_queries_keys_and_values_are_where_the_table_says(name: str) -> None:
    found = list(attentions(name))
    assert found or MODELS[name].config().model_type in WITHOUT_LEAVES
    for attention in found:
        assert set(attention.maps) == set("qkv"), attention.part
        for letter, (_, columns) in attention.maps.items():
            heads = len(columns) // attention.head_dim
            for head in {0, heads - 1}:
                _check(attention, letter, head, heads)


def _check(attention: Attention, letter: str, head: int, heads: int) -> None:
    changed = attention.changes(letter, head, SIZE)
    seen = changed.abs() > 1e-6 * changed.abs().max()
    where = f"{attention.part}.{letter}, head {head}"
    assert changed.abs().max() > 0, where
    if letter == "v" or attention.name not in NORMED_OVER_HEADS:
        served = seen.shape[-2] // heads
        assert set(seen.any(-1).flatten(0, -2).any(0).nonzero().flatten().tolist()) <= set(
            range(head * served, (head + 1) * served)
        ), where
    positions = set(seen.any(-1).any(-1).flatten(0, -2).any(0).nonzero().flatten().tolist())
    assert (positions == {POSITION}) == (letter == "q"), (where, positions)
    if letter in "kv":
        assert is_twice(attention.changes(letter, head, 2 * SIZE), changed) == (letter == "v"), where


@pytest.mark.parametrize("name", spread(MODELS))
def test_widths_fit_together(name: str) -> None:
    for tower in resolved_of(name)[1].towers:
        for layer in tower.layers:
            leaves = {
                role: widths(module)
                for role, path in tower.table.layer.leaves().items()
                if (module := paths.find(layer, path)) is not None
            }
            width = leaves.get("attn.o", leaves.get("ffn.down", (0, 0)))[1]
            if "attn.q" in leaves:
                assert leaves["attn.q"] == (width, leaves["attn.o"][0])
            assert leaves.get("attn.k", width) == leaves.get("attn.v", width)
            assert leaves.get("ffn.up", width) == leaves.get("ffn.gate", leaves.get("ffn.up", width))
            if "ffn.down" in leaves:
                assert leaves["ffn.down"][1] == width
            if "ffn.up" in leaves:
                assert leaves["ffn.up"] == (width, leaves["ffn.down"][0])
            experts = paths.find(layer, tower.table.layer.experts or "(none)")
            if experts is not None:
                assert experts.get_parameter("down_proj").shape[:2] == (EXPERTS, width)


@pytest.mark.parametrize("name", spread(MODELS))
def test_up_is_linear_and_gate_is_not(name: str) -> None:
    """One column of `up` reaches one column in front of `down`; beside a gate it does so linearly."""
    model, resolved = resolved_of(name)
    for tower in resolved.towers:
        layer, table = tower.layers[0], tower.table.layer
        down = paths.find(layer, table.down or "(none)")
        if down is None:
            assert paths.find(layer, table.experts or "(none)") or name in WITHOUT_FEED_FORWARD
            continue
        maps = _feed_forward(tower, layer)
        assert "up" in maps
        undisturbed = going_into(down, name, model, down, lambda out: out)
        for letter, (module, columns) in maps.items():
            once, twice = (
                going_into(down, name, model, module, _added(int(columns[1]), size)) - undisturbed
                for size in (2.0, 4.0)
            )
            assert set(once.abs().flatten(0, -2).amax(0).nonzero().flatten().tolist()) == {1}, letter
            assert is_twice(twice, once) == (letter == "up" and "gate" in maps), letter


def _added(column: int, size: float) -> Callable[[Tensor], Tensor]:
    def disturb(out: Tensor) -> Tensor:
        out = out.clone()
        out[..., column] += size
        return out

    return disturb


def _feed_forward(tower: FoundTower, layer: nn.Module) -> dict[str, tuple[nn.Module, Tensor]]:
    table = tower.table.layer
    found: dict[str, tuple[nn.Module, Tensor]] = {}
    for letter in ("up", "gate"):
        module = paths.find(layer, table.leaves().get(f"ffn.{letter}", "(none)"))
        if module is not None:
            found[letter] = module, torch.arange(widths(module)[1])
    if table.up_gate is not None:
        module = paths.get(layer, table.up_gate.path)
        cut = columns_of(table.up_gate, table.up_gate.layout, widths(module)[1], 0, 4)
        found |= {letter: (module, own) for letter, own in cut.items()}
    return found
