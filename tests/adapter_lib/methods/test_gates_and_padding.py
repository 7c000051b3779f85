"""A gate's mean runs over tokens: how far a row is padded changes nothing, unless the config says so."""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import pytest
import torch
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Split
from adapter_lib.spec.configs import LoRAConfig, RouteConfig, UnionConfig, canonical_hash
from adapter_lib.spec.errors import ConfigError
from tests.adapter_lib.tiny import shake
from tests.adapter_lib.zoo import MODELS

ALL = "targets=[q, k, v, o, up, down]"
METHODS = {
    "lora": f"lora[r=2, alpha=8, {ALL}, use_gating=true{{}}]",
    "seq_bn": "seq_bn[reduction_factor=4, use_gating=true{}]",
    "prefix": "prefix_tuning[prefix_length=3, bottleneck_size=8, use_gating=true{}]",
    "prompt": "prompt_tuning[prompt_length=3, use_gating=true{}]",
}
FAMILIES = ("bert", "gpt2", "t5")
LENGTH = 5
# The hash of lora[use_gating=true] from before the field was there.
BEFORE = "b73bcdead6ca2d51bc1504a2e153772c375cc4715aa5af18c7c1403272b9b3ea"
Batch = dict[str, Tensor]


def _model(family: str, config: str, auto: str = "model") -> Any:
    tiny = MODELS[family]
    model: Any = adapter_lib.init((tiny.build() if auto == "model" else tiny.with_head()).double())
    model.add_adapter("one", config)
    shake(model, "one")
    model.active_adapters = "one"
    return model


def _ids(rows: int = 2) -> Tensor:
    return torch.randint(5, 100, (rows, LENGTH), generator=torch.Generator().manual_seed(1))


def _padded(ids: Tensor, by: int, *, side: str = "right") -> Batch:
    ends = (0, by) if side == "right" else (by, 0)
    pad = torch.nn.functional.pad
    return {"input_ids": pad(ids, ends, value=1), "attention_mask": pad(torch.ones_like(ids), ends)}


def _batch(family: str, by: int) -> Batch:
    """Two rows of five tokens, padded by so many; the target of an encoder-decoder too."""
    batch = _padded(_ids(), by)
    if family == "t5":
        target = _padded(_ids().flip(0), by)
        batch |= {f"decoder_{name}": value for name, value in target.items()}
    return batch


def _hidden(model: Any, given: Mapping[str, Tensor]) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(**given).last_hidden_state
    return found[:, :LENGTH]


def _moved(family: str, config: str) -> float:
    """By how much the two rows change when they are padded further."""
    model = _model(family, config)
    alone, padded = (_hidden(model, _batch(family, by)) for by in (0, 4))
    with AdapterSetup(model, None):
        base = _hidden(model, _batch(family, 0))
    assert (alone - base).abs().max() > 1e-2, "the adapter does something"
    return float((alone - padded).abs().max())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", FAMILIES)
def test_padding_does_not_move_a_row(family: str, method: str) -> None:
    assert _moved(family, METHODS[method].format("")) < 1e-10
    assert _moved(family, METHODS[method].format(", gate_over_padding=true")) > 1e-5


@pytest.mark.parametrize("encoder_mask", [[[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], None])
def test_cross_attention_counts_the_encoders_tokens(encoder_mask: list[list[int]] | None) -> None:
    """Keys and values are made of the encoder's states: its mask tells of them, not the decoder's."""
    model = _model("t5", "lora[r=2, alpha=8, targets=[q, k], use_gating=true]")
    batch = _batch("t5", 0)
    batch["decoder_attention_mask"] = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    mask = torch.ones(2, LENGTH) if encoder_mask is None else torch.tensor(encoder_mask)
    batch["attention_mask"] = mask
    output = model(**batch, output_adapter_gating_scores=True)
    part = model.adapter_runtime.injection.parts("one")[2, "xattn.k"]
    scores = torch.sigmoid(part.gate(output.encoder_last_hidden_state))[..., 0]
    expected = (scores * mask).sum(1) / mask.sum(1)
    found = output.adapter_gating_scores["one"]["layers.2.xattn.k"].flatten()
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_generating_with_a_cache_does_not_depend_on_padding(family: str, method: str) -> None:
    model = _model(family, METHODS[method].format(""), "head")
    side = "left" if family == "gpt2" else "right"
    settings = {"max_new_tokens": 4, "do_sample": False, "output_logits": True, "eos_token_id": None}
    found = [
        model.generate(**_padded(_ids(), by, side=side), **settings, return_dict_in_generate=True).logits
        for by in (0, 4)
    ]
    torch.testing.assert_close(torch.stack(found[0]), torch.stack(found[1]), atol=1e-10, rtol=0)


def test_every_part_of_a_split_and_every_copy_counts_its_own_tokens() -> None:
    """Of four tokens of padding three stand in the second part, with two tokens; one row has more."""
    model = _model("bert", METHODS["lora"].format(""))
    model.add_adapter("two", METHODS["seq_bn"].format(""))
    shake(model, "two")
    short, long = _batch("bert", 1), _batch("bert", 4)
    found = []
    for given, rest in ((short, 3), (long, 6)):
        with AdapterSetup(model, Parallel(Split("one", "two", splits=[3, rest]), "two")):
            found.append(_hidden(model, given))
    torch.testing.assert_close(found[0], found[1], atol=1e-10, rtol=0)


@pytest.mark.parametrize("is_masked", [True, False])
def test_longformer_pads_to_its_window_and_does_not_count_that(is_masked: bool) -> None:
    model = _model("longformer", "lora[r=2, alpha=8, use_gating=true]")
    ids = torch.randint(5, 100, (2, 6), generator=torch.Generator().manual_seed(1))
    given = {"input_ids": ids} | ({"attention_mask": torch.ones_like(ids)} if is_masked else {})
    whole = _padded(ids, 2)
    torch.testing.assert_close(_hidden(model, given), _hidden(model, whole), atol=1e-10, rtol=0)


def test_states_that_are_no_tokens_are_counted_all() -> None:
    """LongT5's summaries of blocks, DeBERTa's positions, sound that the model makes shorter."""
    for family, config in (
        ("longt5-global", "lora[targets=[k], use_gating=true]"),
        ("deberta-v2", "lora[targets=[k], use_gating=true]"),
        ("speech_to_text", "lora[use_gating=true]"),
    ):
        model = _model(family, config)
        given = MODELS[family].inputs(3)
        given = {name: x.double() if x.is_floating_point() else x for name, x in given.items()}
        gates = model(**given, output_adapter_gating_scores=True).adapter_gating_scores["one"]
        assert all((gate > 0).all() for gate in gates.values())


def test_a_row_of_padding_alone_has_a_gate_of_zero_and_a_gradient() -> None:
    model = _model("bert", METHODS["lora"].format(""))
    given = _batch("bert", 0)
    given["attention_mask"] = torch.tensor([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0]])
    output = model(**given, output_adapter_gating_scores=True)
    gate = output.adapter_gating_scores["one"]["layers.0.attn.q"]
    assert gate[0].item() > 0
    assert gate[1].item() == 0
    output.last_hidden_state.sum().backward()
    part = model.adapter_runtime.injection.parts("one")[0, "attn.q"]
    assert part.gate.weight.grad.isfinite().all()


def test_an_older_calls_masks_are_forgotten() -> None:
    """What runs before its tower is called would take them for its own."""
    model = _model("gpt2", METHODS["seq_bn"].format(""))
    call = model.adapter_runtime.injection.call
    call.masks["elsewhere"] = call.sources["elsewhere"] = torch.ones(1, 2)
    call.lengths["elsewhere"] = 2
    _hidden(model, _batch("gpt2", 0))
    assert set(call.masks) == set(call.sources) == set(call.lengths) == {"decoder"}


def test_masks_are_caught_for_gates_that_need_them_only() -> None:
    for config, caught in (
        ("lora[use_gating=true]", {"encoder"}),
        ("lora|seq_bn[use_gating=true]", {"encoder"}),
        ("lora[use_gating=true, gate_over_padding=true]", set()),
        ("lora", set()),
    ):
        model = _model("bert", config)
        masks = model.adapter_runtime.injection.points.masks
        assert set(masks) == caught
        model.delete_adapter("one")
        assert not masks


def test_the_field_needs_a_gate_and_changes_no_stored_hash() -> None:
    for made in (LoRAConfig, partial(UnionConfig, configs=(LoRAConfig(),)), RouteConfig):
        with pytest.raises(ConfigError, match="gate_over_padding must be false without use_gating"):
            made(gate_over_padding=True)
        with pytest.raises(ConfigError, match="gate_over_padding must be true or false"):
            made(gate_over_padding=cast("bool", 1))
    assert canonical_hash(LoRAConfig(use_gating=True)) == BEFORE
    with_padding = LoRAConfig(use_gating=True, gate_over_padding=True)
    assert canonical_hash(with_padding) != canonical_hash(LoRAConfig(use_gating=True))
