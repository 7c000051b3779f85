"""Makes a model with a case's adapter, saves it in the peer's own format, and runs it."""

import json
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch

from tests.interop.peft_cases.families import Family
from tests.interop.peft_cases.methods import Case
from tests.interop.peft_cases.peer import peft
from tests.interop.recording import ADAPTER_NOISE, Tensors, add_noise, as_double, write_json

_OUTPUTS = ("last_hidden_state", "logits")


def with_case(family: Family, case: Case, checkpoint: Path) -> Any:
    """The bare model with the case's adapter, noised where it trains; saved under `checkpoint`."""
    torch.manual_seed(0)
    model = peft.get_peft_model(family.build(), deepcopy(case.config))
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    with tempfile.TemporaryDirectory() as start:
        if case.converted:
            _save_start(model, start)
        add_noise(trained, case.noise, case.name)
        model.eval()
        _save(model, checkpoint, start if case.converted else None)
    return model


def _save_start(model: Any, folder: str) -> None:
    """Where the adapter began, which the peer subtracts on conversion; it wants a plain init named there."""
    config = model.peft_config["default"]
    kind, config.init_lora_weights = config.init_lora_weights, True
    model.save_pretrained(folder, save_embedding_layers=False)
    config.init_lora_weights = kind


def _save(model: Any, folder: Path, start: str | None, name: str = "default") -> None:
    options = {"path_initial_model_for_weight_conversion": start} if start else {}
    model.save_pretrained(str(folder), save_embedding_layers=False, selected_adapters=[name], **options)
    (folder / "README.md").unlink(missing_ok=True)
    folder = folder if name == "default" else folder / name
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    # The peer writes sets in an arbitrary order, which would change the file in every run.
    write_json(folder / "adapter_config.json", {key: _sorted(value) for key, value in config.items()})


def _sorted(value: Any) -> Any:
    return (
        sorted(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else value
    )


def members(family: Family, configs: dict[str, Any], folder: Path) -> Any:
    """The bare model with several adapters, each noised and saved under its own name."""
    torch.manual_seed(0)
    names = list(configs)
    model = peft.get_peft_model(family.build(), deepcopy(configs[names[0]]), adapter_name=names[0])
    for name in names[1:]:
        model.add_adapter(name, deepcopy(configs[name]))
    for name in names:
        own = {key: value for key, value in model.named_parameters() if f".{name}." in key}
        add_noise(own, ADAPTER_NOISE, name)
        save_one(model, name, folder)
    return model.eval()


def save_one(model: Any, name: str, folder: Path) -> None:
    """One adapter of several; the peer puts it in a sub-folder of its name."""
    _save(model, folder, None, name)


def reloaded(family: Family, checkpoint: Path) -> Any:
    """The bare model with the adapter read back by the peer."""
    return peft.PeftModel.from_pretrained(family.build(), str(checkpoint)).eval()


def run(model: Any, inputs: dict[str, Any]) -> Tensors:
    """One forward in float64, or in float32 where the peer's own code insists on it; the outputs by name."""
    with torch.no_grad():
        try:
            output = model.double()(**as_double(inputs))
        except RuntimeError as error:
            if "Double" not in str(error) and "double" not in str(error):
                raise
            output = model.float()(**inputs)
    return {name: output[name] for name in _OUTPUTS if output.get(name) is not None}
