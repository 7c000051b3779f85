"""The glyph as a drawing: what is filled, how much, and what it says."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from hubsite.web.drawings.glyph import GlyphFacts, glyph, rank_fill, reduction_fill
from hubsite.web.viewmodels.methods import method_view

LORA = GlyphFacts("lora", frozenset({"attn.q", "attn.v"}), 0.5, (0, 1, 2), 6, False, "LoRA & friends")


def _count(drawn: str, name: str) -> int:
    return len(re.findall(rf'class="{name}"', drawn))


def test_it_fills_the_boxes_where_the_adapter_acts() -> None:
    assert _count(glyph(LORA), "g-fill") == 2
    assert _count(glyph(replace(LORA, roles=frozenset({"attn.o", "ffn.up", "ffn.down"}))), "g-fill") == 3
    assert _count(glyph(replace(LORA, roles=frozenset())), "g-fill") == 0


def test_a_bottleneck_sits_at_its_site() -> None:
    both = glyph(replace(LORA, roles=frozenset({"mh", "ffn"})))
    assert _count(both, "g-fill") == 2
    assert _count(both, "g-branch") == 0
    beside = glyph(replace(LORA, roles=frozenset({"ffn"}), parallel=True))
    assert (_count(beside, "g-fill"), _count(beside, "g-branch")) == (1, 1)


def test_the_dots_are_the_covered_layers() -> None:
    drawn = glyph(LORA)
    assert (_count(drawn, "g-dot g-dot-on"), _count(drawn, "g-dot")) == (3, 3)


@pytest.mark.parametrize("layers", [1, 6, 12, 24, 96])
def test_the_dots_stay_beside_the_frame(layers: int) -> None:
    drawn = glyph(replace(LORA, num_layers=layers, layers=tuple(range(layers))))
    dots = re.findall(r'<circle class="g-dot g-dot-on" cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', drawn)
    assert len(dots) == layers
    assert all(float(x) - float(r) >= 0 and float(x) + float(r) <= 16.5 for x, _, r in dots)
    assert all(0 <= float(y) <= 40 for _, y, _ in dots)


def test_a_hostile_depth_draws_no_more_than_a_page_can_show() -> None:
    view = method_view("lora", {}, 900_000)
    assert glyph(view.facts).count("<circle") <= 96
    assert "in all 900000 layers" in view.facts.words


def test_it_is_well_formed_and_says_what_it_shows() -> None:
    root = ElementTree.fromstring(glyph(LORA, large=True))  # noqa: S314
    assert root.get("role") == "img"
    assert root.get("aria-label") == "LoRA & friends"
    assert root.findtext("title") == "LoRA & friends"
    assert [text.text for text in root.iter("text")] == ["q", "k", "v", "o", "up", "down", "n", "n"]


def test_fill_grows_with_rank_and_shrinks_with_reduction() -> None:
    ranks = [rank_fill(rank) for rank in (1, 2, 8, 64, 4096)]
    assert ranks == sorted(ranks)
    assert ranks[-1] == 1
    factors = [reduction_fill(factor) for factor in (1, 2, 16, 64, 1e9)]
    assert factors == sorted(factors, reverse=True)
    assert min(ranks + factors) >= 0.15
