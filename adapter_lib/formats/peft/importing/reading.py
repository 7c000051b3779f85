"""A checkpoint of PEFT's as an adapter of ours for one model, every tensor accounted for."""

from collections.abc import Callable
from pathlib import Path

from adapter_lib.formats.conversion import PEFT, Imported
from adapter_lib.formats.peft.checkpoint import PICKLE_FILE, WEIGHTS_FILE, Checkpoint
from adapter_lib.formats.peft.importing import (
    additions,
    fourier,
    heads,
    low_rank,
    orthogonal,
    products,
    prompts,
    scaling,
    spectral,
    vera,
)
from adapter_lib.formats.peft.importing.asked import note_missing
from adapter_lib.formats.peft.kinds import check_settings
from adapter_lib.formats.peft.members import Member, filled, joined
from adapter_lib.formats.peft.modules import Modules
from adapter_lib.formats.peft.settings import CONFIG_FILE, Settings
from adapter_lib.formats.reading import read_object, read_tensors
from adapter_lib.inject import Atlas
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.strict_json import quoted

_READERS: dict[str, Callable[[Checkpoint, Modules], list[Member]]] = {
    "LORA": low_rank.lora,
    "ADALORA": spectral.adalora,
    "VERA": vera.vera,
    "LOHA": products.loha,
    "LOKR": products.lokr,
    "HIRA": products.hira,
    "OFT": orthogonal.oft,
    "BOFT": orthogonal.boft,
    "HRA": orthogonal.hra,
    "FOURIERFT": fourier.fourierft,
    "IA3": scaling.ia3,
    "LN_TUNING": scaling.norms,
    "TRAINABLE_TOKENS": additions.tokens,
    "PREFIX_TUNING": prompts.prefix,
    "PROMPT_TUNING": prompts.prompt,
    "P_TUNING": prompts.prompt,
}


def read(folder: Path, atlas: Atlas) -> Imported:
    """The adapter in a folder, for a model with these places.

    Raises LoadError for files that are unsound, for what no method here computes, and for tensors that were
    not understood.
    """
    settings = Settings(read_object(folder / CONFIG_FILE))
    notes = check_settings(settings)
    tensors, _ = read_tensors(folder, WEIGHTS_FILE, PICKLE_FILE)
    checkpoint = Checkpoint.of(settings, tensors)
    checkpoint.notes = [*_origin(settings), *notes]
    return convert(checkpoint, atlas, folder.name)


def convert(checkpoint: Checkpoint, atlas: Atlas, name: str) -> Imported:
    """Make an adapter for this model of a checkpoint, whose tensors are taken out of it.

    Raises LoadError as `read` does.
    """
    modules = Modules(atlas)
    checkpoint.notes += note_missing(checkpoint.settings, list(checkpoint.adapted), modules)
    members = _READERS[checkpoint.settings.kind](checkpoint, modules)
    members += additions.biases(checkpoint, modules)
    head = heads.classifier(checkpoint, modules)
    replaced = heads.replaced(checkpoint, modules)
    _check_all_taken(checkpoint)
    if not members:
        raise LoadError("The file adapts nothing in this model.")
    config, tensors = joined(members)
    return Imported(
        format=PEFT,
        name=name,
        config=config,
        tensors=tensors,
        head=None if head is None else head[0],
        head_tensors={} if head is None else head[1],
        filled=filled(members),
        replaced=replaced,
        notes=tuple(checkpoint.notes),
    )


def _check_all_taken(checkpoint: Checkpoint) -> None:
    left = checkpoint.left()
    if left:
        shown = ", ".join(quoted(key) for key in left[:3])
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        raise LoadError(
            f"The file has tensors that {checkpoint.settings.kind} does not explain: {shown}{more}."
        )


def _origin(settings: Settings) -> list[str]:
    """What the settings say of the model that the adapter was made for."""
    base, revision = settings.text("base_model_name_or_path"), settings.text("revision")
    if not base:
        return []
    at = f" at revision {quoted(revision)}" if revision else ""
    return [f"The file says that it was made for {quoted(base)}{at}."]
