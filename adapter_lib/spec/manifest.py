"""`adapter_config.json`: what a native adapter says of itself, beside its `adapter.safetensors`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.spec.configs import MethodConfig, config_from_dict
from adapter_lib.spec.documents import (
    MAX_BYTES,
    BackboneRef,
    ManifestError,
    Origin,
    parse_document,
    read_origin,
    to_text,
)
from adapter_lib.spec.fields import FieldError, Fields
from adapter_lib.spec.heads import POOLINGS, HeadSpec, head_types
from adapter_lib.spec.heads import read_head as read_any_head
from adapter_lib.spec.heads.base import MAX_LABELS
from adapter_lib.spec.schema import FORMAT, SCHEMA_VERSION, described

__all__ = [
    "CONFIG_FILE",
    "FORMAT",
    "HEAD_PREFIX",
    "HEAD_TYPES",
    "MAX_BYTES",
    "MAX_LABELS",
    "POOLINGS",
    "SCHEMA_VERSION",
    "WEIGHTS_FILE",
    "BackboneRef",
    "HeadSpec",
    "Manifest",
    "ManifestError",
    "foreign_format",
    "parse_manifest",
]

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter.safetensors"
# Keys of the weights file that belong to the head start with this.
HEAD_PREFIX = "head."
HEAD_TYPES = head_types()
# A union's list of members, a member, its config, and a list or an object in that.
_CONFIG_DEPTH = 4
_CONFIG_ITEMS = 10_000
# What version 1 of the format knows of heads.
_HEAD_1: dict[str, tuple[str, ...]] = {
    "type": ("classification",),
    "pooling": ("cls", "mean", "last"),
    "activation": ("tanh", "relu", "gelu"),
}
_HEAD_KEYS_1 = {*_HEAD_1, "labels", "layers", "dropout"}


@dataclass(frozen=True)
class Manifest:
    """A parsed `adapter_config.json`."""

    method: str
    config: MethodConfig
    family: str
    role_table: str
    backbone: BackboneRef
    head: HeadSpec | None
    library_version: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the file; `parse_manifest` gives an equal manifest back.

        It has the lowest schema version that can say it.
        """
        version, config = described(self.config)
        head = head_to_dict(self.head)
        origin = Origin(self.family, self.role_table, self.backbone, self.library_version).to_dict()
        library = origin.pop("library")
        return {
            "format": FORMAT,
            "schema_version": max(version, head_version(head)),
            "method": self.method,
            "config": config,
            **origin,
            "head": head,
            "library": library,
        }

    def to_json(self) -> str:
        """The file's text: the same manifest always gives the same bytes."""
        return to_text(self.to_dict())


def parse_manifest(data: bytes | str | Mapping[str, Any]) -> Manifest:
    """Parse a native `adapter_config.json`, given as file content or as the object in it.

    Raises ManifestError, and nothing else, with one of the codes `manifest.not_json`,
    `manifest.foreign_format` (a PEFT or AdapterHub config), `manifest.newer_schema`,
    `manifest.missing_key`, `manifest.unknown_key`, `manifest.bad_value`.
    """
    return parse_document(data, CONFIG_FILE, _READERS, foreign_format)


def foreign_format(values: Mapping[str, Any]) -> str:
    """One sentence that names the format of an `adapter_config.json` that is not ours."""
    if "peft_type" in values:
        kind = "This is a PEFT adapter"
    elif "config" in values and "version" in values:
        kind = "This is an AdapterHub adapter"
    else:
        kind = f'{CONFIG_FILE} does not say "format": "{FORMAT}"'
    return f"{kind}; only adapters saved by adapter_lib can be read so far."


def head_to_dict(head: HeadSpec | None) -> dict[str, Any] | None:
    """A head as documents say it."""
    return None if head is None else head.to_dict()


def head_version(head: Mapping[str, Any] | None) -> int:
    """The lowest schema version that can say a head, given as in a document."""
    if head is None:
        return 1
    is_known = all(head.get(key) in values for key, values in _HEAD_1.items())
    return 1 if is_known and set(head) <= _HEAD_KEYS_1 else 2


def _read_1(fields: Fields) -> Manifest:
    manifest = _read_2(fields)
    if manifest.head is not None and manifest.head.type not in _HEAD_1["type"]:
        raise FieldError("bad_value", f"head.type {manifest.head.type!r} needs schema_version 2.")
    return manifest


def _read_2(fields: Fields) -> Manifest:
    method, origin = fields.text("method"), read_origin(fields)
    return Manifest(
        method=method,
        config=config_from_dict(method, fields.plain_mapping("config", _CONFIG_DEPTH, _CONFIG_ITEMS)),
        family=origin.family,
        role_table=origin.role_table,
        backbone=origin.backbone,
        head=read_head(fields.nested_or_none("head")),
        library_version=origin.library_version,
    )


# Every version that ever was has its reader.
_READERS: dict[int, Callable[[Fields], Manifest]] = {1: _read_1, 2: _read_2}


def read_head(fields: Fields | None) -> HeadSpec | None:
    """A head as `head_to_dict` wrote it. Raises FieldError."""
    return None if fields is None else read_any_head(fields)
