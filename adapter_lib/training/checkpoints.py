"""What a training keeps of a model: its active set-up, and whatever else was trained; never the backbone."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from adapter_lib.formats import blocks, embeddings, head_files, setups
from adapter_lib.formats.conversion import parameters_of
from adapter_lib.formats.inspecting import Weights
from adapter_lib.model import AdapterModel
from adapter_lib.model.vocabulary import DEFAULT, slots_of
from adapter_lib.points import CHILD_PREFIX
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.setup_manifest import SETUP_FILE

SETUP_FOLDER = "adapter_setup"
OTHERS_FILE = "also_trained.safetensors"


def save_trained(model: AdapterModel, folder: Path) -> tuple[str, ...]:
    """Write the active set-up to `adapter_setup`, and what else is trained to `also_trained.safetensors`.

    The set-up's folder is one of `save_adapter_setup`. Returns the names of what else is trained; without any
    there is no such file. Raises LoadError if the files cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.save_adapter_setup(folder / SETUP_FOLDER)
    others, path = also_trained(model), folder / OTHERS_FILE
    try:
        if others:
            tensors = {name: value.detach().cpu().contiguous() for name, value in others.items()}
            save_file(tensors, path, metadata={"format": "pt"})
        else:
            path.unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        raise LoadError(f"What was trained could not be written to {path}: {error}.") from error
    return tuple(others)


def load_trained(model: AdapterModel, folder: Path) -> None:
    """Copy what `save_trained` wrote into what is on the model, so that optimizers keep their parameters.

    Everything is checked before anything is copied. Raises LoadError if the folder holds something else, or
    the model was set up in another way.
    """
    setup = folder / SETUP_FOLDER
    found = _inspected(model, setup)
    targets = list(_targets(model, found, setup))
    others = _read_others(model, folder / OTHERS_FILE)
    for weights, tensors in targets:
        if weights.problems:
            raise LoadError(f"{weights.path} does not fit the model: {weights.problems[0].message}")
        if weights.other_backbone and not others:
            raise LoadError(f"Training cannot go on from {folder}: {weights.other_backbone}")
        if unknown := sorted({tensor.name for tensor in weights.header.tensors} - set(tensors)):
            raise LoadError(f"{weights.path} has {unknown[0]}, for which the model has no place.")
    for weights, tensors in targets:
        weights.fill(tensors)
    with torch.no_grad():
        for target, value in others:
            target.copy_(value)


def also_trained(model: AdapterModel) -> dict[str, Tensor]:
    """What is trained and no part of the active set-up: parameters of the backbone, inactive adapters.

    The statistics of a backbone's batch norms are among it: every batch in training changes them.
    """
    inside = {id(tensor) for tensor in _of_setup(model)}
    found: dict[str, Tensor] = {
        name: parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and id(parameter) not in inside
    }
    for path, module in model.named_modules():
        if isinstance(module, _BatchNorm) and CHILD_PREFIX not in path:
            found |= {f"{path}.{name}": buffer for name, buffer in module.named_buffers(recurse=False)}
    return found


def _of_setup(model: AdapterModel) -> Iterator[Tensor]:
    """Whatever is written with the active set-up."""
    runtime = model.adapter_runtime
    injection, block = runtime.injection, runtime.injection.block
    names = () if block is None else block.names()
    for name in names:
        yield from injection.parameters(name)
    for name in {*names, *runtime.active_heads} & set(runtime.heads.names()):
        yield from runtime.heads.get(name).parameters()
    for part in injection.learned:
        yield from part.parameters()
    if model.active_embeddings != DEFAULT:
        yield from (slot.tensor for slot in slots_of(model).values())


def _inspected(model: AdapterModel, folder: Path) -> setups.InspectedSetup:
    """The set-up in a checkpoint, found to be the one that is active on the model."""
    if not (folder / SETUP_FILE).is_file():
        raise LoadError(
            f"{folder.parent} is no checkpoint of AdapterTrainer: it has no {SETUP_FOLDER}/{SETUP_FILE}."
        )
    manifest, runtime = setups.read_setup(folder), model.adapter_runtime
    if manifest.composition != runtime.injection.block:
        raise LoadError(
            f"The checkpoint {folder.parent} was trained with {manifest.composition!r}, but "
            f"{runtime.injection.block!r} is active: set the model up as before."
        )
    if manifest.active_heads != runtime.active_heads:
        raise LoadError(
            f"The checkpoint {folder.parent} was trained with the heads {manifest.active_heads}, but "
            f"{runtime.active_heads} are active: set the model up as before."
        )
    return setups.inspect(runtime.injection.atlas, folder, manifest, strict=False)


def _targets(
    model: AdapterModel, found: setups.InspectedSetup, folder: Path
) -> Iterator[tuple[Weights, Mapping[str, Tensor]]]:
    """Every weights file, with the model's tensors by the keys that the file has for them."""
    injection = model.adapter_runtime.injection
    for name, adapter in found.adapters.items():
        _check_same(name, adapter.manifest.config, injection.configs.get(name), folder)
        tensors = parameters_of(injection, name)
        if adapter.manifest.head is not None:
            tensors |= _tensors_of_head(model, name, adapter.manifest.head, folder)
        yield adapter.weights, tensors
    for name, head in found.heads.items():
        yield head.weights, _tensors_of_head(model, name, head.manifest.head, folder)
    for key, block in found.blocks.items():
        _check_same(key[1], block.manifest.config, injection.blocks[key][0], folder)
        yield block.weights, blocks.tensors_of(injection, key)
    entry = found.manifest.embeddings
    if (entry.name if entry else DEFAULT) != model.active_embeddings:
        raise LoadError(f"The checkpoint {folder.parent} has other embeddings than those that are active.")
    if entry is not None:
        slots = {role: slot.tensor for role, slot in slots_of(model).items()}
        shapes = {role: tuple(tensor.shape) for role, tensor in slots.items()}
        inspected = embeddings.inspect(injection.atlas, folder / entry.folder, shapes, strict=False)
        yield inspected.weights, slots


def _tensors_of_head(model: AdapterModel, name: str, spec: object, folder: Path) -> dict[str, Tensor]:
    heads = model.adapter_runtime.heads
    _check_same(name, spec, heads.get(name).spec if name in heads.names() else None, folder)
    return head_files.tensors_of(heads, name)


def _check_same(name: str, saved: object, here: object, folder: Path) -> None:
    if saved != here:
        raise LoadError(
            f"{name!r} is {saved} in the checkpoint {folder.parent} and {here or 'not there'} on the model: "
            "set the model up as before."
        )


def _read_others(model: AdapterModel, path: Path) -> list[tuple[Tensor, Tensor]]:
    """What else was trained: (the model's tensor, the saved one)."""
    here = also_trained(model)
    try:
        saved = load_file(path) if path.is_file() else {}
    except (OSError, SafetensorError) as error:
        raise LoadError(f"{path} cannot be read: {error}.") from error
    if different := sorted(set(here) ^ set(saved)):
        raise LoadError(
            f"{different[0]} is trained on the model or in the checkpoint {path.parent}, but not in both: "
            "set the model up as before."
        )
    for name, tensor in here.items():
        if tensor.shape != saved[name].shape:
            raise LoadError(f"{name} has another shape in {path} than on the model.")
    return [(tensor, saved[name]) for name, tensor in here.items()]
