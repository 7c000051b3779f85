"""Sites that are out of the ordinary: scaled before they are added, and flattened."""

from typing import Any

import pytest
import torch
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup, Split
from tests.adapter_lib.methods.dense import bottleneck
from tests.adapter_lib.tiny import shake
from tests.adapter_lib.zoo import MODELS


def _weights(model: Any, layer: int) -> dict[str, Tensor]:
    part = model.adapter_runtime.injection.parts("one")[layer, "ffn"]
    return {name: value.detach() for name, value in part.named_parameters()}


def test_a_scaled_site_is_seen_as_it_is_added() -> None:
    """Granite adds s · u to its residual: the adapter reads s · u + r, and its result is added unscaled."""
    tiny = MODELS["granite"]
    model: Any = adapter_lib.init(tiny.build().double())
    model.add_adapter("one", "seq_bn[reduction_factor=4]")
    shake(model, "one")
    ids = tiny.inputs()["input_ids"]
    scale = model.config.residual_multiplier
    assert scale != 1
    seen: dict[int, dict[str, Tensor]] = {0: {}, 1: {}}
    for number, layer in enumerate(model.layers):
        keep = seen[number]
        layer.post_attention_layernorm.register_forward_pre_hook(
            lambda m, args, keep=keep: keep.update(r=args[0])
        )
        layer.mlp.register_forward_hook(lambda m, args, out, keep=keep: keep.update(u=m.forward(args[0])))
        layer.register_forward_hook(
            lambda m, args, out, keep=keep: keep.update(out=out[0] if isinstance(out, tuple) else out)
        )
    with torch.no_grad(), AdapterSetup(model, "one"):
        model(input_ids=ids)
        for number, keep in seen.items():
            added = scale * keep["u"] + keep["r"]
            expected = added + bottleneck(added, _weights(model, number), torch.relu)
            # Its norms compute in single precision.
            torch.testing.assert_close(keep["out"], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("family", ["opt", "opt-post"])
def test_a_flat_site_knows_its_rows(family: str) -> None:
    tiny = MODELS[family]
    model: Any = adapter_lib.init(tiny.build())
    given = tiny.inputs()
    for name in ("a", "b"):
        model.add_adapter(name, "seq_bn[reduction_factor=4]")
        shake(model, name)
    mask = given["attention_mask"].bool()
    with torch.no_grad():
        runs = []
        for tree in ("a", "b", Split("a", "a", splits=[3, 4]), Split("a", "b", splits=[3, 4])):
            with AdapterSetup(model, tree):
                runs.append(model(**given).last_hidden_state)
    torch.testing.assert_close(runs[2][mask], runs[0][mask], atol=1e-5, rtol=0)
    # A causal model's first tokens do not see what happens to the later ones.
    torch.testing.assert_close(runs[3][:, :3][mask[:, :3]], runs[0][:, :3][mask[:, :3]], atol=1e-5, rtol=0)
    assert not torch.allclose(runs[3][:, 3:][mask[:, 3:]], runs[0][:, 3:][mask[:, 3:]], atol=1e-3)
