"""Switches that repeat what `adapters` computes beside the papers: DoRA's bias, T5's keys behind a prefix."""

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import T5Config, T5ForConditionalGeneration

import adapter_lib
from adapter_lib.spec.configs import DoRAConfig, PrefixTuningConfig
from adapter_lib.spec.errors import ConfigError
from tests.adapter_lib import tiny

_T5 = {
    "vocab_size": 60,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 0,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 16,
}
_PREFIX = "prefix_tuning_flat[prefix_length=3{}]"


def _stirred(model: Any, config: str) -> Any:
    prepared: Any = adapter_lib.init(model.eval())
    prepared.add_adapter("a", config)
    torch.manual_seed(2)
    with torch.no_grad():
        for parameter in prepared.adapter_runtime.injection.trained("a"):
            parameter.add_(torch.randn_like(parameter) * 0.3)
    prepared.set_active_adapters("a")
    return prepared


def _t5(more: str) -> Any:
    torch.manual_seed(1)
    return _stirred(T5ForConditionalGeneration(T5Config(**_T5)), _PREFIX.format(more))


def _logits(model: Any, **inputs: Any) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(**inputs).logits
    return found


def test_doras_bias() -> None:
    """m / ‖V‖ ⊙ (V x + bias), from the dense matrices."""
    model = _stirred(tiny.build("bert"), "dora[r=2, scales_bias=true]")
    layer = model.get_submodule("encoder.layer.0.attention.self.query")
    part = model.adapter_runtime.injection.parts("a")[0, "attn.q"]
    x = torch.randn(2, 5, tiny.WIDTH)
    direction = layer.weight + part.direction()
    with torch.no_grad():
        layer.bias.normal_()
        ratio = part.magnitude / direction.norm(dim=1)
        expected = ratio * (x @ direction.t() + layer.bias)
        assert torch.allclose(layer(x), expected, atol=1e-5)
        plain = ratio * (x @ direction.t()) + layer.bias
        assert (layer(x) - plain).abs().max() > 0.1
        model.merge_adapter("a")
        assert torch.allclose(layer(x), expected, atol=1e-5)


def test_a_map_without_bias() -> None:
    """LLaMA's maps have none: the switch changes nothing."""
    ids = torch.arange(2, 16).view(2, 7)
    one, other = (
        _stirred(tiny.build("llama"), f"dora[r=2, scales_bias={flag}]") for flag in ("true", "false")
    )
    with torch.no_grad():
        assert torch.equal(one(input_ids=ids)[0], other(input_ids=ids)[0])


def test_keys_stand_behind_the_prefix() -> None:
    """The bias of a moved key is that of a key that stands as much further behind."""
    ids, target = torch.arange(2, 16).view(2, 7), torch.arange(20, 28).view(2, 4)
    moved, plain = _t5(", moves_keys=true"), _t5("")
    given = {"input_ids": ids, "decoder_input_ids": target}
    one, other = _logits(moved, **given), _logits(plain, **given)
    assert (one - other).abs().max() > 1e-3
    for model in (moved, plain):
        for tower in (model.encoder, model.decoder):
            # Without a bias by distance there is nothing to move.
            tower.block[0].layer[0].SelfAttention.relative_attention_bias.weight.data.zero_()
    assert torch.allclose(_logits(moved, **given), _logits(plain, **given), atol=1e-6)


def test_keys_that_are_moved_and_cached() -> None:
    """Token by token with a cache: the logits of the whole sequence."""
    model = _t5(", moves_keys=true")
    ids, target = torch.arange(2, 16).view(2, 7), torch.arange(20, 28).view(2, 4)
    whole = _logits(model, input_ids=ids, decoder_input_ids=target)
    cache, steps = None, []
    for position in range(target.shape[1]):
        with torch.no_grad():
            output = model(
                input_ids=ids,
                decoder_input_ids=target[:, position : position + 1],
                past_key_values=cache,
                use_cache=True,
            )
        cache = output.past_key_values
        steps.append(output.logits)
    assert torch.allclose(torch.cat(steps, dim=1), whole, atol=1e-5)


def test_prefixes_of_several_lengths() -> None:
    """Every row of a Parallel is what it is alone, however long the others' prefixes are."""
    model = _t5(", moves_keys=true")
    model.add_adapter("b", "prefix_tuning_flat[prefix_length=5, moves_keys=true]")
    given = {"input_ids": torch.arange(2, 9)[None], "decoder_input_ids": torch.arange(20, 24)[None]}
    alone = []
    for name in ("a", "b"):
        model.set_active_adapters(name)
        alone.append(_logits(model, **given))
    model.set_active_adapters(adapter_lib.Parallel("a", "b"))
    assert torch.allclose(_logits(model, **given), torch.cat(alone), atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_models_without_distances(family: str) -> None:
    ids = torch.arange(2, 16).view(2, 7)
    configs = (_PREFIX.format(more) for more in ("", ", moves_keys=true"))
    one, other = (_stirred(tiny.build(family), config) for config in configs)
    with torch.no_grad():
        assert torch.equal(one(input_ids=ids)[0], other(input_ids=ids)[0])


def test_what_goes_together() -> None:
    with pytest.raises(ConfigError, match="moves_keys must be false with shift_positions"):
        PrefixTuningConfig(shift_positions=True, moves_keys=True)
    with pytest.raises(ConfigError, match="moves_keys must be true or false"):
        PrefixTuningConfig(moves_keys=1)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="scales_bias must be true or false"):
        DoRAConfig(scales_bias="yes")  # type: ignore[arg-type]
