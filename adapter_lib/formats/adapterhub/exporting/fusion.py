"""What a Fuse has learned, as the files of AdapterHub's library."""

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.document import FUSION
from adapter_lib.formats.adapterhub.exporting.description import described
from adapter_lib.formats.adapterhub.importing.fusion import (
    CONFIG_FILE,
    FIELDS,
    REGULARISATION,
    WEIGHTS_FILE,
)
from adapter_lib.formats.conversion import ADAPTERHUB, Exported
from adapter_lib.inject import Injection
from adapter_lib.spec.configs import BnConfig, FusionConfig, MethodConfig, members_of
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.manifest import BackboneRef


def export_fusion(injection: Injection, name: str, backbone: BackboneRef) -> Exported:
    """The files of a fusion on a model. Raises LoadError for what has no counterpart there."""
    config, adapters = injection.blocks["fuse", name]
    if not isinstance(config, FusionConfig):
        raise TypeError(f"{config.name()} is no fusion.")
    if "." in name:
        raise LoadError(f"A name in AdapterHub's library has no dot: {name!r} needs another.")
    last = injection.configs[adapters[-1]]
    _check(config, last)
    places = Backbone.of(injection.atlas)
    tensors = {
        f"{places.path(injection.atlas.spot(key).place)}.adapter_fusion_layer.{name}.{tensor}": value.detach()
        for key, part in injection.block_parts("fuse", name).items()
        for tensor, value in part.named_parameters()
    }
    values = {**FUSION, **{field: getattr(config, field) for field in FIELDS}}
    values |= {"regularization": bool(config.regularization), "dropout_prob": config.dropout_prob or None}
    document = described(injection.atlas, backbone.id, name, values) | {"adapter_names": list(adapters)}
    return Exported(ADAPTERHUB, {CONFIG_FILE: document}, {WEIGHTS_FILE: tensors}, notes=_notes(config))


def _check(config: FusionConfig, last: MethodConfig) -> None:
    bottleneck = next((member for member in members_of(last) if isinstance(member, BnConfig)), None)
    if bottleneck is None or bottleneck.is_parallel:
        raise LoadError("AdapterHub's library fuses sequential bottlenecks only.")
    if not config.query_before_ln and not bottleneck.original_ln_before:
        raise LoadError(
            "Without original_ln_before in its last adapter a fusion of AdapterHub's library asks with the "
            "sub-layer's plain output: only one with query_before_ln=true is the same there."
        )
    if config.temperature:
        raise LoadError("The files of AdapterHub's library do not hold how far a temperature has fallen.")


def _notes(config: FusionConfig) -> tuple[str, ...]:
    if config.regularization in (0.0, REGULARISATION):
        return ()
    return (f"AdapterHub's library regularises with {REGULARISATION}, not {config.regularization}.",)
