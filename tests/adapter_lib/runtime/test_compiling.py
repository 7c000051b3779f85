"""torch.compile(fullgraph=True): no graph break, and switching adapters afterwards is noticed."""

import pytest
import torch

from adapter_lib import AdapterSetup, Parallel
from tests.adapter_lib.contract.methods import METHODS
from tests.adapter_lib.contract.pairs import is_whole, one
from tests.adapter_lib.runtime.promises import KINDS, first, prepared
from tests.adapter_lib.zoo import MODELS

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
)
# Compiling takes seconds per graph: in the sample, few pairs that differ in where they act.
_SAMPLED = [("llama", "lora-all"), ("bert", "double_seq_bn")]


def _chosen() -> list[tuple[str, str]]:
    return [(one(KINDS, f"compiling {method}"), method) for method in METHODS] if is_whole() else _SAMPLED


@pytest.mark.parametrize(("family", "method"), _chosen())
def test_switching_is_noticed_by_the_compiled_model(family: str, method: str) -> None:
    torch._dynamo.reset()
    model = prepared(family, method, names=("a", "b"))
    if model is None:
        return
    given = MODELS[family].inputs()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    for tree in (None, "a", Parallel("a", "b"), None, "b"):
        with AdapterSetup(model, tree):
            expected, found = first(model, given), first(compiled, given)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
