"""The tables of a model's adapters: by adapter, and by place."""

from typing import Any

import pytest
import torch

import adapter_lib
from adapter_lib import Parallel, Stack
from adapter_lib.spec.composition import Fuse
from tests.adapter_lib.tiny import METHODS, adapter_parameters, build, prepared


@pytest.mark.parametrize("method", METHODS)
def test_places_add_up_to_the_adapter(method: str) -> None:
    model = prepared("bert", one=method)
    row = model.adapter_summary().rows[0]
    status = model.adapter_status()
    assert sum(place.parameters for place in status.rows) == row.parameters
    assert row.parameters == sum(p.numel() for p in adapter_parameters(model, "one"))
    assert not any(place.is_active or place.is_merged for place in status.rows)
    model.train_adapter("one")
    assert model.adapter_summary().rows[0].is_trainable
    assert model.adapter_summary().rows[0].trained == sum(
        p.numel() for p in model.parameters() if p.requires_grad
    )
    assert all(place.is_active for place in model.adapter_status().rows)
    assert any(place.is_trained for place in model.adapter_status().rows)


def test_a_union_is_one_adapter_at_all_its_places() -> None:
    model: Any = prepared("bert", both="lora[r=2]|seq_bn|lora[r=4, targets=[q]]")
    row = model.adapter_summary().rows[0]
    assert row.method == "lora|seq_bn"
    places = {place.place: place.parameters for place in model.adapter_status().in_layer(1).rows}
    assert places == {
        "layers.1.attn.q": (2 + 4) * 64,
        "layers.1.attn.v": 2 * 64,
        "layers.1.ffn": 2 * 32 * 2 + 2 + 32,
    }
    assert row.parameters == 2 * sum(places.values())


def test_what_acts_is_trained_and_merged_is_told_place_by_place() -> None:
    model: Any = prepared("bert", a="seq_bn", b="seq_bn", m="lora[targets=[q]]")
    model.add_adapter_fusion(["a", "b"])
    model.train_adapter_fusion(Parallel(Fuse("a", "b"), Stack("a")))
    model.set_active_adapters(model.active_adapters, skip_layers=[0])
    model.merge_adapter("m")
    status = model.adapter_status()
    told = {(row.place, row.name): (row.is_active, row.is_trained, row.is_merged) for row in status.rows}
    assert told == {
        ("layers.0.attn.q", "m"): (False, False, True),
        ("layers.0.ffn", "a"): (False, False, False),
        ("layers.0.ffn", "b"): (False, False, False),
        ("layers.0.ffn", "fuse:a,b"): (False, True, False),
        ("layers.1.attn.q", "m"): (False, False, True),
        ("layers.1.ffn", "a"): (True, False, False),
        ("layers.1.ffn", "b"): (True, False, False),
        ("layers.1.ffn", "fuse:a,b"): (True, True, False),
    }
    assert len(status.of("fuse:a,b").rows) == 2
    lines = str(status.in_layer(1)).splitlines()
    assert lines[0].split() == ["place", "adapter", "method", "parameters", "active", "trained", "merged"]
    assert lines[1].split() == ["layers.1.attn.q", "m", "lora", "512", "-", "-", "yes"]
    assert lines[3].split()[:2] == ["b", "seq_bn"], "a place is named once"


def test_the_summary_tells_blocks_and_what_is_shared() -> None:
    model: Any = prepared("bert", a="mtl_lora[r=2]", b="mtl_lora[r=2]", c="seq_bn")
    model.share_parameters(["a", "b"])
    model.add_adapter_fusion(["a", "c"], "static[query=false]")
    summary = model.adapter_summary()
    a, b, c = summary.rows
    assert (a.shared_with, b.shared_with, c.shared_with) == (("b",), ("a",), ())
    assert a.parameters == b.parameters
    block = summary.blocks[0]
    assert (block.kind, block.name, block.is_active) == ("fuse", "a,c", False)
    assert block.parameters == 6 * (32 * 32 + 32)
    text = str(summary)
    assert "- (shares with b)" in text
    assert "a,c" in text


def test_frozen_parameters_are_counted_and_not_trained() -> None:
    model: Any = prepared("bert", one="lora[r=2]")
    for part in model.adapter_runtime.injection.members("one"):
        part.frozen = ("lora_a",)
    model.train_adapter("one")
    row = model.adapter_summary().rows[0]
    assert (row.parameters, row.trained) == (4 * 2 * 64, 4 * 2 * 32)
    with torch.no_grad():
        assert all(place.is_trained for place in model.adapter_status().rows)


def test_nothing_is_nowhere() -> None:
    assert str(adapter_lib.init(build("bert")).adapter_status()) == "No adapters at any place."  # type: ignore[attr-defined]
