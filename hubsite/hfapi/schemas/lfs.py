"""Bodies of the Git LFS calls (hf_protocol 3.6; git-lfs docs/api/batch.md)."""

from dataclasses import dataclass
from typing import Self

from hubsite.core.errors import BadInput
from hubsite.hfapi.schemas.fields import Fields

MAX_OBJECTS = 256
_OPERATIONS = ("upload", "download")


@dataclass(frozen=True)
class LfsObject:
    """An object by SHA-256 and size in bytes."""

    oid: str
    size: int

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Raises `BadInput` unless `oid` is 64 hexadecimal digits and `size` a whole number."""
        return cls(fields.digest("oid", 64), fields.integer("size"))


@dataclass(frozen=True)
class Batch:
    """What is wanted, `upload` or `download`, and for which objects."""

    operation: str
    objects: list[LfsObject]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Raises `BadInput` for other operations, other hashes, no `basic` transfer, or too many objects."""
        operation = fields.text("operation")
        if operation not in _OPERATIONS:
            raise BadInput(f"operation must be upload or download, not {operation!r}.")
        if fields.text("hash_algo", "sha256") != "sha256":
            raise BadInput("hash_algo must be sha256.")
        if "transfers" in fields and "basic" not in fields.texts("transfers"):
            raise BadInput("transfers must offer basic: this hub moves objects by plain PUT and GET.")
        return cls(operation, [LfsObject.read(item) for item in fields.objects("objects", limit=MAX_OBJECTS)])
