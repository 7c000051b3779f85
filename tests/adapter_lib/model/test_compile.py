"""torch.compile without graph breaks while adapters are switched on one compiled model."""

from typing import Any

import pytest
import torch

from adapter_lib import AdapterSetup, Parallel, Stack
from tests.adapter_lib.tiny import inputs, prepared

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
)


@pytest.mark.parametrize("family", ["bert", pytest.param("gpt2", marks=pytest.mark.matrix)])
def test_switching_is_noticed_by_the_compiled_model(family: str) -> None:
    torch._dynamo.reset()
    model = prepared(family, layers=1, a="lora[r=4, targets=[q, down]]", b="double_seq_bn", c="lora[r=2]")
    compiled: Any = torch.compile(model, fullgraph=True, backend="aot_eager")
    trees = [None, Stack("a", "b"), Parallel("a", "c"), None, "a"]
    with torch.no_grad():
        for tree in trees:
            with AdapterSetup(model, tree):
                expected = model(**inputs()).last_hidden_state
                found = compiled(**inputs()).last_hidden_state
                torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_adapters_added_and_removed_later_are_noticed() -> None:
    torch._dynamo.reset()
    model = prepared("bert", layers=1)
    compiled: Any = torch.compile(model, fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        base = compiled(**inputs()).last_hidden_state
        model.add_adapter("late", "seq_bn")
        model.active_adapters = "late"
        torch.nn.init.normal_(model.adapter_runtime.injection.parts("late")[0, "ffn"].up.weight)
        found = compiled(**inputs()).last_hidden_state
        assert not torch.allclose(found, base, atol=1e-3)
        torch.testing.assert_close(found, model(**inputs()).last_hidden_state, atol=1e-5, rtol=0)
        model.delete_adapter("late")
        torch.testing.assert_close(compiled(**inputs()).last_hidden_state, base, atol=1e-6, rtol=0)
