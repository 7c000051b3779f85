"""bfloat16, other devices, copies and pickles: an adapted model is a model like any other."""

import copy
import pickle

import pytest
import torch

from tests.adapter_lib.runtime.promises import KINDS, first, gradients, pairs, prepared
from tests.adapter_lib.zoo import MODELS


@pytest.mark.parametrize(("family", "method"), pairs(KINDS, "bf16"))
def test_bfloat16_gives_nearly_the_same_and_trains(family: str, method: str) -> None:
    model = prepared(family, method)
    if model is None:
        return
    given = MODELS[family].inputs()
    model.active_adapters = "a"
    expected = first(model, given)
    model.to(torch.bfloat16)
    halved = {k: v.to(torch.bfloat16) if v.is_floating_point() else v for k, v in given.items()}
    found = first(model, halved)
    assert found.dtype == torch.bfloat16
    scale = float(expected.abs().max())
    assert float((found.float() - expected).abs().max()) < 0.15 * scale
    model.train_adapter("a")
    model.eval()
    assert all(grad is None or bool(torch.isfinite(grad).all()) for grad in gradients(model, halved))


@pytest.mark.parametrize(("family", "method"), pairs(KINDS, "device"))
def test_nothing_stays_behind_when_the_model_moves(family: str, method: str) -> None:
    """On the meta device nothing is computed, but whatever was left on the old device stands out."""
    model = prepared(family, method)
    if model is None:
        return
    model.active_adapters = "a"
    expected = first(model, MODELS[family].inputs()).shape
    model.to("meta")
    tensors = [*model.parameters(), *model.buffers()]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    own = [m for name, m in model.named_modules() if "adapter_lib_" in name]
    stray = [
        f"{type(module).__name__}.{key}"
        for module in own
        for key, value in vars(module).items()
        if isinstance(value, torch.Tensor) and value.device.type != "meta"
    ]
    assert stray == []
    assert expected is not None


@pytest.mark.parametrize(("family", "method"), pairs(KINDS, "copies"))
def test_copies_and_pickles_stand_alone_while_an_adapter_acts(family: str, method: str) -> None:
    model = prepared(family, method)
    if model is None:
        return
    given = MODELS[family].inputs()
    model.active_adapters = "a"
    expected = first(model, given)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301  (our own bytes)
        assert type(twin) is type(model)
        assert torch.equal(first(twin, given), expected)
        twin.delete_adapter("a")
        assert torch.equal(first(twin, given), first(MODELS[family].build(), given))
    assert torch.equal(first(model, given), expected)
