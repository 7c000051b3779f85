"""`head_config.json`: what a head without an adapter says of itself, beside its `head.safetensors`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.spec.composition import check_adapter_name
from adapter_lib.spec.documents import Origin, no_document, parse_document, read_origin, to_text
from adapter_lib.spec.fields import FieldError, Fields
from adapter_lib.spec.manifest import HeadSpec, head_to_dict, read_head
from adapter_lib.spec.schema import FORMAT

HEAD_FILE = "head_config.json"
HEAD_WEIGHTS = "head.safetensors"


@dataclass(frozen=True)
class HeadManifest:
    """A parsed `head_config.json`."""

    name: str
    head: HeadSpec
    origin: Origin

    def to_json(self) -> str:
        """The file's text; `parse_head_manifest` gives an equal manifest back."""
        document = {
            "format": FORMAT,
            "schema_version": 2,
            "name": self.name,
            "head": head_to_dict(self.head),
            **self.origin.to_dict(),
        }
        return to_text(document)


def parse_head_manifest(data: bytes | str | Mapping[str, Any]) -> HeadManifest:
    """Parse a `head_config.json`. Raises ManifestError, with the codes of `parse_manifest`."""
    return parse_document(data, HEAD_FILE, _READERS, no_document(HEAD_FILE))


def _read_2(fields: Fields) -> HeadManifest:
    head = read_head(fields.nested("head"))
    if head is None:
        raise FieldError("bad_value", "head must be an object.")
    return HeadManifest(check_adapter_name(fields.text("name")), head, read_origin(fields))


_READERS: dict[int, Callable[[Fields], HeadManifest]] = {2: _read_2}
