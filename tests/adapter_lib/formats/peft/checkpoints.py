"""Small PEFT folders on a small BERT, written by hand and altered."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import adapter_lib
from adapter_lib.formats import peft
from adapter_lib.formats.conversion import Imported, attach_imported, check_imported
from adapter_lib.points import like_of
from tests.adapter_lib import tiny

Tensors = dict[str, Tensor]

PREFIX = "base_model.model."
QUERY = "encoder.layer.0.attention.self.query"
WIDTH = tiny.WIDTH
_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def bert() -> Any:
    """A prepared BERT; the same in every call."""
    return adapter_lib.init(tiny.build("bert"))


def lora(rank: int = 2, value: float = 0.1) -> Tensors:
    """The tensors of a LoRA of the queries of both layers."""
    found: Tensors = {}
    for layer in range(2):
        path = QUERY.replace("layer.0", f"layer.{layer}")
        found[f"{PREFIX}{path}.lora_A.weight"] = torch.full((rank, WIDTH), value)
        found[f"{PREFIX}{path}.lora_B.weight"] = torch.full((WIDTH, rank), value)
    return found


def write(folder: Path, tensors: Tensors, **settings: Any) -> Path:
    """A folder with these tensors; settings: changes to those of a LoRA of rank 2 (None: left out)."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder / _WEIGHTS)
    values = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["query"], **settings}
    document = {key: value for key, value in values.items() if value is not None}
    (folder / _CONFIG).write_text(json.dumps(document), encoding="utf-8")
    return folder


def altered(folder: Path, source: Path, tensors: Tensors, **settings: Any) -> Path:
    """A copy of a folder with more or other tensors and settings."""
    values = json.loads((source / _CONFIG).read_text(encoding="utf-8"))
    return write(folder, {**load_file(source / _WEIGHTS), **tensors}, **(values | settings))


def read(model: Any, folder: Path) -> Imported:
    """What the reader makes of a folder for a model."""
    return peft.read(folder, model.adapter_runtime.injection.atlas)


def attach(model: Any, found: Imported) -> None:
    """Put it on the model, active; every tensor must have its place."""
    runtime = model.adapter_runtime
    problems = check_imported(found, runtime.injection.atlas, Path("folder"), strict=True)
    attach_imported(found, runtime.injection, runtime.heads, "a", like_of(model), problems)
    model.set_active_adapters("a")
