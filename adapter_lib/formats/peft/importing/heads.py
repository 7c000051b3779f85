"""What the file says of the model itself: heads, copied modules, embeddings."""

from typing import Any

from torch import Tensor, nn

from adapter_lib.formats.peft.checkpoint import Checkpoint, Tensors
from adapter_lib.formats.peft.classifiers import (
    Layer,
    base_prefix,
    classifier_of,
    module_of,
    spec_of,
)
from adapter_lib.formats.peft.importing.pairs import pair, scale_of, start_of
from adapter_lib.formats.peft.modules import Modules
from adapter_lib.formats.peft.tasks import task_of
from adapter_lib.inject import Atlas
from adapter_lib.points import maps
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.heads import HeadSpec
from adapter_lib.spec.strict_json import quoted


def fold(checkpoint: Checkpoint, modules: Modules) -> None:
    """Put a LoRA on the model's own head into the head's weight, as adapters act in the base model only.

    Raises LoadError for a head that shares its weight with the embeddings.
    """
    settings = checkpoint.settings
    for path in checkpoint.paths("lora_A"):
        module = modules.find(path)
        if module is None or modules.is_inside(module) or not maps.is_map(module):
            continue
        _check_plain(
            path, module, modules, is_plain=start_of(settings) == "lora" and not settings.flag("use_dora")
        )
        a, b = pair(checkpoint, path, module)
        name = f"{path}.weight"
        weight = checkpoint.own.get(name, maps.plain_weight(module).detach())
        update = maps.as_rows(module, (b @ a.flatten(1)).view(maps.as_rows(module, weight).shape).to(weight))
        checkpoint.own[name] = weight + scale_of(settings, path, len(a)) * update
        checkpoint.notes.append(
            f"The LoRA of {path}, which is no part of the base model, was put into its weight."
        )


def _check_plain(path: str, module: nn.Module, modules: Modules, *, is_plain: bool) -> None:
    weight = maps.plain_weight(module)
    if any(own is weight for inner in modules.inside() for own in inner.parameters(recurse=False)):
        raise LoadError(
            f"{path} shares its weight with the base model's embeddings, so a LoRA of {path} alone cannot be "
            "put into it."
        )
    if not is_plain:
        raise LoadError(
            f"{path} is no part of the base model, and only a plain LoRA can be put into its weight."
        )


def replaced(checkpoint: Checkpoint, modules: Modules) -> Tensors:
    """The model's parameters that the file has other values of, by their name in the model.

    Raises LoadError for a parameter that the model has not, or has in another shape.
    """
    found: Tensors = {}
    same = 0
    for name, tensor in checkpoint.own.items():
        path, _, parameter = name.rpartition(".")
        module = modules.find(path)
        own = None if module is None else dict(module.named_parameters(recurse=False)).get(parameter)
        if module is None or own is None:
            raise LoadError(f"The file replaces {quoted(name)}, which this model does not have.")
        _check_fits(name, tensor, own)
        if bool((tensor.to(own) == own).all()):
            same += 1
        else:
            found[f"{modules.path_of(module)}.{parameter}"] = tensor
    if same:
        checkpoint.notes.append(
            f"{same} of the model's own tensors are in the file with the values they have."
        )
    checkpoint.own = {}
    return found


def _check_fits(name: str, tensor: Tensor, own: Tensor) -> None:
    if tensor.shape != own.shape:
        hint = " If tokens were added, call resize_token_embeddings first." if tensor.dim() == 2 else ""
        raise LoadError(
            f"The file replaces {name}, {list(own.shape)} in this model, by {list(tensor.shape)}.{hint}"
        )


def classifier(checkpoint: Checkpoint, modules: Modules) -> tuple[HeadSpec, Tensors] | None:
    """The file's copy of a classifier as a head of ours; what it takes is taken out of `own`.

    None where the file has none, or the model's family has another kind of it.
    """
    atlas = modules.atlas
    found = classifier_of(atlas, checkpoint.settings.text("task_type") or task_of(atlas.model))
    if found is None or f"{found.layers[-1].path}.weight" not in checkpoint.own:
        return None
    held = [_layer(checkpoint, layer, atlas) for layer in found.layers]
    for inner in held[:-1]:
        inner.setdefault("bias", inner["weight"].new_zeros(len(inner["weight"])))
    tensors = {f"{number}.{name}": value for number, own in enumerate(held) for name, value in own.items()}
    labels = _labels(atlas, len(held[-1]["weight"]))
    return spec_of(found, labels, atlas, use_bias="bias" in held[-1]), tensors


def _layer(checkpoint: Checkpoint, layer: Layer, atlas: Atlas) -> Tensors:
    """Weight and bias of one linear map: the file's, else the model's own. Raises LoadError."""
    prefix, module = base_prefix(atlas) if layer.is_inner else "", module_of(layer, atlas)
    own = {} if module is None else dict(module.named_parameters(recurse=False))
    found: Tensors = {}
    for name in ("weight", "bias"):
        keys = [f"{prefix}{layer.path}.{name}", f"{layer.path}.{name}"]
        given = [checkpoint.own.pop(key) for key in dict.fromkeys(keys) if key in checkpoint.own]
        if given:
            found[name] = given[0]
        elif name in own:
            found[name] = own[name].detach().clone()
    if "weight" not in found or found["weight"].dim() != 2:
        raise LoadError(f"Neither the file nor the model has a matrix for the head's {layer.path}.")
    return found


def _labels(atlas: Atlas, count: int) -> tuple[str, ...]:
    """The model's own names for so many classes, else LABEL_0, LABEL_1 …"""
    named: Any = getattr(atlas.config, "id2label", None)
    labels = tuple(str(named[number]) for number in sorted(named)) if isinstance(named, dict) else ()
    return labels if len(set(labels)) == count == len(labels) else tuple(f"LABEL_{i}" for i in range(count))
