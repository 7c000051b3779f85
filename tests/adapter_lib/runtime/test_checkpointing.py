"""Gradient checkpointing gives the same gradients, whichever way it runs the layers again."""

from typing import Any

import pytest
import torch

from tests.adapter_lib.runtime.promises import KINDS, gradients, pairs, prepared
from tests.adapter_lib.zoo import MODELS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize(("family", "method"), pairs(KINDS, "checkpointing"))
def test_gradients_are_the_same(family: str, method: str, reentrant: bool) -> None:
    model = prepared(family, method)
    if model is None:
        return
    given = MODELS[family].inputs()
    model.train_adapter("a")
    expected = gradients(model, given)
    model.gradient_checkpointing_enable({"use_reentrant": reentrant})
    if reentrant:
        # The reentrant way only follows inputs that ask for gradients.
        _ask_for_gradients(model, given)
    found = gradients(model, given)
    for one, other in zip(expected, found, strict=True):
        assert (one is None) == (other is None) or reentrant
        if one is not None and other is not None:
            torch.testing.assert_close(other, one, atol=1e-4, rtol=1e-3)


def _ask_for_gradients(model: Any, given: dict[str, torch.Tensor]) -> None:
    if "pixel_values" in given:
        given["pixel_values"].requires_grad_(True)
    else:
        model.enable_input_require_grads()
