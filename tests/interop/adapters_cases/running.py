"""Makes a model with a case's adapters, saves them in the peer's own format, and runs it."""

from pathlib import Path
from typing import Any

import torch

from tests.interop.adapters_cases.composition import FUSIONS, Case, fusions_of
from tests.interop.adapters_cases.families import Family
from tests.interop.recording import (
    ADAPTER_NOISE,
    BASE_NOISE,
    Tensors,
    add_noise,
    as_double,
    seed_of,
    write_tensors,
)

_OUTPUTS = ("last_hidden_state", "logits", "start_logits", "end_logits")


def bare(family: Family, attention: str = "eager") -> Any:
    """The family's model with no adapter, every parameter noised; the same in each call."""
    model = family.build(attention)
    add_noise(dict(model.named_parameters()), BASE_NOISE, family.name)
    return model


def inner(model: Any) -> Any:
    """The model without the peer's head class around it."""
    return getattr(model, model.base_model_prefix, model)


def with_case(family: Family, case: Case, noise: float = ADAPTER_NOISE) -> Any:
    """The bare model with the case's adapters, noised and active."""
    model = bare(family, case.attention)
    for name, config in case.configs.items():
        before = set(dict(model.named_parameters()))
        torch.manual_seed(seed_of(name))  # a member is the same adapter in whatever case it stands
        model.add_adapter(name, config())
        _noise_new(model, before, noise, name)
    if case.head:
        before = set(dict(model.named_parameters()))
        torch.manual_seed(seed_of(case.name))
        getattr(model, case.head.method)(case.setup, **case.head.options)
        _noise_new(model, before, noise, case.name + "head")
    if case.merged:
        model.average_adapter(case.name, list(case.configs), **case.merged)
    if case.shared:
        model.share_parameters(list(case.shared))
    for fuse in fusions_of(case.setup) if case.fusion else ():
        before = set(dict(model.named_parameters()))
        torch.manual_seed(seed_of(fuse.name))
        model.add_adapter_fusion(fuse.name.split(","), FUSIONS[case.fusion]())
        _noise_new(model, before, noise, fuse.name + case.fusion)
    return activate(model, case)


def activate(model: Any, case: Case) -> Any:
    """Set the case's adapters active; `eval` again, for the peer makes its modules in training mode."""
    model.set_active_adapters(case.setup)
    return model.eval()


def _noise_new(model: Any, before: set[str], noise: float, text: str) -> None:
    new = {name: value for name, value in model.named_parameters() if name not in before}
    add_noise(new, noise, text)


def run(model: Any, inputs: dict[str, Any]) -> Tensors:
    """One forward in float64, or in float32 where the peer's own code insists on it; the outputs by name."""
    with torch.no_grad():
        try:
            return outputs_of(model.double(), as_double(inputs))
        except RuntimeError as error:
            if "Double" not in str(error) and "overflow" not in str(error):
                raise
            return outputs_of(model.float(), inputs)


def outputs_of(model: Any, inputs: dict[str, Any]) -> Tensors:
    """The hidden states or logits by name; CLIP's two towers each under a name of its own."""
    output = model(**inputs)
    if hasattr(output, "text_model_output"):
        return {
            "text_last_hidden_state": output.text_model_output.last_hidden_state,
            "vision_last_hidden_state": output.vision_model_output.last_hidden_state,
            "logits_per_image": output.logits_per_image,
        }
    found = {name: output[name] for name in _OUTPUTS if output.get(name) is not None}
    if model.config.model_type == "t5" and "last_hidden_state" in found:
        # The peer's head class scales what it hands to a tied head, and returns that as the hidden state.
        found["last_hidden_state"] = found["last_hidden_state"] * model.config.d_model**0.5
    return found


def arguments(case: Case, inputs: dict[str, torch.Tensor]) -> dict[str, Any]:
    """The inputs and what the case adds to them."""
    return {**inputs, **{name: torch.tensor(value) for name, value in case.extra.items()}}


def save(family: Family, model: Any, case: Case, folder: Path) -> None:
    """Each adapter under checkpoints/NAME, each fusion under fusions/NAME, in the peer's format."""
    for name in {*case.configs, *case.saved}:
        (folder / "checkpoints" / name).mkdir(parents=True, exist_ok=True)
        _save_adapter(family, model, name, folder / "checkpoints" / name)
    for fuse in fusions_of(case.setup) if case.fusion else ():
        (folder / "fusions" / case.fusion_folder).mkdir(parents=True, exist_ok=True)
        model.save_adapter_fusion(
            str(folder / "fusions" / case.fusion_folder), fuse.name, use_safetensors=True
        )


def _save_adapter(family: Family, model: Any, name: str, folder: Path) -> None:
    """The peer cannot write tensors that share memory to safetensors: then its pickle, key for key."""
    try:
        model.save_adapter(str(folder), name, use_safetensors=True)
    except RuntimeError as error:
        if "share memory" not in str(error):
            raise
        model.save_adapter(str(folder), name)
        pickled = folder / "pytorch_adapter.bin"
        tensors = torch.load(pickled, weights_only=True)
        if not family.options:  # the copies under every attention module: kept once, as found in the wild
            tensors = {key: value for key, value in tensors.items() if ".prefix_tuning.pool." not in key}
        write_tensors(folder / "adapter.safetensors", tensors)
        pickled.unlink()


def reloaded(family: Family, case: Case, folder: Path) -> Any:
    """The bare model with the case's adapters read back by the peer from what `save` wrote."""
    model = bare(family, case.attention)
    for name in case.saved:
        model.load_adapter(str(folder / "checkpoints" / name), use_safetensors=True)
    for _ in fusions_of(case.setup) if case.fusion else ():
        model.load_adapter_fusion(str(folder / "fusions" / case.fusion_folder), use_safetensors=True)
    return activate(model, case)
