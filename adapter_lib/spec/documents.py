"""What all JSON documents of the native format have in common: how they are read, and what they say first."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeVar

from adapter_lib.spec import strict_json
from adapter_lib.spec.errors import AdapterLibError, CompositionError, ConfigError
from adapter_lib.spec.fields import FieldError, Fields
from adapter_lib.spec.schema import FORMAT, LIBRARY, SCHEMA_VERSION
from adapter_lib.spec.strict_json import StrictJsonError, quoted

MAX_BYTES = 1024**2
_MAX_ITEMS = 50_000
# An error may quote what a stranger wrote, but not all of it.
_MAX_MESSAGE = 500
_HEX = re.compile(r"[0-9a-f]{8,64}")

T = TypeVar("T")


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


class MadeFor(Protocol):
    """What every document of the native format says of the model that its files were made for."""

    @property
    def family(self) -> str:
        """The family's name."""
        ...

    @property
    def role_table(self) -> str:
        """The digest of the family's table."""
        ...

    @property
    def backbone(self) -> BackboneRef:
        """The model."""
        ...


@dataclass(frozen=True)
class Origin:
    """What a file was made for, and by what.

    family, role_table: of the model it was made on, and the digest of the family's table of places.
    """

    family: str
    role_table: str
    backbone: BackboneRef
    library_version: str

    def to_dict(self) -> dict[str, Any]:
        """Its members of a document."""
        return {
            "family": self.family,
            "role_table": self.role_table,
            "backbone": asdict(self.backbone),
            "library": {"name": LIBRARY, "version": self.library_version},
        }


def to_text(document: Mapping[str, Any]) -> str:
    """A document's text: the same one always gives the same bytes."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def parse_document(
    data: bytes | str | Mapping[str, Any],
    file: str,
    readers: Mapping[int, Callable[[Fields], T]],
    foreign: Callable[[Mapping[str, Any]], str],
) -> T:
    """A document, given as file content or as the object in it, read by the reader of its schema version.

    file: what errors call it. foreign: the sentence for an object that is none of this library's.
    Raises ManifestError, and nothing else.
    """
    values = _load(data, file)
    if values.get("format") != FORMAT:
        raise ManifestError("manifest.foreign_format", foreign(values))
    _check_newer(values.get("schema_version"), file)
    fields = Fields(values)
    try:
        fields.literal("format", FORMAT)
        version = fields.integer("schema_version", min(readers), SCHEMA_VERSION)
        found = readers[version](fields)
        fields.done()
    except FieldError as error:
        raise ManifestError(f"manifest.{error.kind}", f"{file}: {error}") from None
    except ConfigError as error:
        raise ManifestError("manifest.bad_value", f"{file}: config: {error}") from None
    except CompositionError as error:
        message = f"{file}: composition: {error}"
        cut = message if len(message) <= _MAX_MESSAGE else message[:_MAX_MESSAGE] + " …"
        raise ManifestError("manifest.bad_value", cut) from None
    return found


def no_document(file: str) -> Callable[[Mapping[str, Any]], str]:
    """The sentence for an object that is not this library's, for files that no other library writes."""
    return lambda _: f'{file} does not say "format": "{FORMAT}", so it is none of this library\'s.'


def read_origin(fields: Fields) -> Origin:
    """The members that `Origin.to_dict` wrote. Raises FieldError."""
    return Origin(
        family=fields.text("family"),
        role_table=_hex(fields, "role_table"),
        backbone=_read_backbone(fields.nested("backbone")),
        library_version=_read_library(fields.nested("library")),
    )


def _load(data: bytes | str | Mapping[str, Any], file: str) -> Mapping[str, Any]:
    if isinstance(data, Mapping):
        return data
    if len(data) > MAX_BYTES:
        raise ManifestError("manifest.not_json", f"{file} has more than the {MAX_BYTES} bytes allowed.")
    try:
        values = strict_json.loads(data, max_items=_MAX_ITEMS)
    except StrictJsonError as error:
        raise ManifestError("manifest.not_json", f"{file} is not valid JSON: {error}.") from None
    if not isinstance(values, dict):
        raise ManifestError("manifest.not_json", f"{file} must hold a JSON object.")
    return values


def _check_newer(version: object, file: str) -> None:
    if type(version) is int and version > SCHEMA_VERSION:
        raise ManifestError(
            "manifest.newer_schema",
            f"{file} has a newer schema version than this library reads ({SCHEMA_VERSION}): "
            "upgrade adapter_lib.",
        )


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
