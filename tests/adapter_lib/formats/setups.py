"""Models with everything that a set-up can hold, and trees over it."""

from collections.abc import Mapping
from typing import Any

import torch
import transformers as hf
from torch import Tensor

import adapter_lib
from adapter_lib import Average, BatchSplit, Fuse, MultiTask, Parallel, Route, Split, Stack
from tests.adapter_lib import tiny

FAMILIES = ("bert", "gpt2", "llama", "t5")
ADAPTERS = {
    "a": "seq_bn[reduction_factor=8]",
    "b": "par_bn[reduction_factor=8]",
    "c": "lora[r=2]",
    "d": "vera[r=24]|compacter[reduction_factor=4]",
}
TREES: dict[str, Any] = {
    "single": Stack("c"),
    "stack": Stack("a", "c", "d"),
    "average": Average("a", "c", weights=[0.25, 0.5], normalize_weights=False),
    "parallel": Parallel("a", Stack("b", "c")),
    "batch split": BatchSplit("a", Stack("b", "c"), batch_sizes=[2, 1]),
    "split": Split("a", "b", splits=[3, 4]),
    "multi task": MultiTask("a", "c", "b"),
    "fuse": Fuse("a", "b"),
    "route": Route("a", "b", "c", name="gate"),
    "nested": Stack(
        "d",
        Average(Fuse(Stack("c", "a"), "b", name="inner"), "a"),
        Parallel(Route("a", "b", name="gate"), "c"),
    ),
}


def fresh(family: str) -> Any:
    """A tiny model that is prepared and has nothing yet; the same weights each time."""
    if family != "t5":
        return adapter_lib.init(tiny.build(family))
    torch.manual_seed(7)
    config = hf.T5Config(d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, vocab_size=120)
    return adapter_lib.init(hf.T5Model(config).eval())


def furnished(family: str, tree: Any, adapters: Mapping[str, str] = ADAPTERS) -> Any:
    """A model on which a tree is active, with random weights in everything."""
    model = fresh(family)
    for name in tree.names():
        model.add_adapter(name, adapters[name])
    for node in tree.blocks():
        if isinstance(node, Fuse):
            model.add_adapter_fusion(node)
        elif isinstance(node, Route):
            model.add_route(node)
    shake(model)
    model.set_active_adapters(tree)
    return model


def shake(model: Any) -> None:
    """Random weights in everything that was added."""
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "adapter_lib_" in key:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.2)


def given(family: str, tree: Any) -> dict[str, Any]:
    """What a model is called with under a tree."""
    found: dict[str, Any] = tiny.inputs()
    if family == "t5":
        found["decoder_input_ids"] = found["input_ids"].clone()
    if isinstance(tree, MultiTask):
        found["task_ids"] = [0, 2, 1]
    return found


def first(model: Any, family: str, tree: Any) -> Tensor:
    """The model's first output."""
    with torch.no_grad():
        found: Tensor = model(**given(family, tree))[0]
    return found


def names(model: Any) -> tuple[set[str], set[str], set[Any], Any]:
    """Adapters, heads, blocks and what is active."""
    runtime = model.adapter_runtime
    return (
        set(runtime.injection.configs),
        set(runtime.heads.names()),
        set(runtime.injection.blocks),
        (runtime.injection.block, runtime.active_heads, runtime.injection.skipped),
    )
