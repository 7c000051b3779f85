"""One model runs a bottleneck that `adapters` saved, stacked on a LoRA that `peft` saved."""

from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from adapter_lib.spec.composition import Parallel, Stack
from tests.interop import hub_exports as exports
from tests.interop.reading import reference

_BOTTLENECK = reference("adapters", "bert", "seq_bn")
_LORA = reference("peft", "bert", "lora_qv")


def _loaded(model: Any) -> Any:
    formats = {
        "bottleneck": model.load_adapter(_BOTTLENECK.adapter, name="bottleneck").format,
        "lora": model.load_adapter(_LORA.adapter, name="lora").format,
    }
    assert formats == {"bottleneck": "adapterhub", "lora": "peft"}
    return model


def _put_in(model: Any) -> None:
    """Add the LoRA's update to the weights by hand, from PEFT's file."""
    tensors, config = load_file(_LORA.adapter / "adapter_model.safetensors"), _LORA.config()
    for key in (key for key in tensors if key.endswith("lora_A.weight")):
        path = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        update = tensors[key.replace("lora_A", "lora_B")] @ tensors[key]
        with torch.no_grad():
            model.get_submodule(path).weight.add_(update * config["lora_alpha"] / config["r"])


def test_a_bottleneck_on_a_lora() -> None:
    model, by_hand = _loaded(exports.prepared("bert")), _loaded(exports.prepared("bert"))
    _put_in(by_hand)
    by_hand.set_active_adapters("bottleneck")
    expected = exports.outputs(by_hand, _BOTTLENECK)["last_hidden_state"]
    found: dict[str, Tensor] = {}
    for composition in (Stack("lora", "bottleneck"), "lora", "bottleneck"):
        model.set_active_adapters(composition)
        found[str(composition)] = exports.outputs(model, _BOTTLENECK)["last_hidden_state"]
    stacked = found.pop(str(Stack("lora", "bottleneck")))
    torch.testing.assert_close(stacked, expected, atol=1e-6, rtol=0)
    assert all((stacked - alone).abs().max() > 0.01 for alone in found.values())
    # Alone the bottleneck is what `adapters` computed with it.
    theirs = _BOTTLENECK.outputs()["last_hidden_state"].double()
    torch.testing.assert_close(found["bottleneck"], theirs, atol=1e-5, rtol=0)


def test_side_by_side() -> None:
    model = _loaded(exports.prepared("bert"))
    model.set_active_adapters(Parallel("bottleneck", "lora"))
    rows = exports.outputs(model, _BOTTLENECK)["last_hidden_state"].chunk(2)
    for name, part in zip(("bottleneck", "lora"), rows, strict=True):
        model.set_active_adapters(name)
        alone = exports.outputs(model, _BOTTLENECK)["last_hidden_state"]
        torch.testing.assert_close(part, alone, atol=1e-6, rtol=0)
