"""Methods in words, from configurations as cards store them."""

import pytest

from adapter_lib.spec.configs import known_presets
from adapter_lib.spec.strings import parse_config
from hubsite.web.methods import method_look
from hubsite.web.viewmodels.methods import listed, method_view


@pytest.mark.parametrize(
    ("written", "text", "words"),
    [
        ("lora[r=8]", "LoRA r=8 · q,v", "LoRA, rank 8, on query and value, in all 6 layers"),
        (
            "seq_bn[leave_out=[0,1]]",
            "Sequential bottleneck ÷16 · ffn",
            "Sequential bottleneck, reduction factor 16, after the feed-forward block, in 4 of 6 layers",
        ),
        (
            "double_seq_bn",
            "Double bottleneck ÷16 · mh,ffn",
            "Double bottleneck, reduction factor 16, after attention and after the feed-forward block, "
            "in all 6 layers",
        ),
        (
            "par_bn",
            "Parallel bottleneck ÷2 · ffn",
            "Parallel bottleneck, reduction factor 2, beside the feed-forward block, in all 6 layers",
        ),
        (
            "prefix_tuning",
            "Prefix tuning 30 tokens · attn,xattn",
            "Prefix tuning, 30 tokens, before the keys and values and before the keys and values of "
            "cross-attention, in all 6 layers",
        ),
        ("ia3", "IA³ · k,v,mid", "IA³, on key and value and within the feed-forward block, in all 6 layers"),
        ("loreft", "LoReFT r=1 · layer", "LoReFT, rank 1, after the layers, in all 6 layers"),
        (
            "bitfit",
            "BitFit · q,k,v,o,up,gate,down,norm",
            "BitFit, on query, key, value, attention output, feed-forward up, feed-forward gate and "
            "feed-forward down and on the norms, in all 6 layers",
        ),
    ],
)
def test_known_methods(written: str, text: str, words: str) -> None:
    config = parse_config(written)
    for name in {config.method, config.name()}:
        view = method_view(name, config.values(), 6)
        assert view.text == text
        assert view.facts.words == words


def test_every_method_has_a_look_of_its_own() -> None:
    named = set(known_presets()) - {"static", "dynamic", "route"}
    plain = {name for name in named if method_look(name).hue == "none"}
    assert plain == set()


def test_a_union_is_called_by_its_members() -> None:
    config = parse_config("lora|seq_bn")
    view = method_view(config.method, config.values(), 6)
    assert view.text.startswith("LoRA + Sequential bottleneck")
    assert view.hue == "union"


def test_without_a_known_depth_no_number_of_layers_is_claimed() -> None:
    assert method_view("lora", {}, None).facts.words == "LoRA, rank 8, on query and value"
    left_out = method_view("lora", {"leave_out": [0, 2]}, None)
    assert left_out.facts.words == "LoRA, rank 8, on query and value, in all layers but 0 and 2"


@pytest.mark.parametrize(
    ("method", "values"), [("lora", {"r": -1}), ("lora", {"rank": 8}), ("telepathy", {}), ("", {})]
)
def test_what_cannot_be_read_is_shown_by_its_name(method: str, values: dict[str, object]) -> None:
    view = method_view(method, values, 6)
    assert view.facts.roles == frozenset()
    assert view.text
    assert "not one this page can draw" in view.facts.words


def test_layers_beyond_the_backbone_draw_none() -> None:
    assert method_view("lora", {"leave_out": [40]}, 6).facts.layers == ()


def test_listed() -> None:
    assert [listed(list(words)) for words in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
