"""An adapter of ours as a checkpoint of PEFT's."""

from collections.abc import Callable, Sequence
from typing import Any

from adapter_lib.formats.conversion import PEFT, Exportable, Exported
from adapter_lib.formats.peft.checkpoint import WEIGHTS_FILE
from adapter_lib.formats.peft.classifiers import SEQUENCE, TOKENS
from adapter_lib.formats.peft.exporting import beside, heads, low_rank, products, prompts, rotations, vectors
from adapter_lib.formats.peft.exporting.draft import Draft
from adapter_lib.formats.peft.exporting.held import Held, held_by
from adapter_lib.formats.peft.kinds import PEFT_VERSION
from adapter_lib.formats.peft.settings import CONFIG_FILE
from adapter_lib.formats.peft.tasks import task_of
from adapter_lib.spec.errors import LoadError

_LORA = ("lora", "dora")
_BESIDE = ("bitfit", "trainable_tokens")
_PROMPTS = ("PROMPT_TUNING", "PREFIX_TUNING")
# Kinds that in PEFT do not act on transformers' Conv1D.
_NO_CONV1D = ("LOHA", "LOKR", "OFT", "BOFT", "HRA")
_WRITERS: dict[str, tuple[str, Callable[[Sequence[Held], Draft], Any]]] = {
    "lora": ("LORA", low_rank.lora),
    "dora": ("LORA", low_rank.lora),
    "adalora": ("ADALORA", products.adalora),
    "loha": ("LOHA", products.loha),
    "lokr": ("LOKR", products.lokr),
    "hira": ("HIRA", products.hira),
    "vera": ("VERA", vectors.vera),
    "fourierft": ("FOURIERFT", vectors.fourierft),
    "oft": ("OFT", rotations.oft),
    "boft": ("BOFT", rotations.boft),
    "hra": ("HRA", rotations.hra),
    "ia3": ("IA3", vectors.ia3),
    "norm_tuning": ("LN_TUNING", vectors.norms),
    "prompt_tuning": ("PROMPT_TUNING", prompts.prompt),
    "p_tuning": ("PROMPT_TUNING", prompts.prompt),
    "prefix_tuning": ("PREFIX_TUNING", prompts.prefix),
}
_REFUSED = {
    "bottleneck": "it has no adapters between sub-layers",
    "compacter": "it has no adapters between sub-layers",
    "invertible": "it has no invertible adapters",
    "reft": "it does not edit hidden states",
    "mtl_lora": "none of its methods chooses among several B by task",
    "dvora": "none of its methods scales VeRA's directions by magnitudes",
    "bitfit": "it trains biases only beside a LoRA",
}


def export(adapter: Exportable) -> Exported:
    """The files that PEFT loads the adapter from.

    Raises LoadError for what no method of PEFT computes.
    """
    members = held_by(adapter)
    main = _main(members)
    draft = Draft(adapter.atlas)
    draft.settings["peft_type"], write = _writer(main)
    written = write(main, draft) if main else {}
    if draft.settings["peft_type"] in _NO_CONV1D and draft.settings["fan_in_fan_out"]:
        raise LoadError(
            f"PEFT's {draft.settings['peft_type']} does not act on Conv1D, which the maps of "
            f"{type(adapter.atlas.model).__name__} are."
        )
    for held in members:
        if held.config.method == "bitfit":
            beside.biases(held, written, draft)
        elif held.config.method == "trainable_tokens":
            beside.tokens(held, draft, is_alone=not main)
    set_aside = heads.export(adapter, draft, is_prompt=draft.settings["peft_type"] in _PROMPTS)
    draft.settings |= _described(adapter, draft)
    return Exported(
        format=PEFT,
        documents={CONFIG_FILE: {key: draft.settings[key] for key in sorted(draft.settings)}},
        weights={WEIGHTS_FILE: {key: tensor.contiguous() for key, tensor in draft.tensors.items()}},
        set_aside=set_aside,
        notes=tuple(draft.notes),
    )


def _main(members: Sequence[Held]) -> list[Held]:
    """The members of the one method that a PEFT adapter has, without what may stand beside LoRA."""
    main = [held for held in members if held.config.method not in _BESIDE]
    methods = list(dict.fromkeys("lora" if m in _LORA else m for m in (held.config.method for held in main)))
    for held in members:
        if held.config.use_gating:
            raise LoadError(f"PEFT has no gates, and {held.config.name()} has: eject or train it without.")
    if len(methods) > 1:
        raise LoadError(f"One adapter of PEFT's is of one method, and this one joins {', '.join(methods)}.")
    extra = [held.config.name() for held in members if held.config.method in _BESIDE]
    if methods and methods != ["lora"] and extra:
        raise LoadError(f"PEFT trains {extra[0]} beside LoRA alone, and this adapter is of {methods[0]}.")
    if not methods and (len(extra) > 1 or extra == ["bitfit"]):
        raise LoadError(f"No method of PEFT computes {' and '.join(extra)}: {_REFUSED['bitfit']}.")
    return main


def _writer(main: Sequence[Held]) -> tuple[str, Callable[[Sequence[Held], Draft], Any]]:
    if not main:
        return "TRAINABLE_TOKENS", lambda members, draft: {}
    method = main[0].config.method
    if method not in _WRITERS:
        why = _REFUSED.get(method, "it has no such method")
        raise LoadError(f"PEFT has no counterpart of {main[0].config.name()}: {why}.")
    return _WRITERS[method]


def _described(adapter: Exportable, draft: Draft) -> dict[str, Any]:
    """What every kind says: the base model, the task, and that the adapter is loaded to be used."""
    task = task_of(adapter.atlas.model)
    if task in (SEQUENCE, TOKENS) and not draft.settings.get("modules_to_save"):
        # PEFT would look for a copied head in the file.
        task = None
    return {
        "task_type": task,
        "base_model_name_or_path": adapter.backbone.id or None,
        "revision": adapter.backbone.revision,
        "inference_mode": True,
        "peft_version": PEFT_VERSION,
    }
