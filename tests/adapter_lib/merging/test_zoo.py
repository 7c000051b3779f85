"""Updates of two methods as one LoRA, on models of every family: it does what their Stack does."""

from typing import Any

import pytest
import torch

import adapter_lib
from adapter_lib import AdapterSetup, Stack
from adapter_lib.spec.errors import FamilyError
from tests.adapter_lib.tiny import shake
from tests.adapter_lib.zoo import MODELS, of_kind, output

# One of each way in which models store and fuse their maps; the matrix has all.
USUAL = ("t5", "deberta", "falcon-new", "mixtral", "albert-groups", "clip")
OTHERS = [pytest.param(name, marks=pytest.mark.matrix) for name in MODELS if name not in USUAL]


def _prepared(name: str, *configs: str) -> Any:
    model: Any = adapter_lib.init(MODELS[name].build())
    try:
        for number, config in enumerate(configs):
            model.add_adapter(f"a{number}", config)
            shake(model, f"a{number}")
    except FamilyError as error:
        pytest.skip(str(error))
    return model


@pytest.mark.parametrize("name", [*USUAL, *OTHERS])
def test_a_lora_of_several_updates_is_their_stack(name: str) -> None:
    model = _prepared(name, "lora[r=2, targets=all-linear]", "loha[r=2, targets=[q, v]]")
    if name == "mixtral":
        model.add_adapter("a2", "lora[r=2, targets=experts]")
        shake(model, "a2")
    names = list(model.adapter_runtime.injection.configs)
    report = model.combine_adapters("sum", names)
    assert report.error < 1e-6
    assert not report.left_empty
    given = MODELS[name].inputs()
    with AdapterSetup(model, Stack(*names)):
        expected = output(model, **given)
    with AdapterSetup(model, "sum"):
        found = output(model, **given)
    scale = max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(found / scale, expected / scale, atol=2e-4, rtol=0)
    assert not torch.allclose(expected / scale, output(model, **given) / scale, atol=5e-3)


def test_the_usual_ones_are_of_several_kinds() -> None:
    kinds = {
        kind for kind in ("encoder", "decoder", "seq2seq", "multimodal") for n in USUAL if n in of_kind(kind)
    }
    assert len(kinds) == 4
