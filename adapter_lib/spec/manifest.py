"""`adapter_config.json`: what a native adapter says of itself, beside its `adapter.safetensors`."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from adapter_lib.spec import strict_json
from adapter_lib.spec.configs import MethodConfig, config_from_dict, config_to_dict
from adapter_lib.spec.errors import AdapterLibError, ConfigError
from adapter_lib.spec.fields import FieldError, Fields
from adapter_lib.spec.strict_json import StrictJsonError, quoted

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter.safetensors"
# Keys of the weights file that belong to the head start with this.
HEAD_PREFIX = "head."
FORMAT = "adapter_lib"
SCHEMA_VERSION = 1
LIBRARY = "adapter_lib"
HEAD_TYPES = ("classification",)
POOLINGS = ("cls", "mean", "last")
MAX_BYTES = 1024**2
MAX_LABELS = 10_000
_MAX_ITEMS = 50_000
# A union's list of members, a member, its config, and a list or an object in that.
_CONFIG_DEPTH = 4
_CONFIG_ITEMS = 10_000
_HEX = re.compile(r"[0-9a-f]{8,64}")


class ManifestError(AdapterLibError):
    """A manifest that is refused; `code` is stable (`manifest.bad_value`), `message` one sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class BackboneRef:
    """The model an adapter was trained on.

    `id` is its upstream name, empty if that is not known; `fingerprint` is the hex digest that
    `adapter_lib.formats.native.fingerprint` takes of the weights.
    """

    id: str
    revision: str | None
    fingerprint: str
    model_type: str
    hidden_size: int
    num_layers: int


@dataclass(frozen=True)
class HeadSpec:
    """A prediction head: `layers` linear layers over the pooled last hidden state, one output per label."""

    type: str
    labels: tuple[str, ...]
    pooling: str
    layers: int
    activation: str = "tanh"
    dropout: float = 0.0


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
        """The JSON object of the file; `parse_manifest` gives an equal manifest back."""
        head = None if self.head is None else asdict(self.head) | {"labels": list(self.head.labels)}
        return {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "method": self.method,
            "config": config_to_dict(self.config),
            "family": self.family,
            "role_table": self.role_table,
            "backbone": asdict(self.backbone),
            "head": head,
            "library": {"name": LIBRARY, "version": self.library_version},
        }

    def to_json(self) -> str:
        """The file's text: the same manifest always gives the same bytes."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"


def parse_manifest(data: bytes | str | Mapping[str, Any]) -> Manifest:
    """Parse a native `adapter_config.json`, given as file content or as the object in it.

    Raises ManifestError, and nothing else, with one of the codes `manifest.not_json`,
    `manifest.foreign_format` (a PEFT or AdapterHub config), `manifest.newer_schema`,
    `manifest.missing_key`, `manifest.unknown_key`, `manifest.bad_value`.
    """
    values = _load(data)
    _check_format(values)
    try:
        return _read(Fields(values))
    except FieldError as error:
        raise ManifestError(f"manifest.{error.kind}", f"{CONFIG_FILE}: {error}") from None
    except ConfigError as error:
        raise ManifestError("manifest.bad_value", f"{CONFIG_FILE}: config: {error}") from None


def _load(data: bytes | str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(data, Mapping):
        return data
    if len(data) > MAX_BYTES:
        raise ManifestError(
            "manifest.not_json", f"{CONFIG_FILE} has more than the {MAX_BYTES} bytes allowed."
        )
    try:
        values = strict_json.loads(data, max_items=_MAX_ITEMS)
    except StrictJsonError as error:
        raise ManifestError("manifest.not_json", f"{CONFIG_FILE} is not valid JSON: {error}.") from None
    if not isinstance(values, dict):
        raise ManifestError("manifest.not_json", f"{CONFIG_FILE} must hold a JSON object.")
    return values


def _check_format(values: Mapping[str, Any]) -> None:
    if values.get("format") != FORMAT:
        raise ManifestError("manifest.foreign_format", foreign_format(values))
    version = values.get("schema_version")
    if type(version) is int and version > SCHEMA_VERSION:
        raise ManifestError(
            "manifest.newer_schema",
            f"{CONFIG_FILE} has a newer schema version than this library reads ({SCHEMA_VERSION}): "
            "upgrade adapter_lib.",
        )


def foreign_format(values: Mapping[str, Any]) -> str:
    """One sentence that names the format of an `adapter_config.json` that is not ours."""
    if "peft_type" in values:
        kind = "This is a PEFT adapter"
    elif "config" in values and "version" in values:
        kind = "This is an AdapterHub adapter"
    else:
        kind = f'{CONFIG_FILE} does not say "format": "{FORMAT}"'
    return f"{kind}; only adapters saved by adapter_lib can be read so far."


def _read(fields: Fields) -> Manifest:
    fields.literal("format", FORMAT)
    fields.literal("schema_version", SCHEMA_VERSION)
    method = fields.text("method")
    manifest = Manifest(
        method=method,
        config=config_from_dict(method, fields.plain_mapping("config", _CONFIG_DEPTH, _CONFIG_ITEMS)),
        family=fields.text("family"),
        role_table=_hex(fields, "role_table"),
        backbone=_read_backbone(fields.nested("backbone")),
        head=_read_head(fields.nested_or_none("head")),
        library_version=_read_library(fields.nested("library")),
    )
    fields.done()
    return manifest


def _read_backbone(fields: Fields) -> BackboneRef:
    backbone = BackboneRef(
        id=fields.text("id", allow_empty=True),
        revision=fields.text_or_none("revision"),
        fingerprint=_hex(fields, "fingerprint"),
        model_type=fields.text("model_type"),
        hidden_size=fields.integer("hidden_size", 0, 1_000_000),
        num_layers=fields.integer("num_layers", 0, 10_000),
    )
    fields.done()
    return backbone


def _read_head(fields: Fields | None) -> HeadSpec | None:
    if fields is None:
        return None
    head = HeadSpec(
        type=fields.choice("type", HEAD_TYPES),
        labels=fields.texts("labels", 1, MAX_LABELS),
        pooling=fields.choice("pooling", POOLINGS),
        layers=fields.integer("layers", 1, 100),
        activation=fields.text("activation") if "activation" in fields else "tanh",
        dropout=fields.number("dropout", 0.0, 1.0) if "dropout" in fields else 0.0,
    )
    if len(set(head.labels)) < len(head.labels):
        raise FieldError("bad_value", "head.labels names a label twice.")
    fields.done()
    return head


def _read_library(fields: Fields) -> str:
    fields.literal("name", LIBRARY)
    version = fields.text("version")
    fields.done()
    return version


def _hex(fields: Fields, key: str) -> str:
    value = fields.text(key)
    if not _HEX.fullmatch(value):
        raise FieldError(
            "bad_value", f"{fields.path(key)} must be 8 to 64 lower-case hex digits, not {quoted(value)}."
        )
    return value
