"""What an adapter changes in the weights, against the weights of a merged model and by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adapter_lib.merging import Changes, Factors
from adapter_lib.merging.changes import factors_of
from adapter_lib.merging.low_rank import dense
from adapter_lib.spec.errors import AttachError
from tests.adapter_lib.methods.weights import FAMILIES, doubled, numbers

# Every method that is a change of weights, and unions of several that meet at one map.
CONFIGS = (
    "lora[r=4, alpha=8, targets=[q, v, down]]",
    "lora[r=4, alpha=12, init_weights=pissa]",
    "dora[r=4]",
    "vera[r=24]",
    "dvora[r=24]",
    "mtl_lora[r=4, n_up_projection=2, task_specific_matrix_type=linear]",
    "adalora[init_r=4, target_r=2]",
    "loha[r=3]",
    "lokr[r=2, decompose_both=true]",
    "hira[r=3]",
    "hra[r=4]",
    "oft[block_size=8]",
    "boft[n_butterfly=3, rescale=true]",
    "fourierft[n_frequency=60]",
    "ia3",
    "lora[r=2, targets=[q, down]]|lora[r=3, targets=[q]]",
    "ia3|lora[r=2, targets=[k, down]]|loha[r=2, targets=[down]]",
)
LOW_RANK = ("lora", "vera", "mtl_lora", "adalora")


def _merged_change(model: Any, family: str, layer: int, role: str) -> tuple[Tensor, Tensor | None]:
    """W' - W and b' - b as `merge_adapter` writes them."""
    weight, bias = (None if t is None else t.clone() for t in numbers(model, family, layer, role))
    model.merge_adapter("one")
    after = numbers(model, family, layer, role)
    delta = after.weight - weight
    shift = None if bias is None or after.bias is None else after.bias - bias
    model.reset_adapter()
    return delta, shift


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("config", CONFIGS)
def test_a_change_is_what_merging_does_to_the_weights(family: str, config: str) -> None:
    model = doubled(family, one=config)
    changes = Changes(model.adapter_runtime.injection, "one")
    assert changes.places()
    for layer, role in changes.places():
        found = changes.at((layer, role))
        delta, shift = _merged_change(model, family, layer, role)
        assert delta.abs().max() > 1e-3
        torch.testing.assert_close(dense(found.delta), delta, atol=1e-12, rtol=0)
        if found.bias is None:
            assert shift is None or not shift.any()
        else:
            torch.testing.assert_close(found.bias, shift, atol=1e-12, rtol=0)


@pytest.mark.parametrize("config", CONFIGS)
def test_low_rank_methods_give_factors(config: str) -> None:
    model = doubled("llama", one=config)
    changes = Changes(model.adapter_runtime.injection, "one")
    is_low = all(part.split("[")[0] in LOW_RANK for part in config.split("|"))
    key = changes.places()[0]
    assert isinstance(changes.at(key).delta, Factors) == is_low


def test_scaled_inputs_count_to_the_map_behind_them() -> None:
    model = doubled("llama", one="ia3")
    injection = model.adapter_runtime.injection
    changes = Changes(injection, "one")
    assert [key for key in changes.places() if key[0] == 0] == [
        (0, r) for r in ("attn.k", "attn.v", "ffn.down")
    ]
    factor = injection.parts("one")[0, "ffn.mid"].factor.detach()
    weight = model.layers[0].mlp.down_proj.weight.detach()
    torch.testing.assert_close(
        dense(changes.at((0, "ffn.down")).delta), weight * (factor - 1), atol=1e-12, rtol=0
    )


def test_tokens_count_to_the_embedding_by_its_path() -> None:
    model = doubled("gpt2", one="trainable_tokens[token_indices=[4, 22]]")
    changes = Changes(model.adapter_runtime.injection, "one")
    assert changes.places() == ((-1, "module.wte"),)
    delta = dense(changes.at((-1, "module.wte")).delta)
    assert delta.abs().sum(0).nonzero().flatten().tolist() == [4, 22]


def test_a_member_of_a_union_stands_alone() -> None:
    model = doubled("bert", one="lora[r=2, targets=[q]]|seq_bn|lora[r=3, targets=[q, v]]")
    injection = model.adapter_runtime.injection
    with pytest.raises(AttachError, match=r"'one' \(seq_bn\) is no change of weights at layers.0.ffn"):
        Changes(injection, "one").places()
    assert len(Changes(injection, "one", "0").places()) == 2
    third = Changes(injection, "one", "2")
    found = third.at((0, "attn.q")).delta
    assert isinstance(found, Factors)
    assert found.a.shape == (3, 32)


def test_half_precision_is_widened_before_anything_is_multiplied() -> None:
    model = doubled("llama", one="lora[r=2]").bfloat16()
    part = model.adapter_runtime.injection.parts("one")[0, "attn.q"]
    found = factors_of(part)
    assert found is not None
    assert found.a.dtype == torch.float64
    assert torch.equal(found.b, part.lora_b.detach().double() * part.scale)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("seq_bn", r"'one' \(seq_bn\) is no change of weights at layers.0.ffn, so no LoRA can do the same"),
        ("prefix_tuning", "is no change of weights at layers.0.attn"),
        ("loreft", "is no change of weights at layers.0.layer"),
        ("prompt_tuning", "is no change of weights at"),
        ("lora[use_gating=true]", "has a gate, which looks at every input"),
        ("norm_tuning", "changes norms .*, and a LoRA has no place there"),
    ],
)
def test_what_is_no_change_of_a_maps_weight_is_refused(config: str, message: str) -> None:
    model = doubled("bert", one=config)
    with pytest.raises(AttachError, match=message):
        Changes(model.adapter_runtime.injection, "one").places()


def test_a_convolution_is_a_matrix_over_its_kernel() -> None:
    import adapter_lib

    net = nn.Sequential(nn.Conv1d(3, 5, 2), nn.ReLU())
    model: Any = adapter_lib.init(net.double())
    model.add_adapter("one", "lora[r=2, targets=['0']]")
    with torch.no_grad():
        for parameter in model.adapter_runtime.injection.parameters("one"):
            parameter.normal_()
    weight = model[0].weight.clone()
    changes = Changes(model.adapter_runtime.injection, "one")
    (key,) = changes.places()
    delta = dense(changes.at(key).delta)
    assert delta.shape == (5, 6)
    model.merge_adapter("one")
    torch.testing.assert_close(delta.view(5, 3, 2), model[0].weight - weight, atol=1e-12, rtol=0)
