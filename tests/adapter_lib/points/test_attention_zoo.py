"""Prefixes on every model of the zoo: they act as they should, or are refused with the reason."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.spec.composition import Average, BatchSplit
from adapter_lib.spec.errors import AttachError, FamilyError
from tests.adapter_lib.tiny import shake
from tests.adapter_lib.zoo import MODELS, output
from tests.adapter_lib.zoo.spreading import spread

SHAPED = "prefix_tuning[prefix_length=3, bottleneck_size=4]"
FLAT = "prefix_tuning_flat[prefix_length=5]"
REFUSED = "No prefix can be put in front of the keys here: "


@pytest.mark.parametrize("name", spread(MODELS))
def test_prefixes_work_on_the_whole_zoo_or_are_refused_with_the_reason(name: str) -> None:
    base = MODELS[name].build()
    given = MODELS[name].inputs()
    expected = output(base, **given)
    model = adapter_lib.init(base)
    if not _is_possible(name):
        with pytest.raises((AttachError, FamilyError), match=REFUSED + r"\w.{10,}\.|has no attn"):
            model.add_adapter("a", SHAPED)
        assert torch.equal(output(model, **given), expected)
        return
    for adapter, config in (("a", SHAPED), ("b", FLAT)):
        model.add_adapter(adapter, config)
        shake(model, adapter)
    assert torch.equal(output(model, **given), expected)
    assert not torch.allclose(_run(model, "a", given), expected, atol=1e-3)
    if MODELS[name].kind != "multimodal":  # whose first output is no row per row of the batch
        _check_rows(model, given)
    assert torch.equal(output(model, **given), expected)
    model.active_adapters = "a"
    adapter_lib.detach(model)
    assert torch.equal(output(model, **given), expected)
    assert all(_implementation(module) != "adapter_lib" for module in model.modules())


def _check_rows(model: Any, given: dict[str, Tensor]) -> None:
    trees = ["a", "b", Stack("b", "a"), Average("a", "b")]
    alone = [_run(model, tree, given) for tree in trees]
    near = 1e-5 * max(1.0, float(alone[0].abs().max()))
    torch.testing.assert_close(_run(model, Parallel(*trees), given), torch.cat(alone), atol=near, rtol=0)
    a, b = _raw(model, "a", given), _raw(model, "b", given)
    split = _raw(model, BatchSplit("a", "b", batch_sizes=[1, 2]), given)
    torch.testing.assert_close(split[:1], a[:1], atol=near, rtol=0)
    torch.testing.assert_close(split[2:], b[2:], atol=near, rtol=0)


def _implementation(module: nn.Module) -> Any:
    return getattr(getattr(module, "config", None), "_attn_implementation", None)


def _run(model: Any, composition: Any, given: dict[str, Tensor]) -> Tensor:
    with AdapterSetup(model, composition):
        return output(model, **given)


def _raw(model: Any, composition: Any, given: dict[str, Tensor]) -> Tensor:
    with AdapterSetup(model, composition), torch.no_grad():
        found: Tensor = model(**given)[0]
    return found


def _is_possible(name: str) -> bool:
    towers = adapter_lib.init(MODELS[name].build()).adapter_runtime.injection.atlas.resolved.towers
    return all(tower.table.layer.prefix is not None for tower in towers)
