"""Prefixes that count as tokens: positions are told as if they stood before the text."""

from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor

import adapter_lib
from adapter_lib.spec.composition import Average, BatchSplit, Fuse, Parallel, Split, Stack
from adapter_lib.spec.errors import AttachError, CompositionError, ConfigError
from tests.adapter_lib import tiny
from tests.adapter_lib.zoo import MODELS, output

_LENGTH = 3
_PREFIX = f"prefix_tuning_flat[prefix_length={_LENGTH}, encoder_prefix=false, cross_prefix=false"
SHIFTED, PLAIN = f"{_PREFIX}, shift_positions=true]", f"{_PREFIX}]"
# Learned positions, rotary ones, and embeddings that count the tokens that are no padding.
_TOLD = ("bert", "roberta", "gpt2", "gptj", "opt", "llama", "mistral", "gpt-neox")
_RELATIVE = ("t5", "mt5", "umt5")


def _model(family: str, *, is_head: bool = False, **adapters: str) -> Any:
    made = MODELS[family]
    model = adapter_lib.init(made.with_head() if is_head else made.build())
    torch.manual_seed(0)
    for name, config in adapters.items():
        model.add_adapter(name, config)
        tiny.shake(model, name)
    return model


def _counted(model: Any, given: dict[str, Tensor]) -> Tensor:
    """The positions that the model counts by itself."""
    seen: list[Tensor] = []
    kind = model.config.model_type
    if kind == "roberta":
        pad = model.embeddings.padding_idx
        seen.append(given["input_ids"].ne(pad).cumsum(1) * given["input_ids"].ne(pad) + pad)
    elif kind == "opt":
        seen.append(given["attention_mask"].cumsum(1) * given["attention_mask"] - 1)
    else:
        seen.append(torch.arange(given["input_ids"].shape[1])[None].expand(given["input_ids"].shape[0], -1))
    return seen[0].clamp(min=0)


@pytest.mark.parametrize("family", _TOLD)
@pytest.mark.parametrize("side", ["right", "left"])
def test_a_counted_prefix_moves_the_tokens_behind_it(family: str, side: str) -> None:
    model, plain = _model(family, a=SHIFTED), _model(family, a=PLAIN)
    given = MODELS[family].inputs(3, side)
    plain.set_active_adapters("a")
    told = output(plain, **given, position_ids=_counted(plain, given) + _LENGTH)
    untold = output(plain, **given)
    model.set_active_adapters("a")
    assert (told - untold).abs().max() > 1e-3
    torch.testing.assert_close(output(model, **given), told, atol=1e-5, rtol=1e-5)
    model.set_active_adapters(None)
    plain.set_active_adapters(None)
    assert torch.equal(output(model, **given), output(plain, **given))


def test_positions_that_are_given_move_too() -> None:
    model, plain = _model("llama", a=SHIFTED), _model("llama", a=PLAIN)
    given = MODELS["llama"].inputs(2)
    positions = torch.arange(given["input_ids"].shape[1])[None].expand(2, -1) * 2
    for prepared in (model, plain):
        prepared.set_active_adapters("a")
    wanted = output(plain, **given, position_ids=positions + _LENGTH)
    torch.testing.assert_close(output(model, **given, position_ids=positions), wanted)


@pytest.mark.parametrize("family", ["gpt2", "llama", "t5"])
def test_every_row_is_moved_by_its_own_prefixes(family: str) -> None:
    model = _model(family, a=SHIFTED, b=PLAIN, c=SHIFTED.replace("=3", "=2"))
    given = MODELS[family].inputs(3)
    singles = []
    for row, setup in enumerate(("a", "b", Stack("a", "c"))):
        model.set_active_adapters(setup)
        singles.append(output(model, **{k: v[row : row + 1] for k, v in given.items()}))
    model.set_active_adapters(BatchSplit("a", "b", Stack("a", "c"), batch_sizes=[1, 1, 1]))
    torch.testing.assert_close(output(model, **given), torch.cat(singles), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_parallel_channels_are_moved_each_by_its_own(family: str) -> None:
    model = _model(family, a=SHIFTED, b=PLAIN)
    given, singles = MODELS[family].inputs(2), []
    for name in ("a", "b"):
        model.set_active_adapters(name)
        singles.append(output(model, **given))
    model.set_active_adapters(Parallel("a", "b"))
    torch.testing.assert_close(output(model, **given), torch.cat(singles), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", [*_RELATIVE, "gpt2", "opt", "llama"])
def test_generation_with_and_without_a_cache_agrees(family: str) -> None:
    model = _model(family, is_head=True, a=SHIFTED)
    model.set_active_adapters("a")
    given = {k: v for k, v in MODELS[family].inputs(2, "left").items() if not k.startswith("decoder")}
    made = [
        model.generate(**given, max_new_tokens=5, min_new_tokens=5, do_sample=False, use_cache=use_cache)
        for use_cache in (True, False)
    ]
    assert torch.equal(*made)


@pytest.mark.parametrize("family", _RELATIVE)
def test_a_counted_prefix_has_a_distance_where_distances_count(family: str) -> None:
    model = _model(family, a=SHIFTED)
    given = MODELS[family].inputs(2)
    model.set_active_adapters("a")
    near = output(model, **given)
    attention = model.decoder.block[0].layer[0].SelfAttention
    bias = attention.relative_attention_bias.weight
    other = _model(family, a=PLAIN)
    other.set_active_adapters("a")
    assert (output(other, **given) - near).abs().max() > 1e-4
    with torch.no_grad():
        for prepared in (model, other):
            for module in prepared.decoder.modules():
                if getattr(module, "has_relative_attention_bias", False):
                    module.relative_attention_bias.weight.zero_()
    assert not bias.any()
    torch.testing.assert_close(output(other, **given), output(model, **given))


@pytest.mark.parametrize("family", ["bart", "mbart", "bloom"])
def test_a_tower_that_cannot_be_told_positions_refuses(family: str) -> None:
    model = adapter_lib.init(MODELS[family].build())
    before = set(model.state_dict())
    with pytest.raises(AttachError, match="set shift_positions=false"):
        model.add_adapter("a", SHIFTED)
    assert set(model.state_dict()) == before


def test_linear_biases_are_no_positions_to_be_told() -> None:
    """Falcon takes position_ids and, with ALiBi, ignores them."""
    config = MODELS["falcon"].config()
    config.alibi = True
    model = adapter_lib.init(hf.AutoModel.from_config(config))
    with pytest.raises(AttachError, match="set shift_positions=false"):
        model.add_adapter("a", SHIFTED)


def test_a_gate_cannot_move_positions() -> None:
    with pytest.raises(ConfigError, match="shift_positions"):
        adapter_lib.init(tiny.build("bert")).add_adapter("a", SHIFTED.replace("]", ", use_gating=true]"))


@pytest.mark.parametrize("block", [Split("a", "c", splits=[3, 4]), Average("a", "c")])
def test_compositions_that_tell_no_position_are_refused(block: Any) -> None:
    model = _model("gpt2", a=SHIFTED, c=SHIFTED.replace("=3", "=2"))
    with pytest.raises(CompositionError):
        model.set_active_adapters(block)


def test_no_fusion_combines_positions() -> None:
    model = _model("gpt2", a=SHIFTED, c=SHIFTED)
    with pytest.raises(ConfigError, match="positions"):
        model.add_adapter_fusion(Fuse("a", "c"))


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_an_ejected_prefix_counts_on(family: str) -> None:
    config = SHIFTED.replace("prefix_tuning_flat[", "prefix_tuning[bottleneck_size=8, ")
    model = _model(family, a=config)
    model.set_active_adapters("a")
    given = MODELS[family].inputs(2)
    before = output(model, **given)
    model.eject_prefix_tuning("a")
    torch.testing.assert_close(output(model, **given), before)
