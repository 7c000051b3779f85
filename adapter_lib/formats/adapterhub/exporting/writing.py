"""An adapter of ours as the files of AdapterHub's library, whole or refused with the reason."""

from collections.abc import Callable, Sequence

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.document import CONFIG_FILE, WEIGHTS_FILE
from adapter_lib.formats.adapterhub.exporting.bottleneck import bottleneck
from adapter_lib.formats.adapterhub.exporting.description import described
from adapter_lib.formats.adapterhub.exporting.heads import head_files
from adapter_lib.formats.adapterhub.exporting.held import Draft, Held
from adapter_lib.formats.adapterhub.exporting.low_rank import LOW_RANK
from adapter_lib.formats.adapterhub.exporting.prefix import prefix, prompt
from adapter_lib.formats.adapterhub.exporting.reft import reft
from adapter_lib.formats.conversion import ADAPTERHUB, Exportable, Exported
from adapter_lib.spec.configs import (
    BnConfig,
    InvertibleConfig,
    MethodConfig,
    PrefixTuningConfig,
    PromptTuningConfig,
    ReftConfig,
    members_of,
)
from adapter_lib.spec.errors import LoadError

_WRITERS: dict[type[MethodConfig], Callable[[Held], Draft]] = {
    PrefixTuningConfig: prefix,
    PromptTuningConfig: prompt,
    ReftConfig: reft,
    **LOW_RANK,
}


def export(given: Exportable) -> Exported:
    """Config, weights, and those of the head. Raises LoadError for what has no counterpart there."""
    if "." in given.name:
        raise LoadError(f"A name in AdapterHub's library has no dot: {given.name!r} needs another.")
    backbone = Backbone.of(given.atlas)
    drafts = _drafts(_members(given, backbone))
    config = drafts[0].config if len(drafts) == 1 else _union(drafts)
    notes = [note for draft in drafts for note in draft.notes]
    if any(member.use_gating and not member.gate_over_padding for member in members_of(given.config)):
        notes.append("In AdapterHub's library gates are means over padding too: padded batches may differ.")
    head = head_files(given)
    tensors = {key: value for draft in drafts for key, value in draft.tensors.items()}
    document = described(given.atlas, given.backbone.id, given.name, config)
    return Exported(
        format=ADAPTERHUB,
        documents={CONFIG_FILE: document, **head.documents},
        weights={WEIGHTS_FILE: tensors, **head.weights},
        set_aside=head.set_aside,
        notes=(*notes, *head.notes),
    )


def _members(given: Exportable, backbone: Backbone) -> list[Held]:
    members = members_of(given.config)
    numbers = [str(i) if len(members) > 1 else "" for i in range(len(members))]
    return [Held(member, number, given, backbone) for member, number in zip(members, numbers, strict=True)]


def _drafts(members: Sequence[Held]) -> list[Draft]:
    couplings = [held for held in members if isinstance(held.config, InvertibleConfig)]
    bottlenecks = [held for held in members if isinstance(held.config, BnConfig)]
    if len(couplings) > 1 or (couplings and not bottlenecks):
        raise LoadError("AdapterHub's library has an invertible adapter beside a bottleneck only, and one.")
    found: list[Draft] = []
    for held in members:
        if isinstance(held.config, BnConfig):
            coupling = couplings[0] if couplings and held is bottlenecks[0] else None
            found.append(bottleneck(held, coupling))
        elif held not in couplings:
            found.append(_writer(held.config)(held))
    return found


def _writer(config: MethodConfig) -> Callable[[Held], Draft]:
    for kind, writer in _WRITERS.items():
        if isinstance(config, kind):
            return writer
    raise LoadError(
        f"AdapterHub's library has no method that computes what {config.name()} does. If it is an additive "
        "update, to_lora() makes a LoRA of it, which can be written."
    )


def _union(drafts: Sequence[Draft]) -> dict[str, object]:
    """A union: its members must differ in kind, or a bottleneck's in their places."""
    kinds = [draft.config.get("architecture") for draft in drafts]
    low_rank = [kind for kind in kinds if kind in ("lora", "mtl_lora")]
    twice = next((kind for kind in kinds if kind is not None and kinds.count(kind) > 1), None)
    if twice is not None or len(low_rank) > 1:
        raise LoadError(
            "A union of AdapterHub's library has one member of a kind; this one has several "
            f"({', '.join(str(kind or 'bottleneck') for kind in kinds)})."
        )
    return {"architecture": "union", "configs": [dict(draft.config) for draft in drafts]}
