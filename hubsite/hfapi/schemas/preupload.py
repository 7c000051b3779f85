"""Body of `preupload` (hf_protocol 3.6)."""

from dataclasses import dataclass
from typing import Self

from hubsite.hfapi.schemas.fields import Fields
from hubsite.registry.paths import PATH_LENGTH

MAX_FILES = 256
_MAX_GIT_IGNORE = 64 * 1024


@dataclass(frozen=True)
class PreuploadFile:
    """A file that is about to be uploaded; its `sample` is not needed to decide."""

    path: str
    size: int


@dataclass(frozen=True)
class Preupload:
    """The files, and the .gitignore that is uploaded with them, if any."""

    files: list[PreuploadFile]
    git_ignore: str | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Raises `BadInput` for wrong types and for more files than the protocol allows."""
        files = [
            PreuploadFile(file.text("path", limit=PATH_LENGTH), file.integer("size"))
            for file in fields.objects("files", limit=MAX_FILES)
        ]
        ignore = fields.text("gitIgnore", limit=_MAX_GIT_IGNORE) if "gitIgnore" in fields else None
        return cls(files, ignore)
