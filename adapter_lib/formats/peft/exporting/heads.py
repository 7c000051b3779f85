"""A head of ours as PEFT's copy of the model's own classifier."""

from torch import Tensor

from adapter_lib.formats.conversion import Exportable
from adapter_lib.formats.peft.checkpoint import PREFIX, Tensors
from adapter_lib.formats.peft.classifiers import (
    NAMES,
    SEQUENCE,
    TOKENS,
    Classifier,
    Layer,
    base_prefix,
    classifier_of,
    module_of,
)
from adapter_lib.formats.peft.exporting.draft import Draft
from adapter_lib.formats.peft.tasks import task_of
from adapter_lib.spec.heads import (
    ClassificationSpec,
    HeadSpec,
    MultilabelSpec,
    RegressionSpec,
    TaggingSpec,
)
from adapter_lib.spec.manifest import HEAD_PREFIX

# Around soft prompts PEFT wraps a model once only.
_PROMPT_PREFIX = "base_model."
_TASKS = (SEQUENCE, TOKENS)


def export(adapter: Exportable, draft: Draft, *, is_prompt: bool) -> dict[str, str]:
    """Write the head, or the model's own where PEFT must find one; our keys without a place, and why."""
    prefix = _PROMPT_PREFIX if is_prompt else PREFIX
    task = task_of(adapter.atlas.model)
    if adapter.head is None:
        if is_prompt and task in _TASKS:
            _copy_own(adapter, draft, prefix)
        return {}
    found = classifier_of(adapter.atlas, task)
    why = _why_not(adapter.head, adapter, found)
    if why or found is None:
        draft.notes.append(f"The head was left out: {why}.")
        return {HEAD_PREFIX + name: why for name in adapter.head_tensors}
    saved = {found.layers[-1].path.partition(".")[0]}
    for number, layer in enumerate(found.layers):
        held = _tensors(adapter, number, layer)
        if layer.is_inner and _is_own(held, layer, adapter):
            continue
        path = f"{base_prefix(adapter.atlas)}{layer.path}" if layer.is_inner else layer.path
        saved.add(layer.path.partition(".")[0])
        draft.tensors |= {f"{prefix}{path}.{name}": tensor for name, tensor in held.items()}
    draft.settings |= {"modules_to_save": sorted(saved)}
    return {}


def _why_not(head: HeadSpec, adapter: Exportable, found: Classifier | None) -> str:
    """Why a head is none that the model's own classifier could be; "" if it is one."""
    name, task = type(adapter.atlas.model).__name__, task_of(adapter.atlas.model)
    if task not in _TASKS:
        return f"{name} has no classifier of its own, which PEFT's file would replace"
    if found is None or not isinstance(head, _kinds(task)):
        return f"the classifier of {name} is of another kind"
    if getattr(head, "pooling", "") != found.pooling:
        return f"the classifier of {name} has pooling={found.pooling!r}"
    if head.layers != len(found.layers):
        return f"the classifier of {name} has layers={len(found.layers)}"
    if head.layers > 1 and head.activation != found.activation:
        return f"the classifier of {name} has activation={found.activation!r}"
    for number, layer in enumerate(found.layers):
        module, weight = module_of(layer, adapter.atlas), adapter.head_tensors[f"{number}.weight"]
        if module is None or module.get_parameter("weight").shape != weight.shape:
            return f"{layer.path} of {name} is of another size"
        bias = adapter.head_tensors.get(f"{number}.bias")
        if not layer.has_bias and bias is not None and bool(bias.any()):
            return f"{layer.path} of {name} has no bias"
    return ""


def _kinds(
    task: str | None,
) -> tuple[type[ClassificationSpec | MultilabelSpec | RegressionSpec | TaggingSpec], ...]:
    return (TaggingSpec,) if task == TOKENS else (ClassificationSpec, MultilabelSpec, RegressionSpec)


def _tensors(adapter: Exportable, number: int, layer: Layer) -> Tensors:
    """Weight and bias of one linear map; a head without a bias has one of zeros where the model has one."""
    weight = adapter.head_tensors[f"{number}.weight"]
    if not layer.has_bias:
        return {"weight": weight}
    zeros = weight.new_zeros(len(weight))
    return {"weight": weight, "bias": adapter.head_tensors.get(f"{number}.bias", zeros)}


def _is_own(held: dict[str, Tensor], layer: Layer, adapter: Exportable) -> bool:
    """True if a map has the model's own numbers."""
    module = module_of(layer, adapter.atlas)
    return module is not None and all(
        bool((tensor == module.get_parameter(name)).all()) for name, tensor in held.items()
    )


def _copy_own(adapter: Exportable, draft: Draft, prefix: str) -> None:
    """The model's own head, as it is."""
    saved = [name for name, _ in adapter.atlas.model.named_children() if name in NAMES]
    for name in saved:
        for key, value in adapter.atlas.model.get_submodule(name).named_parameters():
            draft.tensors[f"{prefix}{name}.{key}"] = value.detach().clone()
    draft.settings |= {"modules_to_save": saved}
