"""Small folders of AdapterHub's library on a small BERT: written by our exporter, altered by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import adapter_lib
from adapter_lib.spec.configs import MethodConfig
from tests.adapter_lib import tiny

Tensors = dict[str, Tensor]
CONFIG, WEIGHTS, PICKLE = "adapter_config.json", "adapter.safetensors", "pytorch_adapter.bin"
HEAD_CONFIG, HEAD_WEIGHTS = "head_config.json", "model_head.safetensors"


def model(family: str = "bert") -> Any:
    """A prepared model; the same in every call."""
    return adapter_lib.init(tiny.build(family))


def written(folder: Path, config: str | MethodConfig, family: str = "bert", *, head: bool = False) -> Any:
    """A folder with an adapter "a" of random numbers, and the model that has it, active."""
    found = model(family)
    found.add_adapter("a", config)
    if head:
        found.add_classification_head("a", num_labels=3, pooling="cls", layers=2)
    torch.manual_seed(3)
    parameters = list(found.adapter_runtime.injection.trained("a"))
    if head:
        parameters += list(found.adapter_runtime.heads.get("a").parameters())
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(torch.randn_like(parameter) * 0.2)
    found.save_adapter(folder, "a", format="adapterhub")
    found.set_active_adapters("a")
    return found


def document(folder: Path, name: str = CONFIG) -> dict[str, Any]:
    """A JSON file of a folder."""
    found: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return found


def alter(folder: Path, change: Callable[[dict[str, Any]], object], name: str = CONFIG) -> None:
    """Change a JSON file of a folder in place."""
    values = document(folder, name)
    change(values)
    (folder / name).write_text(json.dumps(values), encoding="utf-8")


def tensors(folder: Path) -> Tensors:
    """The tensors of a folder."""
    return load_file(folder / WEIGHTS)


def rewrite(folder: Path, found: Tensors) -> None:
    """Replace the tensors of a folder."""
    save_file({key: value.contiguous() for key, value in found.items()}, folder / WEIGHTS)


def logits(prepared: Any) -> Tensor:
    """What a model computes for a few tokens."""
    ids = torch.arange(2, 16).view(2, 7)
    with torch.no_grad():
        output = prepared.eval()(input_ids=ids)
    found: Tensor = output.logits if "logits" in output else output.last_hidden_state
    return found


def loaded(folder: Path, family: str = "bert", **settings: Any) -> Any:
    """A fresh model with the folder's adapter, active."""
    found = model(family)
    found.load_adapter(folder, name="b", **settings)
    found.set_active_adapters("b")
    return found
