"""What `adapter-lib merge` does, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers

from adapter_lib.cli.answer import Answer
from adapter_lib.cli.base_models import load_base
from adapter_lib.cli.finding import Found
from adapter_lib.cli.opening import backbone_of
from adapter_lib.inspection.checkpoints import Checkpoint, inspect_checkpoint
from adapter_lib.model import init
from adapter_lib.spec.composition import Stack
from adapter_lib.spec.errors import ConfigError, LoadError
from adapter_lib.tasks.record import read_record

_MERGED = "merged"


@dataclass(frozen=True)
class Wish:
    """How several adapters become one: the arguments of `combine_adapters` and `average_adapter`."""

    strategy: str
    weights: tuple[float, ...] | None
    rank: int | None
    energy: float | None
    density: float | None
    seed: int


def into_one_adapter(found: Sequence[Found], output: Path, wish: Wish, *, backbone: str | None) -> Answer:
    """One adapter that does what several do, weighted. Raises AdapterLibError."""
    if wish.weights is not None and len(wish.weights) != len(found):
        raise ConfigError(f"There are {len(found)} adapters and {len(wish.weights)} times --weight.")
    model, names, checkpoints, _ = _loaded(found, backbone)
    options: dict[str, Any] = {"rank": wish.rank, "energy": wish.energy}
    if wish.strategy == "average":
        is_cut = wish.rank is not None or wish.energy is not None
        options["strategy"] = "svd" if is_cut else "linear"
        report = model.average_adapter(_MERGED, names, wish.weights, **options)
    else:
        options |= {"strategy": wish.strategy, "density": wish.density, "seed": wish.seed}
        report = model.combine_adapters(_MERGED, names, wish.weights, **options)
    said = checkpoints[0].backbone
    saved = model.save_adapter(output, _MERGED, backbone_id=said.id, backbone_revision=said.revision)
    document = {
        "folder": str(output),
        "adapters": [each.adapter for each in found],
        "strategy": wish.strategy,
        "parameters": report.parameters,
        "relative_error": getattr(report, "error", None),
        "tensors": saved.tensors,
        "bytes": saved.size,
        "heads_left_out": _with_heads(found, checkpoints),
    }
    return Answer(document, [f"{output}: {report}", *_about_heads(document)])


def into_base_model(found: Sequence[Found], output: Path, *, backbone: str | None) -> Answer:
    """The backbone with adapters in its weights, as transformers saves it. Raises AdapterLibError."""
    model, names, checkpoints, source = _loaded(found, backbone)
    report = model.merge_adapter(names[0] if len(names) == 1 else Stack(*names))
    try:
        model.save_pretrained(output)
        transformers.AutoTokenizer.from_pretrained(source).save_pretrained(output)
    except (OSError, ValueError) as error:
        raise LoadError(f"The model could not be written to {output}: {error}") from error
    document = {
        "folder": str(output),
        "adapters": [each.adapter for each in found],
        "backbone": source,
        "places": report.places,
        "relative_error": report.error,
        "heads_left_out": _with_heads(found, checkpoints),
    }
    return Answer(document, [f"{output}: {report}", *_about_heads(document)])


def _loaded(found: Sequence[Found], backbone: str | None) -> tuple[Any, list[str], list[Checkpoint], str]:
    """(the model with all adapters, their names, what their files say, what the model was loaded from)."""
    checkpoints = [inspect_checkpoint(each.folder) for each in found]
    source = backbone or backbone_of(found[0], checkpoints[0], read_record(found[0].folder))
    model = init(load_base(source))
    names = [f"adapter_{number}" for number in range(1, len(found) + 1)]
    for each, name in zip(found, names, strict=True):
        model.load_adapter(each.folder, name=name)
    return model, names, checkpoints, source


def _with_heads(found: Sequence[Found], checkpoints: Sequence[Checkpoint]) -> list[str]:
    return [each.adapter for each, said in zip(found, checkpoints, strict=True) if said.head]


def _about_heads(document: dict[str, Any]) -> list[str]:
    names = ", ".join(document["heads_left_out"])
    return [f"The heads of {names} are not part of it."] if names else []
